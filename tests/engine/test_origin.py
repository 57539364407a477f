"""A loss that is lost is traced to the number that was lost first, and the report says so."""

import pickle
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from thalweg import data, layers, losses, optimizers, regularizers
from thalweg.engine import ArrayFeed, TrainState, program
from thalweg.engine._origin import origin
from thalweg.models._crew import Crew
from thalweg.models._not_finite import LossNotFinite, report

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 3)).astype(np.float32)
Y = X.sum(axis=1, keepdims=True)
BATCH = 4
STEPS = len(X) // BATCH


def net(*parts, optimizer=None, loss="mse", features=3):
    model = thalweg.Sequential([thalweg.Input((features,)), *parts])
    model.compile(optimizer or optimizers.SGD(0.01), loss)
    return model


def dense(name, units=2, **more):
    return layers.Dense(units, name=name, **more)


class Run:
    """A chunk as a fit runs it, in the rows' own order, run by hand."""

    def __init__(self, model, x=X, y=Y, dtype=None, start=0, stop=None):
        rows = data.adapt(x, y, what="fit", batch_size=BATCH)
        model.ready(rows, 0)
        slab = next(iter(ArrayFeed(rows, BATCH).epoch(0)))
        self.task = replace(model.task(), dtype=dtype)
        self.program = program("train", self.task)
        params, frozen = model.arrays()
        state = TrainState(params, frozen, model.optimizer.init(params), np.uint32(0), self.task.watch.init())
        vector = self.task.hypers().astype(np.float32)
        self.arguments = (state, vector, np.uint32(7), slab.data, jax.device_put(slab.order), ())
        self.start, self.stop = start, slab.steps if stop is None else stop

    def state(self, step):
        return self.program(*self.arguments, np.int32(self.start), np.int32(step))[0]

    def set_params(self, change):
        state = self.arguments[0]
        self.arguments = (state._replace(params=change(state.params)), *self.arguments[1:])

    def after(self, step, stop):
        """The chunk that goes on at `step`, and this one cut there as the chunk before."""
        other = object.__new__(Run)
        other.task, other.program = self.task, self.program
        other.arguments = (self.state(step), *self.arguments[1:])
        other.start, other.stop = step, stop
        return other, (self.arguments, self.start, step)

    def origin(self, **more):
        return origin(self.program, self.task, self.arguments, self.start, self.stop, **more)


def finite(tree):
    return all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(tree))


def same(one, other):
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs)


def checked(run, found, *said, before=None):
    """The state is whole and bit for bit the one that the chunk passed through; the report says what is asked."""
    before = found.step - 1 if before is None else before
    assert found.before == before
    assert finite((found.state.params, found.state.frozen))
    assert same(found.state, run.state(before))
    assert not np.isfinite(found.detail["loss"])
    text = report(found, epoch=2, task=run.task, steps=STEPS)
    assert 3 <= len(text.splitlines()) <= 8
    assert f"in epoch 3, step {found.step + 1} of {STEPS}" in text
    for words in (found.place, *said):
        assert words in text
    return text


def with_row(row, value):
    x = X.copy()
    x[row] = value
    return x


# -- the forward half -------------------------------------------------------------------------


def test_steps_far_too_large_overflow_the_next_layers_sums():
    run = Run(net(dense("a", activation="relu"), dense("b", 1), optimizer=optimizers.SGD(1e20)))
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (1, 1, "activation", "b")
    assert found.detail["by"] == "sum"
    assert found.detail["moved"] > 1e18
    assert found.detail["rate"] == pytest.approx(1e20)
    text = checked(run, found, "the sums of layer 'b' (Dense)", "clipnorm=1.0")
    assert "1. a tenth of the learning rate: model.optimizer.learning_rate = 1e+19." in text


def test_an_exponential_that_overflows():
    hot = dense("hot", activation="exponential", kernel_initializer="ones")
    run = Run(net(hot, dense("b", 1), optimizer=optimizers.SGD(1e-6)), with_row(17, 50.0))
    found = run.origin()
    assert (found.step, found.kind, found.place) == (4, "activation", "hot")
    assert (found.detail["by"], found.detail["inf"], found.detail["nan"]) == ("activation", 2, 0)
    assert found.detail["rows"] == [17]
    assert found.detail["largest_sum"] == pytest.approx(150, rel=0.01)
    checked(run, found, "activation 'exponential'", "1. an activation that does not overflow", "'softplus'")


