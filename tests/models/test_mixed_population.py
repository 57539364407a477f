"""Members that differ in schedules, optimizers, activations and depth: each is the net trained alone."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from mixed_nets import MIXTURES, X, Y, assert_same, momentum, net

import thalweg
from thalweg import callbacks, layers, optimizers
from thalweg.models import _crew
from thalweg.models._crew import Crew, crew_key
from thalweg.models._not_finite import LossWarning
from thalweg.optimizers.schedules import CosineDecay

GIVEN = {"epochs": 5, "batch_size": 32, "verbose": 0, "validation_split": 0.2}


def crew_of(models):
    for model in models:
        model.ready(thalweg.data.adapt(X, Y))
    return Crew([model.task() for model in models])


@pytest.mark.parametrize("mixture", MIXTURES)
def test_members_equal_nets_trained_alone(mixture, monkeypatch):
    kinds = MIXTURES[mixture]
    alone = [net(**kind) for kind in kinds]
    for i, solo in enumerate(alone):
        solo.fit(X, Y, seed=i, **GIVEN)
    accuracies = [solo.evaluate(X, Y, verbose=0)[1] for solo in alone]
    monkeypatch.setattr(_crew, "padded_count", lambda members: members)
    for how in ("map", "vmap"):
        monkeypatch.setattr(_crew, "ways", lambda members, how=how: (how, 1))
        population = thalweg.Population([net(**kind) for kind in kinds])
        population.fit(X, Y, seeds=list(range(len(kinds))), **GIVEN)
        np.testing.assert_allclose(population.evaluate(X, Y)["accuracy"], accuracies, atol=1e-6)
        for member, solo in zip(population, alone, strict=True):
            assert_same(member, solo)
            for mine, other in zip(leaves(member.optimizer_state), leaves(solo.optimizer_state), strict=True):
                assert mine.shape == other.shape
                np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


def leaves(state):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(jax.device_get(state))]


def test_in_float64_they_agree_to_1e9():
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import thalweg
thalweg.config.set_floatx('float64')
from mixed_nets import MIXTURES, X, Y, assert_same, net
given = {'epochs': 5, 'batch_size': 32, 'verbose': 0, 'validation_split': 0.2}
for kinds in (MIXTURES['all'], MIXTURES['optimizers']):
    population = thalweg.Population([net(**kind) for kind in kinds])
    population.fit(X, Y, seeds=list(range(len(kinds))), **given)
    for i, (member, kind) in enumerate(zip(population, kinds, strict=True)):
        solo = net(**kind)
        solo.fit(X, Y, seed=i, **given)
        assert_same(member, solo, 1e-9)
print('agreed')
"""
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", code, here], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "agreed", done.stderr[-3000:]


