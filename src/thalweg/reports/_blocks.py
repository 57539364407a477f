"""What pages are made of: a report says each thing once, and HTML and Markdown draw the same blocks."""

from __future__ import annotations

from typing import Any, NamedTuple


class Heading(NamedTuple):
    """Of a section.

    Attributes:
        level: 2 for sections, 3 within them.
        text: of the heading.
        anchor: by which it is linked to; empty for none.

    """

    level: int
    text: str
    anchor: str = ""


class Text(NamedTuple):
    """A paragraph; `quiet` ones are notes."""

    text: str
    quiet: bool = False


class Told(NamedTuple):
    """What a reader should not miss: a title and a sentence."""

    title: str
    text: str


class Facts(NamedTuple):
    """Pairs of a name and what it is."""

    pairs: tuple[tuple[str, str], ...]


class Shade(NamedTuple):
    """The colour of a cell: of rows that are right or wrong, and how strong, 0 to 1."""

    right: bool
    strength: float


class Grid(NamedTuple):
    """A table.

    Attributes:
        caption: what one sees in it.
        head: titles of the columns.
        rows: texts.
        words: places of the columns that are words; the others are numbers.
        shades: per row and column a colour or None; () for none.

    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
    shades: tuple[tuple[Shade | None, ...], ...] = ()


class Picture(NamedTuple):
    """Something to draw.

    Attributes:
        name: of a file, without its ending.
        kind: in ``KINDS`` of the pictures.
        data: what is drawn, plain data.
        alt: what it shows, for who cannot see it.
        caption: below it.

    """

    name: str
    kind: str
    data: dict[str, Any]
    alt: str
    caption: str


class Pictures(NamedTuple):
    """Pictures side by side, where there is room."""

    each: tuple[Picture, ...]


class Card(NamedTuple):
    """A row that is a picture: a PNG file in base 64, and what is said of it."""

    image: str
    alt: str
    lines: tuple[str, ...]


class Cards(NamedTuple):
    """Many of them."""

    each: tuple[Card, ...]


class Listing(NamedTuple):
    """Points, in order where they are numbered. A point is a title, a sentence, and perhaps code."""

    points: tuple[tuple[str, str, str], ...]
    numbered: bool = False


class Code(NamedTuple):
    """Text as it is."""

    text: str


class Folded(NamedTuple):
    """What opens when it is asked for."""

    title: str
    text: str


Block = Heading | Text | Told | Facts | Grid | Pictures | Cards | Listing | Code | Folded
