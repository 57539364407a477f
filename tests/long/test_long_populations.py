"""The same promises as the quick tests, over many more cases."""

import gc

import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import thalweg
from thalweg import layers, optimizers, regularizers
from thalweg.engine import compiled

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 6)).astype(np.float32)
Y = RNG.integers(0, 3, 150)

KINDS = {
    "dense": lambda width: layers.Dense(width, activation="relu", kernel_regularizer=regularizers.L2(1e-3)),
    "sigmoid": lambda width: layers.Dense(width, activation="sigmoid", bias_regularizer="l1"),
    "softmax": lambda width: layers.Dense(width, activation="softmax"),
    "dropout": lambda width: layers.Dropout(0.2),
    "layer norm": lambda width: layers.LayerNormalization(),
    "elu": lambda width: layers.ELU(),
    "noise": lambda width: layers.GaussianNoise(0.1),
    "prelu": lambda width: layers.PReLU(),
}


def net(kinds, width, optimizer):
    parts = [layers.Dense(width, activation="tanh"), *(KINDS[kind](width) for kind in kinds)]
    model = thalweg.Sequential([thalweg.Input((6,)), *parts, layers.Dense(3, activation="softmax")])
    model.compile(optimizer(optimizers.schedules.CosineDecay(3e-3, 200)), "sparse_categorical_crossentropy")
    return model


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(
    kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4),
    widths=st.lists(st.integers(1, 12), min_size=2, max_size=4),
    optimizer=st.sampled_from(
        [optimizers.Adam, optimizers.RMSprop, optimizers.SGD, optimizers.Nadam, optimizers.Adagrad]
    ),
)
def test_members_of_any_structure_predict_as_nets_trained_alone(kinds, widths, optimizer):
    population = thalweg.Population([net(kinds, width, optimizer) for width in widths])
    population.fit(X, Y, epochs=20, batch_size=32, verbose=0, seeds=list(range(len(widths))))
    for seed, (member, width) in enumerate(zip(population, widths, strict=True)):
        solo = net(kinds, width, optimizer)
        solo.fit(X, Y, epochs=20, batch_size=32, verbose=0, seed=seed)
        mine, alone = member.predict(X), solo.predict(X)
        assert np.linalg.norm(mine - alone) < 1e-4 * np.linalg.norm(alone)


def test_a_hundred_nets_of_one_structure_are_compiled_once_and_leave_no_memory_behind():
    process = psutil.Process()

    def one(seed):
        model = net(["dense", "dropout"], 32, optimizers.Adam)
        model.fit(X, Y, epochs=1, verbose=0, seed=seed)

    for seed in range(3):
        one(seed)
    gc.collect()
    before, traces = process.memory_info().rss, sum(program.traces for program in compiled())
    for seed in range(100):
        one(seed)
    gc.collect()
    assert sum(program.traces for program in compiled()) == traces
    assert process.memory_info().rss - before < 20 * 2**20


def test_the_course_s_network_learns_the_embedded_digits():
    (x, y), (x_test, y_test) = thalweg.datasets.digits.load_data()
    model = thalweg.Sequential(
        [
            thalweg.Input((28, 28)),
            layers.Flatten(),
            layers.Rescaling(1 / 255),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=32, epochs=20, verbose=0, seed=0)
    assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.955
