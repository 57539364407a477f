"""What callbacks know, through a checkpoint and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from going_on import X, Y, dense, net, told
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg import callbacks, files, optimizers
from thalweg.callbacks import CallbackList, History

MAKE = {
    callbacks.EarlyStopping: lambda folder: callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True),
    callbacks.ReduceLROnPlateau: lambda folder: callbacks.ReduceLROnPlateau(
        "loss", patience=1, cooldown=2, min_delta=9
    ),
    callbacks.Convergence: lambda folder: callbacks.Convergence(1e-9, "loss", patience=2),
    callbacks.ModelCheckpoint: lambda folder: callbacks.ModelCheckpoint(
        folder / "{epoch}.weights.h5", "loss", save_best_only=True, save_weights_only=True, save_freq=3
    ),
    callbacks.TerminateOnNaN: lambda folder: callbacks.TerminateOnNaN(),
    callbacks.CSVLogger: lambda folder: callbacks.CSVLogger(folder / "fit.csv"),
    callbacks.SwapEMAWeights: lambda folder: callbacks.SwapEMAWeights(),
    callbacks.History: lambda folder: History(),
    callbacks.RunFolder: lambda folder: callbacks.RunFolder(folder / "run"),
    callbacks.BackupAndRestore: lambda folder: callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False),
}


def remembering():
    """The callbacks that say they know something."""
    public = [getattr(callbacks, name) for name in dir(callbacks)]
    kinds = [kind for kind in public if isinstance(kind, type) and issubclass(kind, callbacks.Callback)]
    plain = callbacks.Callback.get_state
    return [kind for kind in kinds if kind is not CallbackList and (kind.STATE or kind.get_state is not plain)]


def through_a_file(state, folder):
    files.write_checkpoint(folder / "state.safetensors", state)
    return files.read_checkpoint(folder / "state.safetensors")


@pytest.mark.parametrize("kind", remembering(), ids=lambda kind: kind.__name__)
def test_every_state_comes_back(kind, tmp_path):
    """As it was in the middle of a fit; one without a line in the table above fails."""
    one = MAKE[kind](tmp_path)
    model = net(dense(), optimizer=optimizers.SGD(0.5, use_ema=kind is callbacks.SwapEMAWeights))
    states = []
    look = callbacks.LambdaCallback(
        on_progress=lambda step, logs: states.append(through_a_file(one.get_state(), tmp_path))
    )
    model.fit(X, Y, batch_size=8, epochs=4, verbose=0, seed=1, callbacks=[one, look])
    assert len(states) > 3
    if kind.STATE:
        one.set_state(states[-1])
        np.testing.assert_equal(through_a_file(one.get_state(), tmp_path), states[-1])
        for name in kind.STATE:
            assert name in states[-1] and hasattr(one, name)


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    logs=st.lists(
        st.dictionaries(st.sampled_from(["loss", "val_loss", "a/b", "ü", "~array"]), FLOATS, max_size=3), max_size=6
    ),
    changes=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.just("optimizer/learning_rate"), FLOATS, FLOATS)
    ),
    said=st.lists(st.text(max_size=5), unique=True),
)
def test_a_history_comes_back(logs, changes, said, tmp_path_factory):
    one, other = History(), History()
    for epoch, found in enumerate(logs):
        one.on_epoch_begin(epoch)
        one.on_epoch_end(epoch, found)
    for change in changes:
        one.changed(*change)
    one.warnings.extend(said)
    other.warnings.append("said by the fit that goes on")
    other.set_state(through_a_file(one.get_state(), tmp_path_factory.mktemp("history")))
    one.warnings.append("said by the fit that goes on")
    np.testing.assert_equal(told(other), told(one))
    assert other.seconds == one.seconds and all(type(epoch) is int for epoch in other.epoch)
    assert all(type(value) is float for values in other.history.values() for value in values)
    other.on_epoch_end(9, {"loss": 1.0})  # lists again, that can grow
    json.dumps(other.history)


def test_a_populations_history_comes_back(tmp_path):
    one, other = History(), History()
    for epoch in range(3):
        one.on_epoch_end(epoch, {"loss": [1.0, 2.0], "note": "words"})
    other.set_state(through_a_file(one.get_state(), tmp_path))
    assert other.history == one.history


def test_the_state_of_a_long_fit_stays_small(tmp_path):
    one = History()
    one.epoch, one.seconds = list(range(100_000)), [0.1] * 100_000
    one.history = {"loss": [0.123456789] * 100_000, "val_loss": [0.2] * 100_000}
    assert through_a_file(one.get_state(), tmp_path)["history"]["loss"].shape == (100_000,)
    assert (tmp_path / "state.safetensors").stat().st_size < 4 * 8 * 100_000 + 2000


def test_a_list_tells_likes_apart_by_their_places(tmp_path):
    class Count(callbacks.Callback):
        STATE = ("count",)

        def __init__(self, count):
            self.count = count

    def listed(*counts):
        return CallbackList([Count(count) for count in counts])

    state = through_a_file(listed(1, 2, 3).get_state(), tmp_path)
    other = listed(0, 0, 0)
    other.set_state(state)
    assert [one.count for one in other if isinstance(one, Count)] == [1, 2, 3]
    with pytest.warns(UserWarning, match="The checkpoint has no state of Count 3: it starts anew"):
        listed(0, 0, 0, 0).set_state(state)
    with pytest.warns(UserWarning, match="has a state of Count 2, which is not among the callbacks: it is left out"):
        listed(0, 0).set_state(state)


ARRAYS = [
    np.float64(1.5),
    np.arange(6.0).reshape(2, 3)[:, ::2],
    np.array(3, np.int8),
    np.zeros((0, 4)),
    np.array([True]),
]


@pytest.mark.parametrize("array", [*ARRAYS, np.array(7, np.uint32), np.float16([1, 2])], ids=str)
def test_arrays_come_back_as_they_were(array, tmp_path):
    found = through_a_file({"a": [array, {"b": None}], "": {"c": array}}, tmp_path)
    for one in (found["a"][0], found[""]["c"]):
        assert one.dtype == array.dtype and one.shape == array.shape
        np.testing.assert_array_equal(one, array)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"a": {1, 2}}, r"got \{1, 2\} of type set in /a"),
        ({"a": {0: 1}}, "words as keys, got 0 in /a"),
        ({"a": [object]}, "plain data and arrays"),
    ],
)
def test_what_no_checkpoint_can_hold_is_named(bad, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        files.write_checkpoint(tmp_path / "a", bad)
    assert not list(tmp_path.iterdir())
