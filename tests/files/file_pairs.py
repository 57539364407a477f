"""What the tests of files share: one way to build a net in both frameworks, and what must be the same afterwards."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import thalweg

RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, 6)).astype(np.float32)
Y = RNG.normal(size=(40, 2)).astype(np.float32)
STEPS = {"batch_size": 8, "shuffle": False, "verbose": 0}


def train(model, x=X, y=Y, steps=5, seed=None):
    """Steps of 8 rows, the same ones in both frameworks."""
    extra = {} if seed is None else {"seed": seed}
    model.fit(_first(x, 8 * steps), _first(y, 8 * steps), **STEPS, **extra)


def _first(given, rows):
    if isinstance(given, dict):
        return {name: one[:rows] for name, one in given.items()}
    return [one[:rows] for one in given] if isinstance(given, list) else given[:rows]


def outputs(model, x=X):
    """What it predicts, as a list of arrays."""
    found = model(x, training=False) if isinstance(model, keras.Model) else model.predict(x)  # saves a compilation
    found = [found[key] for key in sorted(found)] if isinstance(found, dict) else found
    return [np.asarray(one) for one in (found if isinstance(found, list) else [found])]


def same_outputs(one, other, x=X, tolerance=1e-6):
    for a, b in zip(outputs(one, x), outputs(other, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def same_weights(one, other, rtol=1e-5, atol=2e-6):
    mine, real = one.get_weights(), other.get_weights()
    assert len(mine) == len(real)
    for i, (a, b) in enumerate(zip(mine, real, strict=True)):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=rtol, atol=atol, err_msg=f"weight {i}")


def by_content(model):
    """The weights of a net whose models within Keras keeps together, in an order that does not depend on that."""
    return sorted(map(np.asarray, model.get_weights()), key=lambda w: (w.shape, w.tobytes()))


def identical(one, other, nested=False):
    """Bit by bit."""
    mine, real = (by_content(model) if nested else model.get_weights() for model in (one, other))
    for a, b in zip(mine, real, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def slots_of(model):
    """Keras's names of an optimizer's variables -> their numbers, of a model of either framework."""
    if isinstance(model, keras.Model):
        return {_plain(v.path): np.asarray(v) for v in model.optimizer.variables if v.name != "learning_rate"}
    state, found = model.optimizer_state, {"iteration": np.asarray(model.optimizer_state.iterations)}
    names = [
        f"{v}_{w}" for v, w in ((model.network.layers[p.layer].name, p.weight.name) for p in model.network.trainable)
    ]
    for part, ending in (("averages", "average"), ("gathered", "gradient_accumulator")):
        found.update({f"{n}_{ending}": np.asarray(a) for n, a in zip(names, getattr(state, part), strict=False)})
    for name, slots in zip(names, state.slots, strict=True):
        found.update({f"{name}_{slot}": np.asarray(a) for slot, a in slots.items()})
    return {**found, **{name: np.asarray(value) for name, value in state.extra.items()}}


def _plain(path):
    name = path.rpartition("/")[2]
    for keras_s, ours in (("accumulated_grad", "gradients"), ("accumulated_delta_var", "steps")):  # Adadelta's
        name = name.replace(keras_s, ours)
    return "product" if name.startswith("variable") else name  # Nadam's has no name of its own


def same_optimizer(ours, theirs, rtol=2e-5):
    """Iterations, the rate, and every variable that Keras has."""
    assert int(ours.optimizer.iterations) == int(theirs.optimizer._iterations)
    np.testing.assert_allclose(ours.optimizer.learning_rate, np.asarray(theirs.optimizer.learning_rate), rtol=1e-6)
    mine, real = slots_of(ours), slots_of(theirs)
    for name, value in real.items():
        if name in mine:
            np.testing.assert_allclose(mine[name], value, rtol=rtol, atol=1e-7, err_msg=name)
        else:  # of a nested model, whose name Keras puts in front
            slot = name.rpartition("_")[2]
            like = [one for key, one in mine.items() if key.endswith(slot) and one.shape == value.shape]
            assert any(np.allclose(one, value, rtol, 1e-7) for one in like), (name, sorted(mine))


def same_optimizer_settings(one, other):
    assert one.optimizer.structure() == other.optimizer.structure()
    assert one.optimizer.hypers() == pytest.approx(other.optimizer.hypers(), rel=1e-6)


def same_layers(one, other):
    assert [type(layer) for layer in one.layers] == [type(layer) for layer in other.layers]
    for a, b in zip(one.layers, other.layers, strict=True):
        assert a.structure() == b.structure()
        assert a.hypers() == pytest.approx(b.hypers(), rel=1e-6)


def exchanged(ours, folder, x=X, y=Y, custom=None):
    """Trained in thalweg, trained on in Keras, trained on in thalweg, in files of both kinds; they agree all the way."""
    train(ours, x, y)
    ours.save(folder / "ours.keras")
    ours.save(folder / "ours.h5")
    theirs = keras.models.load_model(folder / "ours.keras", custom_objects=custom)
    same_outputs(ours, theirs, x)
    same_optimizer(ours, theirs)
    older = keras.models.load_model(folder / "ours.h5", custom_objects=custom)  # which restores no optimizer's state
    identical(older, theirs)
    assert older.optimizer.get_config() == theirs.optimizer.get_config()
    train(ours, x, y), train(theirs, x, y)
    same_weights(ours, theirs)
    return back(theirs, folder, x, y, custom), theirs


def back(theirs, folder, x=X, y=Y, custom=None, nested=False):
    """A net of Keras's, saved in both kinds of files, trained on in thalweg as in Keras."""
    theirs.save(folder / "theirs.keras")
    theirs.save(folder / "theirs.h5")
    if (
        theirs.optimizer.use_ema
    ):  # a fit of Keras's leaves weights and averages in one array, which what follows deletes
        theirs = keras.models.load_model(folder / "theirs.keras", custom_objects=custom)
    again, older = (thalweg.models.load_model(folder / f"theirs{e}", custom_objects=custom) for e in (".keras", ".h5"))
    same_outputs(again, theirs, x)
    for one in (again, older):
        identical(one, theirs, nested)
        same_optimizer(one, theirs, rtol=0)
    train(again, x, y), train(theirs, x, y)
    same_outputs(again, theirs, x, 1e-5) if nested else same_weights(again, theirs)
    same_optimizer(again, theirs, rtol=1e-4)
    train(older, x, y)
    identical(older, again)
    return again
