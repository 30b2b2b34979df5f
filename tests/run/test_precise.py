"""Ball arithmetic of whole expressions: enclosures, slopes, cases, domains."""

from __future__ import annotations

from fractions import Fraction

import flint
import pytest
from flint import arb

from derivata.errors import EvaluationError, LimitError
from derivata.expr.lower import read
from derivata.expr.node import Expr, contraction, differential
from derivata.rules.book import book
from derivata.run.balls import Entry, ball, is_finite, moving, precision
from derivata.run.matrices import array_function
from derivata.run.precise import Array, Program, coefficient, constant, evaluate
from derivata.run.sample import points, sizes_for

BITS = 200


def expression(text: str, where: str = "") -> Expr:
    return read(text, where, book().vocabulary)


def scalar(value: int | str | Fraction) -> Array:
    return Array((), [ball(Fraction(value))])


def along(value: int | str, slope: int = 1) -> Array:
    return Array((), [moving(ball(Fraction(value)), arb(slope))])


def value_of(text: str, where: str = "", **values: Array) -> list[float]:
    sizes = {"n": 2, "m": 2, "d": 3}
    (found,) = evaluate([expression(text, where)], values, sizes, bits=BITS)
    return [float(constant(entry).mid()) for entry in found.entries]


def matrix(rows: list[list[int]]) -> Array:
    return Array((len(rows), len(rows[0])), [arb(x) for row in rows for x in row])


def vector(*entries: int) -> Array:
    return Array((len(entries),), [arb(x) for x in entries])


def test_value_is_enclosed_tightly() -> None:
    (found,) = evaluate([expression("exp(x)/3")], {"x": scalar(1)}, {}, bits=BITS)
    with precision(2 * BITS):
        true = arb(1).exp() / 3
    assert found.entries[0].contains(true)
    assert found.entries[0].rel_accuracy_bits() > BITS - 10


def test_precision_is_put_back() -> None:
    before = flint.ctx.prec, flint.ctx.cap
    with pytest.raises(EvaluationError):
        evaluate([expression("x")], {}, {}, bits=777)
    assert (flint.ctx.prec, flint.ctx.cap) == before


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("x**3", 12.0),
        ("1/x", -0.25),
        ("2**x*1", 4 * 0.6931471805599453),
        ("abs(-x)", 1.0),
        ("where(x > 3, 7*x, 5*x)", 5.0),
        ("max(x, 3*x)", 3.0),
        ("x*floor(x + 1/2)", 2.0),
        ("sqrt(x)", 0.3535533905932738),
    ],
)
def test_slope_along_a_direction(text: str, slope: float) -> None:
    (found,) = evaluate([expression(text)], {"x": along(2)}, {}, bits=BITS)
    assert float(coefficient(found.entries[0]).mid()) == pytest.approx(slope, rel=1e-15)


def test_contractions() -> None:
    a, x = matrix([[1, 2], [3, 4]]), vector(5, 7)
    where = "A[n,n], x[n]"
    assert value_of("A@x", where, A=a, x=x) == [19, 43]
    assert value_of("A.T@A", where, A=a, x=x) == [10, 14, 14, 20]
    assert value_of("diag(x)", where, A=a, x=x) == [5, 0, 0, 7]
    assert value_of("diag(A)", where, A=a, x=x) == [1, 4]
    assert value_of("tr(A)*x", where, A=a, x=x) == [25, 35]
    assert value_of("outer(x, x) + x", where, A=a, x=x) == [30, 42, 40, 56]
    assert value_of("sum(A, axis=0)", where, A=a, x=x) == [4, 6]
    assert value_of("ones(d)*sum(x)", where, A=a, x=x) == [12, 12, 12]
    assert value_of("einsum('ii,j->j', A, x)", where, A=a, x=x) == [25, 35]
    assert value_of("eye(d)", where) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert value_of("x[1]*A[0]", where, A=a, x=x) == [7, 14]
    assert value_of("mean(x)*n", where, A=a, x=x) == [12]


def test_a_long_product_does_not_explode() -> None:
    letters = "abcdefghijk"
    groups = ",".join(letters[i : i + 2] for i in range(10))
    root = expression(f"einsum('{groups}->ak', {', '.join('A' * 10)})", "A[n,n]")
    program = Program([root], {"n": 4})
    assert program.work < 2000
    assert value_of(str(root), "A[n,n]", A=matrix([[1, 1], [0, 1]])) == [1, 10, 0, 1]


