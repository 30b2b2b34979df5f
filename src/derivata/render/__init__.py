"""For people: LaTeX, two-dimensional Unicode and small plots.

An expression is spelled (`expr/spell.py`), the spelling is set as a mathematician would (`setting.py`:
fractions, index sums, transposes), and the formula that results (`formula.py`, `products.py`) is printed by
`latex.py` and, laid out in boxes, by `unicode.py`. Functions look as their records say (`template.py`).
"""