def test_an_activation_without_a_dense_layer_is_named_too():
    run = Run(net(layers.Activation("exponential", name="act"), dense("b", 1)), with_row(17, 100.0))
    found = run.origin()
    assert (found.step, found.kind, found.place) == (4, "activation", "act")
    checked(run, found, "activation 'exponential' of layer 'act'", "'softplus'")


def test_the_logarithm_of_zero_in_a_loss():
    def log_loss(y, p):
        return -jnp.mean(jnp.log(p), axis=-1)

    model = net(dense("a", 1, activation="relu", use_bias=False, kernel_initializer="ones"), loss=log_loss)
    run = Run(model, np.where(np.arange(48)[:, None] == 22, -1, np.abs(X)))
    found = run.origin()
    assert (found.step, found.kind, found.place) == (5, "loss", "log_loss")
    assert (found.detail["rows"], found.detail["zero_outputs"], found.detail["output"]) == ([22], 1, "a")
    checked(run, found, "exactly 0", "1. a loss 'log_loss' that keeps logarithms", "jnp.clip(y_pred, 1e-7, 1.0)")


def test_a_division_of_zero_by_zero_in_a_lambda():
    share = layers.Lambda(lambda x: x / x.sum(axis=-1, keepdims=True), name="share")
    run = Run(net(share, dense("a", 1)), np.abs(with_row(30, 0.0)))
    found = run.origin()
    assert (found.step, found.kind, found.place) == (7, "activation", "share")
    assert (found.detail["nan"], found.detail["rows"]) == (3, [30])
    checked(run, found, "(Lambda)", "row 30 of the data", "x / (s + 1e-7)")


def test_the_very_first_step_leaves_the_state_it_started_from():
    share = layers.Lambda(lambda x: x / x.sum(axis=-1, keepdims=True), name="share")
    run = Run(net(share, dense("a", 1)), np.abs(with_row(0, 0.0)))
    found = run.origin()
    assert (found.step, found.kind, found.place) == (0, "activation", "share")
    assert found.detail["loss_before"] is None
    checked(run, found, "from before this step", before=0)


def test_a_row_of_the_data_that_is_infinite():
    run = Run(net(dense("a", 1)))
    given = run.arguments[3]
    spoilt = given._replace(x=(given.x[0].at[26, 2].set(jnp.inf),))
    run.arguments = (*run.arguments[:3], spoilt, *run.arguments[4:])
    found = run.origin()
    assert (found.step, found.kind, found.place) == (6, "input", "input 0, row 2, column 2 of the batch")
    assert (found.detail["rows"], found.detail["inf"]) == ([26], 1)
    checked(run, found, "row 26 of the data", "np.isfinite(x)")


def test_a_target_that_is_nan():
    run = Run(net(dense("a", 1)), y=np.where(np.arange(48)[:, None] == 9, np.nan, Y))
    found = run.origin()
    assert (found.step, found.kind, found.place) == (2, "input", "target 0, row 1, column 0 of the batch")
    checked(run, found, "row 9 of the data", "keep = np.isfinite(y)")


@pytest.mark.parametrize("on", ["kernel", "activity"])
def test_a_penalty_that_overflows(on):
    held = regularizers.L2(1e-3)
    parts = [dense("a", use_bias=False, kernel_regularizer=held if on == "kernel" else None)]
    if on == "activity":
        parts = [dense("a", activity_regularizer=held), layers.Lambda(lambda x: 0 * x)]
    run = Run(net(*parts, dense("b", 1), optimizer=optimizers.SGD(1.0)), X * (on == "activity"))
    run.set_params(lambda params: (np.full((3, 2), 1e20, np.float32), *params[1:]))
    found = run.origin()
    assert (found.step, found.kind, found.place) == (0, "penalty", "a/kernel" if on == "kernel" else "a")
    checked(run, found, "a smaller factor of the penalty", before=0)


