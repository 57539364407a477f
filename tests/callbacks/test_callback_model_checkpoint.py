"""ModelCheckpoint, beside Keras's in the same fit."""

from __future__ import annotations

import itertools
import os
import warnings

import numpy as np
import pytest
from going_on import Steps, X, Y, dense, net

import thalweg
from thalweg import callbacks, layers, models, optimizers

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

TARGETS = X @ np.array([[1.0], [-2.0], [0.5]], np.float32) + 0.3 * Y[:, None].astype(np.float32)
WEIGHTS = [np.array([[0.5], [0.25], [-1.0]], np.float32), np.zeros(1, np.float32)]
PATHS = {
    "epoch": ["{epoch:02d}-{val_loss:.2f}", "{epoch}", "one", "deep/{epoch}/{loss:.3f}"],
    3: ["{epoch}-{batch}", "{epoch:02d}-{batch:03d}-{loss:.2f}", "one"],
    5: ["{epoch}-{batch}"],
    1: ["{epoch}-{batch:02d}"],
    4: ["{epoch}"],
    30: ["{epoch}"],
}


def cases():
    """Every combination of arguments that Keras takes, with the path's ending."""
    for freq, paths in PATHS.items():
        for path, best, threshold in itertools.product(paths, (False, True), (None, 0.4)):
            for ending in (".weights.h5", *((".keras", ".h5") if path in ("one", "{epoch}-{batch}") else ())):
                watched = [("val_loss", "auto"), ("loss", "auto")] if freq == "epoch" else [("loss", "min")]
                for monitor, mode in [*watched, ("loss", "max")] if best else watched[:1]:
                    yield {
                        "filepath": path + ending,
                        "monitor": monitor,
                        "mode": mode,
                        "save_best_only": best,
                        "save_weights_only": ending == ".weights.h5",
                        "save_freq": freq,
                        "initial_value_threshold": threshold,
                    }


def fitted(module, folder, model, listed):
    """A fit of `model` with a ModelCheckpoint for each of `listed`, each in a folder of its own."""
    saves = []
    for i, case in enumerate(listed):
        (folder / str(i)).mkdir(parents=True)
        saves.append(module.callbacks.ModelCheckpoint(**{**case, "filepath": str(folder / str(i) / case["filepath"])}))
        if module is keras and case["mode"] != "auto":
            saves[-1]._set_monitor_op()  # it does so after an epoch, and fails where it compares before
    model.set_weights(WEIGHTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = {"validation_data": (X[:9] + 1, TARGETS[:9]), "shuffle": False}
        model.fit(X, TARGETS, batch_size=8, epochs=3, verbose=0, callbacks=saves, **data)
    return saves


def test_the_same_files_are_written_as_by_keras(tmp_path):
    listed = list(cases())
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    mine = thalweg.Sequential([thalweg.Input((3,)), layers.Dense(1)])
    mine.draw(0)
    theirs.compile(keras.optimizers.SGD(0.05), "mse")
    mine.compile(optimizers.SGD(0.05), "mse")
    expected = fitted(keras, tmp_path / "theirs", theirs, listed)
    got = fitted(thalweg, tmp_path / "ours", mine, listed)
    written = 0
    for i, (case, one, two) in enumerate(zip(listed, expected, got, strict=True)):
        names = [
            sorted(str(path.relative_to(tmp_path / who / str(i))) for path in (tmp_path / who / str(i)).rglob("*.*"))
            for who in ("theirs", "ours")
        ]
        assert names[1] == names[0], case
        written += len(names[0])
        if case["save_best_only"] and one.best is not None:
            assert two.best == pytest.approx(one.best, rel=1e-5), case
    assert written > 100


def test_what_was_written_is_the_model_of_that_step(tmp_path):
    model, seen = net(dense(), optimizer=optimizers.SGD(0.5)), {}

    class Keep(Steps):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_progress(self, step, logs=None):
            seen[self.epoch + 1, step] = [np.array(weight) for weight in self.model.get_weights()]

    saves = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=3)
    model.fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[Keep(), saves])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{e}-{b}.weights.h5" for e, b in ((1, 3), (2, 2), (3, 1), (3, 4))
    ]
    for path in tmp_path.iterdir():
        epoch, _, batch = path.name.removesuffix(".weights.h5").partition("-")
        other = net(dense(), optimizer=optimizers.SGD(0.5))
        other.load_weights(path)
        for one, two in zip(other.get_weights(), seen[int(epoch), int(batch)], strict=True):
            np.testing.assert_array_equal(one, two)


