"""Nets that are more than a stack: shared layers, merges, several inputs and outputs, models within models."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest
from file_pairs import RNG, X, Y, back, exchanged, identical, same_optimizer, same_outputs, train

import thalweg

A, B = (RNG.normal(size=(40, width)).astype(np.float32) for width in (6, 4))
YES = RNG.integers(0, 2, (40, 1)).astype(np.float32)


def random_graph(module, seed):
    """A net with branches, merges, shared layers and one to three outputs; the same for the same seed."""
    rng, kinds = np.random.default_rng(seed), module.layers
    made = [module.Input((4,), name=f"in_{i}") for i in range(rng.integers(1, 3))]
    inputs, shared = list(made), [kinds.Dense(4, name=f"shared_{i}") for i in range(2)]
    for i in range(rng.integers(3, 9)):
        act, one = rng.integers(0, 6), made[rng.integers(len(made))]
        other = made[rng.integers(len(made))]
        if act == 0:
            made.append(kinds.Add(name=f"add_{i}")([one, other]))
        elif act == 1:
            made.append(kinds.Dense(4, name=f"narrow_{i}")(kinds.Concatenate(name=f"join_{i}")([one, other])))
        elif act == 2:
            made.append(shared[rng.integers(2)](one))
        elif act == 3:
            made.append(kinds.BatchNormalization(name=f"norm_{i}")(one))
        else:
            made.append(kinds.Dense(4, activation="tanh", name=f"dense_{i}")(one))
    last = [kinds.Dense(4, name=f"out_{i}")(made[-1 - i]) for i in range(min(rng.integers(1, 4), len(made)))]
    used = [*last, kinds.Dense(4, name="all")(kinds.Add(name="sum")([*inputs, last[0]]))]
    order = rng.permutation(len(used))
    used = [used[i] for i in order]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    if rng.integers(2):
        return module.Model(inputs, {f"{'zyxw'[i]}": one for i, one in enumerate(used)})
    return module.Model(inputs, used)


def fed(model):
    rows = [RNG.normal(size=(8, 4)).astype(np.float32) for _ in model.inputs]
    return rows if len(rows) > 1 else rows[0]


@pytest.mark.parametrize("seed", range(24))
def test_the_weights_of_any_graph_stand_in_keras_s_order(seed, tmp_path):
    ours, theirs = random_graph(thalweg, seed), random_graph(keras, seed)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    held = [layer.name for layer in theirs.layers if layer.weights]
    assert [layer.name for layer in ours.layers if layer.variables] == held
    ours.set_weights([np.array(w) + 0.1 for w in theirs.get_weights()])
    ours.save(tmp_path / "ours.keras")
    same = keras.models.load_model(tmp_path / "ours.keras")
    identical(same, ours)
    theirs.set_weights(ours.get_weights())
    theirs.save(tmp_path / "theirs.h5")
    again = thalweg.models.load_model(tmp_path / "theirs.h5")
    identical(again, theirs)
    x = fed(ours)
    for other in (keras.Model.from_config(ours.get_config()), thalweg.Model.from_config(theirs.get_config())):
        other.set_weights(ours.get_weights())
        same_outputs_of(ours, other, x)
    same_outputs_of(ours, theirs, x)
    same_outputs_of(ours, same, x)
    same_outputs_of(ours, again, x)


def same_outputs_of(one, other, x):
    """Without a compilation of the whole."""
    mine, real = one(x), other(x)
    for model in (mine, real):
        assert type(model) is type(mine)
    keys = mine if isinstance(mine, dict) else range(len(mine))
    for key in keys:
        np.testing.assert_allclose(np.asarray(mine[key]), np.asarray(real[key]), rtol=1e-5, atol=1e-5)


def two_by_two(module, dicts):
    kinds = module.layers
    first, second = module.Input((6,), name="first"), module.Input((4,), name="second")
    joined = kinds.Concatenate()([kinds.Dense(5, activation="relu")(first), second])
    trunk = kinds.Dense(6, activation="tanh")(joined)
    yes, size = kinds.Dense(1, activation="sigmoid", name="yes")(trunk), kinds.Dense(2, name="size")(trunk)
    if dicts:
        return module.Model({"first": first, "second": second}, {"yes": yes, "size": size})
    return module.Model([first, second], [yes, size])


LOSSES = {
    "dict": {
        "loss": {"yes": "binary_crossentropy", "size": "mse"},
        "loss_weights": {"yes": 0.3, "size": 2.0},
        "metrics": {"yes": ["accuracy"], "size": ["mae"]},
        "weighted_metrics": {"yes": ["accuracy"]},
    },
    "list": {
        "loss": ["binary_crossentropy", "mse"],
        "loss_weights": [0.3, 2.0],
        "metrics": [["accuracy"], ["mae", "mse"]],
    },
    "one": {"loss": "mse"},
}


@pytest.mark.parametrize(("dicts", "losses"), [(False, "dict"), (False, "list"), (False, "one"), (True, "dict")])
def test_several_inputs_and_outputs_go_to_keras_and_back(dicts, losses, tmp_path):
    ours = two_by_two(thalweg, dicts)
    ours.compile(thalweg.optimizers.SGD(0.02, momentum=0.9), **LOSSES[losses])
    x = {"first": A, "second": B} if dicts else [A, B]
    y = {"yes": YES, "size": Y} if dicts else [YES, Y]
    again, theirs = exchanged(ours, tmp_path, x, y)
    given = {"batch_size": 40, "verbose": 0, "return_dict": True}
    mine, real = again.evaluate(x, y, **given), theirs.evaluate(x, y, **given)
    assert set(mine) == set(real)
    for name, value in real.items():
        assert mine[name] == pytest.approx(value, rel=1e-4), name
    kept = thalweg.models.load_model(tmp_path / "ours.keras")
    assert kept.compiled.loss_weights == ours.compiled.loss_weights
    assert kept.evaluate(x, y, **given).keys() == ours.evaluate(x, y, **given).keys()


# -- models within models ---------------------------------------------------------------------------


def inner_stack(module, name, width=4):
    kinds = module.layers
    first = [module.Input((width,))] if module is thalweg else []
    stack = [kinds.Dense(width, activation="tanh", name=f"{name}_a"), kinds.PReLU(name=f"{name}_b")]
    return module.Sequential(first + stack, name=name)


def inner_graph(module, name, width=4):
    kinds, x = module.layers, module.Input((width,), name="x")
    side = kinds.Dense(width, name="a")(x)
    return module.Model(x, kinds.Dense(width, name="c")(kinds.Add(name="plus")([x, side])), name=name)


def stack_in_stack(module):
    kinds = module.layers
    return module.Sequential(
        [module.Input((6,)), kinds.Dense(4), inner_stack(module, "one"), inner_stack(module, "two"), kinds.Dense(2)]
    )


def graph_in_stack(module):
    kinds = module.layers
    return module.Sequential([module.Input((6,)), kinds.Dense(4), inner_graph(module, "one"), kinds.Dense(2)])


def graph_twice(module):
    kinds, x = module.layers, module.Input((6,), name="rows")
    inner = inner_graph(module, "one")
    once = inner(kinds.Dense(4, name="before")(x))
    twice = inner(kinds.Dense(4, name="between")(once))
    return module.Model(x, [kinds.Dense(2, name="after")(kinds.Add(name="both")([once, twice])), twice])


def stack_in_graph(module):
    kinds, x = module.layers, module.Input((6,), name="rows")
    inner = inner_stack(module, "one")
    return module.Model(x, kinds.Dense(2, name="after")(inner(inner(kinds.Dense(4, name="before")(x)))))


def deep(module):
    kinds, x = module.layers, module.Input((6,), name="rows")
    middle = module.Sequential(
        [module.Input((6,)), kinds.Dense(4, name="m"), inner_graph(module, "core"), inner_stack(module, "end")],
        name="mid",
    )
    return module.Model(x, kinds.Dense(2, name="after")(middle(x)))


def two_ends(module):
    kinds = module.layers
    p, q = module.Input((6,), name="p"), module.Input((6,), name="q")
    inner = module.Model(
        {"p": p, "q": q}, {"z": kinds.Dense(3, name="z")(p), "c": kinds.Dense(3, name="c")(q)}, name="two"
    )
    x = module.Input((6,), name="rows")
    found = inner({"p": x, "q": kinds.Dense(6, name="before")(x)})
    return module.Model(x, kinds.Dense(2, name="after")(kinds.Subtract(name="less")([found["z"], found["c"]])))


NESTED = [stack_in_stack, graph_in_stack, graph_twice, stack_in_graph, deep, two_ends]


@pytest.mark.parametrize("build", NESTED, ids=lambda build: build.__name__)
def test_nested_nets_of_keras_s_are_read_and_go_back(build, tmp_path):
    theirs = build(keras)
    y = [Y, RNG.normal(size=(40, 4)).astype(np.float32)] if build is graph_twice else Y
    theirs.compile(keras.optimizers.Adam(0.01, epsilon=1e-3), "mse")
    train(theirs, X, y)
    ours = back(theirs, tmp_path, X, y, nested=True)
    ours.save(tmp_path / "flat.keras")
    flat = keras.models.load_model(tmp_path / "flat.keras")
    same_outputs(flat, ours)
    same_optimizer(ours, flat)
    for name in ("theirs.keras", "theirs.h5"):
        fresh = build(thalweg)
        fresh.load_weights(tmp_path / name)
        held = keras.models.load_model(tmp_path / name, compile=False)
        identical(fresh, held, nested=True)
        same_outputs(fresh, held)


@pytest.mark.parametrize("build", NESTED, ids=lambda build: build.__name__)
def test_nets_that_thalweg_nested_are_read_by_keras(build, tmp_path):
    ours = build(thalweg)
    for ending in (".keras", ".h5"):
        ours.save(tmp_path / f"ours{ending}")
        same_outputs(keras.models.load_model(tmp_path / f"ours{ending}", compile=False), ours, tolerance=1e-5)
        identical(thalweg.models.load_model(tmp_path / f"ours{ending}"), ours)
