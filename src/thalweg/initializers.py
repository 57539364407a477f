"""Where weights start: drawn on the host, in NumPy, from a generator that the caller keys.

Drawing on the host costs no compilation, and a weight's first value depends on its key alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import ml_dtypes  # noqa: F401  (teaches NumPy the name 'bfloat16')
import numpy as np
from numpy.typing import ArrayLike

from thalweg import _seeds, config
from thalweg._checks import number
from thalweg._family import Family, FunctionMember
from thalweg._names import Table, tell_absent, unknown
from thalweg._tunable import Tunable

_TRUNCATED_STDDEV = 0.87962566103423978  # of a standard normal cut at -2 and 2

Shape = Sequence[int]


class Initializer(Tunable):
    """How the values of a weight are drawn.

    Subclasses define :meth:`draw`. One written as for Keras, with ``__call__(shape, dtype=None)``
    alone, works too.

    Example:
        >>> class Halves(Initializer):
        ...     def draw(self, rng, shape, dtype='float32'):
        ...         return np.full(shape, 0.5, dtype)
        >>> Halves()((2,)).tolist()
        [0.5, 0.5]

    """

    seed: int | None = None
    _seed_of_calls: int | None = None

    def draw(self, rng: np.random.Generator, shape: Shape, dtype: str = "float32") -> np.ndarray:
        """New values.

        Args:
            rng: what random numbers come from.
            shape: of the weight.
            dtype: of the weight.

        """
        if type(self).__call__ is Initializer.__call__:
            name = type(self).__name__
            raise TypeError(f"{name} must define draw(rng, shape, dtype), or __call__(shape, dtype=None) as in Keras.")
        return np.asarray(self(shape, dtype=dtype))

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        """Values from the object's own seed: the same ones at each call with the same shape, as in Keras."""
        if self._seed_of_calls is None:
            self._seed_of_calls = _seeds.next_seed() if self.seed is None else self.seed
        return self.draw(_seeds.generator(self._seed_of_calls), shape, dtype or config.floatx())


class Constant(Initializer):
    """The same value everywhere.

    Args:
        value: a number, or an array (or nested lists) that broadcasts to the weight's shape.

    Raises:
        ValueError: where `value` is not numeric.

    Example:
        >>> Constant(3.0)((2,)).tolist()
        [3.0, 3.0]

    """

    def __init__(self, value: ArrayLike = 0.0) -> None:
        if np.asarray(value).dtype.kind not in "biuf":
            raise ValueError(f"value must be a number or an array of numbers, got Constant(value={value!r}).")
        self.value = value

    def draw(self, rng: np.random.Generator, shape: Shape, dtype: str = "float32") -> np.ndarray:
        """The value, repeated."""
        return np.broadcast_to(np.asarray(self.value), _checked_shape(shape)).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        """The value, as a number or nested lists."""
        held = self.value
        return {"value": held.tolist() if isinstance(held, (np.ndarray, np.generic)) else held}


class Zeros(Initializer):
    """Zeros.

    Example:
        >>> Zeros()((2,)).tolist()
        [0.0, 0.0]

    """

    def draw(self, rng: np.random.Generator, shape: Shape, dtype: str = "float32") -> np.ndarray:
        """Zeros."""
        return np.zeros(_checked_shape(shape), dtype)


class Ones(Initializer):
    """Ones.

    Example:
        >>> Ones()((2,)).tolist()
        [1.0, 1.0]

    """

    def draw(self, rng: np.random.Generator, shape: Shape, dtype: str = "float32") -> np.ndarray:
        """Ones."""
        return np.ones(_checked_shape(shape), dtype)