def test_a_number_of_steps_keeps_chunks_long(tmp_path):
    """Chunks are counted, not timed: a step is fast here, and no chunk need be shorter than to the next file."""
    model, ends = net(dense(), optimizer=optimizers.SGD(0.5)), []
    count = callbacks.LambdaCallback(on_progress=lambda step, logs: ends.append(step))
    saves = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=10)
    model.fit(X, Y, batch_size=1, epochs=1, verbose=0)
    model.program.seconds_per_step = 1e-6
    model.fit(X, Y, batch_size=1, epochs=2, verbose=0, callbacks=[count, saves])
    assert [end for end in ends if end not in (10, 20, 26, 4, 14, 24)] == [] and len(ends) == 7
    assert len(list(tmp_path.iterdir())) == 5


def test_in_a_population_each_member_has_files_of_its_own(tmp_path):
    def nets():
        return thalweg.Population([net(dense(width), optimizer=optimizers.SGD(0.5)) for width in (3, 4)])

    saves = callbacks.ModelCheckpoint(tmp_path / "{member}-{epoch}.keras", save_freq="epoch")
    population = nets()
    population.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[saves])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0-1.keras", "0-2.keras", "1-1.keras", "1-2.keras"]
    for i, member in enumerate(population):
        loaded = models.load_model(tmp_path / f"{i}-2.keras")
        np.testing.assert_array_equal(loaded.predict(X), member.predict(X))
    with pytest.raises(ValueError, match=r"In a population filepath must hold \{member\}, as each member"):
        nets().fit(X, Y, verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")])


def test_in_a_population_a_number_of_steps_writes_that_steps_weights(tmp_path):
    saves = callbacks.ModelCheckpoint(
        tmp_path / "{member}-{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=3
    )
    population = thalweg.Population([net(dense(), optimizer=optimizers.SGD(0.5)) for _ in range(2)])
    alone = net(dense(), optimizer=optimizers.SGD(0.5))
    population.fit(X, Y, batch_size=8, epochs=1, verbose=0, seeds=[1, 2], callbacks=[saves])
    alone.fit(X, Y, batch_size=8, epochs=1, verbose=0, seed=2, steps_per_epoch=3)
    other = net(dense(), optimizer=optimizers.SGD(0.5))
    other.load_weights(tmp_path / "1-1-3.weights.h5")
    for one, two in zip(other.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"filepath": "a.txt"}, r"filepath must end in \.keras or \.h5 with save_weights_only=False"),
        ({"filepath": "a.keras", "save_weights_only": True}, r"must end in \.weights\.h5 with save_weights_only=True"),
        ({"filepath": "a.weights.h5"}, "must end in"),
        ({"filepath": "a.keras", "save_freq": 0}, "save_freq must be"),
        ({"filepath": "a.keras", "save_freq": "often"}, "save_freq must be"),
        ({"filepath": "a.keras", "mode": "most"}, "Unknown mode"),
    ],
)
def test_bad_arguments(given, message):
    with pytest.raises(ValueError, match=message):
        callbacks.ModelCheckpoint(**given)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{accuracy}.keras", r"filepath holds the name 'accuracy', which the logs lack.*Known: .*loss"),
        ("{loss:d}.keras", "filepath cannot be filled in"),
        ("{}.keras", "filepath"),
        ("{epoch.keras", "filepath cannot be filled in"),
        ("{loss!x}.keras", "filepath"),
        ("{loss.real.nothing}.keras", "filepath"),
        ("{loss[0]}.keras", "filepath"),
    ],
)
def test_names_that_the_logs_lack(path, message, tmp_path):
    model = net(dense(), optimizer=optimizers.SGD(0.5))
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, batch_size=8, epochs=1, verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path / path)])