def test_too_large_a_contraction_is_refused() -> None:
    root = expression("einsum('ij,jk->ik', A, A)", "A[500,500]")
    with pytest.raises(LimitError, match="names"):
        Program([root], {})


def test_functions_of_arrays_are_mapped() -> None:
    assert value_of("amax(A, axis=1)", "A[n,n]", A=matrix([[1, 2], [5, 4]])) == [2, 5]
    assert value_of("amax(A)", "A[n,n]", A=matrix([[1, 2], [5, 4]])) == [5]
    rows = value_of("softmax(A)", "A[n,n]", A=matrix([[0, 0], [0, 1]]))
    columns = value_of("softmax(A, axis=0)", "A[n,n]", A=matrix([[0, 0], [0, 1]]))
    assert rows[:2] == [0.5, 0.5]
    assert columns[0] == columns[2] == 0.5
    assert columns[1] + columns[3] == 1


@pytest.mark.parametrize("text", ["log(-2)", "(-2)**(1/2)", "1/(2-2)", "sqrt(x)", "x**(1/3)", "x**y", "log(x)*log(x)"])
def test_outside_of_a_domain_nothing_is_enclosed(text: str) -> None:
    (found,) = evaluate([expression(text)], {"x": along(-2), "y": scalar("1/2")}, {}, bits=BITS)
    assert not is_finite(found.entries[0])


def test_a_case_not_taken_may_be_undefined() -> None:
    assert value_of("where(x > 0, log(x), 3)", x=along(-1)) == [3]
    assert value_of("where(x > 0, 1, 0)*log(x)", x=along(-1)) == [0]


def test_whole_exponents_take_any_base() -> None:
    assert value_of("x**3", x=scalar(-2)) == [-8]
    assert value_of("x**k", "k int", x=scalar(-2), k=scalar(-1)) == [-0.5]


@pytest.mark.parametrize("text", ["abs(x)", "where(x > 0, x, 0)", "floor(x)", "max(x, 2*x)"])
def test_at_a_kink_nothing_is_decided(text: str) -> None:
    (found,) = evaluate([expression(text)], {"x": along(0)}, {}, bits=BITS)
    assert not is_finite(found.entries[0])


def test_exact_comparisons_are_decided() -> None:
    assert value_of("where(k == 2, 1, 0)", "k int", k=scalar(2)) == [1]
    assert value_of("where(exp(x) >= exp(x), 1, 0)", x=scalar(1)) == [1]


def test_unspecified_functions_have_their_derivatives() -> None:
    (f, first, second) = evaluate(
        [expression("f(x)"), expression("f'(x)"), expression("f''(x)")], {"x": along("3/2")}, {}, bits=BITS
    )
    assert coefficient(f.entries[0]).overlaps(constant(first.entries[0]))
    assert coefficient(first.entries[0]).overlaps(constant(second.entries[0]))
    assert constant(f.entries[0]) > 0
    assert value_of("f(x)", x=scalar(1)) != value_of("g(x)", x=scalar(1))


def test_differentials_are_slopes() -> None:
    u = expression("x**2")
    (found,) = evaluate([differential(u)], {"x": along(3)}, {}, bits=BITS)
    assert found.entries[0] == 6


def test_bound_nodes_are_not_looked_into() -> None:
    inner = expression("log(x)")
    (found,) = evaluate([inner * inner], {}, {}, bits=BITS, bound={inner: scalar(5)})
    assert found.entries[0] == 25


def test_wrong_values_are_refused() -> None:
    with pytest.raises(EvaluationError, match="no value was given for x"):
        evaluate([expression("x")], {}, {}, bits=BITS)
    with pytest.raises(EvaluationError, match="shape"):
        evaluate([expression("sum(x)", "x[n]")], {"x": vector(1, 2, 3)}, {"n": 2}, bits=BITS)
    with pytest.raises(EvaluationError, match="size n"):
        evaluate([expression("eye(n)")], {}, {}, bits=BITS)


def test_deep_graphs_do_not_recurse() -> None:
    root = x = expression("x")
    for _ in range(5000):
        root = contraction([(root + 1, ()), (expression("1/2"), ())], ())
    (found,) = evaluate([root], {"x": scalar(1)}, {}, bits=BITS)
    assert found.entries[0].overlaps(arb(1))
    assert x is not root