def test_what_a_member_lacks_is_zero_and_stays_zero():
    models = [net((4,), optimizer=momentum), net((8, 8, 8)), net((8, 8), optimizer=optimizers.Adagrad)]
    population = thalweg.Population(models)
    seen = []

    class Look(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            session = self.model.session
            seen.append((session.crew, jax.device_get(session._state)))

    population.fit(X, Y, seeds=[0, 1, 2], callbacks=[Look()], **GIVEN)
    crew, state = seen[-1]
    shares = [member.share for member in crew.members]
    lacking = [[k for k, lies in enumerate(share.trained) if lies is None] for share in shares]
    assert [len(each) for each in lacking] == [4, 0, 2]
    for i, each in enumerate(lacking):
        columns = [[slots[name][i] for slots in state.optimizer.slots] for name in state.optimizer.slots[0]]
        assert len(columns) == 3  # momentum, velocity, accumulator
        for arrays in ([array[i] for array in state.params], *columns):
            apart = crew.task.apart(arrays)
            assert len(apart) == 8
            assert not any(apart[k].any() for k in each)


def test_what_is_alike_in_all_is_compiled_as_for_one():
    models = [net((8, 8), optimizer=lambda rate=rate: optimizers.Adam(rate)) for rate in (1e-2, 1e-3)]
    crew = crew_of(models)
    assert replace(crew.task, flat=False).structure == models[0].task().structure
    assert crew.units == ()
    mixed = crew_of([net((8, 8)), net((8, 8), optimizer=lambda: optimizers.Adam(CosineDecay(0.1, 9)))])
    assert type(mixed.task.optimizer) is optimizers.Adam
    assert mixed.task.network.structure() == models[0].network.structure()
    assert mixed.units == ()


def test_hypers_and_changes_are_the_members_own():
    population = thalweg.Population([net((4,), optimizer=momentum), net((8, 8), "tanh")])

    class Turn(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                self.model[0].hypers["optimizer/momentum"] = 0.5
                self.model[1].hypers["dropout_1/rate"] = 0.4

    population.fit(X, Y, seeds=[0, 1], callbacks=[Turn()], **GIVEN)
    changes = [[(one.path, one.old, one.new) for one in member.history.changes] for member in population]
    assert changes == [[("optimizer/momentum", 0.9, 0.5)], [("dropout_1/rate", 0.2, 0.4)]]
    solo = net((8, 8), "tanh")

    class TurnAlone(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                self.model.hypers["dropout_1/rate"] = 0.4

    solo.fit(X, Y, seed=1, callbacks=[TurnAlone()], **GIVEN)
    assert_same(population[1], solo)


def test_a_member_that_stops_leaves_the_others_alone():
    kinds = [{"optimizer": lambda: optimizers.SGD(0.0)}, {"widths": (8, 8), "activation": "tanh"}]
    population = thalweg.Population([net(**kind) for kind in kinds])
    stop = callbacks.EarlyStopping("loss", min_delta=1e-3, patience=1, restore_best_weights=True)
    population.fit(X, Y, seeds=[0, 1], callbacks=[stop], **{**GIVEN, "epochs": 7})
    assert len(population[0].history.epoch) < len(population[1].history.epoch)
    for i, kind in enumerate(kinds):
        solo = net(**kind)
        again = callbacks.EarlyStopping("loss", min_delta=1e-3, patience=1, restore_best_weights=True)
        solo.fit(X, Y, seed=i, callbacks=[again], **{**GIVEN, "epochs": 7})
        assert_same(population[i], solo)


def test_a_lost_loss_is_told_in_words_of_the_member_s_own_net():
    kinds = [{"widths": (8, 8, 8)}, {"widths": (4,), "optimizer": lambda: optimizers.SGD(1e20)}]
    population = thalweg.Population([net(**kind) for kind in kinds])
    with pytest.warns(LossWarning) as told:
        population.fit(X, Y, seeds=[0, 1], **GIVEN)
    message = str(told[0].message)
    names = [layer.name for layer in population[1].layers]
    assert message.startswith("Member 1: The loss became")
    assert any(f"'{name}'" in message for name in names) and "model.optimizer.learning_rate" in message
    assert all(np.isfinite(weight).all() for weight in population[1].get_weights())
    solo = net(**kinds[0])
    solo.fit(X, Y, seed=0, **GIVEN)
    assert_same(population[0], solo)


def test_one_goes_on_as_if_nothing_had_happened(tmp_path):
    kinds = MIXTURES["all"]

    class Break(callbacks.Callback):
        def on_progress(self, step, logs=None):
            if self.model.session.epoch == 2 and step >= 2:
                raise RuntimeError("broken off")

        def next_stop(self, step):
            return step + 1

    class Steps(callbacks.Callback):
        def on_progress(self, step, logs=None):
            pass

        def next_stop(self, step):
            return step + 1

    def fit(more, **given):
        population = thalweg.Population([net(**kind) for kind in kinds])
        population.fit(X, Y, seeds=[0, 1, 2, 3], callbacks=[*more], **given, **GIVEN)
        return population

    with pytest.raises(RuntimeError, match="broken off"):
        fit([Break()], run=callbacks.RunFolder(tmp_path / "run", every=1))
    resumed = fit([Steps()], run=callbacks.RunFolder(tmp_path / "run", every=1))
    for one, other in zip(resumed, fit([Steps()]), strict=True):
        assert one.history.history == other.history.history
        for mine, theirs in zip(
            [*leaves(one.optimizer_state), *one.get_weights()],
            [*leaves(other.optimizer_state), *other.get_weights()],
            strict=True,
        ):
            np.testing.assert_array_equal(mine, theirs)


def test_a_graph_mixes_activations_and_optimizers_but_lacks_no_layer():
    def graph(activation, optimizer, more=False):
        x = thalweg.Input((6,))
        left = layers.Dense(5, activation=activation)(x)
        right = layers.Activation(activation)(layers.Dense(5)(x))
        both = layers.Add()([left, layers.Dense(5)(right) if more else right])
        model = thalweg.Model(x, layers.Dense(3, activation="softmax")(both))
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    population = thalweg.Population([graph("relu", "adam"), graph("tanh", "sgd")])
    population.fit(X, Y, seeds=[0, 1], **GIVEN)
    solo = graph("tanh", "sgd")
    solo.fit(X, Y, seed=1, **GIVEN)
    assert_same(population[1], solo)
    with pytest.raises(ValueError, match="Member 1 differs from member 0 in .*(graph|layer)"):
        thalweg.Population([graph("relu", "adam"), graph("relu", "adam", more=True)]).fit(X, Y, **GIVEN)


class Mine(layers.Layer):
    def apply(self, w, x, ctx):
        return x + 1


def own_activation(x):
    return x * 2


def squares(w):
    return (w**2).sum()


def refused():
    import optax

    def twice(first, second, word):
        return pytest.param(first, second, word, id=word)

    def loss(name):
        model = net()
        model.compile("adam", name)
        return model

    def metric(names):
        model = net()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=names)
        return model

    def inserted(layer):
        model = thalweg.Sequential([thalweg.Input((6,)), layers.Dense(4), layer, layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    return [
        twice(net, lambda: net(optimizer=lambda: optax.sgd(0.1)), "its optimizer: OptaxOptimizer against Adam"),
        twice(net, lambda: net(optimizer=lambda: optimizers.Adam(use_ema=True)), "use_ema"),
        twice(net, lambda: net(activation=own_activation), "'dense'"),
        twice(net, lambda: net(activation="softmax"), "'dense'"),
        twice(net, lambda: loss(thalweg.losses.SparseCategoricalCrossentropy(ignore_class=1)), "its losses"),
        twice(net, lambda: metric(["accuracy", "accuracy"]), "its metrics"),
        twice(lambda: inserted(layers.ELU()), lambda: inserted(Mine()), "layer"),
        twice(net, lambda: net(()), "layer"),
    ]


@pytest.mark.parametrize(("first", "second", "word"), refused())
def test_what_cannot_be_mixed_is_named(first, second, word):
    with pytest.raises(ValueError, match=f"Member 1 differs from member 0 in .*{word}"):
        crew_of([first(), second()])
    keys = [crew_key(first()), crew_key(second())]
    assert keys[0] != keys[1]


def test_a_net_with_a_layer_of_a_person_s_own_may_lack_none_around_it():
    def built(widths):
        parts = [layers.Dense(width, kernel_regularizer=squares) for width in widths]
        model = thalweg.Sequential([thalweg.Input((6,)), *parts, layers.Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    with pytest.raises(ValueError, match="kernel_regularizer of layer"):
        crew_of([built((4,)), built((4, 4))])


def test_the_key_is_that_of_what_can_be_mixed():
    alike = [
        net(**kind)
        for kinds in MIXTURES.values()
        for kind in kinds
        if not kind.keys() & {"kernel_constraint", "kernel_regularizer"}
    ]
    keys = {crew_key(model) for model in alike}
    assert len(keys) == 2  # those that keep averages are apart
    crew_of([model for model in alike if crew_key(model) == crew_key(alike[0])])


def test_a_plan_says_what_is_done():
    plan = crew_of([net((4,), optimizer=momentum), net((8, 8), "tanh")]).plan()
    assert (plan["members"], plan["widths"], plan["depths"]) == (2, [8, 8, 3], [2, 3])
    assert plan["kinds"] == {
        "activations": ["relu", "tanh"],
        "optimizers": ["Adam", "SGD"],
        "schedules": ["Constant", "CosineDecay"],
    }
    own, padded = 6 * 4 + 4 * 3 + 6 * 8 + 8 * 8 + 8 * 3, 2 * (6 * 8 + 8 * 3) + 8 * 8
    assert plan["wasted"] == pytest.approx(1 - own / padded, abs=1e-4)  # a layer that is lacking costs nothing
    assert crew_of([net((4,)), net((4,))]).plan()["wasted"] == 0


def test_layers_as_activations_have_their_own_numbers():
    slopes = [0.1, 0.7]
    models = [net(activation=layers.LeakyReLU(slope)) for slope in slopes]
    population = thalweg.Population(models)
    population.fit(X, Y, seeds=[0, 0], **GIVEN)
    for member, slope in zip(population, slopes, strict=True):
        assert member.hypers["dense/activation/negative_slope"] == slope
        solo = net(activation=layers.LeakyReLU(slope))
        solo.fit(X, Y, seed=0, **GIVEN)
        assert_same(member, solo)
