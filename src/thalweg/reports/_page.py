"""The page of a report: its sections in their order, as blocks."""

from __future__ import annotations

from thalweg.reports._blocks import Block, Heading, Text
from thalweg.reports._page_diagnosis import diagnosis_blocks, learning_blocks
from thalweg.reports._page_ledger import ledger_blocks
from thalweg.reports._page_rows import row_blocks
from thalweg.reports._page_run import curve_blocks, trained_blocks
from thalweg.reports._report import Report

_SECTIONS = (
    ("trained", "What was trained on what", trained_blocks),
    ("curves", "Curves", curve_blocks),
    ("diagnosis", "Diagnosis", diagnosis_blocks),
    ("learning_curve", "Would more rows help?", learning_blocks),
    ("validation", "Validation rows", row_blocks),
    ("test", "The test set", ledger_blocks),
)
"""Field of a report, its heading, and what makes its blocks."""


def page(report: Report) -> tuple[Block, ...]:
    """All of it; of a section that is missing, why, and how to get it."""
    found: list[Block] = []
    for number, (name, title, blocks) in enumerate(_SECTIONS, start=1):
        found.append(Heading(2, f"{number}. {title}", name.replace("_", "-")))
        told = getattr(report, name)
        found += [Text(report.missing.get(name, "Nothing is on record."))] if told is None else blocks(told)
    return tuple(found)
