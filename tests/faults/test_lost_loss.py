"""Losses that become NaN, with checkpoints and with callbacks that know a best."""

from __future__ import annotations

import numpy as np
import pytest
from going_on import Steps, X, Y, dense, leaves

import thalweg
from thalweg import callbacks, layers, models, optimizers
from thalweg.callbacks._checkpoints import CheckpointFolder
from thalweg.models import LossNotFinite, LossWarning


def make(rate=0.2):
    """Its outputs know no bounds: after one far too large step the loss is infinite."""
    model = thalweg.Sequential([thalweg.Input((3,)), dense(), layers.Dense(1)])
    model.compile(optimizers.Adam(rate), "mse")
    return model


class Spoil(Steps):
    """Makes one step far too large: the one after it loses the loss."""

    def __init__(self, epoch, step, member=None):
        self.at, self.which, self.epoch = (epoch, step), member, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self._spoil(0)

    def on_progress(self, step, logs=None):
        self._spoil(step)

    def _spoil(self, step):
        if (self.epoch, step) == self.at:
            model = self.model if self.which is None else self.model[self.which]
            model.hypers["optimizer/learning_rate"] = 1e25


def fit(model, *more, **given):
    targets = Y.astype(np.float32)[:, None]
    return model.fit(X, targets, batch_size=8, verbose=0, callbacks=list(more), **{"epochs": 4, "seed": 1, **given})


def test_the_fit_raises_and_everything_kept_is_finite(tmp_path):
    model = make()
    stop = callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    save = callbacks.ModelCheckpoint(tmp_path / "best.keras", "loss", save_best_only=True)
    with pytest.raises(LossNotFinite, match=r"The loss became .* in epoch 3, step \d of 4(.|\n)*It began in"):
        fit(model, stop, save, Spoil(2, 2), run=callbacks.RunFolder(tmp_path / "run", every=1))
    assert all(np.isfinite(leaf).all() for leaf in leaves(model))
    for one, two in zip(model.get_weights(), stop.best_weights, strict=True):
        np.testing.assert_array_equal(one, two)
    snapshot = CheckpointFolder(tmp_path / "run" / "checkpoints").newest()
    assert (snapshot["epoch"], snapshot["step"]) == (2, 3)
    assert all(np.isfinite(leaf).all() for leaf in snapshot["members"][0]["state"])
    run = callbacks.read_run(tmp_path / "run")
    assert run.state == "failed" and run.record["ended"]["best"]["epoch"] == stop.best_epoch
    for path in (tmp_path / "best.keras", tmp_path / "run" / "best.keras", tmp_path / "run" / "last.keras"):
        loaded = models.load_model(path)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_callback_that_ends_it_quietly_has_its_way(tmp_path, capsys):
    model = make()
    save = callbacks.ModelCheckpoint(tmp_path / "best.keras", "loss", save_best_only=True)
    with pytest.warns(LossWarning, match="The loss became"):
        fit(model, callbacks.TerminateOnNaN(), save, Spoil(2, 2), run=tmp_path / "run")
    assert model.history.epoch == [0, 1, 2] and not np.isfinite(model.history.history["loss"][2])
    assert np.isfinite(save.best) and any("became" in message for message in model.history.warnings)
    best = callbacks.read_run(tmp_path / "run").record["ended"]["best"]
    assert best["epoch"] < 2 and np.isfinite(best["value"])
    assert all(np.isfinite(leaf).all() for leaf in leaves(model))
    assert "the fit ends here" in capsys.readouterr().out


@pytest.mark.parametrize("at", [(1, 2), (1, 3), (2, 0)])
@pytest.mark.parametrize("kept", [None, 1, "epoch"])
def test_only_the_member_that_is_lost_stops(at, kept, tmp_path):
    """Wherever in an epoch it is lost, and whether or not checkpoints look at the members meanwhile."""
    rates = (0.2, 0.1, 0.05)

    def fitted(lost, **given):
        nets = thalweg.Population([make(rate) for rate in rates])
        more = [Spoil(*at, member=1)] if lost else [Steps()]
        fit(nets, *more, seed=None, seeds=[1, 2, 3], **given)
        return nets

    run = None if kept is None else callbacks.RunFolder(tmp_path / "run", every=kept)
    with pytest.warns(LossWarning, match="Member 1: The loss became"):
        nets = fitted(True, run=run)
    whole = fitted(False)
    for i in (0, 2):
        assert nets[i].history.history == whole[i].history.history
        for one, two in zip(leaves(nets[i]), leaves(whole[i]), strict=True):
            np.testing.assert_array_equal(one, two)
    assert nets[1].stop_training and not nets[0].stop_training
    assert all(np.isfinite(leaf).all() for leaf in leaves(nets[1]))
    assert len(nets[1].history.epoch) == at[0] + 1 + (at[1] == 3) and len(nets[1].history.warnings) == 1
    if kept is not None:
        best = callbacks.read_run(tmp_path / "run").record["ended"]["best"]
        assert all(np.isfinite(one["value"]) for one in best.values()) and len(best) == 3
        for i, member in enumerate(nets):
            loaded = models.load_model(tmp_path / "run" / f"last-{i:03}.keras")
            np.testing.assert_array_equal(loaded.predict(X), member.predict(X))
