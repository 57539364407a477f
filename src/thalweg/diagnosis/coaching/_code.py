"""A plan as Python that a person can read, run and change."""

from __future__ import annotations

from collections.abc import Sequence

from thalweg import layers
from thalweg.diagnosis._errors_of import SPARED, Ground
from thalweg.diagnosis.coaching._plan import Plan, Purpose

NOT_THE_SAME = "It begins with other first weights than the coach's net: its error differs by the noise of seeds."
"""What code cannot promise."""


def code_of(plan: Plan, purpose: Purpose, ground: Ground, cut: int | None = None, read: Sequence[str] = ()) -> str:
    """Python that builds the net and trains it, from arrays ``x`` and ``y``.

    Args:
        plan: the net and its training.
        purpose: what it is for.
        ground: the rows, for their shape and range.
        cut: the seed by which validation rows were spared; None: they were given, as ``x_val`` and ``y_val``.
        read: lines that read all four, where they come from a place that is known.

    """
    if cut is not None:
        read = [f"(x, y), (x_val, y_val), _ = data.split(x, y, {SPARED}, 0, seed={cut})"]
    needs = "" if read and cut is None else ", for rows x, y"
    needs += "" if read else " to learn from, and x_val, y_val to choose by"
    shape = tuple(ground.train.x[0].shape[1:])
    front = [f"layers.Input({shape!r})", *_moving(plan, purpose, shape)]
    front += [*(["layers.Flatten()"] if len(shape) > 1 else []), "scale"]
    scales = [one.scale for one in purpose.front() if isinstance(one, layers.Rescaling)]
    grey = scales[0] if scales and isinstance(scales[0], float) else None  # a front of one's own may have one a column
    scale = (
        ["scale = layers.Normalization()", "scale.adapt(x.reshape(len(x), -1))"]
        if grey is None
        else [f"scale = layers.Rescaling(1 / {1 / grey:g})"]
    )
    return "\n".join(
        [
            f'"""A net that the coach found{needs}.',
            "",
            NOT_THE_SAME,
            '"""',
            "",
            "import thalweg",
            "from thalweg import callbacks, data, layers, optimizers, regularizers",
            "",
            *read,
            *scale,
            "model = thalweg.Sequential(",
            "    [",
            *(f"        {one}," for one in [*front, *layers_of(plan, purpose)]),
            "    ]",
            ")",
            *training_of(plan, purpose),
            "",
        ]
    )


def _moving(plan: Plan, purpose: Purpose, shape: tuple[int, ...]) -> list[str]:
    """The layers that move images."""
    if not plan.moves:
        return []
    return [
        *([f"layers.Reshape({purpose.images!r})"] if purpose.images != shape else []),
        f'layers.RandomTranslation({plan.shift:g}, {plan.shift:g}, "nearest")',
        f'layers.RandomRotation({plan.turn:g}, "nearest")',
    ]


def _convolving(plan: Plan, purpose: Purpose, penalty: str) -> list[str]:
    """The layers that look for the same things at all places of an image."""
    found = []
    for filters in plan.filters:
        found.append(f'layers.Conv2D({filters}, 3, padding="same", activation="{plan.activation}"{penalty})')
        found.append("layers.MaxPooling2D()")
    return [f"layers.Reshape({purpose.images!r})", *found, "layers.Flatten()"] if found else []


def layers_of(plan: Plan, purpose: Purpose) -> list[str]:
    """The layers after the front, a line each."""
    penalty = f", kernel_regularizer=regularizers.L1L2({plan.l1:g}, {plan.l2:g})" if plan.l1 or plan.l2 else ""
    lines = _convolving(plan, purpose, penalty)
    for units in plan.widths:
        lines.append(f'layers.Dense({units}, "{plan.activation}"{penalty})')
        if plan.dropout:
            lines.append(f"layers.Dropout({plan.dropout:g})")
    lines.append(f'layers.Dense({purpose.outputs}, "{purpose.activation}")')
    if purpose.scale is not None:
        mean, deviation = (one.tolist() for one in purpose.scale)
        lines.append(f"layers.Rescaling({deviation}, {mean})  # back to the targets' own units")
    return lines


def training_of(plan: Plan, purpose: Purpose) -> list[str]:
    """Compile and fit."""
    rate = f"{plan.rate:.6g}"
    if plan.schedule == "cosine":
        rate = f"optimizers.schedules.CosineDecay({rate}, {plan.epochs} * -(-len(y) // {plan.batch}))"
    name = {"adam": "Adam", "rmsprop": "RMSprop", "sgd": "SGD"}[plan.optimizer]
    momentum = ", momentum=0.9" if plan.optimizer == "sgd" else ""
    weights = f", loss_weights={purpose.loss_weight:.6g}" if purpose.scale is not None else ""
    return [
        f"model.compile(optimizers.{name}({rate}{momentum}), {purpose.loss!r}{weights}, metrics=[{purpose.metric!r}])".replace(
            "'", '"'
        ),
        "model.fit(",
        "    x,",
        "    y,",
        f"    batch_size={plan.batch},",
        f"    epochs={plan.epochs},",
        "    validation_data=(x_val, y_val),",
        f"    callbacks=[callbacks.EarlyStopping(patience={plan.patience}, restore_best_weights=True)],",
        ")",
    ]
