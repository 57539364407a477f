"""The functional Model: the one mutable thing, a thin shell over the floors below."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from thalweg import _seeds, config, optimizers
from thalweg._names import snake_case, unknown
from thalweg.engine import Objective, Program, Task, Watch
from thalweg.layers import Layer, Symbol, Variable
from thalweg.models import _compile, _describe, _files, _predict, _summary
from thalweg.models._copy import copy_of
from thalweg.models._fit import fit as _fit
from thalweg.models._fit import ready
from thalweg.models._hypers import HyperTable
from thalweg.models._memory import explained
from thalweg.network import Network, in_order, network_of


class Model:
    """A net as a graph of layers.

    Args:
        inputs: a symbol, or a list or dict of symbols, made by :func:`thalweg.Input`.
        outputs: what the layers made of them.
        name: for the summary.

    Example:
        >>> import thalweg
        >>> x = thalweg.Input((4,))
        >>> model = thalweg.Model(x, thalweg.layers.Dense(3)(x))
        >>> model.output_shape
        (None, 3)

    """

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None) -> None:
        self._start(name)
        if inputs is None or outputs is None:
            raise TypeError("Model needs inputs and outputs, both symbols: x = Input((4,)); Model(x, Dense(3)(x)).")
        self._set_graph(inputs, outputs)

    def _start(self, name: str | None) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.optimizer: Any = None
        self.objective: Objective | None = None
        self.watch: Watch | None = None
        self.compiled: _compile.Compiled | None = None
        self.optimizer_state: Any = None
        self.steps_taken = np.uint32(0)
        self.stop_training = False
        self.history: Any = None
        self.program: Program | None = None
        self.session: Any = None  # the fit under way
        self.class_names: list[str] | None = None
        self.preprocessing: dict[str, Any] | None = None
        self.hypers = HyperTable(self)
        self._symbols: tuple[Any, Any] | None = None

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        self._symbols = (inputs, outputs)
        self._inputs, self.input_names = _listed(inputs, "inputs")
        self._outputs, self._output_keys = _listed(outputs, "outputs")
        self._network = network_of(self._inputs, self._outputs, self._output_keys)
        self._name_layers()
        for layer in self._network.layers:
            layer.draws_with(self.draw)

    def _name_layers(self) -> None:
        """Give unnamed layers a name that is unique here; refuse two equal names given by hand."""
        taken: dict[str, Layer] = {}
        layers = [*(symbol.layer for symbol in self._inputs), *self._network.layers]
        for layer in (one for one in layers if one._name is not None):
            if taken.setdefault(layer.name, layer) is not layer and not layer.named_by_model:
                raise ValueError(f"Two layers are named {layer.name!r}; names must be unique in a model. Rename one.")
        for layer in layers:
            if layer._name is None or taken[layer.name] is not layer:
                layer.name = next(name for name in _counted(snake_case(type(layer).__name__)) if name not in taken)
                layer.named_by_model = True
                taken[layer.name] = layer

    # -- what it is made of -------------------------------------------------------------------

    @property
    def network(self) -> Network:
        """The graph, with the layers' ``trainable`` as it is now."""
        self._require_built()
        flags = tuple(
            v.declared.trainable and layer.trainable for layer in self._network.layers for v in layer.variables
        )
        if flags != getattr(self, "_flags", None):
            self._network = network_of(self._inputs, self._outputs, self._output_keys)
            self._flags = flags
        return self._network

    @property
    def built(self) -> bool:
        """Whether the shapes of the inputs are known."""
        return self._symbols is not None

    def _require_built(self) -> None:
        if not self.built:
            raise ValueError(
                f"{self.name!r} is not built: the shape of its input is not known yet. Add an Input((features,)) as the "
                "first layer, give the first layer input_shape=(features,), or call build((None, features)) or fit."
            )

    @property
    def layers(self) -> list[Layer]:
        """The layers, inputs first."""
        return [*(symbol.layer for symbol in self._inputs), *self._network.layers]

    @property
    def inputs(self) -> list[Symbol]:
        """The input symbols."""
        self._require_built()
        return list(self._inputs)

    @property
    def outputs(self) -> list[Symbol]:
        """The output symbols."""
        self._require_built()
        return list(self._outputs)

    @property
    def input(self) -> Any:
        """The input symbol, or the list of them."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Any:
        """The output symbol, or the list of them."""
        return self.outputs[0] if len(self.outputs) == 1 else self.outputs

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or a list of shapes; None for the batch axis."""
        return self.input.shape if len(self.inputs) == 1 else [one.shape for one in self.inputs]

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or a list of shapes; None for the batch axis."""
        return self.output.shape if len(self.outputs) == 1 else [one.shape for one in self.outputs]

    @property
    def output_names(self) -> list[str]:
        """The outputs' names: the keys of a dict of outputs, else those of the layers that make them."""
        return list(self._output_keys or [symbol.layer.name for symbol in self.outputs])

    @property
    def input_labels(self) -> list[str]:
        """The inputs' names: the keys of a dict of inputs, else those of the input layers."""
        return list(self.input_names or [symbol.layer.name for symbol in self.inputs])

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by index.

        Raises:
            ValueError: where there is none; the message holds the nearest name.

        """
        if (name is None) == (index is None):
            raise ValueError("get_layer takes a name or an index: one of them.")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"index must be below {len(self.layers)}, the number of layers, got {index}.")
            return self.layers[index]
        by_name = {layer.name: layer for layer in self.layers}
        if name not in by_name:
            raise ValueError(unknown("layer", name, by_name))
        return by_name[name]

    @property
    def weights(self) -> list[Variable]:
        """Every weight, layer by layer."""
        return [variable for layer in self.layers for variable in layer.variables]

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [variable for layer in self.layers for variable in layer.trainable_variables]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [variable for layer in self.layers for variable in layer.non_trainable_variables]

    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether any layer trains; setting it sets all layers'."""
        return any(layer.trainable for layer in self.layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.layers:
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights on the host."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights.

        Raises:
            ValueError: where their number or a shape does not match; nothing is changed then.

        """
        mine = self.weights
        if len(weights) != len(mine):
            raise ValueError(f"{self.name!r} has {len(mine)} weights, got {len(weights)}.")
        for variable, value in zip(mine, weights, strict=True):
            if np.shape(value) != variable.shape:
                raise ValueError(
                    f"{variable.name} has shape {variable.shape}, got an array of shape {np.shape(value)}."
                )
        for variable, value in zip(mine, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        self._require_built()
        return sum(layer.count_params() for layer in self.layers)

    def draw(self, seed: int | None = None) -> None:
        """Give every weight that has none its first value, keyed by `seed` and the layer's position."""
        self._require_built()
        if all(v.drawn for v in self.weights):
            return
        seed = _seeds.next_seed() if seed is None else seed
        for position, layer in enumerate(self._network.layers):
            layer.draw(seed, position)

    def summary(self, line_length: int = 72, print_fn: Any = print) -> None:
        """Print the layers, their output shapes and parameter counts."""
        print_fn(_summary.table(self, line_length))

    # -- compile, fit, evaluate, predict ------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say what the net is trained for. Forgets the optimizer's state.

        Args:
            optimizer: a name, an optimizer, or any Optax transformation.
            loss: a name, a loss or a function of (y_true, y_pred); a list or dict, one an output.
            loss_weights: a number per output, list or dict.
            metrics: names, metrics or functions; they ignore sample weights.
            weighted_metrics: likewise; they use sample weights.
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: taken for Keras's sake. Whole
                stretches of an epoch are always one compiled program here.

        Raises:
            ValueError: on an unknown name; the message holds the nearest one.

        """
        self.compiled = _compile.Compiled(
            optimizers.get(optimizer), loss, loss_weights, metrics, weighted_metrics, bool(run_eagerly)
        )
        self.optimizer = self.compiled.optimizer
        self.optimizer.iterations = 0
        self.optimizer_state = None
        self.objective = self.watch = None
        if self.built:
            self.objective = _compile.objective_of(self)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        *,
        seed: int | None = None,
        until: Any = None,
        run: Any = None,
    ) -> Any:
        """Train.

        Args:
            x: arrays, lists, data frames, a dict or list of them for several inputs; or a generator,
                a Sequence, or anything that gives batches (x, y[, weights]).
            y: targets, likewise; not given beside a source of batches.
            batch_size: rows a step, 32 where None.
            epochs: number of the last epoch.
            verbose: 0 silent, 1 a live bar, 2 a line an epoch; 'auto' is 1 in a terminal, else 2.
            callbacks: one or a list.
            validation_split: the last fraction of the rows, cut before any shuffling.
            validation_data: (x, y) or (x, y, weights), or a source of batches.
            shuffle: read the rows in a new order each epoch, keyed by (seed, epoch).
            class_weight: class -> weight; a class left out weighs 1.
            sample_weight: [rows].
            initial_epoch: where to go on.
            steps_per_epoch: steps that make an epoch.
            validation_steps, validation_batch_size, validation_freq: the same for validation.
            max_queue_size, workers: prefetching of batches.
            use_multiprocessing: taken for Keras 2's sake; threads are used.
            seed: makes shuffling, dropout, and first weights that were not drawn before repeatable.
            until: a callback that says when training has converged, as :class:`~thalweg.callbacks.Convergence`.
            run: a folder that keeps the run: its record, history, checkpoints, best and last model. The same
                fit with the same folder goes on, bit for bit, where it was broken off. For more say, a
                :class:`~thalweg.callbacks.RunFolder`.

        Returns:
            The :class:`~thalweg.callbacks.History`.

        Raises:
            thalweg.data.DataError: on rows that cannot be trained on; it names the column and the row.
            ValueError: on an argument out of range; it names the argument.
            thalweg.models.LossNotFinite: where the loss becomes NaN or infinite; it says where that began and
                what to try. The model then holds its last finite weights.
            thalweg.models.OutOfMemory: where memory runs out; it says how much was wanted, and for how many rows.

        """
        given = {key: value for key, value in locals().items() if key != "self"}
        return _fit(self, **given)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on rows, with the net as it is used (dropout off).

        Returns:
            ``[loss, metrics...]``, the loss alone where there are no metrics, or a dict.

        """
        with explained("evaluate", lambda: batch_size):
            return _predict.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict)

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = 0, steps: int | None = None, callbacks: Any = None
    ) -> Any:
        """The outputs for rows, as NumPy arrays."""
        with explained("predict", lambda: batch_size):
            return _predict.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One step on one batch; the loss and metrics of that batch."""
        return _predict.train_on_batch(self, x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and metrics of one batch, without training."""
        n = len(x[0]) if isinstance(x, (list, tuple)) else len(x)
        return self.evaluate(x, y, batch_size=n, sample_weight=sample_weight, verbose=0, return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        return self.predict(x)

    def __call__(self, x: Any, training: bool = False) -> Any:
        """On symbols: the model's layers, called again on them. On arrays: the outputs, now."""
        parts = self._in_order_of_inputs(x)
        if any(isinstance(part, Symbol) for part in parts):
            return self._replay(parts)
        self._build_for([np.shape(part)[1:] for part in parts])
        self.draw()
        network = self.network
        params, frozen = self.arrays()
        inputs = tuple(jnp.asarray(part, config.floatx()) for part in parts)
        forward = network.forward(
            params, frozen, network.hypers(), inputs, training=training, seed=_seeds.next_seed() if training else 0
        )
        return self.shaped(forward.outputs)

    def _in_order_of_inputs(self, x: Any) -> list[Any]:
        if isinstance(x, Mapping) and self.built:
            missing = [name for name in self.input_labels if name not in x]
            if missing or len(x) > len(self.input_labels):
                raise ValueError(f"{self.name!r} takes the inputs {self.input_labels}, got a dict of {list(x)}.")
            return [x[name] for name in self.input_labels]
        return _flat(x)

    def _replay(self, parts: list[Any]) -> Any:
        self._build_for([part.features for part in parts])
        made = dict(zip(map(id, self._inputs), parts, strict=True))
        for symbol in self.symbols():
            fed = [made[id(one)] for one in symbol.inputs]
            made[id(symbol)] = symbol.layer(fed if symbol.layer.merges else fed[0])
        return self.shaped([made[id(symbol)] for symbol in self._outputs])

    def symbols(self) -> list[Symbol]:
        """Every symbol between inputs and outputs, each after what it is made of."""
        return in_order(self._inputs, self._outputs)

    # -- files ----------------------------------------------------------------------------------

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Write the net, what it was compiled with and the optimizer's state, whole or not at all.

        Keras loads what this writes, and thalweg what Keras wrote. Digests in the file show later whether
        it is still as it was written.

        Args:
            filepath: ending in ``.keras``, or in ``.h5`` for the older format.
            overwrite: whether a file that is there may be replaced.
            include_optimizer: whether the optimizer's state, and what it was compiled with, are written.

        Raises:
            ValueError: naming what a file has no place for: a Lambda, a function without a name, an Optax
                transformation.
            OSError: where it cannot be written; what was there before is whole.

        """
        _files.save(self, filepath, overwrite, include_optimizer)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights and the optimizer's state alone, to a file ending in ``.weights.h5``."""
        _files.save_weights(self, filepath, overwrite)

    def load_weights(
        self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
    ) -> None:
        """Take weights from a file: ``.weights.h5``, ``.keras`` or ``.h5``.

        Args:
            filepath: the file.
            skip_mismatch: leave layers as they are whose shapes are others in the file, with a warning, rather
                than raise. The optimizer's state is left as it is too.
            by_name: look layers up by their names rather than their places; likewise.

        Raises:
            thalweg.models.FileError: where the file is damaged, or its layers do not fit; nothing is changed then.

        """
        _files.load_weights(self, filepath, skip_mismatch, by_name)

    def export(self, filepath: str | os.PathLike[str], format: str = "onnx", verbose: Any = None) -> None:  # noqa: A002
        """Write the net as it is used (dropout off) to an ONNX file, which other programs can run.

        Args:
            filepath: ending in ``.onnx``.
            format: ``'onnx'``.
            verbose: taken for Keras's sake.

        Raises:
            ImportError: where the package is missing; it is in the extra ``onnx``.
            ValueError: on another format, or naming the layer that cannot be expressed.

        """
        _files.export(self, filepath, format)

    def get_config(self) -> dict[str, Any]:
        """The layers and the graph as plain data."""
        return _describe.config_of(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model like the one whose ``get_config`` gave `config`, without weights."""
        kind = "Functional" if "input_layers" in config else "Sequential"
        reader = _describe.Reader("the configuration", custom_objects)
        return reader.model({"class_name": kind, "config": config})[0]

    def description(self) -> dict[str, Any]:
        """The layers, the graph and what the model was compiled with, as plain data in Keras's form.

        Raises:
            ValueError: naming what that form has no place for: a Lambda, a function without a name, ...

        """
        return _describe.describe(self)

    def to_json(self, **options: Any) -> str:
        """The description as JSON text; :func:`thalweg.models.model_from_json` makes its like.

        Args:
            options: for ``json.dumps``.

        """
        return json.dumps(self.description(), **options)

    # -- what the floors below are handed ------------------------------------------------------

    def shaped(self, outputs: Sequence[Any]) -> Any:
        """Outputs as the model's ``outputs`` were given: one, a list, or a dict."""
        if self._output_keys:
            return dict(zip(self._output_keys, outputs, strict=True))
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def arrays(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The trained and the other weights, laid out as ``network`` says."""
        return tuple(v.value for v in self._held(True)), tuple(v.value for v in self._held(False))

    def hold(self, params: Sequence[Any], frozen: Sequence[Any]) -> None:
        """Take weights from a program."""
        for trained, arrays in ((True, params), (False, frozen)):
            for variable, array in zip(self._held(trained), arrays, strict=True):
                variable.hold(array)

    def _held(self, trained: bool) -> list[Variable]:
        network = self.network
        by_name = [{v.name: v for v in layer.variables} for layer in network.layers]
        return [by_name[p.layer][p.weight.name] for p in (network.trainable if trained else network.frozen)]

    def _build_for(self, features: Sequence[tuple[int, ...]]) -> None:
        """Know the inputs' shapes from the data; a functional model knew them before."""

    def ready(self, first: Any, seed: int | None = None) -> None:
        """Know the shapes, the weights, the losses and the metrics, from the first rows seen."""
        ready(self, first, seed)

    def twin(self) -> Any:
        """A model like this one, compiled likewise, with hypers of its own and weights yet to be drawn."""
        return copy_of(self)

    def objective_path(self, local: str) -> str:
        """A loss's hyper as ``model.hypers`` names it."""
        output, _, name = local.partition("/")
        return f"loss/{name}" if len(self.output_names) == 1 else f"{self.output_names[int(output)]}/loss/{name}"

    def task(self, **flags: Any) -> Task:
        """What is compiled for this model as it is now."""
        network = self.network
        dtype = config.compute_dtype()
        return Task(
            network=network,
            objective=self.objective,
            watch=self.watch,
            optimizer=self.optimizer,
            decays=_compile.decays_of(self, network),
            dtype=dtype if dtype != config.floatx() else None,
            **flags,
        )

    @property
    def loss(self) -> Any:
        """The loss as it was given to compile."""
        return self.compiled.loss if self.compiled else None

    @property
    def metrics_names(self) -> list[str]:
        """Names of what :meth:`evaluate` gives, in its order."""
        return self.watch.names() if self.watch else ["loss"]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name} built={self.built}>"


def _counted(name: str) -> Any:
    yield name
    number = 1
    while True:
        yield f"{name}_{number}"
        number += 1


def _flat(x: Any) -> list[Any]:
    if isinstance(x, Mapping):
        return list(x.values())
    return list(x) if isinstance(x, (list, tuple)) and x and not np.isscalar(x[0]) else [x]


def _listed(given: Any, what: str) -> tuple[list[Symbol], list[str] | None]:
    names = list(given) if isinstance(given, Mapping) else None
    symbols = list(given.values()) if isinstance(given, Mapping) else _flat(given)
    for one in symbols:
        if not isinstance(one, Symbol):
            raise TypeError(f"{what} must be symbols made by Input(...) and layers called on them, got {one!r}.")
    return symbols, names
