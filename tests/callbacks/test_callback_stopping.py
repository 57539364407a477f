"""EarlyStopping, ReduceLROnPlateau, Convergence, TerminateOnNaN: what they watch and when they act."""

from __future__ import annotations

import copy
import math
import warnings

import pytest
from callback_fakes import FakeModel, drive

from thalweg.callbacks import CallbackList, Convergence, EarlyStopping, ReduceLROnPlateau, TerminateOnNaN
from thalweg.callbacks._monitor import direction_of

NAN = math.nan


def losses(*values):
    return [{"loss": value} for value in values]


def stopping(*values, **arguments):
    """EarlyStopping, the epochs run and the model after a fit with these losses."""
    model = FakeModel()
    one = EarlyStopping("loss", mode=arguments.pop("mode", "min"), **arguments)
    _, ran = drive(one, losses(*values), model)
    return one, ran, model


def test_the_course_slides_arguments_and_their_defaults():
    one = EarlyStopping(
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    )
    assert vars(one) == vars(EarlyStopping())


@pytest.mark.parametrize(
    ("values", "arguments", "ran"),
    [
        ([3, 2, 1, 1, 1, 1], {"patience": 2}, 5),
        ([1, 2, 3, 4], {"patience": 0}, 2),
        ([1, 2, 3, 4], {"patience": 1}, 2),
        ([3, 2, 1.5, 1, 0.9], {"baseline": 0.5, "patience": 2}, 5),  # steady improvement never stops
        ([3, 3, 3, 3], {"baseline": 0.5, "patience": 2}, 2),
        ([1.0, 0.95, 0.9, 0.85], {"min_delta": 0.1, "patience": 2}, 3),
        ([1.0, 0.95, 0.9, 0.85], {"min_delta": -0.1, "patience": 2}, 3),
        ([1, 2, 3, 4, 5], {"patience": 1, "start_from_epoch": 2}, 4),
        ([1, 2, 3, 3, 3], {"mode": "max", "patience": 2}, 5),
    ],
)
def test_when_it_stops(values, arguments, ran):
    assert stopping(*values, **arguments)[1] == ran


def test_the_best_weights_come_back_even_where_it_never_stopped():
    one, ran, model = stopping(3, 1, 2, patience=5, restore_best_weights=True)
    assert (ran, one.stopped_epoch, one.best, one.best_epoch) == (3, 0, 1.0, 1)
    assert model.restored == [2]
    assert stopping(3, 1, 2, patience=5)[2].restored == []


@pytest.mark.parametrize(("mode", "best"), [("min", 1.0), ("max", 2.0)])
def test_nan_is_never_best(mode, best):
    one, _, model = stopping(NAN, 2.0, NAN, 1.0, mode=mode, patience=10, restore_best_weights=True)
    assert one.best == best
    assert model.restored == [4 if mode == "min" else 2]


def test_nan_alone_is_no_improvement_and_nothing_is_restored(capsys):
    one, ran, model = stopping(NAN, NAN, NAN, NAN, patience=3, restore_best_weights=True, verbose=1)
    assert (ran, one.best, model.restored) == (3, None, [])
    assert capsys.readouterr().out == "Epoch 3: stopped early, loss never was a number.\n"


def test_it_says_what_it_does_where_asked(capsys):
    stopping(2, 1, 3, 4, patience=2, restore_best_weights=True, verbose=1)
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 4: stopped early, loss was best in epoch 2: 1.0000.",
        "The weights are those of epoch 2 again.",
    ]


def test_one_object_serves_several_fits():
    one = EarlyStopping("loss", mode="min", patience=1, restore_best_weights=True)
    for _ in range(2):
        model = FakeModel()
        assert drive(one, losses(1, 2, 3), model)[1] == 2
        assert model.restored == [1]


def test_copies_of_a_fresh_one_share_nothing():
    fresh = EarlyStopping("loss", mode="min", patience=2, restore_best_weights=True)
    members = [copy.deepcopy(fresh) for _ in range(2)]
    models = [FakeModel(), FakeModel()]
    ran = [drive(*pair)[1] for pair in zip(members, (losses(1, 2, 3, 4), losses(4, 3, 2, 1)), models, strict=True)]
    assert ran == [3, 4]
    assert [model.restored for model in models] == [[1], [4]]
    assert [member.best for member in members] == [1, 1] and fresh.best is None and fresh.model is None


@pytest.mark.parametrize("made", [EarlyStopping("acuracy", mode="max"), ReduceLROnPlateau("acuracy", mode="max")])
def test_a_log_that_is_not_there_is_told_once(made):
    model = FakeModel()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        listed, ran = drive(made, [{"loss": 1.0, "accuracy": 0.5}] * 4, model)
    assert ran == 4
    message = str(caught[0].message)
    assert len(caught) == 1 and listed.history.warnings == [message]
    assert type(made).__name__ in message and "Did you mean 'accuracy'?" in message and "loss" in message


