"""Every optimizer and schedule in files: its settings, and all it remembers, from thalweg to Keras and back."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest
from file_pairs import exchanged, same_optimizer_settings, slots_of, train

import thalweg
from thalweg import optimizers
from thalweg.optimizers import schedules

CASES = [
    ("Adadelta", {"learning_rate": 0.1, "rho": 0.9, "clipnorm": 0.8}),
    ("Adagrad", {"learning_rate": 0.05, "initial_accumulator_value": 0.3, "weight_decay": 0.05}),
    ("Adam", {"amsgrad": True, "epsilon": 1e-4, "beta_1": 0.8, "clipvalue": 0.1}),
    ("Adam", {"gradient_accumulation_steps": 2, "epsilon": 1e-4}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.9, "amsgrad": True, "epsilon": 1e-4}),
    ("Adamax", {"epsilon": 1e-4, "global_clipnorm": 0.5}),
    ("AdamW", {"weight_decay": 0.1, "epsilon": 1e-4}),
    ("AdamW", {"weight_decay": None, "epsilon": 1e-4}),
    ("Lion", {"learning_rate": 0.001, "beta_1": 0.8}),
    ("Nadam", {"epsilon": 1e-4, "beta_2": 0.99}),
    ("RMSprop", {"epsilon": 1e-3}),
    ("RMSprop", {"epsilon": 1e-3, "momentum": 0.5, "centered": True}),
    ("RMSprop", {"epsilon": 1e-3, "momentum": 0.0, "centered": True}),
    ("SGD", {"learning_rate": 0.05}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.0, "weight_decay": 0.0}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.0, "nesterov": True}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "use_ema": True, "ema_overwrite_frequency": 2}),
    ("SGD", {"learning_rate": 0.05, "name": "mine"}),
]
IDS = [f"{name}-{'-'.join(given)}" for name, given in CASES]
each_case = pytest.mark.parametrize(("name", "given"), CASES, ids=IDS)

SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.8}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.8, "staircase": True}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "power": 2.0, "cycle": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 21, "alpha": 0.1}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 9, "warmup_target": 0.1, "warmup_steps": 6}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5, "m_mul": 0.5}),
    ("PiecewiseConstantDecay", {"boundaries": [2, 6], "values": [0.1, 0.05, 0.01]}),
]


def net(module, optimizer):
    kinds = module.layers
    model = module.Sequential(
        [
            module.Input((6,)),
            kinds.Dense(3, activation="tanh", use_bias=False, name="first"),
            kinds.Dense(2, name="last"),
        ]
    )
    model.compile(optimizer, "mse")
    return model


def test_every_optimizer_stands_in_the_table_of_cases():
    assert {name for name, _ in CASES} == {cls.__name__ for cls in optimizers.TABLE.values()}
    assert {name for name, _ in SCHEDULES} == set(schedules.TABLE)


@each_case
def test_an_optimizer_goes_to_keras_and_back(name, given, tmp_path):
    ours = net(thalweg, getattr(optimizers, name)(**given))
    again, theirs = exchanged(ours, tmp_path)
    assert again.optimizer.name == ours.optimizer.name == theirs.optimizer.name
    terms = {"SGD": {"momentum": 0.0}, "RMSprop": {"momentum": 0.0}, "AdamW": {"weight_decay": 0.0}}.get(name, {})
    known = {key: terms.get(key) if value is None else value for key, value in given.items()}
    left = {key: value for key, value in terms.items() if key != "weight_decay"}  # what is not there is 0 for Keras
    same_optimizer_settings(again, net(thalweg, getattr(optimizers, name)(**{**left, **known})))


@each_case
def test_an_optimizer_of_keras_s_is_read_with_its_settings(name, given, tmp_path):
    if given.get("weight_decay", 0) is None:
        pytest.skip("Keras's AdamW is never without")
    theirs = net(keras, getattr(keras.optimizers, name)(**given))
    wanted = getattr(optimizers, name)(**{"momentum": 0.0, **given} if name in ("SGD", "RMSprop") else given)
    for ending in (".keras", ".h5"):
        theirs.save(tmp_path / f"new{ending}")
        ours = thalweg.models.load_model(tmp_path / f"new{ending}")
        same_optimizer_settings(ours, net(thalweg, wanted))
        assert ours.optimizer.iterations == 0
    train(theirs), train(ours)
    assert slots_of(ours)["iteration"] == slots_of(theirs)["iteration"] == 5


@pytest.mark.parametrize(("name", "given"), SCHEDULES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(SCHEDULES)])
def test_a_schedule_goes_to_keras_and_back(name, given, tmp_path):
    scale = 1.0 if given.get("warmup_target") else 0.5
    ours = net(thalweg, optimizers.SGD(getattr(schedules, name)(**given), momentum=0.5))
    ours.hypers["optimizer/learning_rate/scale"] = scale
    _, theirs = exchanged(ours, tmp_path)
    assert isinstance(theirs.optimizer._learning_rate, getattr(keras.optimizers.schedules, name))
    kept = thalweg.models.load_model(tmp_path / "ours.keras")
    assert kept.hypers["optimizer/learning_rate/scale"] == scale
    assert kept.optimizer._learning_rate.get_config() == ours.optimizer._learning_rate.get_config()
    described = thalweg.models.model_from_json(ours.to_json())
    now, then = described.optimizer._learning_rate, ours.optimizer._learning_rate
    np.testing.assert_allclose([now(i) for i in range(12)], [then(i) for i in range(12)], rtol=1e-6)
