"""What a probe found, in words: a page for a terminal, and the sentences that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from thalweg.diagnosis._scenario import Interval

if TYPE_CHECKING:
    from thalweg.diagnosis.probing._confidence import Confidence
    from thalweg.diagnosis.probing._probe import Probe
    from thalweg.diagnosis.probing._records import Response

NOISES = ("uniform noise", "Gaussian noise", "shuffled pixels")
_SURE, _UNSURE = 0.7, 0.5  # mean probability of noise, from which on, and below which, a net counts as sure or not
_APART = 0.1  # of the rows, by which a net is right more often than whoever always says one class
_NOTHING = 0.0005  # share of the rows whose loss is none
_DEAR = 0.1  # share of the rows whose loss is worth a remark
_TOO_SURE = 1.05  # temperature from which on probabilities count as too high; below 1 over it as too low
_TOLD = {
    "shift": (2.0, ": what it learnt at one place it does not know at another"),
    "rotation": (30.0, ": it knows what it was shown, upright"),
}  # kind -> the size that a sentence is about, and what follows where that is dear
_WIDE = 20  # of the first column


def told(found: Probe) -> str:
    """See ``Probe.__str__``."""
    height, width, channels = found.picture
    colour = "" if channels == 1 else f" x {channels}"
    few = "" if found.rows == found.given else f" of {found.given:,}"
    lines = [
        f"Is {found.name} smart? {found.rows:,}{few} pictures of {height} x {width}{colour}, {len(found.classes)} classes: "
        f"{with_interval(found.accuracy)} right",
        "",
        f"{'How sure it is':<{_WIDE}}{'mean':>7}{'above 0.9':>11}   says most often",
        *(_sure_line(found, one) for one in found.confidence),
        "",
        f"Accuracy where pictures are changed (attacks: of {found.adversarial.rows:,} pictures)",
        *(line for one in found.robustness for line in _response_lines(one)),
        *(line for one in (found.adversarial.fgsm, found.adversarial.pgd) for line in _response_lines(one)),
        "",
        "Probabilities",
        f"  expected calibration error {found.calibration.error:.2%}; Brier score {found.calibration.brier:.3f}; negative "
        f"log-likelihood {found.calibration.nll:.3f}",
        "",
        "What follows",
        *(f"  {i}. {line}" for i, line in enumerate(conclusions(found), start=1)),
    ]
    return "\n".join(lines)


def with_interval(one: Interval) -> str:
    """A share and its interval."""
    return f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})"


def conclusions(found: Probe) -> tuple[str, ...]:
    """See ``Probe.conclusions``."""
    if found.accuracy.value - found.by_chance < _APART and found.accuracy.low <= found.by_chance:
        return (_of_chance(found),)
    parts = (
        _of_few,
        _of_noise,
        _of_changes,
        _of_attacks,
        _of_calibration,
        _of_shuffling,
        _of_favourites,
        _of_neighbours,
    )
    return tuple(line for part in parts for line in part(found))


def surest_noise(found: Probe) -> Confidence:
    """The noise of which the net is surest."""
    return max((one for one in found.confidence if one.kind in NOISES), key=lambda one: one.mean)


def size_shown(one: Response, size: float) -> str:
    """A size as people write it."""
    return f"{size:.0%}" if one.unit.startswith("of ") else f"{size:g}"


def _sure_line(found: Probe, one: Confidence) -> str:
    most = int(np.argmax(one.says))
    said = f"{found.classes[most]} ({one.says[most] / one.rows:.0%})" if one.rows > 1 else found.classes[most]
    share = f"{one.sure:.0%}" if one.rows > 1 else ""
    return f"  {one.kind:<{_WIDE - 2}}{one.mean:>7.2f}{share:>11}   {said}"


def _response_lines(one: Response) -> list[str]:
    head = f"  {one.kind}, {one.unit}"
    sizes = "".join(f"{size_shown(one, size):>8}" for size in one.sizes)
    shares = "".join(f"{each.value:>8.1%}" for each in one.accuracy)
    return [f"{head:<32}{sizes}", f"{'':<32}{shares}"]


def _of_chance(found: Probe) -> str:
    """Of a net that tells nothing apart the rest would be hollow."""
    low, high = found.pixels
    return (
        f"It is right of {found.accuracy.value:.1%}; whoever always says the most frequent class is of {found.by_chance:.1%}. It has "
        "learnt nothing that shows on these pictures, so that nothing follows from the rest. Are they scaled as those that it "
        f"learnt from (here pixels go from {low:g} to {high:g}), and are its weights the trained ones?"
    )


def _of_few(found: Probe) -> Iterator[str]:
    if found.accuracy.low <= found.by_chance:
        yield f"{found.rows:,} pictures are too few to tell it from whoever always says one class: ask about more."


def _of_noise(found: Probe) -> Iterator[str]:
    one = surest_noise(found)
    most = int(np.argmax(one.says))
    of_it = f"{one.mean:.2f} on average of {one.kind}, which it takes most often for {found.classes[most]}"
    if one.mean >= _SURE:
        yield f"It is sure of noise: {of_it}. It does not know what it does not know."
    elif one.mean >= _UNSURE:
        yield f"It is half sure of noise: {of_it}. Its probabilities do not tell noise from pictures reliably."
    else:
        yield f"It is unsure of noise, as it should be: {of_it}."


def _of_changes(found: Probe) -> Iterator[str]:
    for kind, (size, because) in _TOLD.items():
        one = found.response(kind)
        if size in one.sizes:
            cost = one.cost(size)
            price = f"{100 * cost:.1f} points" if cost >= _NOTHING else "nothing"
            after = one.accuracy[one.sizes.index(size)].value
            yield (
                f"A {kind} by {size:g} {one.unit} costs {price} ({one.accuracy[0].value:.1%} to {after:.1%})"
                f"{because if cost > _DEAR else ''}."
            )


def _of_attacks(found: Probe) -> Iterator[str]:
    one = found.adversarial.pgd
    place = next((i for i, each in enumerate(one.accuracy) if i and each.value < 0.5), len(one.sizes) - 1)
    yield (
        f"Changing no pixel by more than {one.sizes[place]:.0%} of the range, on purpose, leaves {one.accuracy[place].value:.1%} of "
        f"{one.accuracy[0].value:.1%} (PGD, {found.adversarial.rows:,} pictures)."
    )
    example = found.adversarial.example
    if example is not None:
        yield (
            f"At {example.size:.0%} it takes a picture of {found.classes[example.truth]}, of which it was sure with "
            f"{example.chance:.2f}, for {found.classes[example.said]} ({example.chance_after:.2f})."
        )


def _of_calibration(found: Probe) -> Iterator[str]:
    one = found.calibration
    if 1 / _TOO_SURE < one.temperature < _TOO_SURE:
        yield f"Its probabilities can be believed: {one.confidence:.1%} on average, {one.accuracy:.1%} right."
        return
    way = "too sure" if one.temperature > 1 else "not sure enough"
    yield (
        f"Of pictures it is {way}: {one.confidence:.1%} on average, {one.accuracy:.1%} right. Its logits divided by "
        f"{one.temperature:.2f} would bring the calibration error from {one.error:.2%} to {one.mended:.2%}."
    )


def _of_shuffling(found: Probe) -> Iterator[str]:
    one = found.shuffling
    if one is None:
        return
    numbers = f"{one.shuffled.value:.1%} against {one.plain.value:.1%}, {one.rows:,} rows, {one.epochs} epochs"
    if one.difference.high < 0 and one.difference.value < -0.02:
        yield f"With all pixels in one other order it learns less ({numbers}): it makes use of which pixels are neighbours."
    else:
        yield f"With all pixels in one other order it learns as well ({numbers}): it does not know which pixels are neighbours."


def _of_favourites(found: Probe) -> Iterator[str]:
    likeness = [one for one in found.favourites.likeness if one is not None]
    if likeness:
        yield (
            f"Pictures made to please it get {np.mean(found.favourites.chances):.2f} on average; their correlation with the mean "
            f"picture of their class is {np.mean(likeness):.2f}."
        )


def _of_neighbours(found: Probe) -> Iterator[str]:
    if found.neighbours is None or not found.neighbours.mistakes:
        return
    mistakes = found.neighbours.mistakes
    by_pixels = sum(one.by_pixels.labels[0] == one.truth for one in mistakes)
    by_activations = sum(one.by_activations.labels[0] == one.truth for one in mistakes)
    yield (
        f"Of its {len(mistakes)} surest mistakes the nearest training row has the right class for {by_pixels} by pixels, for "
        f"{by_activations} by what {found.neighbours.layer} makes of them."
    )
