"""The test set stays sealed, whatever reaches for it by accident; who opens it is on record."""

import copy
import json
import multiprocessing
import pickle

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg
from thalweg import data, layers

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(200, 3)), RNG.integers(0, 3, 200)


def model():
    net = thalweg.Sequential([thalweg.Input((3,)), layers.Dense(3, activation="softmax")])
    net.compile("sgd", "sparse_categorical_crossentropy")
    return net


def tuned(test):
    tuner = thalweg.tuner.RandomSearch(lambda hp: model(), objective="val_loss", max_trials=1)
    tuner.search(X, Y, validation_data=test, verbose=0)


ACCIDENTS = {
    "a loop": list,
    "an index": lambda test: test[0],
    "its length": len,
    "unpacking": lambda test: print(*test),
    "numpy.asarray": np.asarray,
    "numpy.mean": np.mean,
    "jax.numpy.asarray": jnp.asarray,
    "pandas.DataFrame": pd.DataFrame,
    "in": lambda test: 1 in test,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "fit": lambda test: model().fit(test, verbose=0),
    "fit(x, y)": lambda test: model().fit(test, Y, verbose=0),
    "validation_data": lambda test: model().fit(X, Y, validation_data=test, verbose=0),
    "validation_data as a pair": lambda test: model().fit(X, Y, validation_data=(test, Y), verbose=0),
    "evaluate": lambda test: model().evaluate(test, verbose=0),
    "predict": lambda test: model().predict(test, verbose=0),
    "a population": lambda test: thalweg.Population([model()]).fit(X, Y, validation_data=test, verbose=0),
    "a tuner": tuned,
}


@pytest.mark.parametrize("what", ACCIDENTS)
def test_no_accident_opens_it(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = data.split(X, Y).test
    with pytest.raises(data.SealedError, match="The test set is sealed"):
        ACCIDENTS[what](test)
    assert test.openings == [] and "never opened" in repr(test)


def _opens(folder, i):
    data.split(X, Y, seed=0).test.open(f"process {i}", run=folder / f"run-{i}")


def test_openings_stand_in_a_ledger_beside_the_runs(tmp_path):
    test, net = data.split(X, Y).test, model()
    for reason in ("", "  ", None):
        with pytest.raises(ValueError, match="for a reason"):
            test.open(reason)
    x, y = test.open("the last net", model=net, run=tmp_path / "first")
    assert len(x) == len(y) == test.rows and "opened once" in repr(test)
    data.split(X, Y).test.open("another process", run=tmp_path / "second")
    data.split(X[::-1], Y[::-1]).test.open("other rows", run=tmp_path / "third")
    mine = data.openings(tmp_path, test.data)
    assert [(one.why, one.run) for one in mine] == [("the last net", "first"), ("another process", "second")]
    assert mine[0].model.startswith(net.name) and len(data.openings(tmp_path)) == 3
    with (tmp_path / "test-ledger.jsonl").open("a") as file:
        file.write(json.dumps({"when": 1}) + "\n")
    with pytest.raises(data.DataError, match="line 4 is no opening"):
        data.openings(tmp_path)


def test_the_level_of_each_look_lets_all_hold_together():
    assert data.level_for(1) == pytest.approx(0.95) and data.level_for(1, 0.9) == pytest.approx(0.9)
    for looks in (2, 3, 10, 1000):
        assert looks * (1 - data.level_for(looks)) == pytest.approx(0.05)
    for looks in (0, -1, 1.5, True, "2"):
        with pytest.raises(ValueError, match="whole number from 1 on"):
            data.level_for(looks)
    for level in (0, 1, 95):
        with pytest.raises(ValueError, match="between 0 and 1"):
            data.level_for(2, level)


def test_rows_may_be_known_by_a_fingerprint_of_what_they_were_made_from():
    sealed = data.Sealed(X, Y, data="that of the file's rows")
    sealed.open("a test")
    assert sealed.openings[0].data == sealed.data == "that of the file's rows" != data.Sealed(X, Y).data


def test_processes_do_not_mix_their_lines(tmp_path):
    workers = [multiprocessing.get_context("spawn").Process(target=_opens, args=(tmp_path, i)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(one.why for one in data.openings(tmp_path)) == [f"process {i}" for i in range(4)]


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(40, 300),
    validation=st.sampled_from([0.0, 0.1, 0.25]),
    test=st.sampled_from([0.0, 0.1, 0.3]),
    by=st.sampled_from(["classes", "group", "time", "nothing"]),
    seed=st.integers(0, 5),
)
def test_every_row_is_in_one_part(n, validation, test, by, seed):
    rng = np.random.default_rng(seed)
    x, y = np.arange(n), rng.integers(0, 2, n)
    group, time = rng.integers(0, 12, n), rng.permutation(n)
    given = {"group": {"group": group}, "time": {"time": time}, "nothing": {"stratify": None}}.get(by, {})
    found = data.split(x, y, validation, test, seed=seed, **given)
    parts = [found.train[0]]
    parts += [] if found.validation is None else [found.validation[0]]
    parts += [] if found.test is None else [found.test.open("a property")[0]]
    assert len(parts) == 1 + (validation > 0) + (test > 0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    if by == "group":
        assert all(not set(group[a]) & set(group[b]) for a in parts for b in parts if a is not b)
    if by == "time":
        assert all(time[a].max() < time[b].min() for a, b in zip(parts, parts[1:], strict=False))
    if by == "classes":
        assert all(abs(y[part].mean() - y.mean()) < 0.5 / np.sqrt(len(part)) + 0.05 for part in parts)


def test_frames_lists_and_dicts_are_cut_alike():
    frame = pd.DataFrame({"a": np.arange(200.0)})
    found = data.split(frame, pd.Series(np.where(Y > 0, "yes", "no")), seed=1)
    assert isinstance(found.train[0], pd.DataFrame) and len(found.train[0]) == len(found.train[1]) == 160
    several = data.split([X, X[:, :1]], Y, seed=1).train[0]
    named = data.split({"one": X}, Y, seed=1).train[0]
    assert [len(one) for one in several] == [160, 160] and np.array_equal(named["one"], several[0])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"validation": 0.6, "test": 0.5}, "leave rows to learn from"),
        ({"test": -0.1}, "Fractions"),
        ({"stratify": "yes"}, "'auto', None or one label a row"),
        ({"group": [1, 2]}, "group has 2 values for 200 rows"),
        ({"group": Y, "time": Y}, "not by both"),
    ],
)
def test_what_cannot_be_cut_is_told(given, told):
    with pytest.raises(data.DataError, match=told):
        data.split(X, Y, **given)
    with pytest.raises(data.DataError, match="x has 200 rows, y has 3"):
        data.split(X, Y[:3])