def test_epochs_without_validation_pass():
    one = EarlyStopping("val_loss", mode="min", patience=1)
    logs = [{"loss": 1.0, **({"val_loss": 1.0 + epoch} if epoch % 2 else {})} for epoch in range(6)]
    with pytest.warns(UserWarning, match="validation_freq"):
        assert drive(one, logs)[1] == 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [("loss", "min"), ("val_loss", "min"), ("val_accuracy", "max"), ("gradient_norm", "min"), ("auc", "max")],
)
def test_auto_goes_by_the_name(name, expected):
    assert direction_of(name, "EarlyStopping") == expected
    assert EarlyStopping(name).direction() == expected


@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau])
def test_an_unknown_direction_is_told_before_training(kind):
    with pytest.raises(ValueError, match=r"monitor='my_score', mode='auto'\). Pass mode='min' or mode='max'."):
        CallbackList(kind("my_score"), model=FakeModel()).on_train_begin()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(mode="mni"), "Did you mean 'min'"),
        (lambda: EarlyStopping(patience=-1), "patience must be"),
        (lambda: ReduceLROnPlateau(factor=1.0), r"factor must be in \[0, 1\), got ReduceLROnPlateau\(factor=1.0\)"),
        (lambda: ReduceLROnPlateau(factor=-0.5), "factor must be"),
        (lambda: ReduceLROnPlateau(cooldown=-1), "cooldown must be"),
        (lambda: Convergence(-1.0), "tolerance must be"),
        (lambda: Convergence(patience=0), "patience must be"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_reduce_logs_the_rate_before_it_reduces(capsys):
    model = FakeModel(0.1)
    one = ReduceLROnPlateau("loss", mode="min", factor=0.5, patience=1, cooldown=1, min_lr=0.03, verbose=1)
    listed, _ = drive(one, losses(1, 1, 1, 1, 1, 1, 1), model)
    assert listed.history.history["learning_rate"] == [0.1, 0.1, 0.05, 0.03, 0.03, 0.03, 0.03]
    assert capsys.readouterr().out.splitlines()[0] == "Epoch 2: loss is on a plateau, learning rate reduced to 0.05."


def test_reduce_is_not_stuck_on_a_nan():
    model = FakeModel(1.0)
    one = ReduceLROnPlateau("loss", mode="min", patience=2, factor=0.5)
    drive(one, losses(NAN, 3, 2, 1), model)
    assert (one.best, model.optimizer.learning_rate) == (1.0, 1.0)


def test_a_rate_that_a_schedule_drives_raises_the_optimizers_own_error():
    class Scheduled:
        @property
        def learning_rate(self):
            return 0.1

        @learning_rate.setter
        def learning_rate(self, value):
            raise TypeError("a schedule drives the rate; turn optimizer/learning_rate/scale")

    model = FakeModel()
    model.optimizer = Scheduled()
    with pytest.raises(TypeError, match="turn optimizer/learning_rate/scale"):
        drive(ReduceLROnPlateau("loss", mode="min", patience=1), losses(1, 1, 1), model)


@pytest.mark.parametrize(
    ("monitor", "values", "arguments", "ran"),
    [
        ("gradient_norm", [1.0, 0.1, 1e-5, 0], {}, 3),
        ("gradient_norm", [1.0, 1e-4, 0], {}, 2),
        ("gradient_norm", [1e-5, 1.0, 1e-5, 1e-5, 1.0], {"patience": 2}, 4),
        ("gradient_norm", [NAN, NAN, 1.0], {}, 3),
        ("loss", [1.0, 0.5, 0.45, 0.449, 0.1], {"tolerance": 0.01}, 4),
        ("loss", [0.0, 1.0, 0.0], {"tolerance": 0.01}, 3),
        ("val_loss", [1.0, 1.0], {"tolerance": 1e-9}, 2),
        ("loss", [NAN, NAN, 1.0], {}, 3),
    ],
)
def test_convergence(monitor, values, arguments, ran):
    one = Convergence(monitor=monitor, **arguments)
    assert drive(one, [{monitor: value} for value in values])[1] == ran
    assert one.converged == (ran < len(values) or values == [1.0, 1.0])
    assert one.needs == ({"gradient_norm"} & {monitor})


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_terminate_on_nan_stops_between_chunks(bad, capsys):
    model = FakeModel()
    listed = CallbackList(TerminateOnNaN(), model=model)
    listed.on_train_begin()
    listed.on_progress(3, {"loss": 1.0})
    assert not model.stop_training
    listed.on_progress(7, {"loss": bad})
    assert model.stop_training
    listed.on_epoch_end(0, {"loss": bad})
    assert capsys.readouterr().out == f"Step 7: the loss is {bad}, the fit ends here.\n"


def test_terminate_on_nan_may_raise_and_looks_at_epochs_too():
    with pytest.raises(RuntimeError, match="Epoch 2: the loss is nan"):
        drive(TerminateOnNaN(raise_error=True), losses(1.0, NAN, 1.0))
    assert drive(TerminateOnNaN(), [{"accuracy": NAN}, {}])[1] == 2
