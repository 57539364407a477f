"""Population-based training: nets that train side by side, take over the better ones' weights, and vary their hypers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from thalweg import _checks, _seeds
from thalweg.tuner._parameters import Parameter
from thalweg.tuner._trial import RUNNING, Trial
from thalweg.tuner.searches._search import Answer, Ask, Book, Search


class PopulationBased(Search):
    """Exploits and explores while nets train.

    Every `interval` epochs the members of a generation are ranked. A member of the worst `fraction` goes on with the
    weights, the optimizer's state and the hyperparameters of one of the best `fraction`, of which those that are data
    (rates, factors: whatever needs no other net) are perturbed: multiplied by 0.8 or 1.2 in their sampling's
    measure, or, now and then, drawn anew. The others go on as they are. What comes out is a schedule of
    hyperparameters that no single trial of another search could have.

    Args:
        population_size: members of a generation.
        max_epochs: epochs of each.
        interval: epochs of a generation.
        fraction: of members that are replaced.
        resample: how likely a hyperparameter of a replaced member is drawn anew rather than perturbed.

    Raises:
        ValueError: where a number is out of its range.

    Example:
        >>> PopulationBased(population_size=8, max_epochs=20, interval=2).generations
        10

    Source: Jaderberg et al. 2017, "Population based training of neural networks".

    """

    NAME: ClassVar[str] = "pbt"
    continues: ClassVar[bool] = True

    def __init__(
        self,
        population_size: int = 16,
        max_epochs: int = 100,
        interval: int = 5,
        fraction: float = 0.25,
        resample: float = 0.25,
    ) -> None:
        super().__init__()
        _checks.number(self, "population_size", population_size, at_least=2)
        _checks.number(self, "max_epochs", max_epochs, at_least=1)
        _checks.number(self, "interval", interval, at_least=1)
        _checks.number(self, "fraction", fraction, at_least=0, at_most=0.5)
        _checks.number(self, "resample", resample, at_least=0, at_most=1)
        self.population_size, self.max_epochs, self.interval = int(population_size), int(max_epochs), int(interval)
        self.fraction, self.resample = fraction, resample

    @property
    def generations(self) -> int:
        """How many there are."""
        return -(-self.max_epochs // self.interval)

    def settings(self) -> dict[str, Any]:
        """What decides the proposals."""
        names = ("population_size", "max_epochs", "interval", "fraction", "resample")
        return {name: getattr(self, name) for name in names}

    def total(self, book: Book) -> int:
        """Members of all generations."""
        return self.population_size * self.generations

    def propose(self, book: Book, number: int, attempt: int) -> Ask | Answer:
        """The next member of the generation under way."""
        generation, member = divmod(number, self.population_size)
        if generation >= self.generations:
            return Answer.OVER
        first, last = generation * self.interval, min((generation + 1) * self.interval, self.max_epochs)
        notes = {"generation": generation, "member": member}
        if generation == 0:
            return Ask(epochs=last, notes=notes)
        before = [trial for trial in book.trials if trial.notes["generation"] == generation - 1]
        if any(trial.status == RUNNING for trial in before):
            return Answer.WAIT
        source, values = self._next(book, before, number, member)
        return Ask(values, None, source.number, first, last, notes, repeats=True)

    def _next(self, book: Book, before: list[Trial], number: int, member: int) -> tuple[Trial, dict[str, Any]]:
        """Whose net the member goes on with, and with which hyperparameters."""
        from thalweg.tuner._summary import ranked

        order = [trial for trial in ranked(before, book.objectives) if trial.has_score]
        if not order:
            raise ValueError("Population-based training cannot go on: no member of the last generation has a score.")
        few = max(1, round(self.fraction * len(before))) if self.fraction else 0
        mine = next(trial for trial in before if trial.notes["member"] == member)
        place = order.index(mine) if mine in order else len(before)
        if place < len(before) - few and mine in order:
            return mine, dict(mine.values)
        rng = _seeds.generator(book.seed, number, 0x9B7)
        source = order[int(rng.integers(min(max(few, 1), len(order))))]
        return source, self._explored(book, source.values, rng)

    def _explored(self, book: Book, values: Mapping[str, Any], rng: Any) -> dict[str, Any]:
        found = dict(values)
        for name, value in values.items():
            parameter = book.space[name]
            if parameter.count != 1 and book.is_data(name, values):
                anew = rng.random() < self.resample
                found[name] = parameter.value_at(rng.random()) if anew else _perturbed(parameter, value, rng)
        return found


def _perturbed(parameter: Parameter, value: Any, rng: Any) -> Any:
    """Times 0.8 or 1.2 within the bounds; on a ladder a tenth of it up or down; a kind stays as it is."""
    up = rng.random() < 0.5
    bounds = getattr(parameter, "min_value", None), getattr(parameter, "max_value", None)
    if None in bounds:
        return value
    if parameter.count is None:
        return min(max(value * (1.2 if up else 0.8), bounds[0]), bounds[1])
    step = max(0.1, 1 / parameter.count)
    return parameter.value_at(min(max(parameter.unit(value) + (step if up else -step), 0.0), 1 - 1e-12))
