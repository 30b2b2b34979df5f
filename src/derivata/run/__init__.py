"""Numbers: exact enclosures of expressions, and the check of every result against them."""
