"""A HyperModel's fit, held at its calls of model.fit."""

import threading

import pytest
from nets import FIT, TRAIN, three_points

from thalweg import tuner
from thalweg.tuner._rehearsal import FitCall, Rehearsal, Returned


def rehearse(hypermodel):
    hp = tuner.HyperParameters()
    model = hypermodel.build(hp)
    return model, Rehearsal(hypermodel, hp, model, TRAIN, dict(FIT))


class Plain(tuner.HyperModel):
    def build(self, hp):
        return three_points(hp)


class Own(Plain):
    def fit(self, hp, model, *args, **kwargs):
        first = model.fit(*args, **{**kwargs, "epochs": 7})
        second = model.fit(*args, class_weight={0: 2.0}, **kwargs)
        return [first, second]


def test_a_plain_fit_needs_no_thread():
    before = threading.active_count()
    _, rehearsal = rehearse(Plain())
    call = rehearsal.start()
    assert isinstance(call, FitCall) and call.arguments["epochs"] == FIT["epochs"]
    assert threading.active_count() == before
    assert rehearsal.go_on("history") == Returned("history")


def test_each_call_waits_for_its_history():
    model, rehearsal = rehearse(Own())
    assert rehearsal.start().arguments["epochs"] == 7
    assert rehearsal.go_on("one").arguments["class_weight"] == {0: 2.0}
    assert rehearsal.go_on("two") == Returned(["one", "two"])
    assert "fit" not in vars(model)


def test_an_abandoned_fit_ends():
    before = threading.active_count()
    model, rehearsal = rehearse(Own())
    rehearsal.start()
    rehearsal.abandon()
    assert threading.active_count() == before
    assert "fit" not in vars(model)


def test_what_it_raises_comes_out():
    class Raises(Plain):
        def fit(self, hp, model, *args, **kwargs):
            model.fit(*args, **kwargs)
            raise RuntimeError("after training")

    _, rehearsal = rehearse(Raises())
    rehearsal.start()
    with pytest.raises(RuntimeError, match="after training"):
        rehearsal.go_on("history")


def test_a_fit_that_trains_nothing():
    class Nothing(Plain):
        def fit(self, hp, model, *args, **kwargs):
            return 0.5

    _, rehearsal = rehearse(Nothing())
    assert rehearsal.start() == Returned(0.5)
