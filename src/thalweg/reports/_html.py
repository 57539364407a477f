"""html: a report as one file, which needs no network, no script and nothing beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from thalweg.reports import _blocks
from thalweg.reports._page import page
from thalweg.reports._pictures import svg
from thalweg.reports._report import Report
from thalweg.reports._style import STYLE
from thalweg.reports._words import moment

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may load for the page: nothing but what is in it."""
_DEEPEST = 0.5  # how much of a shade's colour a cell takes on, so that its number can be read
_RIGHT, _WRONG = "0, 114, 178", "213, 94, 0"


def html(report: Report) -> str:
    """The report as a page.

    The page is one file: styles and pictures are in it, a Content-Security-Policy forbids everything else, and there is
    no script. Every text from the data is escaped.

    Args:
        report: what :func:`gather` gave.

    Returns:
        The page.

    Raises:
        ImportError: where matplotlib is missing; it is in the extra ``plots``.

    """
    blocks = page(report)
    body = "\n".join(_DRAWN[type(block)](block) for block in blocks)
    title = _text(f"{report.run}: report")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Run {_text(report.run)}</h1>
<p class="quiet">Report of {_text(moment(report.made))}</p>
</header>
{_contents(blocks)}
<main>
{body}
</main>
<footer><p>Made by thalweg {_text(report.trained["versions"].get("thalweg", ""))}'s report of this run.</p></footer>
</body>
</html>
"""


def _text(given: Any) -> str:
    """A text as text, whatever is in it; characters that no page can hold are replaced."""
    shown = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(given))
    return escape(shown, quote=True)


def _contents(blocks: tuple[_blocks.Block, ...]) -> str:
    links = [
        f'<li><a href="#{one.anchor}">{_text(one.text)}</a></li>'
        for one in blocks
        if isinstance(one, _blocks.Heading) and one.level == 2
    ]
    return f'<nav aria-label="Sections"><ul>{"".join(links)}</ul></nav>'


def _heading(one: _blocks.Heading) -> str:
    anchor = f' id="{one.anchor}"' if one.anchor else ""
    return f"<h{one.level}{anchor}>{_text(one.text)}</h{one.level}>"


def _paragraph(one: _blocks.Text) -> str:
    kind = ' class="quiet"' if one.quiet else ""
    return f"<p{kind}>{_text(one.text)}</p>"


def _told(one: _blocks.Told) -> str:
    return f'<div class="told"><p><strong>{_text(one.title)}</strong></p><p>{_text(one.text)}</p></div>'


def _facts(one: _blocks.Facts) -> str:
    return "<dl>" + "".join(f"<dt>{_text(name)}</dt><dd>{_text(told)}</dd>" for name, told in one.pairs) + "</dl>"


def _grid(one: _blocks.Grid) -> str:
    """A table that scrolls by itself where it is wide; whoever has no mouse gets there with the tabulator."""
    head = "".join(f'<th scope="col"{_aligned(one, i)}>{_text(title)}</th>' for i, title in enumerate(one.head))
    rows = "\n".join(_row(one, i) for i in range(len(one.rows)))
    kind = ' class="matrix"' if one.shades else ""
    said = _text(one.caption)
    return (
        f'<p class="caption">{said}</p>\n<div class="scrolls" tabindex="0" role="region" aria-label="{said}">'
        f'<table{kind} aria-label="{said}">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'
    )


def _row(one: _blocks.Grid, i: int) -> str:
    first, *rest = one.rows[i]
    cells = "".join(f"<td{_aligned(one, j)}{_shade(one, i, j)}>{_text(cell)}</td>" for j, cell in enumerate(rest, 1))
    return f'<tr><th scope="row"{_aligned(one, 0)}>{_text(first)}</th>{cells}</tr>'


def _aligned(one: _blocks.Grid, column: int) -> str:
    return ' class="w"' if column in one.words else ""


def _shade(one: _blocks.Grid, i: int, j: int) -> str:
    shade = one.shades[i][j] if one.shades else None
    if shade is None:
        return ""
    color = _RIGHT if shade.right else _WRONG
    return f' style="background: rgba({color}, {0.06 + (_DEEPEST - 0.06) * shade.strength:.2f})"'


def _pictures(one: _blocks.Pictures) -> str:
    """Each picture's description stands in its figure, as what a screen reader reads in its place."""
    drawn = [
        f'<figure><div role="img" aria-label="{_text(picture.alt)}">{svg(picture)}</div>'
        f"<figcaption>{_text(picture.caption)}</figcaption></figure>"
        for picture in one.each
    ]
    return f'<div class="pictures">{"".join(drawn)}</div>'


def _cards(one: _blocks.Cards) -> str:
    drawn = [
        f'<li><img src="data:image/png;base64,{card.image}" alt="{_text(card.alt)}">'
        + "".join(f"<span>{_text(line)}</span>" for line in card.lines)
        + "</li>"
        for card in one.each
    ]
    return f'<ul class="cards">{"".join(drawn)}</ul>'


def _listing(one: _blocks.Listing) -> str:
    kind = "ol" if one.numbered else "ul"
    return f"<{kind}>{''.join(_point(*point) for point in one.points)}</{kind}>"


def _point(title: str, said: str, code: str) -> str:
    head = f"<strong>{_text(title)}</strong>: " if title else ""
    tail = f"<pre>{_text(code)}</pre>" if code else ""
    return f"<li>{head}{_text(said)}{tail}</li>"


def _code(one: _blocks.Code) -> str:
    return f"<pre>{_text(one.text)}</pre>"


def _folded(one: _blocks.Folded) -> str:
    return f"<details><summary>{_text(one.title)}</summary><pre>{_text(one.text)}</pre></details>"


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
"""Kind of a block -> its HTML."""