class Identity(Initializer):
    """The identity matrix times `gain`; ones on the diagonal of a matrix that is not square.

    Keras forgets `gain` in its configuration; here it is kept.

    Args:
        gain: the value on the diagonal.

    Raises:
        ValueError: where `gain` is not finite, and on drawing anything but a matrix.

    Example:
        >>> Identity(2.0)((2, 2)).tolist()
        [[2.0, 0.0], [0.0, 2.0]]

    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = number(self, "gain", gain)

    def draw(self, rng: np.random.Generator, shape: Shape, dtype: str = "float32") -> np.ndarray:
        """The matrix."""
        if len(shape) != 2:
            raise ValueError(f"Identity initializes matrices, got the shape {tuple(shape)}.")
        return (self.gain * np.eye(shape[0], shape[1])).astype(dtype)

    def get_config(self) -> dict[str, Any]:
        """The gain."""
        return {"gain": self.gain}


class STFT(Initializer):
    """The kernel of a convolution that computes a short-time Fourier transform.

    ``window[t] * cos(2 pi t f / F) / norm`` for the real side, ``-sin`` for the imaginary one, with
    ``F = 2 * (frequencies - 1)``.

    Args:
        side: ``'real'`` or ``'imag'``.
        window: the name of one of SciPy's windows, its values ``[T]``, or None.
        scaling: divide by the window's ``'density'`` (L2 norm) or ``'spectrum'`` (L1 norm), or None.
        periodic: whether a named window is periodic rather than symmetric. As in Keras, the flag goes
            to ``scipy.signal.get_window`` as its `fftbins`.

    Raises:
        ValueError: on an unknown side, scaling or window, and on drawing another shape than
            ``[T, 1, frequencies]``.

    Example:
        >>> STFT(window=None)((4, 1, 3))[:, 0, 1].round().tolist()
        [1.0, 0.0, -1.0, 0.0]

    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        if side not in _WAVES:
            raise ValueError(unknown("side of STFT", side, list(_WAVES)))
        if scaling is not None and scaling not in _SCALES:
            raise ValueError(unknown("scaling of STFT", scaling, list(_SCALES)))
        if isinstance(window, str):
            _named_window(window, 1, periodic)
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def draw(self, rng: np.random.Generator, shape: Shape, dtype: str = "float32") -> np.ndarray:
        """The kernel, ``[T, 1, frequencies]``."""
        if len(shape) != 3 or shape[1] != 1 or shape[2] < 2:
            raise ValueError(
                f"STFT initializes kernels of shape [T, 1, frequencies], frequencies >= 2, got {tuple(shape)}."
            )
        length, _, frequencies = _checked_shape(shape)
        turns = np.outer(np.arange(length), np.arange(frequencies)) / (2 * (frequencies - 1))
        kernel = _WAVES[self.side](2 * np.pi * turns)
        if self.window is not None:
            kernel = kernel * self._weights(length)[:, None]
        return kernel[:, None, :].astype(dtype)

    def _weights(self, length: int) -> np.ndarray:
        named = isinstance(self.window, str)
        window = _named_window(self.window, length, self.periodic) if named else np.asarray(self.window, np.float64)
        if window.shape != (length,):
            raise ValueError(f"window must have one value for each of {length} samples, got shape {window.shape}.")
        return window if self.scaling is None else window / _SCALES[self.scaling](window)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        window = self.window.tolist() if isinstance(self.window, np.ndarray) else self.window
        return {"side": self.side, "window": window, "scaling": self.scaling, "periodic": self.periodic}


class RandomInitializer(Initializer):
    """What draws at random.

    Args:
        seed: an integer in [0, 2**32) pins the values whatever generator :meth:`draw` is handed; None
            leaves them to it.

    Raises:
        ValueError: where `seed` is not such an integer.

    """

    def __init__(self, seed: int | Mapping[str, Any] | None = None) -> None:
        if isinstance(seed, Mapping):  # Keras's file of a SeedGenerator
            kept: int | None = seed.get("config", {}).get("seed")
        else:
            kept = seed
        self.seed = None if kept is None else _seeds.checked(kept)

    def draw(self, rng: np.random.Generator, shape: Shape, dtype: str = "float32") -> np.ndarray:
        """New values; from `rng`, or from the object's own seed where it has one."""
        if np.dtype(dtype).kind not in "fV":  # 'V' is what NumPy takes bfloat16 for
            raise ValueError(f"{type(self).__name__} draws floating-point numbers, got dtype={dtype!r}.")
        source = rng if self.seed is None else _seeds.generator(self.seed)
        working = np.float64 if np.dtype(dtype) == np.float64 else np.float32
        return self._sample(source, _checked_shape(shape), working).astype(dtype, copy=False)

    def _sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} must define _sample(rng, shape, dtype).")

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}


