"""What every layer is: a description, the weights it declares, and a pure way to apply them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import _seeds, activations, config, constraints, initializers, regularizers
from thalweg._names import snake_case, unknown
from thalweg._tunable import Tunable
from thalweg.layers._context import Context
from thalweg.layers._symbol import Symbol
from thalweg.layers._variable import Variable, Weight

Features = Any  # tuple[int, ...] of one input, or a tuple of such for layers that merge

_FAMILIES = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}
_OLD_SHAPES = {
    "input_shape": lambda value: tuple(value),
    "input_dim": lambda value: (int(value),),
    "batch_input_shape": lambda value: tuple(value[1:]),
    "batch_shape": lambda value: tuple(value[1:]),
}


class Layer(Tunable):
    """Base of all layers.

    A layer in the style of this package declares its weights in ``init(features)`` and computes in
    ``apply(w, x, ctx)``, both pure. A layer in Keras's style overrides ``build(input_shape)``, which
    calls ``add_weight``, and ``call(x)``, with ``training`` as an optional argument.

    Args:
        name: unique in its model; given by the model where it is None.
        trainable: whether training changes the weights. May be set later.
        activity_regularizer: a penalty on the output, divided by the rows of the batch.
        input_shape: one row's shape, on the first layer of a Sequential (also ``input_dim``,
            ``batch_input_shape``).

    Raises:
        TypeError: on an argument that no layer has.

    Example:
        >>> import jax.numpy as jnp, thalweg
        >>> class Scale(thalweg.layers.Layer):
        ...     def init(self, features):
        ...         return (thalweg.layers.Weight('scale', features, 'ones'),)
        ...     def apply(self, w, x, ctx):
        ...         return x * w['scale']
        >>> Scale()(jnp.ones((2, 3))).shape
        (2, 3)

    """

    HYPERS: ClassVar[tuple[str, ...]] = ("activity_regularizer",)
    HOST: ClassVar[tuple[str, ...]] = ("name", "trainable", "seed", "dtype")
    named_by_model = False  # a name that a model made up may be changed by another model
    looks_around: ClassVar[bool] = False  # whether what it gives for a place of an image depends on other places

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        activity_regularizer: Any = None,
        **older: Any,
    ) -> None:
        self._name = name
        self.trainable = trainable
        self.dtype = dtype
        self.activity_regularizer = own(regularizers.get(activity_regularizer))
        self.given_features = _given_features(type(self), older)
        self._variables: tuple[Variable, ...] | None = None
        self._added: list[Variable] = []
        self._draw: Callable[[], None] = self._draw_alone
        self.features: Features = None  # of the input it was built for

    # -- what subclasses say ------------------------------------------------------------------

    def init(self, features: Features) -> Sequence[Weight]:
        """The weights for an input whose rows have shape `features`."""
        self.build((None, *features) if _is_single(features) else [(None, *one) for one in features])
        return ()

    def apply(self, w: Mapping[str, Any], x: Any, ctx: Context) -> Any:
        """The output for input `x` [batch, ...features] and weights `w`."""
        for variable in self._added:
            variable.stand_in = w[variable.name]
        try:
            told = {"training": ctx.training} if "training" in inspect.signature(self.call).parameters else {}
            y = self._called(x, told)
            ctx.updates.update(
                {v.name: v.stand_in for v in self._added if not v.declared.trainable and v.stand_in is not w[v.name]}
            )
            return y
        finally:
            for variable in self._added:
                variable.stand_in = None

    def _called(self, x: Any, told: Mapping[str, Any]) -> Any:
        try:
            return self.call(x, **told)
        except ValueError as error:
            if "__jax_array__" not in str(error):
                raise
            raise TypeError(
                f"{type(self).__name__}.call hands a weight itself to a function of JAX's: give it the weight's array, self.NAME.value, "
                "as jnp.dot(x, self.kernel.value). (Operators, as in x @ self.kernel, take the weight as it is.)"
            ) from error

    def build(self, input_shape: Any) -> None:
        """Keras's way to make weights: call :meth:`add_weight`. `input_shape` starts with None."""

    def call(self, x: Any) -> Any:
        """Keras's way to compute the output."""
        raise TypeError(f"{type(self).__name__} must define apply(w, x, ctx) or call(x).")

    def output_features(self, features: Features) -> tuple[int, ...]:
        """The shape of one output row; found by tracing where a layer does not say."""
        weights = {v.name: jax.ShapeDtypeStruct(v.shape, v.dtype) for v in self.variables_for(features)}
        hypers = {path: jax.ShapeDtypeStruct((), jnp.float32) for path in self.hypers()}

        def one(w: Any, h: Any, x: Any) -> Any:
            return self.apply(w, x, Context(training=False, h=h))

        return tuple(jax.eval_shape(one, weights, hypers, _rows_like(features)).shape[1:])

    def output_awake(self, awake: Any, units: Any) -> Any:
        """Which output units are in use, given those of the input and of the layer itself.

        Most layers keep their input's; layers that only move values move the mask along.
        """
        return awake

    # -- Keras's face -------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The layer's name, unique within a model once it is part of one."""
        return self._name or snake_case(type(self).__name__)

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Declare a weight from within :meth:`build` (Keras's signature)."""
        name = name or f"weight_{len(self._added)}"
        penalty = self._attach("regularizer", name, regularizers.get(regularizer))
        bound = self._attach("constraint", name, constraints.get(constraint))
        if initializer is None:
            initializer = "glorot_uniform" if shape and len(shape) > 1 else "zeros"
        declared = Weight(name, tuple(shape or ()), initializer, trainable, penalty, bound)
        variable = Variable(declared, lambda: self._draw())
        self._added.append(variable)
        return variable

    def _attach(self, family: str, name: str, member: Any) -> str | None:
        if member is None:
            return None
        attribute = f"{name}_{family}"
        setattr(self, attribute, own(member))
        if attribute not in self.HYPERS:
            self.HYPERS = (*self.HYPERS, attribute)  # type: ignore[misc]  # this layer's alone
        return attribute

    def __call__(self, x: Any, training: bool = False) -> Any:
        """On symbols: a symbol, one step of a graph. On arrays: the output, now."""
        parts = tuple(x) if isinstance(x, (list, tuple)) else (x,)
        if any(isinstance(part, Symbol) for part in parts):
            features = tuple(part.features for part in parts) if self.merges else parts[0].features
            self.variables_for(features)
            return Symbol(tuple(self.output_features(features)), self, parts)
        return self._call_now(x, training)

    merges: ClassVar[bool] = False  # whether it takes a list of inputs

    def _call_now(self, x: Any, training: bool) -> Any:
        arrays = jax.tree.map(lambda part: jnp.asarray(part, config.compute_dtype()), x)
        shapes = tuple(part.shape[1:] for part in arrays) if self.merges else arrays.shape[1:]
        variables = self.variables_for(shapes)
        if self.merges:
            self.output_features(shapes)  # says which shapes do not go together
        ctx = Context(training, self.hypers(), key=_seeds.next_seed() if training else 0)
        y = self.apply({v.name: jnp.asarray(v.value) for v in variables}, arrays, ctx)
        for variable in variables:
            if variable.name in ctx.updates:
                variable.hold(ctx.updates[variable.name])
        return y

    @property
    def built(self) -> bool:
        """Whether the weights' shapes are known."""
        return self._variables is not None

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All weights, in the order of :meth:`get_weights`; empty before the layer is built."""
        return self._variables or ()

    weights = variables

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The weights that training changes."""
        return tuple(v for v in self.variables if v.declared.trainable and self.trainable)

    trainable_weights = trainable_variables

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The weights that training leaves alone (moving averages, frozen layers)."""
        return tuple(v for v in self.variables if not (v.declared.trainable and self.trainable))

    non_trainable_weights = non_trainable_variables

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        return sum(int(np.prod(v.shape)) for v in self.variables)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights on the host."""
        return [v.numpy() for v in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights; shapes must match."""
        if len(weights) != len(self.variables):
            raise ValueError(
                f"Layer {self.name!r} has {len(self.variables)} weights, got {len(weights)}."
                + ("" if self.built else " It is not built yet: its input's shape is unknown.")
            )
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Keras's form of :meth:`output_features`: shapes start with the batch axis."""
        return (None, *self.output_features(tuple(input_shape[1:])))

    @property
    def output(self) -> Symbol:
        """The symbol this layer made when it was last called in a graph."""
        if getattr(self, "_output", None) is None:
            raise AttributeError(f"Layer {self.name!r} has not been called on a symbol yet, so it has no output.")
        return self._output

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            for variable in self.__dict__.get("_variables") or ():
                if variable.name == name:
                    return variable
        raise AttributeError(f"{type(self).__name__} {self.__dict__.get('_name') or ''} has no attribute {name!r}.")

    # -- building -----------------------------------------------------------------------------

    def variables_for(self, features: Features) -> tuple[Variable, ...]:
        """Declare the weights on the first call; check the input's shape on later ones."""
        if self._variables is None:
            self.features = features
            declared = self.init(features)
            self._variables = tuple(Variable(one, lambda: self._draw()) for one in declared) + tuple(self._added)
        elif self._variables and features != self.features:
            self.check_features(features)
        return self._variables

    def check_features(self, features: Features) -> None:
        """Whether weights that were built for one input shape fit another."""
        raise ValueError(
            f"Layer {self.name!r} was built for inputs of shape {_batched(self.features)}, got {_batched(features)}."
        )

    def draw(self, seed: int, position: int) -> None:
        """Give every weight that has none its first value, keyed by (seed, position of the layer, of the weight)."""
        for place, variable in enumerate(self.variables):
            if not variable.drawn:
                variable.initialize(_seeds.generator(seed, position, place))

    def draws_with(self, draw: Callable[[], None]) -> None:
        """Let the model that holds this layer draw the weights, all with one seed."""
        if self._draw == self._draw_alone:
            self._draw = draw

    def _draw_alone(self) -> None:
        self.draw(_seeds.next_seed(), 0)

    # -- configuration ------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain data."""
        config_of: dict[str, Any] = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype or "float32"}
        for name in _named_arguments(type(self)):  # type: ignore[arg-type]
            config_of[name] = _plain(name, getattr(self, name, None))
        if self.activity_regularizer is not None:
            config_of.setdefault("activity_regularizer", _plain("activity_regularizer", self.activity_regularizer))
        return config_of

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A layer like the one whose ``get_config`` gave `config`; what Keras has and is switched off there is passed over."""
        known = {*inspect.signature(cls.__init__).parameters, "name", "trainable", "dtype", *_OLD_SHAPES}
        known |= set(inspect.signature(Layer.__init__).parameters)
        off = {key for key, value in config.items() if key not in known and (value is None or value is False)}
        off |= {key for key in config if any(key.startswith(f"{switch}_") for switch in off)}
        if not isinstance(config.get("dtype"), str):
            off.add("dtype")
        return cls(**{key: value for key, value in config.items() if key not in off})

    def blueprint(self) -> Layer:
        """A copy that keeps no weights alive, for programs that outlive the model."""
        if self._added:  # a layer in Keras's style reaches its weights through its own attributes
            return self
        other = self.twin()
        other._variables = None
        other._draw = other._draw_alone
        other.__dict__.pop("_output", None)
        return other

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def own(member: Any) -> Any:
    """A copy of a regularizer or constraint: one object given to two layers must not tie their knobs."""
    return member.twin() if isinstance(member, Tunable) else member


def mask_rows(values: Any, rows: Any) -> Any:
    """`values` with padding rows set to zero."""
    return values if rows is None else values * rows.reshape((-1,) + (1,) * (values.ndim - 1)).astype(values.dtype)


@functools.cache
def _named_arguments(kind: type[Layer]) -> tuple[str, ...]:
    """The names of a constructor's arguments; read once, as a signature takes long."""
    parameters = inspect.signature(kind.__init__).parameters
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return tuple(name for name, one in parameters.items() if name != "self" and one.kind not in kinds)


def _given_features(kind: type[Layer], older: dict[str, Any]) -> Any:
    given = None
    for name in list(older):
        if name in _OLD_SHAPES:
            value = older.pop(name)
            given = _OLD_SHAPES[name](value) if value is not None else given
    older.pop("autocast", None)
    if older:
        name = next(iter(older))
        known = {*_named_arguments(kind), *("name", "trainable", "dtype"), *_OLD_SHAPES}  # type: ignore[arg-type]
        raise TypeError(f"{kind.__name__}: {unknown('argument', name, list(known))}")
    return given


def _plain(name: str, value: Any) -> Any:
    for family, module in _FAMILIES.items():
        if name.endswith(family) and value is not None:
            return module.serialize(value)
    if callable(value) and not isinstance(value, Tunable):
        return activations.serialize(value)
    return value.tolist() if isinstance(value, np.ndarray) else value


def _is_single(features: Features) -> bool:
    return not features or not isinstance(features[0], tuple)


def _batched(features: Features) -> Any:
    return (None, *features) if _is_single(features) else [(None, *one) for one in features]


def _rows_like(features: Features) -> Any:
    if _is_single(features):
        return jax.ShapeDtypeStruct((2, *features), config.compute_dtype())
    return [jax.ShapeDtypeStruct((2, *one), config.compute_dtype()) for one in features]
