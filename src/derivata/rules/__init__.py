"""What mathematics says: records only. `book.py` gathers them, in order, once."""
