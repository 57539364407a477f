"""markdown: a report as text, with its pictures as files beside it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from thalweg.reports import _blocks
from thalweg.reports._page import page
from thalweg.reports._pictures import png
from thalweg.reports._report import Report
from thalweg.reports._words import moment

FOLDER = "report"
"""Name of the folder beside the text in which its pictures lie."""
_SIGNS = re.compile(r"([\\`*\[\]#|~$@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.|^[-+=](?![\w.]))")
"""What would mean something: anywhere, or, as a dash, where a line begins."""
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s)")


def markdown(report: Report) -> str:
    """The report as Markdown (GitHub's, with tables).

    Every text from the data is escaped. Pictures are named as files in the folder ``report`` beside it;
    :func:`report` writes both.

    Args:
        report: what :func:`gather` gave.

    Returns:
        The text.

    """
    head = f"# Run {_text(report.run)}\n\nReport of {_text(moment(report.made))}"
    return "\n\n".join([head, *(_DRAWN[type(block)](block) for block in page(report))]) + "\n"


def picture_files(report: Report) -> dict[str, bytes]:
    """Name -> content of each file that the text names."""
    found: dict[str, bytes] = {}
    for block in page(report):
        if isinstance(block, _blocks.Pictures):
            found |= {f"{one.name}.png": png(one) for one in block.each}
        if isinstance(block, _blocks.Cards):
            found |= {_card_name(i): base64.b64decode(one.image) for i, one in enumerate(block.each)}
    return found


def _text(given: Any) -> str:
    """A text as text in one line: no sign of Markdown or HTML means anything in it."""
    shown = "".join(c if c.isprintable() else " " for c in str(given)).strip()
    shown = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _NUMBERED.sub(r"\1\\\2", _SIGNS.sub(r"\\\1", shown))


def _card_name(i: int) -> str:
    return f"worst-{i + 1:02d}.png"


def _heading(one: _blocks.Heading) -> str:
    return f"{'#' * one.level} {_text(one.text)}"


def _paragraph(one: _blocks.Text) -> str:
    return _text(one.text)


def _told(one: _blocks.Told) -> str:
    return f"> **{_text(one.title)}**\n>\n> {_text(one.text)}"


def _facts(one: _blocks.Facts) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {_text(name)} | {_text(told)} |" for name, told in one.pairs)])


def _grid(one: _blocks.Grid) -> str:
    rules = "|".join("---" if i in one.words else "---:" for i in range(len(one.head)))
    lines = [f"| {' | '.join(map(_text, row))} |" for row in (one.head, *one.rows)]
    return "\n".join([_text(one.caption), "", lines[0], f"|{rules}|", *lines[1:]])


def _pictures(one: _blocks.Pictures) -> str:
    return "\n\n".join(f"![{_text(picture.alt)}]({FOLDER}/{picture.name}.png)" for picture in one.each)


def _cards(one: _blocks.Cards) -> str:
    """Four to a line."""
    cells = [f"![{_text(card.alt)}]({FOLDER}/{_card_name(i)})<br>{'<br>'.join(map(_text, card.lines))}"
             for i, card in enumerate(one.each)]  # fmt: skip
    cells += [""] * (-len(cells) % 4)
    lines = [f"| {' | '.join(cells[i : i + 4])} |" for i in range(0, len(cells), 4)]
    return "\n".join(["| | | | |", "|---|---|---|---|", *lines])


def _listing(one: _blocks.Listing) -> str:
    lines = []
    for number, (title, said, code) in enumerate(one.points, start=1):
        mark = f"{number}." if one.numbered else "-"
        lines.append(f"{mark} {f'**{_text(title)}**: ' if title else ''}{_text(said)}")
        lines += ["", _indented(_fenced(code), len(mark) + 1), ""] if code else []
    return "\n".join(lines).rstrip()


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())


def _fenced(text: str) -> str:
    """As it is; the fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    shown = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return f"{fence}text\n{shown}\n{fence}"


def _code(one: _blocks.Code) -> str:
    return _fenced(one.text)


def _folded(one: _blocks.Folded) -> str:
    return f"{_text(one.title)}:\n\n{_fenced(one.text)}"


_DRAWN: Mapping[type, Callable[[Any], str]] = {
    _blocks.Heading: _heading,
    _blocks.Text: _paragraph,
    _blocks.Told: _told,
    _blocks.Facts: _facts,
    _blocks.Grid: _grid,
    _blocks.Pictures: _pictures,
    _blocks.Cards: _cards,
    _blocks.Listing: _listing,
    _blocks.Code: _code,
    _blocks.Folded: _folded,
}
"""Kind of a block -> its Markdown."""