class RandomNormal(RandomInitializer):
    """Normal values.

    Args:
        mean: their mean.
        stddev: their standard deviation, >= 0.
        seed: see :class:`RandomInitializer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> RandomNormal(seed=1)((2, 3)).shape
        (2, 3)

    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = number(self, "mean", mean)
        self.stddev = number(self, "stddev", stddev, at_least=0.0)

    def _sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        return _stretched(rng.standard_normal(shape, dtype), self.stddev, self.mean)

    def get_config(self) -> dict[str, Any]:
        """Seed, mean and standard deviation."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Normal values, drawn again where they lie more than two standard deviations from the mean.

    Args:
        mean: of the values.
        stddev: of the normal distribution before the cut, >= 0; the values' own is 0.88 times that.
        seed: see :class:`RandomInitializer`.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> bool(abs(TruncatedNormal(stddev=1.0, seed=1)((1000,))).max() <= 2)
        True

    """

    def _sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        return _stretched(_truncated_normal(rng, shape, dtype), self.stddev, self.mean)


class RandomUniform(RandomInitializer):
    """Values spread evenly over an interval.

    Args:
        minval: its lower end.
        maxval: its upper end, >= `minval`.
        seed: see :class:`RandomInitializer`.

    Raises:
        ValueError: where an end is not finite, or they are in the wrong order.

    Example:
        >>> bool(abs(RandomUniform(-1.0, 1.0, seed=1)((1000,))).max() <= 1)
        True

    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.minval = number(self, "minval", minval)
        self.maxval = number(self, "maxval", maxval)
        if self.minval > self.maxval:
            raise ValueError(
                f"minval <= maxval must hold, got RandomUniform(minval={self.minval:g}, maxval={self.maxval:g})."
            )

    def _sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        return _stretched(rng.random(shape, dtype), self.maxval - self.minval, self.minval)

    def get_config(self) -> dict[str, Any]:
        """Seed and ends."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(RandomInitializer):
    """Values whose variance fits the number of connections: ``scale / n``.

    n is the fan in, the fan out or their average; see :func:`fans`. A truncated normal is widened, so
    that its variance after the cut is the one above; a uniform one spans ``+-sqrt(3 * scale / n)``.

    Args:
        scale: > 0.
        mode: ``'fan_in'``, ``'fan_out'`` or ``'fan_avg'``.
        distribution: ``'truncated_normal'`` (or ``'normal'``), ``'untruncated_normal'`` or ``'uniform'``.
        seed: see :class:`RandomInitializer`.
        input_axes: the axes whose sizes make up the fan in; None means by convention.
        output_axes: the axes whose sizes make up the fan out; None means by convention.

    Raises:
        ValueError: where `scale` is not above 0, on an unknown mode or distribution.

    Example:
        >>> bool(abs(VarianceScaling(3.0, distribution='uniform', seed=1)((9, 5))).max() <= 1)
        True

    Source: He et al. 2015, Delving deep into rectifiers; Glorot & Bengio 2010.

    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        self.scale = number(self, "scale", scale, above=0.0)
        if mode not in _CONNECTIONS:
            raise ValueError(unknown("mode of VarianceScaling", mode, list(_CONNECTIONS)))
        named = "truncated_normal" if str(distribution).lower() == "normal" else str(distribution).lower()
        if named not in _DISTRIBUTIONS:
            raise ValueError(unknown("distribution of VarianceScaling", distribution, list(_DISTRIBUTIONS)))
        self.mode = mode
        self.distribution = named
        self.input_axes = input_axes
        self.output_axes = output_axes

    def _sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        connections = _CONNECTIONS[self.mode](*fans(shape, self.input_axes, self.output_axes))
        stddev = math.sqrt(self.scale / max(1.0, connections))
        return _DISTRIBUTIONS[self.distribution](rng, shape, dtype, stddev)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            **super().get_config(),
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Rule(VarianceScaling):
    """A variance scaling with a name of its own."""

    RULE: ClassVar[tuple[float, str, str]]
    """scale, mode, distribution."""

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self.RULE, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Seed and axes; the rest is in the name."""
        return {"seed": self.seed, "input_axes": self.input_axes, "output_axes": self.output_axes}


class GlorotUniform(_Rule):
    """Uniform over ``+-sqrt(6 / (fan_in + fan_out))``, for tanh and sigmoid; Keras's choice for kernels.

    Args:
        seed: see :class:`RandomInitializer`.
        input_axes: see :class:`VarianceScaling`.
        output_axes: see :class:`VarianceScaling`.

    Example:
        >>> bool(abs(GlorotUniform(seed=1)((3, 3))).max() <= 1)
        True

    Source: Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.

    """

    RULE = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Rule):
    """Truncated normal of variance ``2 / (fan_in + fan_out)``; see :class:`GlorotUniform`.

    Example:
        >>> GlorotNormal(seed=1)((3, 3)).shape
        (3, 3)

    """

    RULE = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Rule):
    """Uniform over ``+-sqrt(6 / fan_in)``, for ReLU.

    Example:
        >>> bool(abs(HeUniform(seed=1)((6, 3))).max() <= 1)
        True

    Source: He et al. 2015, Delving deep into rectifiers.

    """

    RULE = (2.0, "fan_in", "uniform")


class HeNormal(_Rule):
    """Truncated normal of variance ``2 / fan_in``, for ReLU; see :class:`HeUniform`.

    Example:
        >>> HeNormal(seed=1)((3, 3)).shape
        (3, 3)

    """

    RULE = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Rule):
    """Uniform over ``+-sqrt(3 / fan_in)``.

    Example:
        >>> bool(abs(LecunUniform(seed=1)((3, 3))).max() <= 1)
        True

    Source: LeCun et al. 1998, Efficient backprop.

    """

    RULE = (1.0, "fan_in", "uniform")


class LecunNormal(_Rule):
    """Truncated normal of variance ``1 / fan_in``, for SELU; see :class:`LecunUniform`.

    Example:
        >>> LecunNormal(seed=1)((3, 3)).shape
        (3, 3)

    """

    RULE = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal columns (or rows, where they are fewer), times `gain`.

    All but the last axis of the weight are taken together as rows.

    Args:
        gain: the length of the columns (or rows).
        seed: see :class:`RandomInitializer`.

    Raises:
        ValueError: where `gain` is not finite, and on drawing a shape of fewer than two axes.

    Example:
        >>> w = Orthogonal(seed=1)((3, 2))
        >>> abs(w.T @ w).round(3).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Saxe et al. 2014, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks.

    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = number(self, "gain", gain)

    def _sample(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal initializes weights of two or more axes, got the shape {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns)), dtype))
        # the factorization leaves signs open; these make all orthogonal matrices equally likely
        q *= np.where(np.diagonal(r) < 0, -1, 1).astype(dtype)
        return np.asarray(self.gain, dtype) * np.reshape(q if rows >= columns else q.T, shape)

    def get_config(self) -> dict[str, Any]:
        """Seed and gain."""
        return {**super().get_config(), "gain": self.gain}


class FunctionInitializer(FunctionMember, Initializer):
    """A user's function ``(shape, dtype=None) -> array`` as an initializer.

    Args:
        function: what gives the values.

    Raises:
        ValueError: where it gives another shape.

    Example:
        >>> FunctionInitializer(lambda shape, dtype=None: np.full(shape, 7.0, dtype))((2,)).tolist()
        [7.0, 7.0]

    """

    def draw(self, rng: np.random.Generator, shape: Shape, dtype: str = "float32") -> np.ndarray:
        """What the function gives; `rng` is not used."""
        values = np.asarray(self.function(_checked_shape(shape), dtype=dtype))
        if values.shape != tuple(shape):
            name = self.get_config()["function"]
            raise ValueError(f"{name!r} must initialize the shape {tuple(shape)}, got values of shape {values.shape}.")
        return values.astype(dtype)


def fans(
    shape: Shape, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """How many connections lead into and out of a unit.

    Args:
        shape: of the weight: ``[inputs, units]``, or ``[..., inputs, filters]`` of a convolution, whose
            first axes count on both sides.
        input_axes: the axes whose sizes make up the fan in.
        output_axes: the axes whose sizes make up the fan out; both must be given, or neither counts.

    Returns:
        (fan in, fan out).

    Example:
        >>> fans((3, 3, 8, 16))
        (72, 144)

    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return math.prod(shape), math.prod(shape)
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


_WAVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"real": np.cos, "imag": lambda angle: -np.sin(angle)}
_SCALES: dict[str, Callable[[np.ndarray], Any]] = {
    "density": lambda window: np.sqrt(np.sum(window**2)),
    "spectrum": lambda window: np.sum(np.abs(window)),
}
_CONNECTIONS: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda into, out: into,
    "fan_out": lambda into, out: out,
    "fan_avg": lambda into, out: (into + out) / 2,
}


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any, stddev: float) -> np.ndarray:
    limit = math.sqrt(3.0) * stddev
    return _stretched(rng.random(shape, dtype), 2 * limit, -limit)


def _normal(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any, stddev: float) -> np.ndarray:
    return _stretched(rng.standard_normal(shape, dtype), stddev, 0.0)


def _widened_normal(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any, stddev: float) -> np.ndarray:
    return _stretched(_truncated_normal(rng, shape, dtype), stddev / _TRUNCATED_STDDEV, 0.0)


_DISTRIBUTIONS: dict[str, Callable[..., np.ndarray]] = {
    "truncated_normal": _widened_normal,
    "untruncated_normal": _normal,
    "uniform": _uniform,
}


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    values = rng.standard_normal(math.prod(shape), dtype)
    outside = np.flatnonzero(np.abs(values) > 2)
    while outside.size:  # 4.6 % of them each time
        values[outside] = rng.standard_normal(outside.size, dtype)
        outside = outside[np.abs(values[outside]) > 2]
    return values.reshape(shape)


