"""Members with rows, epochs and callbacks of their own: each is the net trained alone on its own part."""

import numpy as np
import pytest
from mixed_nets import X, Y, assert_same, momentum, net

import thalweg
from thalweg import callbacks, optimizers
from thalweg.data import DataWarning
from thalweg.models import _crew
from thalweg.models._not_finite import LossWarning

ORDER = np.random.default_rng(3).permutation(150)
ROWS = [ORDER[:100], ORDER[20:61], None, np.repeat(ORDER[:9], 2)]
REST = [ORDER[100:], ORDER[61:75], ORDER[:40], ORDER[100:]]
KINDS = [{"widths": (8, 8)}, {"widths": (5,), "activation": "tanh"}, {"optimizer": momentum}, {"normal": True}]
GIVEN = {"batch_size": 32, "verbose": 0}


def nets():
    return [net(**kind) for kind in KINDS]


def part(numbers, *arrays):
    return [array if numbers is None else array[numbers] for array in arrays]


def alone(i, kind, epochs=4, rows=ROWS, rest=REST, callbacks=None, **given):
    solo = net(**kind)
    x, y = part(rows[i], X, Y)
    held = tuple(part(rest[i], X, Y))
    solo.fit(x, y, seed=i, epochs=epochs, validation_data=held, callbacks=callbacks, **GIVEN, **given)
    return solo


@pytest.mark.parametrize("how", ["map", "vmap"])
@pytest.mark.filterwarnings("ignore:Member . trains on")
@pytest.mark.filterwarnings("ignore:.*validation rows .* stand in the training rows")
def test_rows_and_epochs_of_their_own(how, monkeypatch):
    monkeypatch.setattr(_crew, "ways", lambda members: (how, 1))
    monkeypatch.setattr(_crew, "padded_count", lambda members: members)
    epochs = [4, 6, 1, 3]
    population = thalweg.Population(nets())
    population.fit(X, Y, rows=ROWS, validation_rows=REST, seeds=range(4), epochs=epochs, **GIVEN)
    for i, (kind, count) in enumerate(zip(KINDS, epochs, strict=True)):
        solo = alone(i, kind, count)
        assert_same(population[i], solo)
        assert population[i].stop_training == solo.stop_training
        assert population[i].history.params == {**solo.history.params, "verbose": 0}
    assert population.history.epoch == list(range(6)) and not population.stop_training


def test_validation_rows_of_validation_data():
    population = thalweg.Population(nets()[:2])
    held = X[::-1].copy(), Y[::-1].copy()
    given = {"rows": ROWS[:2], "validation_rows": [None, np.arange(33)]}
    with pytest.warns(DataWarning, match="stand in the training rows"):
        population.fit(X, Y, validation_data=held, seeds=range(2), epochs=2, **given, **GIVEN)
    for i, numbers in enumerate(given["validation_rows"]):
        solo = net(**KINDS[i])
        with pytest.warns(DataWarning, match="stand in the training rows"):
            solo.fit(*part(ROWS[i], X, Y), validation_data=tuple(part(numbers, *held)), seed=i, epochs=2, **GIVEN)
        assert_same(population[i], solo)


def test_a_split_cuts_each_members_own_rows():
    population = thalweg.Population(nets())
    population.fit(X, Y, rows=ROWS, validation_split=0.25, seeds=range(4), epochs=2, **GIVEN)
    for i in (0, 1, 2):
        solo = net(**KINDS[i])
        solo.fit(*part(ROWS[i], X, Y), validation_split=0.25, seed=i, epochs=2, **GIVEN)
        assert_same(population[i], solo)


@pytest.mark.filterwarnings("ignore:steps")
@pytest.mark.filterwarnings("ignore:Member . trains on")
@pytest.mark.filterwarnings("ignore:.*validation rows .* stand in the training rows")
def test_steps_of_an_epoch_go_on_where_the_last_stopped():
    population = thalweg.Population(nets()[:3])
    given = {"steps_per_epoch": 3, "validation_steps": 1, "epochs": 3, "shuffle": False}
    population.fit(X, Y, rows=ROWS[:3], validation_rows=REST[:3], seeds=range(3), **given, **GIVEN)
    for i in range(3):
        assert_same(population[i], alone(i, KINDS[i], **given))


