"""Algebra: normal form, recognition, textbook form. No function is named here; the records' facts drive it."""