def _stretched(values: Any, by: float, onto: float) -> np.ndarray:
    dtype = values.dtype.type
    return np.asarray(values * dtype(by) + dtype(onto))


def _named_window(name: str, length: int, periodic: bool) -> np.ndarray:
    from scipy.signal import get_window

    return np.asarray(get_window(name, length, periodic))


def _checked_shape(shape: Shape) -> tuple[int, ...]:
    if not all(isinstance(size, (int, np.integer)) and size >= 0 for size in shape):
        raise ValueError(f"shape must hold integers >= 0, got {tuple(shape)}.")
    return tuple(int(size) for size in shape)


constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = IdentityInitializer = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = OrthogonalInitializer = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFTInitializer = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

_BY_NAME: dict[str, type[Initializer]] = {
    "constant": Constant,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "identity": Identity,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "ones": Ones,
    "orthogonal": Orthogonal,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "stft": STFT,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "zeros": Zeros,
}
TABLE = Table(
    "initializer",
    {
        **_BY_NAME,
        **{cls.__name__: cls for cls in _BY_NAME.values()},
        "normal": RandomNormal,
        "uniform": RandomUniform,
        "one": Ones,
        "zero": Zeros,
        "IdentityInitializer": Identity,
        "OrthogonalInitializer": Orthogonal,
        "STFTInitializer": STFT,
    },
)

_FAMILY = Family(TABLE, "keras.initializers", FunctionInitializer, Initializer)


def get(identifier: Any) -> Initializer | None:
    """The initializer that `identifier` stands for.

    Args:
        identifier: None, a name, a class, an instance, a description as from :func:`serialize`, a
            function ``(shape, dtype=None) -> array``, or an array that holds the very values.

    Raises:
        ValueError: on an unknown name.
        TypeError: on anything else.

    Example:
        >>> get('uniform').get_config()
        {'seed': None, 'minval': -0.05, 'maxval': 0.05}

    """
    given = hasattr(identifier, "__array__") and not callable(identifier)
    member: Initializer | None = _FAMILY.get(_giving(identifier) if given else identifier)
    return member


def _giving(values: Any) -> Callable[..., np.ndarray]:
    held = np.array(values)  # a copy: the caller's array may change before the weights are drawn

    def given_values(shape: Shape, dtype: str | None = None) -> np.ndarray:
        return held

    return given_values


def serialize(initializer: Initializer | None) -> dict[str, Any] | None:
    """The description of an initializer in Keras's form.

    Example:
        >>> serialize(Zeros())
        {'module': 'keras.initializers', 'class_name': 'Zeros', 'config': {}, 'registered_name': None}

    """
    return _FAMILY.serialize(initializer)


def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Initializer:
    """The initializer that a description stands for.

    Args:
        config: as from :func:`serialize`, or as Keras writes it.
        custom_objects: name -> class or function, for what is not thalweg's own.

    Raises:
        ValueError: on a description that names no known initializer.

    Example:
        >>> deserialize({'class_name': 'Constant', 'config': {'value': 2.0}}).value
        2.0

    """
    member: Initializer = _FAMILY.deserialize(config, custom_objects)
    return member


tell_absent(__name__)