@pytest.mark.filterwarnings("ignore:Member . trains on")
@pytest.mark.filterwarnings("ignore:.*validation rows .* stand in the training rows")
def test_early_stopping_of_members_with_rows_of_their_own():
    def stop():
        return callbacks.EarlyStopping("val_loss", patience=1, min_delta=2e-2, restore_best_weights=True)

    epochs = [9, 9, 9, 2]
    population = thalweg.Population(nets())
    population.fit(X, Y, rows=ROWS, validation_rows=REST, seeds=range(4), epochs=epochs, callbacks=[stop()], **GIVEN)
    for i, kind in enumerate(KINDS):
        assert_same(population[i], alone(i, kind, epochs[i], callbacks=[stop()]))
    assert len({len(member.history.epoch) for member in population}) > 1


def test_averages_are_taken_when_a_member_ends():
    def averaged(rate):
        return net(optimizer=lambda: optimizers.SGD(rate, use_ema=True, ema_momentum=0.8))

    epochs = [1, 3]
    population = thalweg.Population([averaged(0.1), averaged(0.05)])
    population.fit(X, Y, seeds=range(2), epochs=epochs, **GIVEN)
    for i, rate in enumerate((0.1, 0.05)):
        solo = averaged(rate)
        solo.fit(X, Y, seed=i, epochs=epochs[i], **GIVEN)
        assert_same(population[i], solo)


class Diary(callbacks.Callback):
    """All that a callback hears, and what its model is then."""

    def __init__(self, stop_at=None):
        self.heard, self.stop_at = [], stop_at

    def _note(self, hook, *place, logs=None):
        taken = int(np.asarray(self.model.steps_taken))
        told = {name: round(float(value), 3) for name, value in (logs or {}).items()}
        self.heard.append((hook, *place, taken, told, round(float(np.abs(self.model.get_weights()[0]).sum()), 2)))

    def on_train_begin(self, logs=None):
        self._note("on_train_begin")

    def on_train_end(self, logs=None):
        self._note("on_train_end", logs=logs)

    def on_epoch_begin(self, epoch, logs=None):
        self._note("on_epoch_begin", epoch)

    def on_epoch_end(self, epoch, logs=None):
        self._note("on_epoch_end", epoch, logs=logs)

    def on_test_begin(self, logs=None):
        self._note("on_test_begin")

    def on_test_end(self, logs=None):
        self._note("on_test_end", logs=logs)

    def next_stop(self, step):
        return step + 1

    def on_progress(self, step, logs=None):
        self._note("on_progress", step, logs=logs)
        if self.stop_at == len(self.heard):
            self.model.stop_training = True

    def on_safe_point(self, epoch, step, last=False):
        self._note("on_safe_point", epoch, step)


class Steps(Diary):
    """The same, at every step."""

    def on_train_batch_begin(self, batch, logs=None):
        self._note("on_train_batch_begin", batch)

    def on_train_batch_end(self, batch, logs=None):
        self._note("on_train_batch_end", batch, logs=logs)

    def on_test_batch_end(self, batch, logs=None):
        self._note("on_test_batch_end", batch)


@pytest.mark.parametrize("kind", [Diary, Steps])
@pytest.mark.filterwarnings("ignore:Member . trains on")
@pytest.mark.filterwarnings("ignore:.*validation rows .* stand in the training rows")
def test_a_members_callbacks_hear_what_they_would_hear_alone(kind):
    epochs, stops = [2, 3, 1], [None, 23, None]
    own = [kind(stop) for stop in stops]
    population = thalweg.Population(nets()[:3])
    population.fit(
        X,
        Y,
        rows=ROWS[:3],
        validation_rows=REST[:3],
        seeds=range(3),
        epochs=epochs,
        member_callbacks=[[one] for one in own],
        **GIVEN,
    )
    for i, diary in enumerate(own):
        other = kind(stops[i])
        alone(i, KINDS[i], epochs[i], callbacks=[other])
        mine = diary.heard
        assert [one[:-2] for one in mine] == [one[:-2] for one in other.heard]
        for one, two in zip(mine, other.heard, strict=True):
            assert one[-1] == pytest.approx(two[-1], abs=0.02)
            assert one[-2] == pytest.approx(two[-2], abs=2e-3)


