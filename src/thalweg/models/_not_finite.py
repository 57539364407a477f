"""What is said where the loss of a fit is no finite number any more: what happened, where it began, what to try."""

from __future__ import annotations

import math
from typing import Any

from thalweg import layers, losses, optimizers
from thalweg.engine import Origin, Task

_MOST = 3  # pieces of advice
_LARGE_INPUT = 100.0  # scaled inputs are of the size of 1
_LARGE = 1e4  # weights and outputs of this size have run away


class LossNotFinite(FloatingPointError):  # noqa: N818
    """The loss of a fit is NaN or infinite.

    Args:
        message: what is said.
        origin: where it began.

    """

    def __init__(self, message: str, origin: Origin | None = None) -> None:
        super().__init__(message)
        self.origin = origin


class LossWarning(UserWarning):
    """The same, where the fit goes on: a population's other members, or a callback that ends it quietly."""


def report(origin: Origin, epoch: int, task: Task, steps: int | None = None, offset: int = 0) -> str:
    """The message: some lines of plain words.

    Args:
        origin: what was found.
        epoch: counted from 0, as everywhere inside; people are shown 1 for the first.
        task: what is trained: its optimizer, losses and precision decide what to try.
        steps: of an epoch, where they are known.
        offset: steps of the epoch before the origin's step 0 (of a stream's slabs before).

    """
    detail = origin.detail
    total = f" of {steps}" if steps is not None else ""
    was = ""
    if detail["loss_before"] is not None and origin.before is not None:
        was = f"; in {_step(origin.before, offset)} it was {detail['loss_before']:.4g}"
    lines = [
        f"The loss became {_word(detail['loss'])} in epoch {epoch + 1}, step {origin.step + offset + 1}{total}{was}.",
        f"It began {_WHERE[origin.kind](origin, offset)}",
        _held(origin, offset),
        "What to try, the likeliest first:",
    ]
    advice = dict.fromkeys(one for one in _WAYS[origin.kind](origin, task) if one)  # each once
    return "\n".join([*lines, *(f"  {i}. {one}." for i, one in enumerate(list(advice)[:_MOST], start=1))])


def _word(loss: float) -> str:
    return "NaN" if math.isnan(loss) else "infinite" if math.isinf(loss) else "no finite number"


def _held(origin: Origin, offset: int) -> str:
    if origin.before is None:
        return "The model's weights are as they were given: no state of them with finite weights is known."
    if origin.before == origin.step:
        return "The model holds the weights from before this step; they are finite."
    return (
        f"The model holds the weights from before {_step(origin.before, offset)}; they are finite, as their loss was."
    )


def _step(step: int, offset: int) -> str:
    number = step + offset + 1
    return f"step {number}" if number > 0 else ("the step before this epoch" if number == 0 else "the steps before")


def _lost(detail: dict[str, Any]) -> str:
    """'12 of 512 numbers are NaN'."""
    nan, inf = detail["nan"], detail["inf"]
    what = "NaN" if not inf else "infinite" if not nan else "NaN or infinite"
    return f"{nan + inf} of {detail['values']} numbers {'is' if nan + inf == 1 else 'are'} {what}"


def _data_rows(detail: dict[str, Any]) -> str:
    rows = detail.get("rows")
    shown = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "") if rows else ""
    return f" (row{'s' if len(rows) > 1 else ''} {shown} of the data)" if rows else ""


# -- where it began ---------------------------------------------------------------------------


def _in_input(origin: Origin, offset: int) -> str:
    return f"in the batch: {origin.place}; {_lost(origin.detail)}{_data_rows(origin.detail)}."


def _in_weights(origin: Origin, offset: int) -> str:
    return f"in {origin.place!r}: {_lost(origin.detail)}, and no step made them so: they were set."


def _in_activation(origin: Origin, offset: int) -> str:
    detail = origin.detail
    if detail["by"] == "activation":
        begun = f"in the activation {detail['activation']!r} of layer {origin.place!r}"
        return f"{begun}: {_lost(detail)}, made of sums up to {detail['largest_sum']:.3g}{_data_rows(detail)}."
    begun = f"in {'the sums of ' if detail['by'] == 'sum' else ''}layer {origin.place!r} ({detail['layer']})"
    sizes = f"made of inputs up to {detail['largest_before']:.3g} and weights up to {detail['largest_weight']:.3g}"
    return f"{begun}: {_lost(detail)}, {sizes}{_data_rows(detail)}."


