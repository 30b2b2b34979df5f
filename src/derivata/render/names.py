"""Names as a mathematician writes them: Greek letters, subscripts, hats."""

from __future__ import annotations

import re
import unicodedata

_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK = dict(zip(_NAMES.split(), "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", strict=True))
_SHORT = {"lam": "lambda", "eps": "epsilon"}
_LETTER = {character: name for name, character in _GREEK.items()} | {"ϵ": "epsilon", "ϕ": "phi", "ϑ": "theta"}
_SIGNS = {
    "infty": "∞", "ell": "ℓ", "partial": "∂", "nabla": "∇", "cdot": "·", "circ": "∘", "odot": "⊙", "top": "ᵀ",
    "in": "∈", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "times": "×", "pm": "±",
    "to": "→", "sum": "∑", "prod": "∏", "otimes": "⊗", "colon": ":", "mid": "|", "ldots": "…", "dots": "…",
    "varphi": "φ", "varepsilon": "ε",
}  # fmt: skip
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307"}
_SUPERSCRIPTS = dict(zip("0123456789+-()=niT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾⁼ⁿⁱᵀ", strict=True))
_LOWERED = "0123456789,+-()=aehijklmnoprstuvxβγρφχ"
_SUBSCRIPTS = dict(zip(_LOWERED, "₀₁₂₃₄₅₆₇₈₉‚₊₋₍₎₌ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))


def split(name: str) -> tuple[str, tuple[str, ...], str, str]:
    """The letter, its subscripts, its accent and its primes: `w1_out'` is w with 1 and out, and a prime."""
    plain = name.rstrip("'")
    primes = name[len(plain) :]
    if plain != plain.strip("_") or "__" in plain:
        return plain, (), "", primes
    base, *rest = plain.split("_")
    accent = ""
    if rest and rest[-1] in _ACCENTS and len(_letter(base)) == 1:
        accent = rest.pop()
    match = re.fullmatch(r"(.*?\D)(\d+)", base)
    if match and match.group(2).isdecimal():
        base, rest = match.group(1), [match.group(2), *rest]
    return base, tuple(rest), accent, primes


def _letter(base: str) -> str:
    return _GREEK.get(_SHORT.get(base, base), base)


def latex_name(name: str, subscripts: str = "") -> str:
    """A name in LaTeX with more subscripts (LaTeX already) after its own."""
    base, own, accent, primes = split(name)
    text = _latex_word(base, r"\mathit")
    if accent:
        text = rf"\{accent}{{{text}}}"
    below = ",".join([*(_latex_word(s, r"\text") for s in own), *filter(None, [subscripts])])
    return f"{text}{primes}" + (f"_{{{below}}}" if below else "")


def _latex_word(text: str, style: str) -> str:
    short = _SHORT.get(text, text)
    if short in _GREEK:
        return "\\" + short
    if text in _LETTER:
        return "\\" + _LETTER[text]
    if text.isascii() and (text.isdigit() or (len(text) == 1 and text.isalpha())):
        return text
    if text.isascii() and text.isalnum():
        return f"{style}{{{text}}}"
    return rf"\text{{{latex_text(text)}}}"


def latex_text(text: str) -> str:
    """Any text inside `\\text{}`."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, "\\" + c if c in "_#$%&{}" else c) for c in text if c.isprintable())


def unicode_name(name: str) -> tuple[str, tuple[str, ...]]:
    """A name for a terminal without its subscripts, and these."""
    base, own, accent, primes = split(name)
    text = _letter(base)
    if accent:
        text = unicodedata.normalize("NFC", text + _ACCENTS[accent])
    return text + _primed(primes), tuple(map(_letter, own))


def _primed(primes: str) -> str:
    return "″" * (len(primes) // 2) + "′" * (len(primes) % 2)


def subscript(text: str) -> str:
    """In small letters, or nothing when some have none."""
    return "".join(_SUBSCRIPTS[c] for c in text) if all(c in _SUBSCRIPTS for c in text) else ""


def superscript(text: str) -> str:
    """In small letters, or nothing when some have none."""
    return "".join(_SUPERSCRIPTS[c] for c in text) if all(c in _SUPERSCRIPTS for c in text) else ""


def ascii_name(text: str) -> str:
    """ASCII only: Greek letters by name, other letters by number."""
    return "".join(c if c.isascii() else _LETTER.get(c, f"u{ord(c):04x}") for c in text)


def command(text: str) -> str:
    """A LaTeX command such as `\\sigma` or `\\log` as plain text."""
    plain = text.lstrip("\\")
    return _SIGNS.get(plain) or _GREEK.get(plain, plain)
