"""The arithmetic of Hyperband, by KerasTuner's formulas."""

import math

import pytest

from thalweg.tuner._objective import objectives_of
from thalweg.tuner._trial import COMPLETED, Trial
from thalweg.tuner.searches._hyperband import Hyperband
from thalweg.tuner.searches._search import Answer, Book

GOAL = list(objectives_of("val_loss"))


def play(search, score=lambda trial: float(trial.number)):
    """All trials of a search, each told as soon as no more can be asked for."""
    trials = []
    book = Book(trials, {}, GOAL, 0, lambda: iter(()), lambda name, values: False)
    while True:
        ask = search.ask(book, len(trials), 0)
        if ask is Answer.OVER:
            return trials
        if ask is Answer.WAIT:
            waiting = [trial for trial in trials if trial.status != COMPLETED]
            assert waiting, "it waits for nothing"
            for trial in waiting:
                trial.status, trial.scores = COMPLETED, [score(trial)]
            continue
        notes = {**ask.notes, "first_epoch": ask.first_epoch, "epochs": ask.epochs}
        trials.append(Trial(len(trials), {"x": len(trials)}, source=ask.source, notes=notes))


@pytest.mark.parametrize(
    ("max_epochs", "factor", "trials", "epochs"),
    [(9, 3, 23, None), (100, 3, 254, 2672), (27, 3, None, None), (81, 4, None, None)],
)
def test_trials_and_epochs(max_epochs, factor, trials, epochs):
    search = Hyperband(max_epochs, factor)
    found = play(search)
    brackets = [k for k in range(20) if max_epochs / factor**k >= 1]
    assert search.brackets == len(brackets)
    planned = 0
    for b in brackets:
        for r in range(b + 1):
            size = math.ceil(math.ceil(1 + math.log(max_epochs, factor)) / (b + 1) * factor ** (b - r))
            rounds = [one for one in found if one.notes["slot"][1:3] == [b, r]]
            assert len(rounds) == size
            assert {one.notes["epochs"] for one in rounds} == {math.ceil(max_epochs / factor ** (b - r))}
            planned += size
    assert len(found) == planned == search.total(None)
    assert trials is None or len(found) == trials
    trained = sum(one.notes["epochs"] - one.notes["first_epoch"] for one in found)
    whole = sum(one.notes["epochs"] for one in found)
    assert epochs is None or epochs in (trained, whole)


def test_the_best_of_a_round_go_on_in_the_next():
    found = play(Hyperband(9, 3))
    by_slot = {tuple(one.notes["slot"]): one for one in found}
    for (i, b, r, _), trial in by_slot.items():
        if r:
            before = [one for slot, one in by_slot.items() if slot[:3] == (i, b, r - 1)]
            size = sum(slot[:3] == (i, b, r) for slot in by_slot)
            best = sorted(before, key=lambda one: one.scores)[:size]
            assert trial.source in {one.number for one in best}
            assert trial.notes["first_epoch"] == best[0].notes["epochs"]


def test_failed_trials_are_not_promoted():
    def score(trial):
        return float("nan") if trial.number % 2 else float(trial.number)

    for trial in play(Hyperband(9, 3), score):
        assert trial.source is None or trial.source % 2 == 0


def test_iterations_repeat_all_brackets():
    assert len(play(Hyperband(9, 3, hyperband_iterations=2))) == 46


def test_a_bound_on_trials_ends_it():
    assert len(play(Hyperband(9, 3, max_trials=10))) == 10
