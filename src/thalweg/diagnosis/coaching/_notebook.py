"""The lab notebook of a coaching: what was seen, tried and kept, as plain data and as a story."""

from __future__ import annotations

import textwrap
from typing import Any, NamedTuple

_WIDTH = 100
_SHOWN = 6  # of what was tried


class Tried(NamedTuple):
    """One thing that was tried.

    Attributes:
        name: what was changed.
        nets: trained on so many seeds.
        train, validation: mean errors over them.
        spread: deviation of the validation error over seeds; None for one net.

    """

    name: str
    nets: int
    train: float
    validation: float
    spread: float | None


class Page(NamedTuple):
    """A round.

    Attributes:
        saw: the errors and the scenario, in a sentence.
        aim: which gap was to be closed: ``'bias'``, ``'variance'`` or ``'both'``; empty at the end.
        tried: best first.
        kept: the name of what was kept, or None.
        why: why it was kept, or nothing was.
        plan: of the net from here on, in words.
        seconds: that it took.

    """

    saw: str
    aim: str
    tried: tuple[Tried, ...]
    kept: str | None
    why: str
    plan: str
    seconds: float

    def text(self, number: int) -> str:
        """As part of the story."""
        return "\n".join(_page(number, self))


class Notebook(NamedTuple):
    """All pages, how it began and how it ended."""

    began: str
    pages: tuple[Page, ...]
    ended: str

    def record(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        pages = [{**one._asdict(), "tried": [t._asdict() for t in one.tried]} for one in self.pages]
        return {"began": self.began, "pages": pages, "ended": self.ended}

    def __str__(self) -> str:
        parts = [wrapped(self.began)]
        for number, page in enumerate(self.pages, start=1):
            parts += ["", page.text(number)]
        return "\n".join([*parts, "", wrapped(self.ended)])


def _page(number: int, page: Page) -> list[str]:
    lines = [wrapped(f"{number}. {page.saw}", "   ")]
    if page.tried:
        lines.append(
            wrapped(
                f"   {_tried(page)}. Tried side by side ({page.seconds:.0f} s; with +-: again, on three seeds; *: kept):",
                "   ",
            )
        )
    width = max((len(one.name) for one in page.tried[:_SHOWN]), default=0)
    for one in page.tried[:_SHOWN]:
        mark = "*" if one.name == page.kept else " "
        spread = "" if one.spread is None else f" +- {one.spread:.2%}"
        lines.append(
            f"   {mark} {one.name:<{width}}  training {one.train:6.2%}  validation {one.validation:6.2%}{spread}"
        )
    if len(page.tried) > _SHOWN:
        lines.append(f"     and {len(page.tried) - _SHOWN} that came out worse")
    return [*lines, wrapped(f"   {page.why}", "   ")]


_AIMS = {
    "bias": "Against bias: a larger net, longer training, another optimizer or rate",
    "variance": "Against variance: L2, L1, dropout, less complexity, other ways to train",
    "both": "Against both at once: a larger net and regularization",
}
_OF_IMAGES = {"convolution": "convolution", "images": "images moved about"}  # words in names, and what they stand for


def _tried(page: Page) -> str:
    """What was tried, in words."""
    more = [words for name, words in _OF_IMAGES.items() if any(name in one.name for one in page.tried)]
    return ", ".join([_AIMS[page.aim], *more])


def wrapped(text: str, indent: str = "") -> str:
    """A paragraph of the story; what it begins with in spaces is kept."""
    lead = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(text.strip(), _WIDTH, initial_indent=lead, subsequent_indent=indent)
