"""report: gather, draw and write."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thalweg import files
from thalweg._figures import require_matplotlib
from thalweg.reports._gather import gather
from thalweg.reports._html import html
from thalweg.reports._markdown import FOLDER, markdown, picture_files
from thalweg.reports._report import Report


def report(
    run: str | os.PathLike[str],
    train: Any = None,
    validation: Any = None,
    class_names: Sequence[str] | None = None,
    *,
    model: Any = None,
    learning_curve: bool = False,
) -> Report:
    """Write a run's report into its folder: ``report.html``, one file, and ``report.md``, with pictures in ``report/``.

    What was trained on what; its curves; the diagnosis; what more rows would bring; its mistakes on the validation rows;
    who opened the test set. The report never opens the test rows.

    Args:
        run: its folder.
        train: ``(x, y)`` that it learnt from, where a script began the run. For one that ``thalweg train`` began, the rows
            are made again.
        validation: ``(x, y)`` that it was validated on, likewise.
        class_names: of the classes, labels or numbers to predict.
        model: the net, where ``best.keras`` does not hold it: a population's member, or one of a person's own layers.
        learning_curve: whether nets are trained to see what more rows would bring.

    Returns:
        What was written, as plain data; what could not be told has its reason in ``missing``.

    Raises:
        ImportError: where matplotlib is missing; it is in the extra ``plots``.
        thalweg.models.FileError: where there is no run in the folder.
        OSError: where the folder cannot be written to.

    Example:
        >>> import tempfile
        >>> import numpy as np, thalweg
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(96, 2)); y = (x[:, 0] > 0).astype(int)
        >>> net = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(2, 'softmax')])
        >>> net.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
        >>> folder = tempfile.mkdtemp() + '/first'
        >>> train, validation = (x[:64], y[:64]), (x[64:], y[64:])
        >>> history = net.fit(*train, validation_data=validation, epochs=2, verbose=0, run=folder)
        >>> found = report(folder, train, validation, class_names=['left', 'right'])
        >>> found.validation['rows'], sorted(found.missing)
        (32, ['learning_curve'])

    """
    require_matplotlib()
    found = gather(run, train, validation, class_names=class_names, model=model, learning_curve=learning_curve)
    folder = Path(run)
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, content in picture_files(found).items():
        files.write_whole(folder / FOLDER / name, [content])
    files.write_whole(folder / "report.md", [_bytes(markdown(found))])
    files.write_whole(folder / "report.html", [_bytes(html(found))])
    return found


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")
