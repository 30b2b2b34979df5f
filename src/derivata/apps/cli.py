"""The command line: derive, show, code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from derivata.errors import DerivataError

FORMATS = ("text", "unicode", "latex", "json")
_EXAMPLES = {
    "derive": """
\b
Examples:
  derivata derive "log(sigmoid(w*x + b))" --wrt w
  derivata derive "sum((X@w - y)**2)" --wrt w --where "X[n,d], y[n], w[d]"
  derivata derive "softmax(z)" --where "z[n]" --format latex
  derivata derive "x**3*y" --wrt x --order 2
  derivata derive "sum(softmax(z)*y)" --wrt z --where "z[n], y[n]" --with n=3
  derivata derive - --wrt x < formula.txt
""",
    "show": """
\b
Examples:
  derivata show tanh
  derivata show "product rule"
  derivata show softmax --format json
""",
    "code": """
\b
Examples:
  derivata code "x*tanh(log(1 + exp(x)))" --wrt x
  derivata code "sum(log(1 + exp(-y*(X@w))))" --wrt w --where "X[n,d], y[n], w[d]" > logistic.py
""",
}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="derivata", prog_name="derivata")
def cli() -> None:
    """The calculus behind machine learning: derivatives you can read, verified before they are shown."""


def _command(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command whose help ends with examples that can be typed."""

    def wrap(function: Callable[..., None]) -> Callable[..., None]:
        function.__doc__ = (function.__doc__ or "") + "\n" + _EXAMPLES[name]
        return cli.command(name)(function)

    return wrap


_where = click.option("--where", default=None, metavar="TEXT", help='Declarations, such as "X[n,d], y[n], lam > 0".')
_wrt = click.option("--wrt", default=None, metavar="NAME", help="Differentiate by this variable; z[k] for one entry.")
_format = click.option(
    "--format", "form", type=click.Choice(FORMATS), default=None, help="How to print; unicode on a terminal."
)


@_command("derive")
@click.argument("expression")
@click.argument("variable", required=False)
@_wrt
@_where
@_format
@click.option("--order", default=1, type=click.IntRange(1, 10), show_default=True, help="How often to differentiate.")
@click.option("--steps/--no-steps", default=True, show_default=True, help="Show the rules one by one.")
@click.option("--indices", is_flag=True, help="Index notation: entry by entry, products of matrices as sums.")
@click.option("--no-kinks", is_flag=True, help="Refuse functions that are not differentiable everywhere.")
@click.option(
    "--with",
    "numbers",
    multiple=True,
    metavar="n=2,x=0.5",
    help='Also work it out with small numbers; sets sizes and scalars, "" lets all be chosen.',
)
def derive_command(
    expression: str,
    variable: str | None,
    wrt: str | None,
    where: str | None,
    form: str | None,
    order: int,
    steps: bool,
    indices: bool,
    no_kinks: bool,
    numbers: tuple[str, ...],
) -> None:
    """Differentiate EXPRESSION (- reads it from standard input) by VARIABLE and show the steps and the check."""
    from derivata import verbs
    from derivata.apps.settings import settings

    given = settings(numbers)
    of: Any = verbs.read(_given(expression), where)
    derivation = verbs.derive(of, _one_of(variable, wrt), order=order, allow_kinks=not no_kinks)
    worked = verbs.worked(derivation, **given) if numbers else None
    form = form or _default_form()
    if form == "json":
        _print(derivation.as_json() if worked is None else _with_worked(derivation.as_json(), worked.as_json()))
    elif form == "latex":
        _print(derivation.latex(indices=indices) if steps else derivation.result.latex(indices=indices))
        if worked is not None:
            _print("\n" + worked.latex())
    elif form == "unicode" or indices:
        width, ascii_only = _width(), form == "text" or not _encodes_unicode()
        _coloured(derivation.unicode(width, ascii_only=ascii_only, steps=steps, indices=indices))
        if worked is not None:
            _coloured("\n" + worked.unicode(width, ascii_only=ascii_only))
    else:
        _coloured(derivation.text(marks=("\u2039", "\u203a") if _encodes_unicode() else ("{", "}"), steps=steps))
        if worked is not None:
            _coloured("\n" + worked.text())


def _one_of(variable: str | None, wrt: str | None) -> str | None:
    """The variable, which may be said in two ways."""
    if variable and wrt and variable != wrt:
        raise click.UsageError(f"the variable is given twice: {variable} and {wrt}")
    return variable or wrt


def _with_worked(derivation: str, worked: str) -> str:
    """One JSON object of both."""
    return json.dumps(json.loads(derivation) | {"worked": json.loads(worked)}, indent=2, ensure_ascii=False)


@_command("show")
@click.argument("name")
@_format
def show_command(name: str, form: str | None) -> None:
    """Look up the function, law or identity called NAME."""
    from derivata.apps.entry import entry

    found = entry(name)
    form = form or _default_form()
    if form == "json":
        _print(found.as_json())
    elif form == "latex":
        _print(found.latex())
    else:
        _coloured(found.text(two_dimensional=form == "unicode", ascii_only=not _encodes_unicode()))


@_command("code")
@click.argument("expression")
@click.argument("variable", required=False)
@_wrt
@_where
@click.option(
    "--target",
    type=click.Choice(["numpy"]),
    default="numpy",
    show_default=True,
    help="The library to write for.",
)
@click.option("--name", default="", metavar="NAME", help="The name of the function.")
def code_command(
    expression: str, variable: str | None, wrt: str | None, where: str | None, target: str, name: str
) -> None:
    """Write a function that returns EXPRESSION and its derivative."""
    from derivata import verbs

    _print(verbs.code(_given(expression), _one_of(variable, wrt), where, target=target, name=name).rstrip("\n"))


def _shielded(argument: str) -> str:
    """An expression may start with a minus sign; the only option with one dash is -h."""
    is_option = (argument[:2] == "--" and not argument[2:3].startswith(("-", "(", "."))) or argument in ("-", "-h")
    return f" {argument}" if argument[:1] == "-" and not is_option else argument


def _given(expression: str) -> str:
    return sys.stdin.read() if expression == "-" else expression.removeprefix(" ")


def _encodes_unicode() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "") in ("utf8", "utf16", "utf32", "utf8sig")


def _default_form() -> str:
    return "unicode" if sys.stdout.isatty() and _encodes_unicode() else "text"


def _width() -> int:
    import shutil

    return max(20, shutil.get_terminal_size((100, 24)).columns - 4)


def _print(text: str) -> None:
    click.echo(text)


def _coloured(text: str) -> None:
    """Rule names and notes in colour on a terminal; NO_COLOR and pipes get plain text."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        click.echo(text)
        return
    for line in text.split("\n"):
        if line.startswith(("checked", "domain:", "kink:", "held constant")):
            click.secho(line, fg="green" if line.startswith("checked") else "yellow")
        elif line and not line.startswith(" ") and line.endswith(":"):
            click.secho(line, fg="cyan", bold=True)
        else:
            click.echo(line.replace("\u2039", "\x1b[1;33m\u2039").replace("\u203a", "\u203a\x1b[0m"))


def main(args: list[str] | None = None) -> None:
    """Run the command line; bad input ends with one message and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        given = sys.argv[1:] if args is None else args
        cli.main(args=[_shielded(a) for a in given], prog_name="derivata", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except DerivataError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"error: the output could not be written: {error.strerror}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