def test_losses_of_rows_that_are_finite_but_not_their_sum():
    run = Run(net(dense("a", 1), optimizer=optimizers.SGD(0.0)), y=np.full((48, 1), 1e19))
    found = run.origin()
    assert (found.step, found.kind, found.place) == (0, "loss", "mean_squared_error")
    assert found.detail["by"] == "sum"
    checked(run, found, "their sum is not", "1. targets that are scaled", before=0)


def test_losses_of_steps_that_are_finite_but_not_their_sum():
    run = Run(net(dense("a", 1), optimizer=optimizers.SGD(0.0)), y=np.full((48, 1), 5e18))
    found = run.origin()
    assert (found.step, found.kind, found.place, found.before) == (3, "loss", "sum of the losses", 2)
    assert found.detail["loss"] == pytest.approx(2.5e37, rel=0.01)
    assert "targets that are scaled, these go up to 5e+18" in report(found, 0, run.task)


def test_an_infinite_mask_that_did_no_harm_before_is_not_blamed():
    masked = layers.Lambda(lambda z: jnp.where(jnp.arange(3) == 0, -jnp.inf, z), name="mask")
    share = layers.Lambda(lambda x: x / x.sum(axis=-1, keepdims=True), name="share")
    run = Run(net(share, masked, layers.Activation("softmax"), dense("a", 1)), np.abs(with_row(30, 0.0)))
    assert run.origin().place == "share"


# -- weights, gradients, updates --------------------------------------------------------------


def test_an_infinite_weight_set_by_hand():
    whole = Run(net(dense("a", 1), dense("b", 1)))
    run, before = whole.after(5, STEPS)
    run.set_params(lambda params: (*params[:2], params[2].at[0, 0].set(jnp.inf), params[3]))
    found = run.origin(earlier=before)
    assert (found.step, found.kind, found.place) == (5, "weights", "b/kernel")
    assert found.detail["inf"] == 1
    checked(whole, found, "they were set", "model.set_weights", before=4)
    alone = run.origin()
    assert (alone.kind, alone.place, alone.state, alone.before) == ("weights", "b/kernel", None, None)
    assert "no state of them with finite weights is known" in report(alone, 0, run.task)


def test_weights_set_between_chunks_are_what_is_left():
    run, before = Run(net(dense("a", 1), dense("b", 1))).after(5, STEPS)
    run.set_params(lambda params: (*params[:2], params[2] * 1e38, params[3]))
    found = run.origin(earlier=before)
    assert (found.step, found.before) == (5, 5)
    assert same(found.state, run.state(5))


def test_an_update_that_overflows():
    run = Run(net(dense("a", 1), optimizer=optimizers.SGD(3e38), loss="mae"), np.full_like(X, 4.0))
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (1, 0, "update", "a/kernel")
    assert (found.detail["inf"], found.detail["by"], found.detail["zero_gradients"]) == (3, "step", 0)
    assert found.detail["largest_gradient"] == pytest.approx(4)
    checked(run, found, "the update of step 1", "model.optimizer.learning_rate = 3e+37", "clipnorm=1.0")


def test_a_root_whose_slope_is_infinite_at_zero():
    root = layers.Lambda(lambda z: jnp.sqrt(jnp.square(z)), name="root")
    run = Run(net(dense("a", use_bias=False), root, dense("b", 1)), with_row(20, 0.0))
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (6, 5, "gradient", "root")
    assert (found.detail["weights"], found.detail["zeros"]) == (["a/kernel"], 2)
    checked(run, found, "the gradient of step 6", "'a/kernel'", "jnp.sqrt(x + 1e-7)", before=5)


def test_a_loss_whose_slope_is_infinite_at_zero():
    def rooted(y, p):
        return jnp.sqrt(jnp.square(y - p)).mean(axis=-1)

    run = Run(net(dense("a", 1, use_bias=False), loss=rooted), with_row(20, 0.0), np.where(np.arange(48) == 20, 0, 1))
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (6, 5, "gradient", "rooted")
    checked(run, found, "the loss 'rooted'", before=5)


