"""evaluate, predict, and the single-batch calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from thalweg import config, data
from thalweg.data import Rows
from thalweg.engine import Task, program
from thalweg.models import _checks, _compile
from thalweg.models._fit import Evaluator, Session, adapted, feed_of, looked_over, prepare, ready
from thalweg.models._interrupts import Interrupts

if TYPE_CHECKING:
    from thalweg.models._model import Model

_DEFAULTS: dict[str, Any] = {
    "batch_size": None,
    "validation_batch_size": None,
    "steps_per_epoch": None,
    "validation_steps": None,
    "max_queue_size": 10,
    "workers": 1,
}


def evaluate(
    model: Model,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: Any,
    sample_weight: Any,
    steps: int | None,
    callbacks: Any,
    return_dict: bool,
) -> Any:
    """See ``Model.evaluate``."""
    from thalweg.callbacks import CallbackList, ProgressBar

    _compile.require_compiled(model, "evaluate")
    source = adapted(model, x, y, sample_weight, what="evaluate", batch_size=batch_size)
    ready(model, source if isinstance(source, Rows) else data.peek(source))
    first = looked_over(model, source, "evaluate")
    asked = {**_DEFAULTS, "validation_batch_size": batch_size, "validation_steps": steps}
    evaluator = Evaluator(model, source, asked, exact=not _checks.per_row(model, first))
    listed = CallbackList(callbacks, model=model, verbose=0, epochs=1, steps=evaluator.feed.steps)
    with listed, Interrupts() as interrupts, ProgressBar.for_evaluation(verbose, evaluator.feed.steps) as progress:
        logs = evaluator.run(listed, interrupts, progress)
    if return_dict:
        return logs
    return next(iter(logs.values())) if len(logs) == 1 else list(logs.values())


def predict(model: Model, x: Any, batch_size: int | None, verbose: Any, steps: int | None, callbacks: Any) -> Any:
    """See ``Model.predict``."""
    from thalweg.callbacks import CallbackList

    source = adapted(model, x, what="predict", batch_size=batch_size)
    ready(model, source if isinstance(source, Rows) else data.peek(source))
    first = looked_over(model, source, "predict")
    whole = model.task(masked=False)
    task = Task(network=whole.network, dtype=whole.dtype, masked=False)
    run = program("predict", task)
    vector = task.hypers().astype(config.floatx())
    feed = feed_of(source, batch_size, {**_DEFAULTS, "steps_per_epoch": steps}, None, False, first)
    listed = CallbackList(callbacks, model=model, verbose=0, epochs=1, steps=feed.steps)
    parts: list[list[np.ndarray]] = []
    with listed, Interrupts() as interrupts:
        listed.on_predict_begin()
        params, frozen = model.arrays()  # read after that hook, which may exchange them
        for slab in feed.epoch(0):
            outputs = jax.device_get(run(params, frozen, vector, slab.data, slab.order, (), np.int32(slab.steps)))
            parts.append([_real(one, slab.order, slab.steps) for one in outputs])
            interrupts.check()
        listed.on_predict_end()
    return model.shaped([np.concatenate(pieces) for pieces in zip(*parts, strict=True)])


def _real(rows: np.ndarray, order: Any, steps: int) -> np.ndarray:
    """The rows that are no padding."""
    width = order.index.shape[1]
    kept = np.arange(width)[None, :] < np.asarray(order.rows[:steps])[:, None]
    used = rows[: steps * width]
    return np.array(used if kept.all() else used[kept.ravel()])


def train_on_batch(model: Model, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
    """See ``Model.train_on_batch``."""
    from thalweg import _seeds

    _compile.require_compiled(model, "train_on_batch")
    rows = adapted(model, x, y, sample_weight, what="train_on_batch")
    if class_weight is not None:
        rows = _checks.with_class_weight(rows, class_weight)
    seed = getattr(model, "_batch_seed", None)
    if seed is None:
        seed = model._batch_seed = _seeds.next_seed()  # type: ignore[attr-defined]
    first = prepare(model, rows, None, seed)
    asked = {
        **_DEFAULTS,
        "batch_size": rows.n,
        "shuffle": False,
        "callbacks": None,
        "until": None,
        "verbose": 0,
        "epochs": 1,
        "initial_epoch": 0,
        "validation_freq": 1,
    }
    logs = Session(model, rows, None, first, seed, asked, []).run_once()
    return logs if return_dict else (next(iter(logs.values())) if len(logs) == 1 else list(logs.values()))
