"""What an expression is: nodes, shapes, reading and writing text, operators, matching."""