@pytest.mark.filterwarnings("ignore:Member . trains on")
def test_one_goes_on_as_if_nothing_had_happened(tmp_path):
    class Break(callbacks.Callback):
        def on_progress(self, step, logs=None):
            if self.model.session.epoch == 2 and step >= 2:
                raise RuntimeError("broken off")

        def next_stop(self, step):
            return step + 1

    class Each(Break):
        def on_progress(self, step, logs=None):
            pass

    def fit(more, rows=ROWS, **given):
        population = thalweg.Population(nets())
        stop = callbacks.EarlyStopping("val_loss", patience=1, min_delta=1e-2)
        own = [[Count()] for _ in KINDS]
        asked = {"rows": rows, "validation_rows": REST, "epochs": [4, 5, 1, 5], "seeds": range(4)}
        population.fit(X, Y, callbacks=[stop, more], member_callbacks=own, **asked, **given, **GIVEN)
        return population, [one.count for (one,) in own]

    class Count(callbacks.Callback):
        STATE = ("count",)

        def __init__(self):
            self.count = 0

        def on_epoch_end(self, epoch, logs=None):
            self.count += 1

    def run():
        return callbacks.RunFolder(tmp_path / "run", every=1)

    with pytest.raises(RuntimeError, match="broken off"):
        fit(Break(), run=run())
    with pytest.raises(ValueError, match="rows of members"):
        fit(Each(), [None] * 4, run=run())
    (resumed, counts), (whole, others) = fit(Each(), run=run()), fit(Each())
    assert counts == others == [len(member.history.epoch) for member in whole]
    assert resumed.history.history == whole.history.history
    for one, other in zip(resumed, whole, strict=True):
        assert one.history.history == other.history.history
        for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_a_lost_loss_of_a_member_with_few_rows():
    population = thalweg.Population([net((8, 8)), net((5,), optimizer=lambda: optimizers.SGD(1e20))])
    with pytest.warns(LossWarning, match=r"Member 1: The loss became .* in epoch 1, step 2 of 2"):
        population.fit(X, Y, rows=[ORDER[:90], ORDER[40:90]], seeds=[0, 1], epochs=3, **GIVEN)
    assert len(population[0].history.epoch) == 3
    assert all(np.isfinite(weight).all() for weight in population[1].get_weights())


def refusals():
    two = [np.arange(10), np.arange(10)]
    yield {"rows": two[:1]}, r"rows must hold one entry a member \(2\), got 1"
    yield {"rows": [np.arange(10), np.array([1.5])]}, r"rows\[1\] must hold row numbers"
    yield {"rows": [[], None]}, r"rows\[0\] must hold row numbers"
    yield {"rows": [np.array([True] * 150), None]}, r"rows\[0\] must hold row numbers"
    yield {"rows": [np.array([150]), None]}, r"rows\[0\] must hold numbers of rows from 0 to 149, got 150 to 150"
    yield {"rows": [np.array([-1]), None]}, r"from 0 to 149, got -1 to -1"
    yield {"validation_rows": two, "validation_split": 0.2}, "exclude each other"
    yield {"epochs": [1, 2, 3]}, r"epochs must hold one entry a member \(2\), got 3"
    yield {"epochs": [1, -2]}, "epochs must be a non-negative integer"
    yield {"member_callbacks": [[]]}, "member_callbacks must hold one entry a member"
    shared = callbacks.EarlyStopping("loss")
    yield {"member_callbacks": [[shared], [shared]]}, r"hold the same EarlyStopping"
    yield {"member_callbacks": [[callbacks.BackupAndRestore("x")], []]}, "keeps the state of a whole fit"
    yield {"rows": two, "validation_split": 0.95}, "leaves 0 to train on"


@pytest.mark.parametrize(("given", "message"), list(refusals()))
def test_what_makes_no_sense_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        thalweg.Population(nets()[:2]).fit(X, Y, seeds=[0, 1], **{"epochs": 1, **given}, **GIVEN)


def test_streams_have_no_row_numbers():
    def batches():
        while True:
            yield X[:10], Y[:10]

    with pytest.raises(ValueError, match="source of batches"):
        thalweg.Population(nets()[:2]).fit(batches(), steps_per_epoch=2, rows=ROWS[:2], **GIVEN)