def test_adam_without_epsilon_where_a_gradient_is_zero():
    x = X.copy()
    x[:, 1] = 0
    run = Run(net(dense("a", 1), optimizer=optimizers.Adam(epsilon=0.0)), x)
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (1, 0, "update", "a/kernel")
    assert (found.detail["nan"], found.detail["zero_gradients"], found.detail["slot"]) == (1, 1, None)
    checked(run, found, "a gradient of exactly 0", "1. an epsilon that keeps 0 / 0 away: Adam(..., epsilon=1e-7)")


def test_the_last_step_of_the_chunk_before():
    x = X.copy()
    x[:, 1] = 0
    whole = Run(net(dense("a", 1), optimizer=optimizers.Adam(epsilon=0.0)), x)
    run, before = whole.after(1, 2)
    found = run.origin(earlier=before)
    assert (found.step, found.made, found.kind, found.place) == (1, 0, "update", "a/kernel")
    checked(whole, found, "the update of step 1")


def test_a_chunk_before_that_has_an_order_of_its_own_is_counted_backwards():
    x = X.copy()
    x[:, 1] = 0
    whole = Run(net(dense("a", 1), optimizer=optimizers.Adam(epsilon=0.0)), x)
    run, before = whole.after(1, 2)
    run.start, run.stop = 0, 1
    found = run.origin(earlier=before)
    assert (found.step, found.made, found.before) == (0, -1, -1)
    assert same(found.state, whole.state(0))
    assert "the update of the step before this epoch" in report(found, 1, run.task)
    assert "the update of step 4" in report(found, 1, run.task, offset=4)


def test_a_gradient_that_was_gathered_steps_before_it_was_used():
    root = layers.Lambda(lambda z: jnp.sqrt(jnp.square(z)), name="root")
    steps = optimizers.SGD(0.01, gradient_accumulation_steps=4)
    run = Run(net(dense("a", use_bias=False), root, dense("b", 1), optimizer=steps), with_row(20, 0.0))
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (8, 5, "gradient", "root")
    checked(run, found, before=5)
    later, before = run.after(7, STEPS)
    found = later.origin(earlier=before)
    assert (found.step, found.made, found.kind, found.place) == (8, 5, "gradient", "root")
    checked(run, found, before=5)
    assert later.origin().kind == "update"  # where the chunk before is not known


def test_a_norm_that_overflows_while_it_is_clipped():
    run = Run(net(dense("a", 1), optimizer=optimizers.SGD(0.01, clipnorm=1.0), loss="mae"), X * 1e20)
    run.set_params(lambda params: (params[0] * 0, params[1]))
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (1, 0, "update", "a/kernel")
    assert found.detail["by"] == "clipping"
    checked(run, found, "1. clipping by size", "SGD(..., clipvalue=1.0)")


def test_a_moving_average_that_was_lost_before_the_loss():
    x = np.where(np.arange(48)[:, None] == 20, np.nan, X * 1e25)
    run = Run(net(layers.BatchNormalization(name="norm"), dense("a", 1)), x)
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (5, 0, "update", "norm/moving_variance")
    assert found.detail["by"] == "layer"
    checked(run, found, "1. inputs that are scaled", before=0)


# -- other ways to compute --------------------------------------------------------------------


def test_an_optax_transformation():
    import optax

    run = Run(net(dense("a", 1), optimizer=optax.adam(1e-3, eps=0.0)), X * np.array([1, 0, 1], np.float32))
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (1, 0, "update", "a/kernel")
    assert found.detail["rate"] is None
    checked(run, found, "an epsilon that keeps 0 / 0 away")


def test_arithmetic_in_bfloat16():
    hot = dense("hot", activation="exponential", kernel_initializer="ones")
    model = net(hot, layers.Dropout(0.2), dense("b", 1), optimizer=optimizers.SGD(1e-6))
    run = Run(model, with_row(17, 50.0), dtype="bfloat16")
    found = run.origin()
    assert (found.step, found.kind, found.place) == (4, "activation", "hot")
    root = layers.Lambda(lambda z: jnp.sqrt(jnp.square(z)), name="root")
    run = Run(net(dense("a", use_bias=False), root, dense("b", 1)), with_row(20, 0.0), dtype="bfloat16")
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (6, 5, "gradient", "root")
    checked(run, found, "float32 in place of bfloat16", before=5)


