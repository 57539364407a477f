"""Trials in processes of their own, some of which are killed, paused and interrupted."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import watched_trials
from nets import FIT, TRAIN, build
from watched_trials import KILL, LONG, STOP, Watched, alive, journal_ends, once, search, signs

from thalweg import files, tuner
from thalweg.tuner._bench import Assignment
from thalweg.tuner.executors._dispatch import Crew, Dispatch, Report, Task
from thalweg.tuner.executors._parcel import pack, unpack
from thalweg.tuner.executors._process import ProcessExecutor
from thalweg.tuner.executors._train import Outcome
from thalweg.tuner.executors._worker import own_place


def scores(found):
    return {trial.number: trial.score for trial in found.trials}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The scores of watched trials that nothing happens to."""
    return scores(search(tmp_path_factory.mktemp("undisturbed"), "population"))


class FitAlone(tuner.HyperModel):
    """Its ``fit`` asks for more, and does not always train a thalweg model."""

    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, x, y, **kwargs):
        size = hp.Choice("batch_size", [8, 16])
        if hp.get("layers") == 1:
            return {"val_loss": float(np.mean(x) + size), "read_only": float(not x.flags.writeable)}
        return model.fit(x, y, **{**kwargs, "batch_size": size})


def test_it_gives_the_scores_of_a_population(tmp_path):
    def one(executor):
        found = tuner.RandomSearch(
            build, "val_loss", 3, seed=3, directory=tmp_path / str(executor), executor=executor, executions_per_trial=2
        )
        found.search(*TRAIN, **FIT)
        return found

    population, processes = one("population"), one("process")
    assert [trial.values for trial in population.trials] == [trial.values for trial in processes.trials]
    assert scores(processes) == pytest.approx(scores(population), rel=1e-5)
    assert processes.get_best_models()[0].evaluate(*FIT["validation_data"], verbose=0)
    assert list((processes.folder / "groups").iterdir()) == []


def test_fit_may_be_any_python_and_its_hyperparameters_are_known_afterwards(tmp_path):
    found = tuner.RandomSearch(
        FitAlone(), "val_loss", 4, seed=1, directory=tmp_path, executor=ProcessExecutor(workers=2)
    )
    found.search(*TRAIN, **FIT)
    assert all(trial.has_score and trial.values["batch_size"] in (8, 16) for trial in found.trials)
    alone = [trial for trial in found.trials if trial.values["layers"] == 1]
    assert alone and all(trial.metrics["read_only"] for trial in alone), "the rows were not mapped"


def test_a_killed_worker_loses_one_epoch_and_nobody_else_anything(tmp_path, undisturbed):
    killer = once(tmp_path, 1, 3, KILL)
    found = search(tmp_path, ProcessExecutor(workers=2), Watched(tmp_path, seconds=0.2))
    killer.join()
    assert scores(found) == pytest.approx(undisturbed, rel=1e-5)
    assert journal_ends(found) == {0: 1, 1: 1, 2: 1}
    assert [epoch for _, epoch in signs(tmp_path, 0)] == [epoch for _, epoch in signs(tmp_path, 2)] == list(range(6))
    by_worker = {}
    for pid, epoch in signs(tmp_path, 1):
        by_worker.setdefault(pid, []).append(epoch)
    first, second = by_worker.values()
    assert second[0] >= first[-1] and second[-1] == 5


@pytest.mark.long
def test_a_trial_that_kills_its_worker_twice_has_failed(tmp_path, undisturbed):
    found = search(tmp_path, ProcessExecutor(workers=2), Watched(tmp_path, acts={1: lambda hp: KILL(os.getpid())}))
    lost = found.trials[1]
    assert lost.status == "FAILED" and journal_ends(found) == {0: 1, 1: 1, 2: 1}
    assert "2 workers were lost with trial 1" in lost.message and "SIGKILL" in lost.message
    assert {n: found.trials[n].score for n in (0, 2)} == pytest.approx({n: undisturbed[n] for n in (0, 2)}, rel=1e-5)


