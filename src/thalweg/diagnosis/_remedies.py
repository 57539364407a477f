"""What to do next, in the course's order, moved by what was seen; each with its evidence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from thalweg import layers
from thalweg.diagnosis._baselines import Baselines
from thalweg.diagnosis._curves import Curves, was_falling
from thalweg.diagnosis._finding import Finding
from thalweg.diagnosis._measured import Measured
from thalweg.diagnosis._scenario import BOTH, HIGH_BIAS, HIGH_VARIANCE, UNDECIDED, WELL, WHAT_DID_YOU_DO, Verdict
from thalweg.models import picture_of


class Remedy(NamedTuple):
    """Something to try.

    Attributes:
        what: in a few words.
        why: the evidence for it.
        how: code or a command; empty where `what` says it.

    """

    what: str
    why: str
    how: str


class Case(NamedTuple):
    """Everything that remedies are chosen by."""

    model: Any
    found: Measured
    verdict: Verdict
    baselines: Baselines
    curves: Curves
    findings: tuple[Finding, ...]


Ranked = tuple[float, Remedy]  # the lower, the sooner


def remedies_for(case: Case) -> tuple[Remedy, ...]:
    """Ranked: what was found wrong first, then what the table says of the scenario."""
    first = [(-1.0, Remedy(one.remedy, f"found: {one.name}", "")) for one in case.findings]
    ranked = [*first, *_OF[case.verdict.scenario](case)]
    return tuple(remedy for _, remedy in sorted(ranked, key=lambda one: one[0]))


# -- the table's rows --------------------------------------------------------------------------


def _against_bias(case: Case) -> list[Ranked]:
    shown, verdict = case.found.task.shown, case.verdict
    gap = f"training error {shown(verdict.train.value)}, target {shown(verdict.target.reached.value)}"
    falling = was_falling(case.curves)
    held_back = {path: value for path, value in _regularizers(case.model).items() if value > 0}
    found: list[Ranked] = [
        (
            1.0,
            Remedy(
                "more units and layers",
                f"{gap}; {_size(case)}",
                "layers.Dense(256, 'relu') where there are fewer, one layer more",
            ),
        ),
        (
            0.5 if falling else 2.0,
            Remedy(
                "train longer, or with a better optimizer",
                "the training loss was still falling at the end" if falling else "the training loss has come to rest",
                f"epochs={2 * max(case.curves.epochs, 1)}, optimizer 'adam'",
            ),
        ),
        (3.0, Remedy("another architecture", *_architecture(case))),
    ]
    if held_back:
        told = ", ".join(f"{path} = {value:g}" for path, value in held_back.items())
        found.append(
            (
                0.7,
                Remedy(
                    "less regularization",
                    f"it holds the net back from its training rows: {told}",
                    "model.hypers[...] = 0",
                ),
            )
        )
    best = case.baselines.found[0]
    if best.error < verdict.validation.value:
        found.append(
            (
                4.0 if best.error > 0.7 * verdict.validation.value else 1.5,
                Remedy(
                    "is a net the best bet?",
                    f"{best.name} on the same rows reaches {shown(best.error)} on validation, the net {shown(verdict.validation.value)}",
                    f"start from {best.name}, or from what it sees that the net does not",
                ),
            )
        )
    return found


def _against_variance(case: Case) -> list[Ranked]:
    shown, verdict = case.found.task.shown, case.verdict
    gap = f"validation error {shown(verdict.validation.value)}, training error {shown(verdict.train.value)}"
    regularizers = _regularizers(case.model)
    off = [path for path, value in regularizers.items() if value == 0]
    rows, weights = case.found.train.rows.n, case.model.count_params()
    pictures = len(case.found.train.rows.x[0].shape) > 2
    moved = "layers.RandomTranslation(0.06, 0.06, 'nearest') behind the Input, " if pictures else ""
    found: list[Ranked] = [
        (
            1.0,
            Remedy("more data", f"{gap}, from {rows:,} rows; a learning curve says what 2 x and 4 x the rows would bring",
                   "print(thalweg.diagnosis.learning_curve(model, x, y))"),
        ),
        (
            1.2 if weights > 10 * rows else 2.5,
            Remedy("less complexity", f"{weights:,} weights for {rows:,} rows", "fewer units or layers"),
        ),
        (
            1.1 if not regularizers or len(off) == len(regularizers) else 2.0,
            Remedy(
                "regularization: L2, L1, dropout, augmentation",
                "the net has none" if not regularizers else ", ".join(f"{path} = {value:g}" for path, value in regularizers.items()),
                f"{moved}kernel_regularizer=regularizers.L2(1e-3), layers.Dropout(0.3); then model.hypers turns them, or thalweg tune",
            ),
        ),
    ]  # fmt: skip
    best = case.baselines.found[0]
    if best.error < verdict.validation.low:
        found.append(
            (
                3.0,
                Remedy(
                    "is a net the best bet?",
                    f"{best.name} reaches {shown(best.error)} on the same rows",
                    f"compare with {best.name}, or average several nets (thalweg.sklearn.NetClassifier)",
                ),
            )
        )
    return found


def _both(case: Case) -> list[Ranked]:
    larger = max((case.verdict.bias.value, "bias"), (case.verdict.variance.value, "variance"))[1]
    first, second = (_against_bias, _against_variance) if larger == "bias" else (_against_variance, _against_bias)
    return [*first(case), *((rank + 10, remedy) for rank, remedy in second(case))]


def _look_again(case: Case) -> list[Ranked]:
    if not case.verdict.chances:
        return [
            (
                1.0,
                Remedy(
                    "measure again",
                    "until then the validation error says nothing about new rows",
                    "thalweg.data.split(x, y, stratify=..., group=..., time=...)",
                ),
            )
        ]
    shown, verdict = case.found.task.shown, case.verdict
    return [
        (
            1.0,
            Remedy(
                "find out how validation rows differ",
                f"validation error {shown(verdict.validation.value)} is below the training error {shown(verdict.train.value)}: easier "
                "rows, other labels, or a leak that rows do not show",
                "swap the parts: train on the validation rows and validate on as many training rows",
            ),
        ),
        (2.0, Remedy("check the training labels", "wrong labels among the training rows alone raise the training error alone", "look at the training rows that the net is surest to have wrong")),
    ]  # fmt: skip


def _stop(case: Case) -> list[Ranked]:
    return [
        (
            1.0,
            Remedy(
                "stop",
                "both errors are within reach of the target",
                "open the test set once: test.open('why'), or thalweg test RUN --reason 'why'",
            ),
        )
    ]


def _tell_apart(case: Case) -> list[Ranked]:
    """The experiment that would tell between the scenarios that are left."""
    left = list(case.verdict.chances)[:2]
    rows = case.found.validation.rows.n
    half = (case.verdict.validation.high - case.verdict.validation.low) / 2
    found = [
        (
            1.0,
            Remedy(
                "more validation rows",
                f"with {rows:,} the validation error is known to {case.found.task.shown(half)} up or down; four times as many halve that",
                "validate on other rows in turn: Population.fit(rows=..., validation_rows=...)",
            ),
        )
    ]
    if HIGH_VARIANCE in left or BOTH in left:
        found.append(
            (
                0.5,
                Remedy(
                    "a learning curve",
                    "an error that falls with more rows is variance; one that does not is bias or noise",
                    "print(thalweg.diagnosis.learning_curve(model, x, y))",
                ),
            )
        )
    if case.verdict.target.by != "given" and WELL in left:
        found.append(
            (
                0.7,
                Remedy(
                    "say what is asked",
                    "the target is estimated; people, or earlier work, may know better",
                    "diagnose(..., target_error=0.02)",
                ),
            )
        )
    if HIGH_BIAS in left or BOTH in left:
        found.append(
            (
                0.6,
                Remedy(
                    "a net twice as wide",
                    "if its training error is lower, the net was too small",
                    "the same layers with twice the units, the same epochs",
                ),
            )
        )
    return found


_OF: dict[str, Callable[[Case], list[Ranked]]] = {
    HIGH_BIAS: _against_bias,
    HIGH_VARIANCE: _against_variance,
    BOTH: _both,
    WHAT_DID_YOU_DO: _look_again,
    WELL: _stop,
    UNDECIDED: _tell_apart,
}


# -- what nets are made of ---------------------------------------------------------------------


def _regularizers(model: Any) -> dict[str, float]:
    """Path -> value of everything that keeps a net from its training rows."""
    named = ("rate", "l1", "l2", "stddev", "factor")
    return {
        path: float(value)
        for path, value in model.hypers.items()
        if path.rpartition("/")[2] in named and not path.startswith(("optimizer", "loss"))
    }


def _size(case: Case) -> str:
    weights = case.model.count_params()
    widths = [layer.units for layer in case.model.layers if getattr(layer, "units", None)]
    told = "-".join(map(str, widths)) or "no layer with units"
    return f"{weights:,} weights ({told})"


def _architecture(case: Case) -> tuple[str, str]:
    rows = case.found.train.rows
    shape = tuple(rows.x[0].shape[1:]) if len(rows.x) == 1 else ()
    picture = picture_of(shape, flat=True)
    convolves = any(isinstance(layer, _CONVOLUTIONS) for layer in case.model.layers)
    if picture is None or convolves:
        return (
            "deeper or wider nets of the same kind may not be enough",
            "features that people use for this task; shortcuts; embeddings",
        )
    first = f"layers.Reshape({picture}), " if picture != shape else ""
    return (
        f"rows of {math.prod(shape)} numbers look like pictures, whose neighbouring pixels a dense net does not know",
        f"before the first Dense: {first}layers.Conv2D(32, 3, activation='relu'), layers.MaxPooling2D(), layers.Flatten()",
    )


_CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
