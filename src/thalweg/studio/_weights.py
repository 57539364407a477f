"""Weights as pictures: of a first layer that sees a picture what each unit looks for, of any other the matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg import layers
from thalweg._names import unknown
from thalweg.studio._steering import Refused

if TYPE_CHECKING:
    from thalweg.studio._net import Mirror

UNITS, SIDE = 64, 256
"""Pictures of units, and rows and columns of a matrix, at most: those with the largest weights."""
_CHANNELS = 4  # that are shown side by side; of more, their mean
_SHADES = 127  # of each sign
_KERNELS = 100  # layers that are told


def kernels_of(model: Any, picture: tuple[int, int, int] | None) -> list[dict[str, Any]]:
    """The layers whose weights can be shown.

    Args:
        model: the net, built.
        picture: height, width and channels of what it sees, or None.

    Returns:
        Of each its name, its shape, and how it is shown: ``kind`` is ``'units'``, ``'filters'`` or ``'matrix'``.

    """
    found: list[dict[str, Any]] = []
    if not model.built:
        return found
    for layer, _, weight in _places(model):
        kind = "matrix" if found or picture is None else _kind_of(layer, weight.shape, picture)
        found.append({"name": layer.name, "kind": kind, "shape": list(weight.shape)})
    return found[:_KERNELS]


def _kind_of(layer: Any, shape: tuple[int, ...], picture: tuple[int, int, int]) -> str:
    """How a first layer is shown."""
    if isinstance(layer, layers.Conv2D):
        return "filters"
    return "units" if isinstance(layer, layers.Dense) and shape[0] == math.prod(picture) else "matrix"


def _places(model: Any) -> list[tuple[Any, tuple[bool, int], Any]]:
    """Each layer's first weight that is a matrix or more, and where it lies: whether training changes it, and its place."""
    network, found = model.network, dict[int, tuple[Any, tuple[bool, int], Any]]()
    for learns, places in ((True, network.trainable), (False, network.frozen)):
        for i, place in enumerate(places):
            if len(place.weight.shape) > 1:
                found.setdefault(place.layer, (network.layers[place.layer], (learns, i), place.weight))
    return [found[number] for number in sorted(found)]


def weights(mirror: Mirror, wish: Mapping[str, Any]) -> Any:
    """A layer's weights as pictures, the one that ``layer`` names.

    Returns:
        ``count`` pictures of ``height`` and ``width``, as numbers from -127 to 127, one after the other in ``values``; ``largest``:
        the weight that 127 stands for; ``numbers`` of the units shown, out of ``total``; for a matrix ``rows`` and ``columns``,
        shown out of all.

    """
    known = {one["name"]: one for one in mirror.sight["kernels"]}
    name = wish.get("layer")
    if name not in known:
        raise Refused(unknown("layer", str(name)[:50], known))
    model = mirror.net()
    number = list(known).index(name)
    _, (learns, place), _ = _places(model)[number]
    kernel = np.asarray(model.arrays()[0 if learns else 1][place], np.float64)
    told = (
        _matrix(kernel) if known[name]["kind"] == "matrix" else _pictures(kernel, known[name]["kind"], mirror.picture)
    )
    return {"layer": name, "kind": known[name]["kind"], **told}


def _pictures(kernel: np.ndarray, kind: str, picture: tuple[int, int, int] | None) -> dict[str, Any]:
    """What each unit looks for: its incoming weights as a picture, channels side by side."""
    units = kernel.shape[-1]
    each = np.moveaxis(kernel.reshape(*(picture or ()), units) if kind == "units" else kernel, -1, 0)
    kept = largest(each.reshape(units, -1), UNITS)
    shown = each[kept]
    if shown.shape[-1] > _CHANNELS:
        shown = shown.mean(axis=-1, keepdims=True)
    height, width, channels = shown.shape[1:]
    flat = np.moveaxis(shown, -1, 2).reshape(len(kept), height, channels * width)
    return {
        **{"count": len(kept), "height": height, "width": channels * width, "numbers": kept.tolist(), "total": units},
        **{"channels": kernel.shape[-2] if kind == "filters" else (picture or (0, 0, 1))[2], "side_by_side": channels},
        **_shades(flat),
    }


def _matrix(kernel: np.ndarray) -> dict[str, Any]:
    """All weights, units across; of a large one the rows and columns with the largest weights."""
    flat = kernel.reshape(-1, kernel.shape[-1])
    rows, columns = largest(flat, SIDE), largest(flat.T, SIDE)
    shown = flat[np.ix_(rows, columns)]
    return {
        **{"count": 1, "height": len(rows), "width": len(columns)},
        **{"rows": [len(rows), flat.shape[0]], "columns": [len(columns), flat.shape[1]]},
        **_shades(shown),
    }


def largest(vectors: np.ndarray, most: int) -> np.ndarray:
    """Numbers of the longest vectors, in their order."""
    lengths = np.square(vectors).sum(axis=1)
    return np.sort(np.argsort(-lengths, kind="stable")[:most])


def _shades(shown: np.ndarray) -> dict[str, Any]:
    held = np.where(np.isfinite(shown), shown, 0.0)
    top = float(np.abs(held).max(initial=0.0))
    return {"largest": top, "values": np.rint(_SHADES * held.ravel() / (top or 1.0)).astype(int).tolist()}
