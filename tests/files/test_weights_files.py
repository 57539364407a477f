"""Files of weights alone, and weights taken from any file: whole, by name, as far as they fit."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest
from file_pairs import X, identical, same_optimizer, same_outputs, train

import thalweg
from thalweg.models import FileError, FileWarning

ENDINGS = [".weights.h5", ".keras", ".h5"]


def net(module, hidden=5, out="last"):
    kinds = module.layers
    model = module.Sequential(
        [
            module.Input((6,)),
            kinds.Dense(hidden, activation="tanh", name="first"),
            kinds.BatchNormalization(name="middle"),
            kinds.Dropout(0.0, name="drop"),
            kinds.Dense(2, name=out),
        ]
    )
    model.compile(module.optimizers.Adam(0.01, epsilon=1e-3), "mse")
    return model


def saved(model, folder, ending):
    path = folder / f"{type(model).__module__.partition('.')[0]}{ending}"
    (model.save_weights if ending == ".weights.h5" else model.save)(path)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A net of each framework, and its files."""
    found = {}
    for module in (thalweg, keras):
        model, folder = net(module), tmp_path_factory.mktemp("weights")
        train(model)
        found[module.__name__] = model, {ending: saved(model, folder, ending) for ending in ENDINGS}
    return found


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("writer", ["thalweg", "keras"])
def test_thalweg_takes_weights_and_the_optimizer_s_state(writer, ending, trained):
    model, paths = trained[writer]
    fresh = net(thalweg)
    fresh.load_weights(paths[ending])
    identical(fresh, model)
    if writer == "keras":
        same_optimizer(fresh, model, rtol=0)
    else:
        assert int(fresh.optimizer_state.iterations) == fresh.optimizer.iterations == 5
        assert int(fresh.steps_taken) == int(model.steps_taken)


@pytest.mark.parametrize("ending", ENDINGS)
def test_keras_takes_weights_from_a_file_of_thalweg_s(ending, trained):
    ours, paths = trained["thalweg"]
    theirs = net(keras)
    theirs.optimizer.build(theirs.trainable_variables)  # else it has no place for the state in files of its own either
    theirs.load_weights(paths[ending])
    identical(theirs, ours)
    if ending == ".weights.h5":
        same_optimizer(ours, theirs, rtol=0)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("writer", ["thalweg", "keras"])
def test_layers_of_other_shapes_are_skipped_where_asked(writer, ending, trained):
    _, paths = trained[writer]
    wider = net(thalweg, hidden=7)
    before = wider.get_weights()
    with pytest.raises(FileError, match="first|kernel|shape"):
        wider.load_weights(paths[ending])
    for a, b in zip(before, wider.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(FileWarning, match="first, middle, last"):
        wider.load_weights(paths[ending], skip_mismatch=True)
    for a, b in zip(before, wider.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("writer", ["thalweg", "keras"])
def test_layers_are_found_by_name(writer, ending, trained):
    model, paths = trained[writer]
    kinds = thalweg.layers
    other = thalweg.Sequential(
        [
            thalweg.Input((5,)),
            kinds.Dense(2, name="last"),
            kinds.Dense(5, name="new"),
            kinds.BatchNormalization(name="middle"),
        ]
    )
    with pytest.warns(FileWarning, match="new"):
        other.load_weights(paths[ending], by_name=True)
    for name in ("last", "middle"):
        for a, b in zip(other.get_layer(name).get_weights(), model.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, np.asarray(b))


def test_a_file_of_weights_is_no_model(trained):
    with pytest.raises(FileError, match=r"holds weights alone.*load_weights"):
        thalweg.models.load_model(trained["keras"][1][".weights.h5"])


def test_another_optimizer_starts_anew_with_a_word(trained):
    model = net(thalweg)
    model.compile("sgd", "mse")
    with pytest.warns(FileWarning, match="not those of SGD"):
        model.load_weights(trained["keras"][1][".keras"])
    assert model.optimizer_state is None
    identical(model, trained["keras"][0])
    train(model)


def test_a_net_that_was_not_compiled_takes_weights_alone(trained):
    model = thalweg.models.load_model(trained["keras"][1][".keras"], compile=False)
    assert model.optimizer is None
    identical(model, trained["keras"][0])
    same_outputs(model, trained["keras"][0], X)


def test_what_keras_nested_cannot_be_taken_apart_without_its_description(tmp_path):
    kinds = keras.layers
    inner = keras.Sequential([keras.Input((6,)), kinds.Dense(4, name="a")], name="inner")
    theirs = keras.Sequential([keras.Input((6,)), inner, kinds.Dense(2)])
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    flat = thalweg.Sequential([thalweg.Input((6,)), thalweg.layers.Dense(4), thalweg.layers.Dense(2)])
    with pytest.raises(FileError, match="theirs.weights.h5"):
        flat.load_weights(tmp_path / "theirs.weights.h5")


def test_more_layers_in_the_file_than_in_the_net_are_an_error(trained):
    short = thalweg.Sequential([thalweg.Input((6,)), thalweg.layers.Dense(5)])
    for ending in ENDINGS:
        with pytest.raises(FileError, match="layers"):
            short.load_weights(trained["keras"][1][ending])
