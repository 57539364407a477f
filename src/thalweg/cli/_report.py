"""``thalweg report``: a run as a page to read, to print and to hand on."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from thalweg import reports

_TITLES = {"diagnosis": "the diagnosis", "learning_curve": "the learning curve", "validation": "the validation rows"}


def write(folder: str, learning_curve: bool) -> None:
    """Write the report of a run into its folder, and say what could not be told.

    Raises:
        ValueError: where there is no run, or pictures cannot be drawn.

    """
    console = Console(highlight=False)
    doing = "training nets for the learning curve ..." if learning_curve else "looking at the net and its rows ..."
    try:
        with console.status(doing):
            found = reports.report(folder, learning_curve=learning_curve)
    except ImportError as error:  # which a person can mend
        raise ValueError(str(error)) from error
    why: dict[str, list[str]] = {}
    for name, reason in found.missing.items():
        if name != "learning_curve" or learning_curve:
            why.setdefault(reason, []).append(_TITLES[name])
    for reason, names in why.items():
        console.print(f"without {' and '.join(names)}: {reason}", markup=False, soft_wrap=True)
    console.print(
        f"wrote {Path(folder)}/\n  report.html  one file: open it in a browser, print it, send it on\n"
        "  report.md    the same as text, its pictures in report/",
        markup=False,
        soft_wrap=True,
    )
