"""For people: LaTeX, two-dimensional Unicode and small plots.

An expression is spelled (`expr/spell.py`), the spelling is set as a mathematician would (`setting.py`: fractions,
index sums, transposes), and the formula that results is printed by `latex.py` and `unicode.py`.
"""
