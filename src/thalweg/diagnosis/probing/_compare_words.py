"""What a comparison found, in words: a table, and the sentences that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from thalweg.diagnosis.probing._words import NOISES, size_shown, surest_noise, with_interval

if TYPE_CHECKING:
    from thalweg.diagnosis.probing._compare import Comparison, Contender
    from thalweg.diagnosis.probing._records import Response

_CLEAR = 0.05  # p-value below which a difference is told as one
_PLACES = {"shift": 2, "rotation": 2, "noise": 2, "occlusion": 2, "contrast": 3}  # kind -> which size a table shows
_ATTACKS = (1, 2, 3)  # which sizes of attacks


def told(found: Comparison) -> str:
    """See ``Comparison.__str__``."""
    nets = found.contenders
    first = nets[0].probe
    height, width = first.picture[:2]
    trained = "" if found.epochs is None else f"; trained on {found.trained:,} rows, {found.epochs} epochs"
    few = "" if first.rows == first.given else f" of {first.given:,}"
    lines = [
        f"{len(nets)} nets on {first.rows:,}{few} pictures of {height} x {width}, {len(first.classes)} classes{trained}",
        "",
    ]
    rows = [["", *(one.name for one in nets)], *_rows(nets)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        rest = "".join(f"{cell:>{wide + 3}}" for cell, wide in zip(row[1:], widths[1:], strict=True))
        lines.append(f"  {row[0]:<{widths[0]}}{rest}".rstrip())
    said = [f"  {i}. {line}" for i, line in enumerate(conclusions(found), start=1)]
    return "\n".join([*lines, "", "What follows", *said] if said else lines)


def _rows(nets: tuple[Contender, ...]) -> Iterator[list[str]]:
    """The table: a title, then what it says of each net."""
    probes = [one.probe for one in nets]
    yield ["accuracy", *(with_interval(one.accuracy) for one in nets)]
    if len(nets) > 1:
        yield [f"  against {nets[0].name}", *(_difference(one) for one in nets)]
        yield ["  p (McNemar)", *(_p_value(one) for one in nets)]
    yield ["parameters", *(f"{one.parameters:,}" for one in nets)]
    yield ["multiply-adds a picture", *(f"{one.multiply_adds:,}" for one in nets)]
    yield ["training, seconds", *("-" if one.seconds is None else f"{one.seconds:.1f}" for one in nets)]
    for i, one in enumerate(probes[0].confidence):
        if one.kind in NOISES:
            yield [f"how sure of {one.kind}", *(f"{each.confidence[i].mean:.2f}" for each in probes)]
    for i, response in enumerate(probes[0].robustness):
        place = place_of(response)
        yield [_title(response, place), *(f"{each.robustness[i].accuracy[place].value:.1%}" for each in probes)]
    for i in _ATTACKS:
        attack = probes[0].adversarial.pgd
        yield [_title(attack, i), *(f"{each.adversarial.pgd.accuracy[i].value:.1%}" for each in probes)]
    yield ["calibration error", *(f"{each.calibration.error:.2%}" for each in probes)]
    again = [each.shuffling for each in probes if each.shuffling is not None]
    if again:
        yield ["learnt again, pixels in order", *(f"{one.plain.value:.1%}" for one in again)]
        yield ["learnt again, pixels shuffled", *(f"{one.shuffled.value:.1%}" for one in again)]


def place_of(response: Response) -> int:
    """Which of the sizes of a damage a table shows; small pictures know fewer."""
    return min(_PLACES[response.kind], len(response.sizes) - 1)


def _title(response: Response, place: int) -> str:
    size = size_shown(response, response.sizes[place])
    return f"accuracy, {response.kind} {size}" + ("" if size.endswith("%") else f" {response.unit}")


def conclusions(found: Comparison) -> tuple[str, ...]:
    """See ``Comparison.conclusions``."""
    first, *others = found.contenders
    return tuple(line for one in others for line in _against(first, one))


def _against(first: Contender, one: Contender) -> list[str]:
    assert one.difference is not None and one.p_value is not None
    value, low, high = (100 * end for end in one.difference)
    size = (
        f"{one.parameters / first.parameters:.2g} times the parameters and "
        f"{one.multiply_adds / first.multiply_adds:.2g} times the multiply-adds"
    )
    if one.p_value < _CLEAR:
        word = "better" if value > 0 else "worse"
        lines = [
            f"{one.name} is {abs(value):.1f} points {word} than {first.name} ({low:+.1f} to {high:+.1f}), with {size}."
        ]
    else:
        lines = [f"These pictures do not tell {one.name} from {first.name} ({value:+.1f} points); it has {size}."]
    shift, other = one.probe.response("shift"), first.probe.response("shift")
    size_of_shift = shift.sizes[place_of(shift)]
    lines.append(
        f"A shift by {size_of_shift:g} pixels costs {one.name} {100 * max(0, shift.cost(size_of_shift)):.1f} points, {first.name} "
        f"{100 * max(0, other.cost(size_of_shift)):.1f}."
    )
    mine, theirs = one.probe.shuffling, first.probe.shuffling
    if mine is not None and theirs is not None:
        lines.append(
            f"With all pixels in one other order {one.name} changes by {100 * mine.difference.value:+.1f} points, {first.name} by "
            f"{100 * theirs.difference.value:+.1f}."
        )
    noise, other_noise = surest_noise(one.probe), surest_noise(first.probe)
    lines.append(
        f"Of noise {one.name} is sure with up to {noise.mean:.2f} ({noise.kind}), {first.name} with up to "
        f"{other_noise.mean:.2f} ({other_noise.kind})."
    )
    return lines


def _difference(one: Contender) -> str:
    if one.difference is None:
        return ""
    value, low, high = (100 * each for each in one.difference)
    return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"


def _p_value(one: Contender) -> str:
    return "" if one.p_value is None else "< 0.0001" if one.p_value < 1e-4 else f"{one.p_value:.4f}"
