"""A graph in ONNX's terms, as plain data: operations and constants under readable names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np


class Operation(NamedTuple):
    """One node: what it does, what it reads and what it gives, all by name."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


class Graph:
    """Operations in the order in which they run, and the arrays they read.

    Everything is named after the layer it belongs to, ``dense/kernel``; what comes twice gets a number. All numbers are
    float32, the one type for which runtimes have every operation.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.constants: dict[str, np.ndarray] = {}
        self.place = ""  # where we are: the name of the layer
        self._taken: set[str] = set()
        self._known: dict[tuple[str, str, str], str] = {}

    def unique(self, wanted: str) -> str:
        """`wanted`, or ``wanted_1``, ``wanted_2``, ... where it is taken; taken from here on."""
        found, count = wanted, 0
        while found in self._taken:
            count += 1
            found = f"{wanted}_{count}"
        self._taken.add(found)
        return found

    @contextmanager
    def within(self, place: str) -> Iterator[None]:
        """What is added meanwhile is named after `place`."""
        before, self.place = self.place, place
        try:
            yield
        finally:
            self.place = before

    def op(self, kind: str, *inputs: Any, **attributes: Any) -> str:
        """Add an operation with one output; give that output's name.

        Args:
            kind: ONNX's name of it.
            inputs: names of values, or numbers.
            attributes: ONNX's.

        """
        return self.ops(kind, 1, *inputs, **attributes)[0]

    def ops(self, kind: str, count: int, *inputs: Any, **attributes: Any) -> tuple[str, ...]:
        """Add an operation with `count` outputs; give their names."""
        names = tuple(one if isinstance(one, str) else self.constant(repr(float(one)), one) for one in inputs)
        outputs = tuple(self.unique(f"{self.place}/{kind}") for _ in range(count))
        self.operations.append(Operation(kind, outputs[0], names, outputs, attributes))
        return outputs

    def output(self, value: str, name: str) -> None:
        """Let `value` be known as `name`, which :meth:`unique` gave."""
        self.operations.append(Operation("Identity", name, (value,), (name,), {}))

    def constant(self, name: str, value: Any) -> str:
        """An array of the layer we are at; a layer that is called twice adds it once.

        Raises:
            ValueError: where a number is too large for float32.

        """
        with np.errstate(over="ignore"):
            array = np.asarray(value, np.float32)
        if np.isinf(array).any() and not np.array_equal(np.isinf(array), np.isinf(value)):
            raise ValueError(
                f"{self.place}/{name} holds numbers beyond float32's range of +-3.4e38, and an exported net computes "
                "in float32. Rescale the inputs or the weights."
            )
        return self._keep(name, array)

    def integers(self, name: str, values: Sequence[int] | int) -> str:
        """Axes, sizes and the like: what ONNX wants as whole numbers."""
        return self._keep(name, np.asarray(values, np.int64))

    def _keep(self, name: str, array: np.ndarray) -> str:
        key = (self.place, name, array.dtype.kind)
        known = self._known.get(key)
        if known is None or not np.array_equal(self.constants[known], array, equal_nan=True):
            known = self._known[key] = self.unique(f"{self.place}/{name}")
            self.constants[known] = array
        return known
