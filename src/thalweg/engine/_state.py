"""What flows through a compiled program: the state, the data, the bounds."""

from __future__ import annotations

from typing import Any, NamedTuple

Arrays = tuple[Any, ...]


class TrainState(NamedTuple):
    """All that one step of training changes.

    In a population every array has a leading axis of members.
    """

    params: Arrays  # trained weights, [*shape] each, float32 (float64)
    frozen: Arrays  # the others: moving averages, statistics
    optimizer: Any  # OptimizerState: iterations int32 [], slots, averages
    step: Any  # uint32 []: steps ever taken; keys the random bits, is not reset by compile()
    totals: Any  # Totals of the epoch so far


class Totals(NamedTuple):
    """Running sums of an epoch; `Watch` says how they become the logs."""

    losses: Arrays  # states of means: the whole loss, then one per output where there are several
    metrics: Arrays  # per output, a tuple of metric states
    weighted: Arrays  # likewise, for metrics that use sample weights


class Data(NamedTuple):
    """Rows on the device, [capacity, ...] each; the indices never point past the real ones."""

    x: Arrays  # per input
    y: Arrays  # per output, () where there is none
    weight: Arrays  # row weights: () none, one for all outputs, or one per output


class Order(NamedTuple):
    """Which rows make up which batch."""

    index: Any  # int32 [steps, batch]
    rows: Any  # int32 [steps]: how many of a batch are real; the rest repeat a real row
