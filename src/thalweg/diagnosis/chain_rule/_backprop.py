"""Backpropagation, looked at: what each layer gives, what the loss asks of it, and whose wishes that sums up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._names import unknown
from thalweg.diagnosis.chain_rule._drawn_network import DrawnNetwork, drawn_network
from thalweg.diagnosis.chain_rule._gradients import Gradient, gradients_of
from thalweg.diagnosis.chain_rule._layer_pass import LayerPass, layers_of
from thalweg.diagnosis.chain_rule._passes import CHAIN_RULE, Ground, Passes, ground_of, passes
from thalweg.diagnosis.chain_rule._pulls import Pulls, pulls_of
from thalweg.diagnosis.chain_rule._wishes import Wishes, WishTable, table_of, within
from thalweg.engine._kinds import is_chain
from thalweg.models import picture_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOST, _GROWN = 1e-2, 1e2  # errors of the first layer over those of the last: what is worth a word


@dataclass(frozen=True, eq=False)
class Backprop:
    """Backpropagation for some examples, as plain arrays.

    Attributes:
        by: ``'chain rule'``, or ``'automatic differentiation'`` where the net has layers that it is not written out for.
        losses: [rows] the loss of each row, without penalties.
        layers: the inputs, then each call of a layer, in the order of the way forward.
        targets: [rows, ...] of the first output.
        class_names: of the outputs, where the model knows them.

    """

    by: str
    losses: np.ndarray
    layers: tuple[LayerPass, ...]
    targets: np.ndarray
    class_names: tuple[str, ...]
    _ground: Ground = field(repr=False)
    _passes: Passes = field(repr=False)

    @cached_property
    def _gradients(self) -> list[Gradient]:
        return gradients_of(self._ground, self._passes)

    def layer(self, which: int | str) -> LayerPass:
        """A layer, as the course counts (0 the inputs, 1 the first hidden one) or by name.

        Raises:
            ValueError: where there is none.

        """
        if isinstance(which, str):
            by_name = {one.name: one for one in self.layers}
            if which not in by_name:
                raise ValueError(unknown("layer", which, by_name))
            return by_name[which]
        numbers = [one.number for one in self.layers if one.number is not None]
        for one in self.layers:
            if one.number is not None and one.number == which and not isinstance(which, bool):
                return one
        told = ", ".join(f"{one.number} {one.name}" for one in self.layers if one.number is not None)
        raise ValueError(f"layer must be a name, or a number from 0 to {max(numbers)} ({told}), got {which!r}.")

    def wishes(self, layer: int | str, neuron: int, example: int | None = None) -> Wishes:
        """What a neuron would like to be changed.

        Args:
            layer: of the neuron, as the course counts or by name: a Dense on flat rows.
            neuron: its number, from 0 on.
            example: for which example, from 0 on; None: the average over all of them.

        Raises:
            ValueError: where there is no such layer, neuron or example.

        """
        found = self.layer(layer)
        kernel = found.dense()
        assert found.fed is not None and found.number is not None, "who has a kernel has both"
        neuron = within("neuron", neuron, kernel.shape[1])
        example = None if example is None else self._example(example)
        rows = slice(None) if example is None else slice(example, example + 1)
        error, fed = found.error[rows, neuron], found.fed[rows]
        return Wishes(
            found.name,
            found.number,
            neuron,
            example,
            float(found.z[rows, neuron].mean()),
            float(found.activation[rows, neuron].mean()),
            float(error.mean()),
            0.0 if found.bias is None else 0.0 - float(error.mean()),
            0.0 - (error @ fed) / len(fed),
            0.0 - error.mean() * kernel[:, neuron],
            kernel[:, neuron].copy(),
            fed.mean(axis=0),
            self.picture if found.number == 1 else None,
        )

    def asked_of(self, layer: int | str, example: int | None = None) -> np.ndarray:
        """What all neurons after a layer, their wishes summed, ask of its activations: ``-dL/da``, ``-W delta`` in a chain.

        Args:
            layer: whose activations, as the course counts or by name; 0 is the inputs.
            example: for which example; None: the average over all of them.

        Raises:
            ValueError: where there is no such layer or example.

        """
        asked = self.layer(layer).asked
        return asked.mean(axis=0) if example is None else asked[self._example(example)]

    def table(
        self,
        layer: int | str | None = None,
        weights: Sequence[int] | None = None,
        examples: Sequence[int] | None = None,
    ) -> WishTable:
        """The course's table: weights down, examples across, their average last.

        Args:
            layer: whose weights; None: those of the whole net, counted in its order: w_0, w_1, ...
            weights: numbers of weights, kernel before bias, a kernel's last index running fastest; None: the eight on whose
                change the examples agree most, by the size of the average.
            examples: numbers of the examples that have a column; None: the first six.

        Raises:
            ValueError: on numbers that are out of range, or a layer without weights that are trained.

        """
        gradients = self._gradients
        if layer is not None:
            name = self.layer(layer).name
            gradients = [one for one in gradients if one.layer == name]
        if not gradients:
            raise ValueError(f"{'The net' if layer is None else repr(layer)} has no weights that are trained.")
        return table_of(gradients, weights, examples, len(self.losses))

    def pulls(self) -> Pulls:
        """Which examples pull hardest at the weights, and which cancel out.

        Raises:
            ValueError: where the net has no weights that are trained.

        """
        return pulls_of(self._gradients)

    @property
    def is_chain(self) -> bool:
        """Whether each layer is fed by the one before alone."""
        return is_chain(self._ground.task.network)

    @property
    def picture(self) -> tuple[int, int, int] | None:
        """Height, width and channels, where an example looks like a picture and the first Dense sees its pixels."""
        first = next((one for one in self.layers if one.number == 1), None)
        if len(self._ground.x) > 1 or first is None or first.fed is None:
            return None
        shape = self.layers[0].activation.shape[1:]
        return picture_of(shape) if first.fed.shape[1] == int(np.prod(shape)) else None

    def record(self) -> dict[str, Any]:
        """As plain data that JSON can hold; of many rows it is large."""
        return {
            "by": self.by,
            "losses": self.losses.tolist(),
            "targets": self.targets.tolist(),
            "class_names": list(self.class_names),
            "picture": self.picture and list(self.picture),
            "layers": [one.record() for one in self.layers],
        }

    def __str__(self) -> str:
        rows = len(self.losses)
        whom = "one example, loss" if rows == 1 else f"{rows:,} examples, mean loss"
        names = [f"{' ' if one.number is None else one.number} {one.name} ({one.kind})" for one in self.layers]
        wide = max(map(len, names))
        lines = [
            f"Backpropagation by {'the ' if self.by == CHAIN_RULE else ''}{self.by}: {whom} {self.losses.mean():.4g}",
            f"{'layer':<{wide}}{'neurons':>9}{'|activation|':>14}{'|dL/dz|':>11}   largest error",
        ]
        for name, one in zip(names, self.layers, strict=True):
            means = one.error.reshape(rows, -1).mean(axis=0)
            top = int(np.abs(means).argmax())
            lines.append(
                f"{name:<{wide}}{means.size:>9,}{_size(one.activation):>14.3g}{_size(one.error):>11.3g}"
                f"   neuron {top}: {means[top]:+.3g}"
            )
        return "\n".join(
            [
                *lines,
                "Sizes are root mean squares, the largest error is a mean; penalties are not part of the loss.",
                self.answer,
            ]
        )

    @property
    def answer(self) -> str:
        """What the errors say, in a sentence."""
        own = [_size(one.error) for one in self.layers if one.number]
        if not all(np.isfinite(one) for one in own):
            return "Some numbers are not finite: something on the way forward overflowed, or the weights are lost."
        if not any(own):
            return "All errors are 0: nothing is asked of any weight."
        if not own[0]:
            return "No error reaches the first layer, so it does not learn: on the way an activation is flat for every example."
        ratio = own[0] / own[-1] if own[-1] else np.inf
        if ratio < _LOST:
            return f"The errors vanish on their way back: in the first layer {ratio:.1g} of those in the last, so it hardly learns."
        if ratio > _GROWN:
            return f"The errors grow on their way back: in the first layer {ratio:.3g} times those in the last."
        return f"The errors reach the first layer at {ratio:.2g} times their size in the last: every layer is told what to do."

    def network(self, example: int = 0, marked: tuple[str, int] | None = None) -> DrawnNetwork:
        """What a picture of the net shows for one example: a few neurons of each layer, the weights between them, what is asked.

        Args:
            example: which.
            marked: name of a layer and number of one of its neurons, which is there in any case.

        Raises:
            ValueError: where there is no such example, or the net has no Dense layer on flat rows.

        """
        return drawn_network(self, self._example(example), marked)

    def plot(
        self,
        path: str | Path | None = None,
        example: int = 0,
        layer: int | str | None = None,
        neuron: int | None = None,
    ) -> Figure:
        """Draw the net for one example: neurons with their activations, weights by sign and size, the picture beside.

        Of wide layers the neurons that matter most for the example's loss are drawn.

        Args:
            path: a file to write it to; its ending says the format (png, svg, pdf).
            example: which.
            layer: of a neuron to draw a ring around, as the course counts or by name.
            neuron: its number.

        Returns:
            The figure: a ``matplotlib.figure.Figure`` that belongs to nobody else.

        Raises:
            ImportError: where matplotlib is missing; it is in the extra ``plots``.
            ValueError: where there is no such example, layer or neuron, or the net has no Dense layer on flat rows.

        """
        from thalweg.diagnosis.chain_rule._network_picture import network_picture

        marked = None
        if layer is not None or neuron is not None:
            if layer is None or neuron is None:
                raise ValueError(f"layer and neuron go together, got plot(layer={layer!r}, neuron={neuron!r}).")
            known = self.layer(layer)
            marked = (known.name, within("neuron", neuron, known.dense().shape[1]))
        return network_picture(self, self._example(example), path, marked)

    def _example(self, example: int) -> int:
        return within("example", example, len(self.losses))


def _size(array: np.ndarray) -> float:
    return float(np.sqrt(np.square(array).mean()))


def backprop(model: Any, x: Any, y: Any, *, by: str | None = None) -> Backprop:
    """Look at backpropagation: activations, errors, and what every neuron would like to be changed.

    The error of a neuron is ``delta = dL/dz``, L the loss of one example. It goes back by the chain rule:
    ``dL/da_before = W delta`` and ``delta = dL/da * f'(z)``. What a neuron wishes is minus the gradient: its bias to change
    by ``-delta``, each weight by ``-delta * a_i``, in proportion to the activation that it comes from, each earlier activation by
    ``-delta * w_i``, in proportion to its weight. Nobody has a hold on activations; the wishes of a layer's neurons are summed
    into what the layer before is asked for, and so on. Averaged over the examples, the wishes for the weights are the
    step of gradient descent.

    All of it is in float64, with the net as it is used (dropout off, moving averages in force). L is the loss of that row
    alone; penalties on weights and activities are not part of it, and all rows weigh 1.

    Args:
        model: compiled; its weights are drawn where it has none.
        x: [rows, ...] inputs, or one row without that axis; a list or dict for several inputs.
        y: [rows, ...] targets, or that of the one row.
        by: ``'chain rule'``, ``'automatic differentiation'``, or None: the chain rule where it is written out for the net (chains
            of Dense, activations, Flatten, Reshape, Dropout, normalizing layers), else automatic differentiation.

    Returns:
        What was found. ``print`` it; ``.wishes(layer, neuron)``, ``.asked_of(layer)``, ``.table()``, ``.pulls()``, ``.plot()``.

    Raises:
        DataError: on rows that do not fit the net, or are no finite numbers.
        ValueError: where the model is not compiled with a loss, or `by` cannot be had.

    Example:
        >>> import numpy as np, thalweg
        >>> from thalweg import layers
        >>> model = thalweg.Sequential([thalweg.Input((2,)), layers.Dense(1, 'sigmoid'), layers.Dense(1)])
        >>> model.compile('sgd', 'mse')
        >>> model.set_weights([np.array([[1.0], [-1.0]]), np.zeros(1), np.array([[2.0]]), np.zeros(1)])
        >>> found = thalweg.diagnosis.backprop(model, [3.0, 3.0], [2.0])
        >>> found.layer(2).error.tolist(), found.layer(1).error.tolist()
        ([[-2.0]], [[-1.0]])
        >>> found.wishes(layer=1, neuron=0).weights.tolist(), found.asked_of(1, example=0).tolist()
        ([3.0, 3.0], [4.0])

    Source: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors".

    """
    ground = ground_of(model, *_as_rows(model, x, y), "backprop")
    by, found = passes(ground, by)
    names = tuple(map(str, model.class_names or ()))
    return Backprop(by, found.losses, layers_of(model, ground, found), ground.y[0], names, ground, found)


def _as_rows(model: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """One row without the axis of rows gets it."""
    if model.built and len(model.inputs) == 1 and not isinstance(x, dict) and np.shape(x) == model.inputs[0].features:
        return np.asarray(x)[None], np.asarray(y)[None]
    return x, y
