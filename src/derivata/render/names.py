"""Names as a mathematician writes them: Greek letters, subscripts, hats."""

from __future__ import annotations

import re
import unicodedata

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω",
}  # fmt: skip
_SHORT = {"lam": "lambda", "eps": "epsilon"}
_LETTER = {character: name for name, character in _GREEK.items()} | {"ϵ": "epsilon", "ϕ": "phi", "ϑ": "theta"}
_COMMANDS = {
    r"\infty": "∞", r"\ell": "ℓ", r"\partial": "∂", r"\nabla": "∇", r"\cdot": "·", r"\circ": "∘", r"\odot": "⊙",
    r"\top": "ᵀ", r"\in": "∈", r"\le": "≤", r"\leq": "≤", r"\ge": "≥", r"\geq": "≥", r"\ne": "≠", r"\neq": "≠",
    r"\times": "×", r"\pm": "±", r"\to": "→", r"\varphi": "φ", r"\sum": "∑", r"\prod": "∏", r"\otimes": "⊗",
    r"\colon": ":", r"\mid": "|", r"\ldots": "…", r"\dots": "…", r"\varepsilon": "ε",
} | {"\\" + name: character for name, character in _GREEK.items()}  # fmt: skip
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307"}
SUPERSCRIPTS = dict(zip("0123456789+-()=niT/", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾⁼ⁿⁱᵀᐟ", strict=True))
SUBSCRIPTS = dict(
    zip("0123456789+-()=aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎₌ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True)
)
del SUPERSCRIPTS["/"]  # its sign is missing from most fonts


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


def unicode_name(name: str) -> tuple[str, str]:
    """A name for a terminal, and the subscripts that have no small letters of their own (`out`)."""
    base, own, accent, primes = split(name)
    text = _letter(base)
    if accent:
        text = unicodedata.normalize("NFC", text + _ACCENTS[accent])
    letters = [_letter(s) for s in own]
    if (
        len(letters) == 1
        and (small := subscript(letters[0]))
        and (letters[0].isdigit() or len(letters[0]) == 1)
    ):
        return text + small + _primed(primes), ""
    return text + _primed(primes), ",".join(letters)


def _primed(primes: str) -> str:
    return "″" * (len(primes) // 2) + "′" * (len(primes) % 2)


def subscript(text: str) -> str:
    """In small letters, or nothing when some have none."""
    return "".join(SUBSCRIPTS[c] for c in text) if all(c in SUBSCRIPTS for c in text) else ""


def superscript(text: str) -> str:
    """In small letters, or nothing when some have none."""
    return "".join(SUPERSCRIPTS[c] for c in text) if all(c in SUPERSCRIPTS for c in text) else ""


def ascii_name(text: str) -> str:
    """ASCII only: Greek letters by name, other letters by number."""
    return "".join(c if c.isascii() else _LETTER.get(c, f"u{ord(c):04x}") for c in text)


def command(text: str) -> str:
    """A LaTeX command such as `\\sigma` or `\\tanh` as plain text."""
    return _COMMANDS.get(text, text.lstrip("\\"))
