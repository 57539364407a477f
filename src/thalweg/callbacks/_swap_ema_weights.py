"""Evaluating with the moving averages of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg.callbacks._callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Puts the optimizer's moving averages in the weights' place while the model is evaluated or predicts.

    The weights come back afterwards, bit for bit, also where Ctrl-C or an error ends the fit meanwhile. Unlike
    in Keras they come back after a prediction too, and a fit that is stopped early leaves the averages behind,
    as one that runs to its end does.

    Args:
        swap_on_epoch: also from an epoch's end to the beginning of the next one, so that callbacks that stand
            behind this one, as a ModelCheckpoint, see the averages.

    Raises:
        ValueError: when a fit or an evaluation begins, where the optimizer keeps no averages.

    Example:
        >>> import numpy as np, thalweg
        >>> model = thalweg.Sequential([thalweg.Input((1,)), thalweg.layers.Dense(1)])
        >>> model.compile(thalweg.optimizers.SGD(0.1, use_ema=True), 'mse')
        >>> x = np.linspace(0, 1, 64).reshape(-1, 1)
        >>> history = model.fit(x, 2 * x, validation_split=0.25, verbose=0, callbacks=[SwapEMAWeights()])

    Reference: Polyak and Juditsky, *Acceleration of Stochastic Approximation by Averaging*, 1992.

    """

    per_member = True

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        self._averages: Any = None  # what stands in the weights' place, as long as it does
        self._evaluated = False
        self._told = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Look whether there will be averages, before an epoch is spent."""
        self._require_ema()
        self._told = False

    def get_state(self) -> dict[str, Any]:
        """Whether the averages stand in the weights' place."""
        return {"swapped": self._averages is not None}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Know that they do, so that the weights can come back."""
        self._averages = self.model.arrays()[0] if state["swapped"] else None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Train the weights themselves."""
        self._back()
        self._evaluated = False

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Leave the averages in the weights' place, where that was asked for."""
        self._look_at(logs or {})
        if not self.swap_on_epoch:
            return
        self._put()
        if epoch == (self.params or {}).get("epochs", 0) - 1 or self.model.stop_training:
            self._stay()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """End as a fit with averages does: with them as weights; but where it was cut short, with the weights."""
        if self._averages is None:
            return
        params, frozen = self.model.arrays()
        if _same(params, self._averages):
            self._back()
            return
        if _same(params, self.model.optimizer_state.averages):  # stopped after the swap: the wrong ones were taken
            self.model.hold(self._averages, frozen)
        self._stay()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Evaluate the averages."""
        self._evaluated = True
        self._put()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Give the weights back."""
        self._back()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Predict with the averages."""
        self._put()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Give the weights back."""
        self._back()

    def close(self) -> None:
        """Give the weights back."""
        self._back()

    def _put(self) -> None:
        """Averages into the weights' place, weights into the averages'."""
        if self._averages is not None:
            return
        self._require_ema()
        state = self.model.optimizer_state
        if state is None:
            raise ValueError(
                "SwapEMAWeights has no averages yet: the model has not been trained since compile. Fit it."
            )
        self._averages = state.averages
        self._exchange()

    def _back(self) -> None:
        if self._averages is not None:
            self._exchange()
            self._averages = None

    def _exchange(self) -> None:
        """References change places, no number is touched."""
        params, frozen = self.model.arrays()
        state = self.model.optimizer_state
        self.model.hold(state.averages, frozen)
        self.model.optimizer_state = state._replace(averages=params)

    def _stay(self) -> None:
        """The averages are the averages again, and the weights are what they are: there is no way back."""
        self.model.optimizer_state = self.model.optimizer_state._replace(averages=self._averages)
        self._averages = None

    def _require_ema(self) -> None:
        optimizer = self.model.optimizer
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                f"SwapEMAWeights needs an optimizer made with use_ema=True, got {type(optimizer).__name__} with "
                "use_ema=False."
            )

    def _look_at(self, logs: Logs) -> None:
        """Where validation came without its hooks, it was of the weights themselves."""
        if not self._evaluated and not self._told and any(name.startswith("val_") for name in logs):
            self._told = True
            self._warn("SwapEMAWeights was not asked before validation: the val_ numbers are not of the averages.")


def _same(some: Any, others: Any) -> bool:
    """Whether both hold the very same arrays."""
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))
