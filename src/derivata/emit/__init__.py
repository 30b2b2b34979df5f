"""For machines: a straight-line plan of an expression, then readable source that needs nothing of ours."""
