"""A callback that looks at a net while it trains, and says what goes wrong; of a healthy fit it says nothing."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from thalweg.callbacks import Callback
from thalweg.data import Rows
from thalweg.diagnosis import _inside
from thalweg.diagnosis._curves import Curves, crawls, curves_of, oscillates, overfitting, plateau
from thalweg.diagnosis._finding import Finding
from thalweg.diagnosis._measured import learnt_nothing, part_of, some_of
from thalweg.diagnosis._tasks import task_of

_PATIENCE = 3  # epochs after which a net that knows nothing is worth a word


class Doctor(Callback):
    """Warns of what goes wrong while a net trains: inputs that are not scaled, units that are dead or saturated, gradients
    that vanish or explode, a learning rate that is too high or too low, a loss that stands still or is not below a
    constant's, overfitting.

    It looks after the epochs 1, 2, 4, 8, ..., at 512 training rows, with dropout off. Each warning names its evidence and a
    remedy, is said once, and goes on the fit's record. Of a source of batches only the curves are looked at.

    Attributes:
        findings: what was found, each a :class:`Finding`.

    Example:
        >>> import numpy as np, thalweg, warnings
        >>> x = 1000 * np.random.default_rng(0).normal(size=(64, 2))
        >>> model = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter('ignore')
        ...     history = model.fit(x, x[:, 0] / 1000, verbose=0, callbacks=[doctor := thalweg.diagnosis.Doctor(),
        ...         thalweg.callbacks.TerminateOnNaN()])
        >>> doctor.findings[0].name
        'unscaled inputs'

    """

    STATE: ClassVar[tuple[str, ...]] = ("said",)
    per_member = True

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.said: list[str] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget the fit before."""
        self.findings, self.said = [], []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look, after epochs that are a power of two."""
        done = epoch + 1
        if done & (done - 1):
            return
        curves = curves_of(self.model.history)
        rows = getattr(getattr(self.model.session, "feed", None), "rows", None)
        found = self._by_curves(curves) if rows is None else self._by_rows(rows, curves, done)
        for one in found:
            if one is not None and one.name not in self.said:
                self.said.append(one.name)
                self.findings.append(one)
                self._warn(f"{one.name}: {one.evidence}. Try {one.remedy}.")

    def _by_curves(self, curves: Curves) -> list[Finding | None]:
        return [overfitting(curves), oscillates(curves)]

    def _by_rows(self, rows: Rows, curves: Curves, done: int) -> list[Finding | None]:
        if len(self.model.outputs) != 1 or not all(np.isfinite(curves.loss)):
            return self._by_curves(curves)
        some = some_of(rows, _inside.ROWS)
        task = task_of(self.model)
        targets = task.targets(some.y[0])
        part = part_of(self.model, some, task, task.spread(targets), task.constant(targets))
        nothing = learnt_nothing(task, part)
        bad = nothing is not None and done >= _PATIENCE
        inside = _inside.look_inside(self.model, some)
        found = [_inside.unscaled_inputs(inside), *(check(inside, bad) for check in _inside.CHECKS)]
        if bad:
            found += [nothing, crawls(curves), plateau(curves)]
        return [*found, *self._by_curves(curves)]