def test_several_inputs_and_outputs():
    left, right = thalweg.Input((3,), name="left"), thalweg.Input((3,), name="right")
    shared = dense("shared", 3, use_bias=False)
    joined = layers.Concatenate(name="joined")([shared(left), shared(right)])
    one = dense("one", 1)(layers.Lambda(lambda z: jnp.sqrt(jnp.square(z)), name="root")(joined))
    other = dense("other", 1, activation="exponential")(joined)
    model = thalweg.Model([left, right], [one, other])
    model.compile("sgd", ["mse", losses.Poisson(name="counts")], loss_weights=[1.0, 0.5])
    rows = {"left": X, "right": np.where(np.arange(48)[:, None] == 10, 0, X)}
    run = Run(model, [rows["left"], rows["right"]], [Y, np.abs(Y)])
    found = run.origin()
    assert (found.step, found.made, found.kind, found.place) == (3, 2, "gradient", "root")
    checked(run, found, "'shared/kernel'", before=2)
    rows["right"][30] = 1e3
    run = Run(model, [rows["left"], np.where(rows["right"] == 0, 1, rows["right"])], [Y, np.abs(Y)])
    found = run.origin()
    assert (found.step, found.kind, found.place) == (7, "activation", "other")
    checked(run, found, "'exponential'")


@pytest.mark.parametrize("widths", [(4, 4, 4), (4, 3, 2)])
def test_one_member_of_a_population(widths):
    rates = (0.01, 1e20, 0.01)
    models = []
    for width, rate in zip(widths, rates, strict=True):
        models.append(net(dense("a", width, activation="relu"), dense("b", 1), optimizer=optimizers.SGD(rate)))
    runs = [Run(model) for model in models]
    tasks = [run.task for run in runs]
    crew = Crew(tasks)
    shared = runs[0].arguments
    states = [run.arguments[0] for run in runs]
    state = crew.state(states, crew.gather([one.totals for one in states]))
    vectors = crew.vectors(crew.numbers())
    seeds = crew.share(np.full(crew.count, 7, np.uint32))
    orders = crew.gather([run.arguments[4] for run in runs])
    data_ = crew.share(shared[3], own=False)
    arguments = (state, vectors, seeds, data_, orders, crew.units)
    ran = program("train", crew.task, crew.how)

    def bounds(step):
        return crew.share(np.full(crew.count, step, np.int32))

    ran(*arguments, bounds(0), bounds(STEPS))
    traces = ran.traces
    found = origin(ran, crew.task, arguments, 0, STEPS, member=1, share=crew.members[1])
    assert ran.traces == traces
    assert (found.step, found.kind, found.place, found.before) == (1, "activation", "b", 0)
    alone = runs[1].origin()
    assert (alone.step, alone.kind, alone.place) == (1, "activation", "b")
    assert same(found.state.params, alone.state.params)
    assert "model.optimizer.learning_rate = 1e+19" in report(found, 0, crew.task)
    with pytest.raises(ValueError, match="nothing to find"):
        origin(ran, crew.task, arguments, 0, STEPS, member=0)


def test_nothing_is_compiled_to_find_the_step():
    run = Run(net(dense("a", activation="relu"), dense("b", 1), optimizer=optimizers.SGD(1e20)))
    run.state(STEPS)
    traces = run.program.traces
    run.origin()
    assert run.program.traces == traces


def test_a_healthy_chunk_has_no_origin():
    run = Run(net(dense("a", 1)))
    with pytest.raises(ValueError, match="the steps 0 to 12: there is nothing to find"):
        run.origin()


def test_a_loss_that_was_lost_before_the_chunk_is_not_its_own():
    whole = Run(net(dense("a", activation="relu"), dense("b", 1), optimizer=optimizers.SGD(1e20)))
    run, _ = whole.after(6, STEPS)
    with pytest.raises(ValueError, match="before step 6"):
        run.origin()


def test_the_error_carries_the_origin_and_can_be_sent():
    run = Run(net(dense("a", 1)), y=np.where(np.arange(48)[:, None] == 9, np.nan, Y))
    error = LossNotFinite("The loss became NaN.", run.origin())
    assert isinstance(error, FloatingPointError)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.origin.place) == ("The loss became NaN.", error.origin.place)