def _in_loss(origin: Origin, offset: int) -> str:
    detail = origin.detail
    if detail["by"] == "edge":
        return "at the edge of what a number can hold: taken one by one, all parts of the step are finite still."
    if "output" not in detail:
        return "in the sum of the losses: each is finite, but they are too large to be added up."
    begun = f"in the loss {origin.place!r} of output {detail['output']!r}"
    if detail["by"] == "sum":
        return f"{begun}: its rows' losses are finite, up to {detail['largest']:.3g}, but their sum is not."
    zeros = f", {detail['zero_outputs']} of them exactly 0 there" if detail["zero_outputs"] else ""
    return f"{begun}: {_lost(detail)}{_data_rows(detail)}, made of outputs up to {detail['largest_output']:.3g}{zeros}."


def _in_penalty(origin: Origin, offset: int) -> str:
    what = "outputs" if origin.detail["by"] == "activity" else "weights"
    return f"in the penalty on {origin.place!r}, whose {what} go up to {origin.detail['largest_before']:.3g}."


def _in_gradient(origin: Origin, offset: int) -> str:
    detail = origin.detail
    what = {"layer": "layer", "loss": "the loss", "penalty": "the penalty on"}[detail["by"]]
    zeros = ", into which exactly 0 goes" if detail.get("zeros") else ""
    begun = f"in the gradient of {_step(origin.made, offset)}: on the way back it became infinite or NaN in"
    return f"{begun} {what} {origin.place!r}{zeros}; so the gradient of {detail['weights'][0]!r} is lost."


def _in_update(origin: Origin, offset: int) -> str:
    detail = origin.detail
    begun = f"in the update of {_step(origin.made, offset)}: of {origin.place!r}, {_lost(detail)}"
    rate = "" if detail["rate"] is None else f", with the learning rate {detail['rate']:.3g}"
    cause = {
        "clipping": ", as the norm to clip is too large a number",
        "constraint": ", through the constraint on it",
        "layer": f", from inputs up to {detail['largest_input']:.3g}",
        "step": f"; {detail['zero_gradients']} of them had a gradient of exactly 0" if detail["zero_gradients"] else "",
    }[detail["by"]]
    return f"{begun}{cause}; gradients went up to {detail['largest_gradient']:.3g}{rate}."


_WHERE = {
    "input": _in_input,
    "weights": _in_weights,
    "activation": _in_activation,
    "loss": _in_loss,
    "penalty": _in_penalty,
    "gradient": _in_gradient,
    "update": _in_update,
}


# -- what to try ------------------------------------------------------------------------------


def _slower(origin: Origin, task: Task) -> str:
    rate = origin.detail["rate"]
    if rate == 0:
        return ""
    if "optimizer/learning_rate" in task.paths and rate:
        return f"a tenth of the learning rate: model.optimizer.learning_rate = {rate / 10:.3g}"
    if "optimizer/learning_rate/scale" in task.paths:
        return "a tenth of the schedule's rate: model.hypers['optimizer/learning_rate/scale'] = 0.1"
    return "a tenth of the learning rate"


def _clipped(task: Task) -> str:
    optimizer = task.optimizer
    if isinstance(optimizer, optimizers.OptaxOptimizer):
        return "gradients that are clipped: optax.chain(optax.clip_by_global_norm(1.0), ...)"
    held = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(optimizer, name, None) is not None]
    return "" if held else f"gradients that are clipped: {type(optimizer).__name__}(..., clipnorm=1.0)"


def _scaled(detail: dict[str, Any]) -> str:
    for what, name, usual in (("input", "x", _LARGE_INPUT), ("target", "y", _LARGE)):
        size = detail.get(f"largest_{what}", 0.0)
        if size > usual:
            how = f"{name} = ({name} - {name}.mean(axis=0)) / {name}.std(axis=0)"
            return f"{what}s that are scaled, these go up to {size:.3g}: {how}"
    return ""


def _finer(task: Task) -> str:
    how = "thalweg.config.set_dtype_policy('float32') before the model is made"
    return f"float32 in place of {task.dtype}, which has 3 digits: {how}" if task.dtype else ""