def test_a_paused_worker_is_given_up_and_may_wake_up_later(tmp_path, undisturbed):
    paused = []

    def pause(pid):
        paused.append(pid)
        STOP(pid)
        while len(signs(tmp_path, 1)) < 6:  # another one goes on with its trial
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    thread = once(tmp_path, 1, 2, pause)
    executor = ProcessExecutor(workers=2, patience=4)
    found = search(tmp_path, executor, Watched(tmp_path, seconds=0.2))
    thread.join()
    assert scores(found) == pytest.approx(undisturbed, rel=1e-5)
    assert journal_ends(found) == {0: 1, 1: 1, 2: 1}
    assert not alive(paused[0])
    assert len({pid for pid, _ in signs(tmp_path, 1)}) == 2
    assert [epoch for _, epoch in signs(tmp_path, 0)] == list(range(6))


def test_trials_that_raise_are_recorded_and_the_rest_goes_on(tmp_path):
    def refuse(hp):
        raise KeyError("nothing of that name")

    def leave(hp):
        hp.Float("late", 0.0, 1.0)
        sys.exit(3)

    found = search(tmp_path, ProcessExecutor(workers=2), Watched(tmp_path, acts={0: refuse, 1: leave}))
    first, second, third = found.trials
    assert first.status == second.status == "FAILED" and third.has_score
    assert "KeyError: 'nothing of that name'" in first.message and "in refuse" in first.message
    assert "SystemExit: 3" in second.message


def test_time_is_up_for_running_trials_after_their_epoch(tmp_path):
    begun = threading.Event()
    once(tmp_path, 0, 1, lambda pid: begun.set())
    executor = ProcessExecutor(workers=1, deadline=begun.is_set)
    found = search(tmp_path, executor, Watched(tmp_path, seconds=0.3), fit={**LONG, "epochs": 60})
    assert found.trials[0].status == "COMPLETED" and 1 <= found.trials[0].epochs < 30
    assert not signs(tmp_path, 1)
    assert all(trial.status != "FAILED" for trial in found.trials)


def child(folder, seconds):
    """A search in a process of its own, and its two workers at work."""
    command = [sys.executable, watched_trials.__file__, str(folder), "process", str(seconds)]
    parent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not (signs(folder, 0) and signs(folder, 1)):
        assert parent.poll() is None, parent.stderr.read()
        time.sleep(0.02)
    return parent, [signs(folder, number)[0][0] for number in (0, 1)]


