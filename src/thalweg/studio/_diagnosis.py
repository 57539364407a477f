"""The diagnosis of a net while it learns: what its rows say is looked at once, the net itself as often as somebody asks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from thalweg.diagnosis._curves import curves_of
from thalweg.diagnosis._diagnose import Seen, diagnosed, seen_in
from thalweg.diagnosis._diagnosis import MEANING
from thalweg.diagnosis._measured import measured, rows_of
from thalweg.studio._live import plain
from thalweg.studio._steering import Refused, number

if TYPE_CHECKING:
    from thalweg.studio._net import Mirror


class Consultation:
    """Diagnoses of one net, one after the other."""

    def __init__(self) -> None:
        self._seen: tuple[Any, Seen] | None = None
        self._lock = threading.Lock()

    def look(self, mirror: Mirror, wish: Mapping[str, Any]) -> dict[str, Any]:
        """What holds the net back, as plain data.

        Args:
            mirror: of the net.
            wish: ``target_error``: what is asked of the net, or None: estimated.

        Raises:
            Refused: where there are no rows to measure on, or the net is of a kind that is not diagnosed.

        """
        target = wish.get("target_error")
        if target is not None and not 0 <= number("target_error", target) < float("inf"):
            raise Refused(f"target_error must be a number of at least 0, an error rate like 0.02, got {target!r}.")
        sample = mirror.sample()
        if sample.validation is None:
            raise Refused("A diagnosis compares training with validation rows: give fit some, validation_split=0.1.")
        with self._lock:
            try:
                with mirror.held() as model:  # others may look into the net while its rows are looked at
                    train = rows_of(model, _pair(sample.x, sample.y), "train")
                    rest = rows_of(model, _pair(*sample.validation[:2]), "validation")
                    found = measured(model, train, rest)
                if self._seen is None or self._seen[0] is not sample:
                    self._seen = (sample, seen_in(found))
                with mirror.held() as model:
                    made = diagnosed(model, found, self._seen[1], curves_of(_logs(mirror.epochs())), target)
            except ValueError as error:
                raise Refused(str(error)) from None
        epochs = len(mirror.epochs())
        words = {"title": made.title(), "meaning": MEANING[made.scenario], "epochs": epochs}
        of = [sample.total, sample.validation.total]
        return {**plain(made.record()), **words, "of": of}


def _pair(x: Any, y: Any) -> tuple[Any, Any]:
    return (x[0] if len(x) == 1 else list(x)), (y[0] if len(y) == 1 else list(y))


def _logs(epochs: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Epochs as a history has them."""
    names = ("loss", "val_loss")
    return {name: [one.get(name) for one in epochs] for name in names if epochs and name in epochs[-1]}