def _ran_away(detail: dict[str, Any]) -> bool:
    """Whether the last step moved a weight by more than its size, or something has grown far beyond the usual."""
    return detail.get("moved", 0.0) > 1 or max(detail.get(f"largest_{w}", 0.0) for w in ("weight", "output")) > _LARGE


def _gentler(origin: Origin, task: Task) -> list[str]:
    """Against numbers that run away: smaller steps first where steps were large, else smaller inputs."""
    steps, scaled = [_slower(origin, task), _clipped(task)], _scaled(origin.detail)
    return [*steps, scaled, _finer(task)] if _ran_away(origin.detail) else [scaled, *steps, _finer(task)]


def _after(first: str, origin: Origin, task: Task) -> list[str]:
    """The way out of a known fault, and the common ones where numbers had grown large too."""
    grown = _ran_away(origin.detail) or _scaled(origin.detail)
    return [first, *(_gentler(origin, task) if grown else [_finer(task)])]


def _is_own(layer: str) -> bool:
    return layer == "Lambda" or layer not in layers.TABLE


def _from_input(origin: Origin, task: Task) -> list[str]:
    kept = {"input": "np.isfinite(x).all(axis=1)", "target": "np.isfinite(y)", "sample weight": "np.isfinite(weight)"}
    what = origin.detail["what"]
    return [
        f"mending or leaving out these rows of the {what}s: keep = {kept[what]}",
        "looking at what made the rows: a logarithm of 0, a column divided by a spread of 0, a missing value",
    ]


def _from_weights(origin: Origin, task: Task) -> list[str]:
    return ["weights that are finite: a new model, a file saved earlier, or model.set_weights(...) with others"]


def _from_activation(origin: Origin, task: Task) -> list[str]:
    detail = origin.detail
    if detail["by"] == "activation":
        other = f"an activation that does not overflow in place of {detail['activation']!r}: 'softplus' or 'relu'"
        return [other, *_gentler(origin, task)]
    if detail["by"] == "layer" and _is_own(detail["layer"]):
        how = "x / (s + 1e-7), jnp.log(x + 1e-7), jnp.exp(jnp.minimum(x, 80.0))"
        return _after(f"a layer {origin.place!r} that never divides by 0 or overflows: {how}", origin, task)
    return _gentler(origin, task)


def _from_loss(origin: Origin, task: Task) -> list[str]:
    members = [one for one in task.objective.losses if one is not None and one.name == origin.place]  # type: ignore[union-attr]
    if origin.detail["by"] == "loss" and any(type(one) not in losses.TABLE.values() for one in members):
        safe = f"a loss {origin.place!r} that keeps logarithms and divisions away from 0"
        return _after(f"{safe}: jnp.log(jnp.clip(y_pred, 1e-7, 1.0))", origin, task)
    return _gentler(origin, task)


def _from_penalty(origin: Origin, task: Task) -> list[str]:
    return [*_gentler(origin, task)[:2], f"a smaller factor of the penalty on {origin.place!r}"]


def _from_gradient(origin: Origin, task: Task) -> list[str]:
    detail = origin.detail
    if detail.get("zeros") or (detail["by"] == "layer" and _is_own(detail.get("layer", "Lambda"))):
        how = "jnp.sqrt(x + 1e-7), x / (s + 1e-7)"
        return _after(f"no root and no division at exactly 0 in {origin.place!r}: {how}", origin, task)
    return _gentler(origin, task)


def _from_update(origin: Origin, task: Task) -> list[str]:
    detail, name = origin.detail, type(task.optimizer).__name__
    if detail["by"] == "clipping":
        return _after(f"clipping by size, which squares nothing: {name}(..., clipvalue=1.0)", origin, task)
    if detail["by"] == "constraint":
        return _after(f"another constraint on {origin.place!r}, or none", origin, task)
    if detail["zero_gradients"] and detail["nan"]:
        epsilon = f"{name}(..., epsilon=1e-7)" if hasattr(task.optimizer, "epsilon") else "eps=1e-8 or so"
        return _after(f"an epsilon that keeps 0 / 0 away: {epsilon}", origin, task)
    return _gentler(origin, task)


_WAYS = {
    "input": _from_input,
    "weights": _from_weights,
    "activation": _from_activation,
    "loss": _from_loss,
    "penalty": _from_penalty,
    "gradient": _from_gradient,
    "update": _from_update,
}
