"""How often ``thalweg.diagnosis`` is right about nets of which the truth is known.

    python benchmarks/diagnosis.py [--tuning] [--only NAME] [--errors]

The cases are in diagnosis_cases.py; those that a diagnosis may be tuned on, `--tuning`, are in diagnosis_tuning.py.
With `--errors` nothing is diagnosed: the errors by which one sees that each case is what it claims are printed.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from diagnosis_cases import CASES, Case, Made
from diagnosis_tuning import CASES as TUNING


class Outcome(NamedTuple):
    """What was said about a case: the verdict, or the error's text, and the findings."""

    case: Case
    verdict: str
    findings: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the scenario is one of those that count."""
        return self.verdict in self.case.scenarios

    @property
    def found(self) -> bool:
        """Whether the finding that must be there is."""
        return self.case.finding in self.findings

    @property
    def quiet(self) -> bool:
        """Whether it was diagnosed and nothing was found."""
        return not self.findings and not self.verdict.startswith("error")


def judged(case: Case) -> Outcome:
    """Make, fit and diagnose a case; a case that raises is a wrong verdict."""
    try:
        from thalweg.diagnosis import diagnose

        model, train, validation, target = case.make()
        said = diagnose(model, train=train, validation=validation, target_error=target)
        return Outcome(case, said.scenario, tuple(one.name for one in said.findings))
    except Exception as error:
        text = " ".join(str(error).split())[:120].replace("|", "/")
        return Outcome(case, f"error: {type(error).__name__}: {text}", ())


def row(*cells: Any) -> None:
    """One line of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def truth(case: Case) -> str:
    """What should be said, in words."""
    named = f" + {case.finding}" if case.finding else ""
    return " or ".join(sorted(case.scenarios)) + named + (", healthy" if case.healthy else "")


def share(name: str, hits: Iterable[bool], bar: str = "") -> None:
    """One of the totals."""
    hits = list(hits)
    print(f"- {name}: {sum(hits)} of {len(hits)}" + (f", {sum(hits) / len(hits):.1%}" if hits else "") + bar)


def table(cases: list[Case]) -> None:
    """What is said about every case, then the totals."""
    row("case", "truth", "verdict", "findings", "right?")
    row(*["---"] * 5)
    outcomes = []
    for case in cases:
        outcomes.append(one := judged(case))
        right = one.right and (one.found or not case.finding) and (one.quiet or not case.healthy)
        row(case.name, truth(case), one.verdict, ", ".join(one.findings), "yes" if right else "**no**")
    print()
    share("scenarios right", (one.right for one in outcomes), " (bar: 90 %)")
    share("healthy cases without a finding", (one.quiet for one in outcomes if one.case.healthy), " (bar: 95 %)")
    share("expected findings found", (one.found for one in outcomes if one.case.finding))


# -- whether cases are what they claim ------------------------------------------------------------------


def error(said: np.ndarray, y: np.ndarray, variance: float) -> float:
    """The share of wrong classes, or the squared error as a share of the variance."""
    if y.dtype.kind == "i":
        return float(np.mean(said != y))
    return float(np.mean((said - y) ** 2) / variance)


def answers(model: Any, rows: Any) -> np.ndarray:
    """The net's classes, or its numbers."""
    out = np.asarray(model.predict(rows[0]))
    if rows[1].dtype.kind == "f":
        return out[:, 0]
    return out.argmax(1) if out.shape[1] > 1 else (out[:, 0] > 0.5).astype(int)


def peers(train: Any, validation: Any) -> list[float]:
    """The validation errors of nearest neighbours and of a forest."""
    from sklearn import ensemble, neighbors

    kind = "Classifier" if train[1].dtype.kind == "i" else "Regressor"
    nearest = getattr(neighbors, f"KNeighbors{kind}")(5)
    forest = getattr(ensemble, f"ExtraTrees{kind}")(100, max_features=0.5, random_state=0)
    variance = float(np.var(train[1]))
    return [error(one.fit(*train).predict(validation[0]), validation[1], variance) for one in (nearest, forest)]


def errors(case: Case) -> None:
    """A case's errors, beside its target and what others reach, and how far the validation loss rose."""
    made: Made = case.make()
    model, train, validation, target = made
    variance = float(np.var(train[1]))
    two = [error(answers(model, rows), rows[1], variance) for rows in (train, validation)]
    losses = model.history.history["val_loss"]
    rise = losses[-1] / min(losses)
    cells = [f"{one:.3f}" for one in (*two, *peers(train, validation))]
    row(case.name, truth(case), *cells, target or "", f"{rise:.2f}", f"{len(train[1])}/{len(validation[1])}")


def main() -> None:
    """The table and the totals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tuning", action="store_true", help="the cases that a diagnosis may be tuned on")
    parser.add_argument("--only", metavar="NAME", help="cases whose name holds this")
    parser.add_argument("--errors", action="store_true", help="the cases' errors, without a diagnosis")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # fits warn of the leaks that are made here on purpose
    cases = [one for one in (TUNING if asked.tuning else CASES) if (asked.only or "") in one.name]
    begun = time.perf_counter()
    if asked.errors:
        row("case", "truth", "training", "validation", "neighbours", "forest", "target", "loss rose", "rows")
        row(*["---"] * 9)
        for case in cases:
            errors(case)
    else:
        table(cases)
    print(f"# {time.perf_counter() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
