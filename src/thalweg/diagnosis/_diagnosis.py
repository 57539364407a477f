"""A diagnosis: plain data, and the page that draws it."""

from __future__ import annotations

import textwrap
from typing import Any, NamedTuple

from thalweg.diagnosis._finding import Finding
from thalweg.diagnosis._remedies import Remedy
from thalweg.diagnosis._scenario import (
    BOTH,
    HIGH_BIAS,
    HIGH_VARIANCE,
    UNDECIDED,
    WELL,
    WHAT_DID_YOU_DO,
    Interval,
    Target,
)
from thalweg.diagnosis._tasks import shown

_WIDTH = 100

MEANING = {
    HIGH_BIAS: "The net does not fit even the rows that it was trained on.",
    HIGH_VARIANCE: "The net fits the rows that it was trained on, but not new ones.",
    BOTH: "The net fits its training rows badly, and new ones worse still.",
    WHAT_DID_YOU_DO: "Something is wrong with the rows: the validation error does not say how good the net is.",
    WELL: "Both errors are low: there is nothing left that these rows can show.",
    UNDECIDED: "The rows do not say which it is.",
}
"""Scenario -> what it means, in a sentence."""


class Diagnosis(NamedTuple):
    """What holds a net back.

    Attributes:
        scenario: ``'high bias'``, ``'high variance'``, ``'high bias and variance'``, ``'what did you do?'``, ``'well'`` or
            ``'undecided'``.
        chances: scenario -> probability, the likeliest first; those that the errors alone leave open.
        unit: of the errors: ``'error rate'``, ``'share of wrong labels'`` or ``'unexplained variance'`` (1 - R^2).
        rows: how many training and validation rows.
        train, validation: errors with dropout off and without penalties, with 95 % intervals over rows.
        target: what they are compared with.
        bias: avoidable bias, training error - target.
        variance: validation error - training error.
        constant: validation error of the best constant prediction.
        baselines: validation error of models that are no nets, by name, the best one first.
        seeds: (bias, variance) of nets that differ in their seeds, with intervals over them; None where none were trained.
        findings: what was found wrong.
        notes: what is worth knowing and is not wrong.
        remedies: what to do next, the first thing first.

    """

    scenario: str
    chances: dict[str, float]
    unit: str
    rows: tuple[int, int]
    train: Interval
    validation: Interval
    target: Target
    bias: Interval
    variance: Interval
    constant: float
    baselines: dict[str, float]
    seeds: tuple[Interval, Interval, int] | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    remedies: tuple[Remedy, ...]

    @property
    def sure(self) -> float:
        """Probability of the scenario; of one that findings decided, 1."""
        return self.chances.get(self.scenario, 1.0) if self.scenario != UNDECIDED else max(self.chances.values())

    def record(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        return {
            **self._asdict(),
            "rows": list(self.rows),
            **{name: getattr(self, name)._asdict() for name in ("train", "validation", "bias", "variance")},
            "target": {
                "reached": self.target.reached._asdict(),
                "noise": self.target.noise._asdict(),
                "by": self.target.by,
            },
            "seeds": self.seeds
            and {"bias": self.seeds[0]._asdict(), "variance": self.seeds[1]._asdict(), "nets": self.seeds[2]},
            "findings": [one._asdict() for one in self.findings],
            "notes": list(self.notes),
            "remedies": [one._asdict() for one in self.remedies],
        }

    def short(self) -> str:
        """One or two lines: the scenario, its numbers, and the first thing to do."""
        head = (
            f"{self.title()}: training {self.unit} {shown(self.train.value)}, validation {shown(self.validation.value)}"
        )
        first = self.remedies[0] if self.remedies else None
        return head + (f"\nnext: {first.what} ({first.why})" if first else "")

    def title(self) -> str:
        """The scenario, and how sure it is."""
        if self.scenario == UNDECIDED:
            told = " or ".join(f"{name} ({chance:.0%})" for name, chance in list(self.chances.items())[:3])
            return f"undecided: {told}"
        by_findings = self.scenario not in self.chances
        return self.scenario if by_findings else f"{self.scenario} ({_sure(self.sure)})"

    def __str__(self) -> str:
        parts = [self.title(), MEANING[self.scenario], "", *self._table(), "", *self._gaps()]
        if self.findings:
            parts += ["", "found:", *(_wrapped("! ", f"{one.name}: {one.evidence}") for one in self.findings)]
        if self.notes:
            parts += ["", *(_wrapped("- ", one) for one in self.notes)]
        if self.baselines:
            told = ", ".join(f"{name} {shown(error)}" for name, error in self.baselines.items())
            parts += ["", _wrapped("", f"models that are no nets, validation {self.unit} on the same rows: {told}")]
        parts += ["", "what to do, in this order:"]
        for number, one in enumerate(self.remedies, start=1):
            told = f"{one.what}: {one.why}" if one.how else f"{one.what} ({one.why})"
            parts += [_wrapped(f"{number}. ", told), *([_wrapped("   -> ", one.how)] if one.how else [])]
        return "\n".join(parts)

    def _table(self) -> list[str]:
        rows = [
            ("training", self.train, f"{self.rows[0]:,} rows"),
            ("validation", self.validation, f"{self.rows[1]:,} rows"),
            ("target", self.target.reached, _whence(self.target)),
        ]
        found = [f"{'':<12}{self.unit:>21}   95 % interval"]
        for name, one, note in rows:
            span = "" if one.low == one.high else f"{shown(one.low)} to {shown(one.high)}"
            found.append(f"{name:<12}{shown(one.value):>21}   {span:<20}{note}")
        return [*found, f"{'a constant':<12}{shown(self.constant):>21}"]

    def _gaps(self) -> list[str]:
        found = [
            f"avoidable bias  {_points(self.bias)}   training - target",
            f"variance        {_points(self.variance)}   validation - training",
        ]
        if self.seeds is not None:
            bias, variance, nets = self.seeds
            found.append(f"over {nets} seeds    bias {_points(bias)}, variance {_points(variance)}")
        return found


def _whence(target: Target) -> str:
    return "given" if target.by == "given" else f"estimated: reached by {target.by}"


def _points(one: Interval) -> str:
    return f"{100 * one.value:+5.1f} points ({100 * one.low:+.1f} to {100 * one.high:+.1f})"


def _sure(chance: float) -> str:
    return "sure" if chance > 0.99 else f"{chance:.0%} sure"


def _wrapped(head: str, text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
