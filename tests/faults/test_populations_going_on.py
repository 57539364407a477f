"""Populations that are broken off and go on."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from going_on import Break, BrokenOff, Hooks, Steps, Turn, X, Y, broken_fit, dense, leaves, net, same, told
from hypothesis import example, given, settings
from hypothesis import strategies as st

import thalweg
from thalweg import callbacks, layers, models, optimizers

WIDTHS, RATES = (3, 5, 5), (0.3, 0.02, 0.2)
HOOKS = ("on_epoch_begin", "on_epoch_end", "on_progress", "on_safe_point")


def population(widths=WIDTHS, rates=RATES):
    """Nets of several widths and rates, with averages: they are what a fit ends with."""
    return thalweg.Population(
        [
            net(dense(width), layers.Dropout(0.1), optimizer=optimizers.Adam(rate, use_ema=True, ema_momentum=0.8))
            for width, rate in zip(widths, rates, strict=True)
        ]
    )


def same_populations(one, two):
    """Every member, and what is told of all."""
    for mine, theirs in zip(one, two, strict=True):
        same(mine, theirs)
    np.testing.assert_equal(told(one.history), told(two.history))
    assert one.stop_training == two.stop_training


@settings(max_examples=14, deadline=None, derandomize=True)
@example(1, [("on_safe_point", 2, 0), ("on_progress", 3, 2)], False, True, False, True)
@example("epoch", [("on_progress", 1, 1), ("on_epoch_end", 3, 0)], True, False, True, True)
@given(
    every=st.sampled_from(["epoch", "2 epochs", 1, 2, "3 steps"]),
    breaks=st.lists(st.tuples(st.sampled_from(HOOKS), st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=3),
    hooks=st.booleans(),
    turn=st.booleans(),
    keeper_first=st.booleans(),
    validated=st.booleans(),
)
def test_a_population_goes_on_as_if_nothing_had_happened(every, breaks, hooks, turn, keeper_first, validated):
    """Members stop at different epochs, before the break and after it, and have their best weights back at once."""

    def fit(nets, more):
        watch = callbacks.EarlyStopping("loss", min_delta=0.04, patience=1, restore_best_weights=True)
        also = [Hooks() if hooks else Steps(), *([Turn("optimizer/learning_rate", (0, 1))] if turn else [])]
        kept = more if keeper_first else more[::-1]
        held = (X[:10] + 1, Y[:10]) if validated else None
        given = {"epochs": 6, "batch_size": 8, "verbose": 0, "validation_data": held, "seeds": [4, 5, 6]}
        nets.fit(X, Y, callbacks=[watch, *also, *kept], **given)

    whole = population()
    fit(whole, [])
    epochs = [len(member.history.epoch) for member in whole]
    assert len(set(epochs)) > 1 and min(epochs) < 6, epochs
    with tempfile.TemporaryDirectory() as folder:

        def keep():
            return callbacks.RunFolder(Path(folder) / "run", every=every)

        broken, _ = broken_fit(population, [Break(*one) for one in sorted(breaks, key=lambda one: one[1:])], keep, fit)
        same_populations(whole, broken)
        for i, member in enumerate(broken):
            loaded = models.load_model(Path(folder) / "run" / f"last-{i:03}.keras")
            np.testing.assert_array_equal(loaded.predict(X), member.predict(X))


def test_seeds_that_nobody_gave_are_kept(tmp_path):
    def fit(nets, more):
        nets.fit(X, Y, epochs=3, batch_size=8, verbose=0, callbacks=[*more, Steps()])

    broken, _ = broken_fit(
        population, [Break("on_progress", 1, 2)], lambda: callbacks.RunFolder(tmp_path / "run", every=1), fit
    )
    seeds = callbacks.read_run(tmp_path / "run").record["seeds"]
    assert len(set(seeds)) == 3
    whole = population()
    whole.fit(X, Y, epochs=3, batch_size=8, verbose=0, seeds=seeds)
    same_populations(whole, broken)


def test_checkpoints_change_nothing_that_a_callback_set(tmp_path):
    """Writing one asks the members for their arrays: weights that somebody has set meanwhile stay as set."""

    class Set(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.program.seconds_per_step = 1.0  # chunks of one step, after which nobody asks for the arrays

        def on_progress(self, step, logs=None):
            self.on_epoch_begin(0)
            if step in (2, 4):
                self.model[1].set_weights([np.full_like(w, 0.25) for w in self.model[1].get_weights()])

    results = []
    for more in ([], [callbacks.BackupAndRestore(tmp_path / "b", save_freq=1)], [Steps()], [Hooks()]):
        nets = population()
        nets.fit(X, Y, epochs=2, batch_size=8, verbose=0, seeds=[1, 2, 3], callbacks=[Set(), *more])
        results.append(nets)
    for other in results[1:]:
        for mine, theirs in zip(results[0], other, strict=True):
            for one, two in zip(leaves(mine), leaves(theirs), strict=True):
                np.testing.assert_array_equal(one, two)


def test_one_whose_members_have_all_stopped_stays_stopped(tmp_path):
    def fit(nets, more):
        stop = callbacks.EarlyStopping("loss", min_delta=10, restore_best_weights=True)
        nets.fit(X, Y, epochs=9, batch_size=8, verbose=0, seeds=[1, 2, 3], callbacks=[stop, *more])

    whole = population()
    fit(whole, [])
    assert whole.stop_training and whole.history.epoch == [0, 1]
    broken, _ = broken_fit(population, [Break("on_safe_point", 2)], lambda: callbacks.RunFolder(tmp_path / "run"), fit)
    same_populations(whole, broken)


def test_ctrl_c_leaves_members_as_they_were_trained(tmp_path):
    class Press(Steps):
        def on_progress(self, step, logs=None):
            if step == 2 and self.model.session.epoch == 1:
                raise KeyboardInterrupt

    pressed, whole = population(), population()
    with pytest.raises(KeyboardInterrupt):
        pressed.fit(X, Y, epochs=3, batch_size=8, verbose=0, seeds=[1, 2, 3], callbacks=[Press()])
    with pytest.raises(BrokenOff):
        keep = [callbacks.BackupAndRestore(tmp_path / "b", save_freq=1), Steps()]
        whole.fit(
            X, Y, epochs=3, batch_size=8, verbose=0, seeds=[1, 2, 3], callbacks=[*keep, Break("on_progress", 1, 2)]
        )
    for mine, theirs in zip(pressed, whole, strict=True):
        assert int(np.asarray(mine.steps_taken)) == 6
        for one, two in zip(leaves(mine), leaves(theirs), strict=True):
            np.testing.assert_array_equal(one, two)


def test_other_members_are_refused(tmp_path):
    def fit(nets):
        given = {"epochs": 3, "batch_size": 8, "verbose": 0, "seeds": [*range(len(nets))]}
        nets.fit(
            X,
            Y,
            run=callbacks.RunFolder(tmp_path / "run", every=1),
            callbacks=[Steps(), Break("on_progress", 1, 2)],
            **given,
        )

    with pytest.raises(BrokenOff):
        fit(population())
    with pytest.raises(ValueError, match="holds another run: members was 3, got 2"):
        fit(population(WIDTHS[:2], RATES[:2]))
    with pytest.raises(ValueError, match="of another net, optimizer or set of metrics"):
        fit(population((3, 5, 4)))
    one = net(dense(3), layers.Dropout(0.1), optimizer=optimizers.Adam(0.3, use_ema=True, ema_momentum=0.8))
    with pytest.raises(ValueError, match="holds another run: members"):
        one.fit(X, Y, epochs=3, batch_size=8, verbose=0, seed=1, run=tmp_path / "run")
