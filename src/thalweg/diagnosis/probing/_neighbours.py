"""Which training rows a net's surest mistakes are near to: by pixels, and by what its last hidden layer makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from thalweg.diagnosis.probing import _programs
from thalweg.diagnosis.probing._records import chances_of
from thalweg.diagnosis.probing._subject import Subject

_MISTAKES, _NEAREST = 6, 3
_HELD = 1 << 22  # numbers of training rows that are looked at at once


class NearestRows(NamedTuple):
    """The nearest training rows of a picture.

    Attributes:
        rows: their numbers, the nearest first.
        labels: their classes.
        distances: Euclidean.
        pictures: [rows, height, width, channels].

    """

    rows: tuple[int, ...]
    labels: tuple[int, ...]
    distances: tuple[float, ...]
    pictures: np.ndarray


class Mistake(NamedTuple):
    """A picture of which the net is wrong.

    Attributes:
        picture: [height, width, channels].
        truth: its class.
        said: what the net says.
        chance: with which probability.
        by_pixels: its nearest training rows.
        by_activations: likewise, by the activations of the last hidden layer.

    """

    picture: np.ndarray
    truth: int
    said: int
    chance: float
    by_pixels: NearestRows
    by_activations: NearestRows


class Neighbours(NamedTuple):
    """The surest mistakes and their neighbours.

    Attributes:
        layer: the last hidden one.
        trained: training rows that were searched.
        mistakes: the surest first.

    """

    layer: str
    trained: int
    mistakes: tuple[Mistake, ...]


def neighbours(subject: Subject, train: tuple[np.ndarray, np.ndarray]) -> Neighbours:
    """Look the surest mistakes up among training rows.

    Args:
        subject: the net and the pictures.
        train: training pictures [rows, height, width, channels] and their class numbers.

    """
    chances = chances_of(subject.logits)
    most = np.where(subject.right, -1, chances.max(axis=1))
    rows = np.argsort(-most, kind="stable")[: min(_MISTAKES, int((~subject.right).sum()))]
    tensor, layer = _last_hidden(subject)
    if not len(rows):
        return Neighbours(layer, len(train[0]), ())
    asked = subject.pictures[rows]
    by_pixels = _nearest(asked, train, lambda x: x.reshape(len(x), -1))
    by_activations = _nearest(asked, train, lambda x: subject.run(_programs.hidden, (tensor,), [x])[0])
    mistakes = [
        Mistake(subject.pictures[row], int(subject.truth[row]), int(chances[row].argmax()), float(most[row]), *near)
        for row, *near in zip(rows, by_pixels, by_activations, strict=True)
    ]
    return Neighbours(layer, len(train[0]), tuple(mistakes))


def _last_hidden(subject: Subject) -> tuple[int, str]:
    """The number of the tensor that the last layer with a kernel is fed, and the name of the layer that makes it."""
    network = subject.model.network
    first = len(network.inputs)
    with_kernel = {place.layer for place in (*network.trainable, *network.frozen) if "kernel" in place.weight.name}
    fed = [node.inputs[0] for node in network.nodes if node.layer in with_kernel]
    tensor = fed[-1] if fed else 0
    return tensor, "input" if tensor < first else network.layers[network.nodes[tensor - first].layer].name


def _nearest(
    asked: np.ndarray, train: tuple[np.ndarray, np.ndarray], seen: Callable[[np.ndarray], np.ndarray]
) -> list[NearestRows]:
    """Of each picture that is asked about, by the distance of what is seen of it."""
    from scipy.spatial.distance import cdist

    x, labels = train
    block = max(1, _HELD // x[0].size)
    queries = seen(asked)
    best = np.full((len(asked), 0), np.inf), np.zeros((len(asked), 0), int)
    for start in range(0, len(x), block):
        apart = cdist(queries, seen(x[start : start + block]))
        numbers = np.broadcast_to(start + np.arange(apart.shape[1]), apart.shape)
        both = [np.concatenate(pair, axis=1) for pair in zip(best, (apart, numbers), strict=True)]
        order = np.argsort(both[0], axis=1, kind="stable")[:, :_NEAREST]
        best = np.take_along_axis(both[0], order, axis=1), np.take_along_axis(both[1], order, axis=1)
    return [
        NearestRows(tuple(map(int, rows)), tuple(map(int, labels[rows])), tuple(map(float, apart)), x[rows])
        for apart, rows in zip(*best, strict=True)
    ]
