"""A report: plain data, from which pages are drawn."""

from __future__ import annotations

from typing import Any, NamedTuple


class Report(NamedTuple):
    """All that a report says of a run, as plain data: dicts, lists, texts and numbers.

    Attributes:
        run: name of the run's folder.
        made: when, in UTC.
        trained: what was trained on what, and how.
        curves: what happened, epoch by epoch.
        diagnosis: what holds the net back, as ``Diagnosis.record()`` gives it; None where it is missing.
        learning_curve: what more rows would bring; None where nobody asked.
        validation: what the net makes of the validation rows; None where it is missing.
        test: who opened the test rows, when and why.
        missing: section -> why it is missing and how to get it.

    """

    run: str
    made: str
    trained: dict[str, Any]
    curves: dict[str, Any]
    diagnosis: dict[str, Any] | None
    learning_curve: dict[str, Any] | None
    validation: dict[str, Any] | None
    test: dict[str, Any]
    missing: dict[str, str]

    def record(self) -> dict[str, Any]:
        """All of it as one dict, for JSON."""
        return self._asdict()
