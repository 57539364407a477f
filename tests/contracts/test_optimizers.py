"""Every optimizer and schedule against Keras's: the same gradients, the same weights."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from thalweg import constraints, optimizers
from thalweg.optimizers import schedules

PLAIN = ["Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "Lion", "Nadam", "RMSprop", "SGD"]
COMMON = [
    {},
    {"clipnorm": 0.5},
    {"clipvalue": 0.1},
    {"global_clipnorm": 0.5},
    {"weight_decay": 0.05},
    {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 3, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 4},
]
OWN = [
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"momentum": 0.8}),
    ("RMSprop", {"centered": True, "rho": 0.95}),
    ("Adam", {"amsgrad": True, "beta_1": 0.8}),
    ("Adagrad", {"initial_accumulator_value": 0.5}),
]
CASES = [(name, given) for name in PLAIN for given in COMMON] + OWN
IDS = [f"{name}-{'-'.join(given) or 'plain'}" for name, given in CASES]
each_case = pytest.mark.parametrize(("name", "given"), CASES, ids=IDS)

SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.8}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.8, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.8}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.8, "staircase": True}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 13, "power": 2.0}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 13, "cycle": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 21, "alpha": 0.1}),
    ("CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 21, "warmup_target": 0.1, "warmup_steps": 6}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 6, "t_mul": 1.0, "m_mul": 0.5}),
    ("PiecewiseConstantDecay", {"boundaries": [5, 17], "values": [0.1, 0.05, 0.01]}),
]
each_schedule = pytest.mark.parametrize(
    ("name", "given"), SCHEDULES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(SCHEDULES)]
)

START = (np.linspace(-1, 1, 12).reshape(4, 3).astype(np.float32), np.array([0.5, -0.2, 0.1], np.float32))


def gradients(step):
    rng = np.random.default_rng(step)
    return tuple((rng.normal(size=w.shape) * (1 + step % 5)).astype(np.float32) for w in START)


def batches(steps):
    """All gradients at once, with a leading axis of steps."""
    each = [gradients(i) for i in range(steps)]
    return tuple(jnp.stack([one[k] for one in each]) for k in range(len(START)))


def ours_after(optimizer, steps, limits=(None, None)):
    """The weights after some steps, all in one program."""
    numbers = {key: jnp.float32(value) for key, value in optimizer.hypers().items()}

    @jax.jit
    def run(params, state, grads):
        def step(carried, g):
            return optimizer.apply(numbers, carried[1], carried[0], g, limits), None

        return jax.lax.scan(step, (params, state), grads)[0]

    state = jax.tree.map(jnp.asarray, optimizer.init(START))
    return run(tuple(jnp.asarray(w) for w in START), state, batches(steps))


def theirs_after(optimizer, steps, limit=None):
    variables = [keras.Variable(w) for w in START]
    if limit is not None:
        variables[0].constraint = limit
        for i in range(steps):
            optimizer.apply(list(gradients(i)), variables)
        return [v.numpy() for v in variables]
    optimizer.build(variables)

    @jax.jit
    def run(params, state, grads):
        def step(carried, g):
            return tuple(optimizer.stateless_apply(carried[1], list(g), carried[0])), None

        return jax.lax.scan(step, (params, state), grads)[0]

    moved, _ = run([v.value for v in variables], [v.value for v in optimizer.variables], batches(steps))
    return [np.array(w) for w in moved]


def test_every_optimizer_stands_in_the_table():
    assert set(PLAIN) == {cls.__name__ for cls in optimizers.TABLE.values()}
    assert {name for name, _ in SCHEDULES} == set(schedules.TABLE)


@each_case
def test_200_steps_are_keras_s(name, given):
    steps = 20 if name == "Lion" else 200
    rate = 0.01
    mine, _ = ours_after(getattr(optimizers, name)(rate, **given), steps)
    real = theirs_after(getattr(keras.optimizers, name)(rate, **given), steps)
    for a, b in zip(mine, real, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


@each_schedule
def test_schedules_are_keras_s(name, given):
    ours, theirs = getattr(schedules, name)(**given), getattr(keras.optimizers.schedules, name)(**given)
    for step in range(60):
        np.testing.assert_allclose(ours(step), theirs(step), rtol=2e-5, atol=1e-9, err_msg=str(step))


@each_schedule
def test_a_scheduled_optimizer_is_keras_s(name, given):
    mine, _ = ours_after(optimizers.Adam(getattr(schedules, name)(**given)), 40)
    real = theirs_after(keras.optimizers.Adam(getattr(keras.optimizers.schedules, name)(**given)), 40)
    for a, b in zip(mine, real, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def test_a_schedule_counts_every_step_where_gradients_are_gathered():
    given = {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.8}
    mine, _ = ours_after(optimizers.Adam(schedules.ExponentialDecay(**given), gradient_accumulation_steps=3), 40)
    keras_s = keras.optimizers.schedules.ExponentialDecay(**given)
    real = theirs_after(keras.optimizers.Adam(keras_s, gradient_accumulation_steps=3), 40)
    for a, b in zip(mine, real, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


@each_schedule
def test_schedules_are_traced_once_whatever_their_numbers_are(name, given):
    schedule, traces = getattr(schedules, name)(**given), []

    @jax.jit
    def rate(h, step):
        traces.append(1)
        return schedule.apply(h, step)

    numbers = schedule.hypers()
    for factor in (1.0, 2.0):
        rate({key: jnp.float32(value * factor) for key, value in numbers.items()}, jnp.int32(3))
    assert len(traces) == 1
    turned = rate({key: jnp.float32(value) for key, value in {**numbers, "scale": 3.0}.items()}, jnp.int32(3))
    np.testing.assert_allclose(turned, 3 * schedule(3), rtol=1e-6)


def test_constraints_follow_the_update():
    mine, _ = ours_after(optimizers.SGD(0.1), 10, (lambda w: jnp.maximum(w, 0), None))
    real = theirs_after(keras.optimizers.SGD(0.1), 10, keras.constraints.NonNeg())
    np.testing.assert_allclose(mine[0], real[0], rtol=1e-5, atol=1e-6)
    assert constraints.get("non_neg")(np.array([-1.0]))[0] == 0


def test_adam_s_epsilon_is_keras_s_and_not_the_paper_s():
    optimizer = optimizers.Adam(0.1)
    numbers = {key: jnp.float32(value) for key, value in optimizer.hypers().items()}
    w = (jnp.zeros(1),)
    moved, _ = optimizer.apply(numbers, optimizer.init(w), w, (jnp.full(1, 1e-8),), (None,))
    np.testing.assert_allclose(-moved[0][0], 3.2e-4, rtol=0.02)


@each_case
def test_description_makes_its_like_and_reads_keras_s(name, given):
    optimizer = getattr(optimizers, name)(0.02, **given)
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.structure() == optimizer.structure()
    assert again.hypers() == optimizer.hypers()
    config = keras.optimizers.serialize(getattr(keras.optimizers, name)(0.02, **given))
    for extra in ("loss_scale_factor",):
        config["config"].pop(extra, None)
    theirs = optimizers.deserialize(config)
    for key, value in optimizer.hypers().items():
        assert theirs.hypers()[key] == pytest.approx(value, rel=1e-6)


@each_case
def test_numbers_are_no_part_of_the_structure(name, given):
    one, other = getattr(optimizers, name)(0.01, **given), getattr(optimizers, name)(0.5, **given)
    assert one.structure() == other.structure()


def test_a_momentum_of_zero_can_be_turned_up_and_none_remembers_nothing():
    assert optimizers.SGD().structure() != optimizers.SGD(momentum=0.0).structure()
    assert optimizers.SGD(momentum=0.0).structure() == optimizers.SGD(momentum=0.9).structure()
    assert optimizers.SGD().init(START).slots == ({}, {})


def test_a_driven_rate_is_read_only_and_says_what_to_turn():
    optimizer = optimizers.Adam(schedules.ExponentialDecay(0.1, 10, 0.5))
    optimizer.iterations = 10
    assert optimizer.learning_rate == pytest.approx(0.05)
    with pytest.raises(TypeError, match="optimizer/learning_rate/scale"):
        optimizer.learning_rate = 0.2
    optimizer.set_hyper("learning_rate/scale", 2.0)
    assert optimizer.learning_rate == pytest.approx(0.1)
    optimizer.learning_rate = schedules.ExponentialDecay(0.3, 10, 0.5)
    assert optimizer.learning_rate == pytest.approx(0.15)


def test_weight_decay_spares_what_is_excluded():
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert optimizer.excludes("dense/bias")
    assert not optimizer.excludes("dense/kernel")


def test_two_ways_of_clipping_are_refused():
    with pytest.raises(ValueError, match="clipnorm and clipvalue"):
        optimizers.Adam(clipnorm=1.0, clipvalue=1.0)


@pytest.mark.parametrize(
    ("make", "culprit"),
    [
        (lambda: optimizers.Adam(-0.1), "learning_rate"),
        (lambda: optimizers.SGD(momentum=1.5), "momentum"),
        (lambda: optimizers.Adam(beta_1=1.0), "beta_1"),
        (lambda: optimizers.RMSprop(rho=-1), "rho"),
        (lambda: optimizers.Adam(clipnorm=float("nan")), "clipnorm"),
        (lambda: optimizers.get("adamm"), "Did you mean 'adam'"),
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1]), "values"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "boundaries"),
    ],
)
def test_what_is_out_of_range_is_named(make, culprit):
    with pytest.raises(ValueError, match=culprit):
        make()


def test_any_optax_transformation_is_taken_as_it_is():
    import optax

    mine, state = ours_after(optimizers.get(optax.sgd(0.1, momentum=0.9)), 30)
    real, _ = ours_after(optimizers.SGD(0.1, momentum=0.9), 30)
    for a, b in zip(mine, real, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert int(state.iterations) == 30


def test_weights_without_gradient_stay_and_stay_fast():
    optimizer = optimizers.Adam(0.1)
    numbers = {key: jnp.float32(value) for key, value in optimizer.hypers().items()}
    w = (jnp.ones(3),)

    @jax.jit
    def many(params, state):
        def step(_, carried):
            return optimizer.apply(numbers, carried[1], carried[0], (jnp.zeros(3),), (None,))

        return jax.lax.fori_loop(0, 2000, step, (params, state))

    first, state = optimizer.apply(numbers, optimizer.init(w), w, (jnp.ones(3),), (None,))
    last, state = many(first, state)
    assert jnp.isfinite(last[0]).all()
    assert jnp.isfinite(state.slots[0]["velocity"]).all()
