"""A member of a population is the same net as one trained alone with the same seed."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import thalweg
from thalweg import layers, optimizers, regularizers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 6)).astype(np.float32)
Y = RNG.integers(0, 3, 150)


def net(widths, dropout=0.2, l2=1e-3, rate=1e-2, optimizer=optimizers.Adam, activation="relu", normal=False):
    parts = [thalweg.Input((6,))]
    for width in widths:
        parts.append(layers.Dense(width, activation=activation, kernel_regularizer=regularizers.L2(l2)))
        if normal:
            parts.append(layers.BatchNormalization())
        parts.append(layers.Dropout(dropout))
    model = thalweg.Sequential([*parts, layers.Dense(3, activation="softmax")])
    schedule = optimizers.schedules.ExponentialDecay(rate, 20, 0.9)
    model.compile(optimizer(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def distance(a, b):
    return np.linalg.norm(np.asarray(a) - np.asarray(b)) / max(np.linalg.norm(np.asarray(b)), 1e-6)


def assert_same(member, solo):
    assert distance(member.predict(X), solo.predict(X)) < 1e-4
    for mine, alone in zip(member.get_weights(), solo.get_weights(), strict=True):
        assert mine.shape == alone.shape
        assert distance(mine, alone) < 1e-4


def test_members_equal_nets_trained_alone():
    rates = [1e-2, 3e-3, 1e-3]
    population = thalweg.Population([net((8, 8), rate=rate, dropout=rate * 10) for rate in rates])
    population.fit(X, Y, epochs=20, batch_size=32, verbose=0, seeds=[3, 4, 5])
    for member, rate, seed in zip(population, rates, [3, 4, 5], strict=True):
        solo = net((8, 8), rate=rate, dropout=rate * 10)
        history = solo.fit(X, Y, epochs=20, batch_size=32, verbose=0, seed=seed)
        assert_same(member, solo)
        np.testing.assert_allclose(member.history.history["loss"], history.history["loss"], rtol=1e-4)


def test_validation_is_that_of_the_epoch_it_follows():
    population = thalweg.Population([net((8,)), net((5,))])
    population.fit(X, Y, epochs=3, verbose=0, seeds=[3, 4], validation_split=0.2)
    for member, width, seed in zip(population, (8, 5), (3, 4), strict=True):
        solo = net((width,))
        alone = solo.fit(X, Y, epochs=3, verbose=0, seed=seed, validation_split=0.2).history
        assert set(member.history.history) == set(alone)
        for name, values in alone.items():
            np.testing.assert_allclose(member.history.history[name], values, rtol=1e-4, err_msg=name)


widths = st.lists(st.integers(1, 12), min_size=2, max_size=2).map(tuple)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(
    shapes=st.lists(widths, min_size=2, max_size=4),
    activation=st.sampled_from(["relu", "sigmoid", "softmax", "tanh"]),
    optimizer=st.sampled_from([optimizers.Adam, optimizers.RMSprop, optimizers.SGD]),
    dropout=st.sampled_from([0.0, 0.3]),
)
def test_padded_members_equal_nets_trained_alone(shapes, activation, optimizer, dropout):
    models = [net(shape, dropout, activation=activation, optimizer=optimizer) for shape in shapes]
    population = thalweg.Population(models)
    seeds = list(range(len(shapes)))
    population.fit(X, Y, epochs=20, batch_size=32, verbose=0, seeds=seeds)
    for member, shape, seed in zip(population, shapes, seeds, strict=True):
        solo = net(shape, dropout, activation=activation, optimizer=optimizer)
        solo.fit(X, Y, epochs=20, batch_size=32, verbose=0, seed=seed)
        assert_same(member, solo)


def test_each_member_stops_on_its_own():
    population = thalweg.Population([net((4,), rate=0.0), net((4,), rate=1e-2)])
    stopping = thalweg.callbacks.EarlyStopping(monitor="loss", patience=2)
    population.fit(X, Y, epochs=8, verbose=0, callbacks=[stopping], seeds=[0, 1])
    lengths = [len(member.history.epoch) for member in population]
    assert lengths[0] < lengths[1]
    solo = net((4,), rate=0.0)
    solo.fit(X, Y, epochs=lengths[0], verbose=0, seed=0)
    assert_same(population[0], solo)


def test_a_built_member_brings_its_weights():
    model = net((4,), rate=0.0)
    model.fit(X, Y, epochs=1, verbose=0, seed=9)
    before = model.get_weights()
    population = thalweg.Population([model, net((4,), rate=0.0)])
    population.fit(X, Y, epochs=1, verbose=0, seeds=[1, 2])
    for a, b in zip(before, population[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_of_seeds_gives_twins_that_differ():
    population = thalweg.Population.of_seeds(net((4,)), 3)
    population.fit(X, Y, epochs=1, verbose=0, seeds=[0, 1, 0])
    first, second, third = (member.get_weights()[0] for member in population)
    assert not np.allclose(first, second)
    np.testing.assert_allclose(first, third, rtol=1e-5)


def test_predict_and_evaluate_have_an_axis_of_members():
    population = thalweg.Population([net((4,)), net((7,))])
    population.fit(X, Y, epochs=1, verbose=0, seeds=[0, 1])
    assert population.predict(X).shape == (2, 150, 3)
    scores = population.evaluate(X, Y)
    assert scores["accuracy"][1] == pytest.approx(population[1].evaluate(X, Y, verbose=0)[1], abs=1e-6)


def test_members_of_other_structure_are_refused_by_name():
    with pytest.raises(ValueError, match="Member 1 differs from member 0 in .* 'dense'"):
        thalweg.Population([net((4,)), net((4,), activation="softmax")]).fit(X, Y, verbose=0)


def test_hypers_of_a_member_can_be_turned():
    population = thalweg.Population([net((4,)), net((4,))])

    class Turn(thalweg.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model[1].hypers["dropout/rate"] = 0.9

    population.fit(X, Y, epochs=2, verbose=0, callbacks=[Turn()], seeds=[0, 0])
    assert [change.path for change in population[1].history.changes] == ["dropout/rate"]
    assert population[0].history.changes == []


def graph(wide, tall):
    """Everything that padding has to get through: merges, flattening, normalizations, constraints, penalties."""
    inputs = thalweg.Input((6,))
    left = layers.Dense(wide, activation="relu", kernel_regularizer="orthogonal_regularizer")(inputs)
    left = layers.BatchNormalization()(left)
    right = layers.Dense(tall, kernel_constraint="max_norm", activity_regularizer="l2")(inputs)
    right = layers.LayerNormalization()(layers.PReLU("ones")(right))
    both = layers.Concatenate()([left, layers.GaussianNoise(0.1)(right), inputs])
    mixed = layers.Dense(wide, activation="softmax", bias_regularizer="l1")(both)
    summed = layers.Multiply()([layers.ELU()(layers.Dense(wide)(both)), mixed])
    flat = layers.Flatten()(layers.Reshape((-1, 1))(layers.LeakyReLU()(summed)))
    model = thalweg.Model(inputs, layers.Dense(3, activation="softmax")(layers.Dropout(0.1)(flat)))
    model.compile(optimizers.Adam(5e-3, clipnorm=0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_padding_gets_through_every_kind_of_layer():
    shapes = [(5, 3), (2, 7), (5, 7)]
    population = thalweg.Population([graph(*shape) for shape in shapes])
    population.fit(X, Y, epochs=10, batch_size=32, verbose=0, seeds=[0, 1, 2])
    for member, shape, seed in zip(population, shapes, [0, 1, 2], strict=True):
        solo = graph(*shape)
        solo.fit(X, Y, epochs=10, batch_size=32, verbose=0, seed=seed)
        assert distance(member.predict(X), solo.predict(X)) < 1e-4
        np.testing.assert_allclose(member.history.history["loss"], solo.history.history["loss"], rtol=1e-4)


def test_lion_s_sign_agrees_one_step_at_a_time():
    population = thalweg.Population([net(shape, optimizer=optimizers.Lion, rate=1e-3) for shape in ((4,), (9,))])
    solos = [net(shape, optimizer=optimizers.Lion, rate=1e-3) for shape in ((4,), (9,))]
    population.fit(X[:32], Y[:32], epochs=1, batch_size=32, verbose=0, seeds=[0, 1])
    for i, solo in enumerate(solos):
        solo.fit(X[:32], Y[:32], epochs=1, batch_size=32, verbose=0, seed=i)
        assert_same(population[i], solo)


def test_what_may_not_be_padded_is_named():
    import optax

    class Mine(layers.Layer):
        def apply(self, w, x, ctx):
            return x + 1

    def built(width, extra=None, optimizer="sgd", penalty=None):
        parts = [
            layers.Dense(width, kernel_regularizer=penalty),
            *([extra] if extra else []),
            layers.Dense(3, activation="softmax"),
        ]
        model = thalweg.Sequential([thalweg.Input((6,)), *parts])
        model.compile(optimizer, "sparse_categorical_crossentropy")
        return model

    given = {"verbose": 0, "seeds": [0, 1]}
    twice = optax.sgd(0.1)

    def penalty(w):
        return (w**2).mean()

    for make, culprit in (
        (lambda width: built(width, optimizer=twice), "OptaxOptimizer"),
        (lambda width: built(width, penalty=penalty), "kernel_regularizer of layer"),
    ):
        with pytest.raises(ValueError, match=culprit):
            thalweg.Population([make(4), make(5)]).fit(X, Y, **given)
        thalweg.Population([make(4), make(4)]).fit(X, Y, **given)
    with pytest.raises(ValueError, match="Mine"):
        thalweg.Population([built(4, Mine()), built(5, Mine())]).fit(X, Y, **given)


def test_a_population_learns_from_batches_too():
    population = thalweg.Population([net((4,)), net((6,))])
    batches = [(X[i : i + 30], Y[i : i + 30]) for i in range(0, 150, 30)]

    class Batches(thalweg.utils.PyDataset):
        def __len__(self):
            return len(batches)

        def __getitem__(self, index):
            return batches[index]

    population.fit(Batches(), epochs=3, verbose=0, seeds=[0, 1])
    solo = net((6,))
    solo.fit(Batches(), epochs=3, verbose=0, seed=1)
    assert_same(population[1], solo)


def test_side_by_side_and_one_after_the_other_agree(monkeypatch):
    """The way of a GPU (vmap) against that of a CPU (map), a member that stops early included."""
    from thalweg.models import _crew

    stopping = thalweg.callbacks.EarlyStopping(monitor="loss", patience=1)
    made = []
    for how in ("map", "vmap"):
        monkeypatch.setattr(_crew, "ways", lambda members, how=how: (how, 1))
        monkeypatch.setattr(_crew, "padded_count", lambda members: members)
        population = thalweg.Population([net((4,), rate=0.0), net((6,)), net((5,))])
        population.fit(X, Y, epochs=4, verbose=0, seeds=[0, 1, 2], callbacks=[stopping], validation_split=0.2)
        made.append(population)
    for one, other in zip(*made, strict=True):
        assert one.history.epoch == other.history.epoch
        assert_same(one, other)
