"""The rows of a run that ``thalweg train`` began, as ``fit`` takes them."""

from __future__ import annotations

from typing import Any


def rows_of(folder: str) -> dict[str, Any]:
    """The rows that a run of ``thalweg train`` learnt from and was validated on, made again from its command.

    Args:
        folder: of the run.

    Returns:
        Arguments of ``fit``: ``x``, ``y``, ``validation_data`` and ``class_weight``.

    Raises:
        ValueError: where a script began the run, which has the rows itself.
        thalweg.data.DataError: where the data are there no more.

    Example:
        >>> from thalweg.cli import rows_of
        >>> # model.fit(**rows_of('runs/digits-20261128-120000'), epochs=20)

    """
    from thalweg import callbacks
    from thalweg.cli._command import command_of
    from thalweg.cli._source import source_of
    from thalweg.cli._weights import weights_of

    name, asked = command_of(callbacks.read_run(folder, epochs=False), "the script that began it has them.")
    source = source_of(name, asked)
    x, y = source.train[:2]
    return {"x": x, "y": y, "validation_data": source.validation, "class_weight": weights_of(source, asked)}