def test_points_obey_what_was_declared() -> None:
    where = (
        "p[n] sums to 1, S[n,n] symmetric, P[n,n] positive definite, D[n,n] diagonal, Q[n,n] orthogonal, "
        "k int, u in (0, 1), c > 0, h <= -2"
    )
    root = expression("sum(p) + sum(S + P + D + Q) + k + u + c + h + x + n", where)
    names = sizes_for([root])
    seen = list(points(root, count=40))
    for point in seen:
        values = {name: sample.entries for name, sample in point.values.items()}
        size = names["n"]
        rows = {m: [values[m][i * size : (i + 1) * size] for i in range(size)] for m in "SPDQ"}
        assert sum(values["p"]) == 1
        assert min(values["p"]) > 0
        for m in "SPD":
            assert all(rows[m][i][j] == rows[m][j][i] for i in range(size) for j in range(size))
        assert all(rows["D"][i][j] == 0 for i in range(size) for j in range(size) if i != j)
        assert all(
            sum(rows["Q"][k][i] * rows["Q"][k][j] for k in range(size)) == (i == j)
            for i in range(size)
            for j in range(size)
        )
        assert values["k"][0].denominator == 1
        assert 0 < values["u"][0] < 1
        assert values["c"][0] > 0
        assert values["h"][0] <= -2
        assert values["n"][0] == size
    assert {point.values["x"].entries[0] > 0 for point in seen} == {True, False}
    assert [str(p) for p in seen] == [str(p) for p in points(root, count=40)]


def test_subscripts_stay_inside_of_their_axis() -> None:
    for root in (
        expression("x[k]", "x[n], k int"),
        expression("x[k]*k", "x[n]"),
        expression("k*x[k]", "x[n]"),
    ):
        assert {int(p.values["k"].entries[0]) for p in points(root, count=30)} == {0, 1, 2}


def moving_matrix() -> tuple[list[Entry], list[arb]]:
    """A and V as the entries of A + t*V."""
    values, slopes = [2, 1, 0, 1, 3, 1, 1, 0, 4], [1, 0, 2, 1, 1, 0, 0, 1, 3]
    return [moving(arb(a), arb(v)) for a, v in zip(values, slopes, strict=True)], [arb(v) for v in slopes]


def test_inverse_determinant_and_exponential_have_their_slopes() -> None:
    with precision(BITS):
        entries, slopes = moving_matrix()
        still = [constant(entry) for entry in entries]
        v, inverse = flint.arb_mat(3, 3, slopes), flint.arb_mat(3, 3, still).inv()
        found = array_function("inv", "inverse")([entries], [(3, 3)])
        expected = -inverse * v * inverse
        assert all(constant(e).overlaps(x) for e, x in zip(found, inverse.entries(), strict=True))
        assert all(coefficient(e).overlaps(x) for e, x in zip(found, expected.entries(), strict=True))
        (determinant,) = array_function("det", "determinant")([entries], [(3, 3)])
        assert constant(determinant) == 21
        assert coefficient(determinant).overlaps(21 * (inverse * v).trace())
        found = array_function("expm", "exponential")([entries], [(3, 3)])
        trace = coefficient(found[0] + found[4] + found[8])
        assert trace.overlaps((flint.arb_mat(3, 3, still).exp() * v).trace())
        assert array_function("det", "determinant")([[arb(0)] * 9], [(3, 3)])[0] == 0
        assert not is_finite(array_function("inv", "inverse")([[arb(0)] * 9], [(3, 3)])[0])


def test_a_matrix_not_known_to_be_regular_is_undecided() -> None:
    inexact = Array((2, 2), [ball(Fraction(1, 3)), arb(1), arb(1), arb(3, 1e-9)])
    (found,) = evaluate([expression("inv(A)", "A[n,n]")], {"A": inexact}, {"n": 2}, bits=BITS)
    assert not any(entry.is_finite() or entry.is_nan() for entry in found.entries)
    (found,) = evaluate([expression("inv(A)", "A[n,n]")], {"A": matrix([[1, 2], [2, 4]])}, {"n": 2}, bits=BITS)
    assert all(entry.is_nan() for entry in found.entries)
