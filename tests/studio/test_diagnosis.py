"""The diagnosis of a net that is looked at: the numbers of thalweg.diagnosis, the rows looked at once."""

import numpy as np
import pytest
from studio_nets import RNG, X, Y, net

from thalweg import diagnosis
from thalweg.studio import _diagnosis
from thalweg.studio._net import Mirror
from thalweg.studio._rows import Part, Sample
from thalweg.studio._steering import Refused

REST = RNG.normal(size=(48, 3)).astype(np.float32)
WRONG = (REST.sum(axis=1) > 0).astype(np.int32)


def sample_of(validation=True):
    rest = Part((REST,), (WRONG,), np.arange(48), 48) if validation else None
    return Sample((X,), (Y,), np.arange(64), 640, rest, ())


def learnt(epochs=5):
    model = net()
    model.fit(X, Y, epochs=epochs, verbose=0, seed=0, validation_data=(REST, WRONG))
    return model


def mirror_of(model, sample):
    mirror = Mirror(model, lambda: sample, sample, epochs=lambda: [{"loss": 0.5, "val_loss": 0.6}])
    mirror.stay(model)
    return mirror


def test_it_says_what_diagnose_says():
    model, sample = learnt(), sample_of()
    found = mirror_of(model, sample).look({"do": "diagnosis"})
    made = diagnosis.diagnose(model, (X, Y), (REST, WRONG), history={"loss": [0.5], "val_loss": [0.6]})
    assert found["scenario"] == made.scenario and found["title"] == made.title() and found["epochs"] == 1
    for name in ("train", "validation", "bias", "variance"):
        assert found[name] == pytest.approx(getattr(made, name)._asdict())
    assert [one["what"] for one in found["remedies"]] == [one.what for one in made.remedies]
    assert found["of"] == [640, 48]


def test_a_target_that_is_asked_for_is_what_the_errors_are_compared_with():
    found = mirror_of(learnt(), sample_of()).look({"do": "diagnosis", "target_error": 0.25})
    assert found["target"]["by"] == "given" and found["target"]["reached"]["value"] == 0.25


def test_rows_are_looked_at_once_while_the_net_learns(monkeypatch):
    looked, seen_in = [], _diagnosis.seen_in
    monkeypatch.setattr(_diagnosis, "seen_in", lambda found: looked.append(1) or seen_in(found))
    model, sample = learnt(1), sample_of()
    mirror = mirror_of(model, sample)
    first = mirror.look({"do": "diagnosis"})
    model.fit(X, Y, epochs=60, verbose=0, seed=0)
    mirror.stay(model)
    second = mirror.look({"do": "diagnosis"})
    assert len(looked) == 1 and second["train"]["value"] < first["train"]["value"]


@pytest.mark.parametrize("target", [-0.1, "0.1", float("nan"), True, [1]])
def test_a_target_that_is_none_is_refused(target):
    with pytest.raises(Refused, match="target_error"):
        mirror_of(learnt(1), sample_of()).look({"do": "diagnosis", "target_error": target})


def test_without_validation_rows_there_is_no_diagnosis():
    with pytest.raises(Refused, match="validation"):
        mirror_of(learnt(1), sample_of(validation=False)).look({"do": "diagnosis"})