def gone(pids, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(map(alive, pids)):
        time.sleep(0.05)
    return not any(map(alive, pids))


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(number, tmp_path):
    parent, workers = child(tmp_path, 1.5)
    os.kill(parent.pid, number)
    parent.communicate(timeout=30)
    assert gone(workers, 10)
    left = sorted(path.name for path in (tmp_path / "study" / "groups").iterdir())
    assert left[:2] == ["0000", "0001"], "their checkpoints"
    assert (number == signal.SIGKILL) == bool(left[2:]), "what they shared"
    before = [len(signs(tmp_path, n)) for n in (0, 1)]
    found = search(tmp_path, "process", Watched(tmp_path, 2))
    assert [trial.status for trial in found.trials] == ["COMPLETED"] * 2
    assert all(len(signs(tmp_path, n)) <= 6 + 1 for n in (0, 1)) and max(before) < 6
    assert list((tmp_path / "study" / "groups").iterdir()) == []


def test_what_cannot_be_sent_is_said_before_anything_is_trained(tmp_path):
    with pytest.raises(TypeError, match="cannot be sent to other processes.*generator"):
        search(tmp_path, "process", fit={**LONG, "callbacks": [], "class_weight": (n for n in range(3))})


def test_a_parcel_keeps_what_is_in_it_and_shares_its_arrays(tmp_path):
    x = np.arange(1000.0)
    kept = {"x": x, "again": x, "none": np.zeros((0, 3)), "odd": np.arange(12).reshape(3, 4)[:, ::2], "text": "a"}
    pack(tmp_path / "some", kept)
    found = unpack(tmp_path / "some")
    assert found["x"] is found["again"] and not found["x"].flags.writeable
    for name in ("x", "none", "odd"):
        np.testing.assert_array_equal(found[name], kept[name])
    pack(tmp_path / "empty", {"none": np.zeros((0, 3)), "text": "a"})
    assert unpack(tmp_path / "empty")["none"].shape == (0, 3)


def test_checkpoints_that_a_lost_worker_still_holds_are_copied(tmp_path):
    place = tmp_path / "groups" / "0004"
    assert own_place(place) is None, "the study's folder is not to be seen from here"
    place.mkdir(parents=True)
    (place / "epoch-000001-step-000000000.safetensors").write_text("state")
    assert own_place(place) == place
    holder = files.Lock(place / "lock")
    other = own_place(place)
    holder.release()
    assert other.parent == place
    assert [path.name for path in other.iterdir()] == ["epoch-000001-step-000000000.safetensors"]


class Scripted(Crew):
    """Says what it is told to."""

    START_SECONDS = 0.1

    def __init__(self, *reports):
        self.reports, self.begun, self.given_up, self.finished, self.ended = list(reports), [], [], 0, 0

    def has_room(self):
        return True

    def begin(self, task):
        self.begun.append(task)

    def heard(self, seconds):
        time.sleep(0.01)
        made = self.reports.pop(0) if self.reports else []
        return [report(self.begun) for report in made]

    def give_up(self, task):
        self.given_up.append(task)

    def finish(self):
        self.finished += 1

    def end(self):
        self.ended += 1


class Quiet:
    def planned(self, record):
        pass

    def progressed(self, group, epoch, epochs, logs=None):
        pass


def task(number=0):
    return Task([Assignment(number, number, {"a": number})], {"trials": [number]}, Path("/nowhere"))


def done(begun):
    return Report(begun[0], outcomes=[Outcome(0, {}, [])])


def lost(begun):
    return Report(begun[0], lost="ended by SIGKILL")


def lives(begun):
    return Report(begun[0], at=(1, 3))


def test_a_late_result_is_turned_away():
    crew = Scripted([done], [done], [done])
    assert len(list(Dispatch(crew, Quiet()).run([task(0)]))) == 1
    crew = Scripted([done, done, done])
    assert len(list(Dispatch(crew, Quiet()).run([task(0)]))) == 1
    assert crew.ended == 0


def test_a_crew_that_is_lost_again_and_again_ends_the_trial():
    crew = Scripted([lost], [lost], [lost], [lost])
    (outcomes,) = Dispatch(crew, Quiet(), restarts=2).run([task(7)])
    assert len(crew.begun) == 3
    assert outcomes[0].number == 7 and outcomes[0].failure.startswith("WorkerLost: 3 workers were lost with trial 7")


def test_silence_counts_while_it_is_listened_for():
    crew = Scripted([lives], *[[] for _ in range(100)])
    (outcomes,) = Dispatch(crew, Quiet(), patience=0.1).run([task()])
    assert "no sign of life" in outcomes[0].failure
    assert crew.given_up == [crew.begun[0]] * 2


def test_nobody_is_given_up_while_nothing_can_be_heard():
    crew = Scripted([lives], *[[] for _ in range(40)], [done])
    crew.hears = False
    (outcomes,) = Dispatch(crew, Quiet(), patience=0.1).run([task()])
    assert outcomes[0].failure is None and not crew.given_up


def test_a_task_that_never_began_was_not_lost():
    crew = Scripted([lambda begun: Report(begun[0], lost="no such node", begun=False)], [lost], [done])
    (outcomes,) = Dispatch(crew, Quiet()).run([task()])
    assert outcomes[0].failure is None and len(crew.begun) == 3


def test_whoever_stops_listening_ends_the_workers():
    crew = Scripted([done], [])
    outcomes = Dispatch(crew, Quiet()).run([task(0), task(1)])
    next(outcomes)
    outcomes.close()
    assert crew.ended == 1


def test_an_argument_out_of_range_is_named():
    for wrong in ({"workers": 0}, {"patience": 0}, {"restarts": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ProcessExecutor(**wrong)
