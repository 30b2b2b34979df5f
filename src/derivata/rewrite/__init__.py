"""One engine: put a formula in the place of a node, and remember which rule said so."""
