"""Groups of trials on a Ray cluster of three nodes on this machine, some of which are lost."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
from nets import FIT, TRAIN, build
from watched_trials import KILL, STOP, Watched, alive, journal_ends, once, search, signs

from thalweg import tuner
from thalweg.tuner.executors._ray import RayExecutor

HAS_RAY = importlib.util.find_spec("ray") is not None
pytestmark = pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install 'thalweg[ray]'")
SMALL = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


def scores(found):
    return {trial.number: trial.score for trial in found.trials}


def by_worker(folder, number):
    """The epochs of a trial, one list a process."""
    found = {}
    for pid, epoch in signs(folder, number):
        found.setdefault(pid, []).append(epoch)
    return list(found.values())


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture(scope="module")
def cluster():
    """Three nodes of one core each."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Cluster(initialize_head=True, head_node_args=SMALL)
        for _ in range(2):
            made.add_node(**SMALL)
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def joined(cluster):
    """The cluster, which this process has joined before any executor."""
    import ray

    ray.init(cluster.address, log_to_driver=False)
    yield cluster
    assert ray.is_initialized(), "an executor left a cluster that it had not joined"
    ray.shutdown()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The scores of watched trials that nothing happens to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return scores(search(folder, "population", Watched(folder, 6)))


@pytest.mark.long
def test_groups_spread_over_the_nodes_give_a_populations_scores(cluster, tmp_path):
    def one(executor, name):
        found = tuner.RandomSearch(build, "val_loss", 4, seed=3, directory=tmp_path / name, executor=executor)
        found.search(*TRAIN, **FIT)
        return found

    population, spread = one("population", "a"), one(RayExecutor(cluster.address), "b")
    assert [trial.values for trial in population.trials] == [trial.values for trial in spread.trials]
    assert scores(spread) == pytest.approx(scores(population), rel=1e-5)
    assert spread.get_best_models()[0].evaluate(*FIT["validation_data"], verbose=0)
    import ray

    assert not ray.is_initialized(), "it left the cluster that it had joined"


@pytest.mark.long
def test_a_killed_worker_a_paused_one_and_a_trial_that_raises(joined, tmp_path, undisturbed):
    paused = []

    def pause(pid):
        paused.append(pid)
        STOP(pid)

    def refuse(hp):
        raise KeyError("nothing of that name")

    once(tmp_path, 0, 2, KILL)
    once(tmp_path, 4, 2, pause)
    watched = Watched(tmp_path, 6, 0.2, {3: refuse})
    found = search(tmp_path, RayExecutor(patience=4), watched)
    assert journal_ends(found) == dict.fromkeys(range(6), 1)
    assert found.trials[3].status == "FAILED" and "nothing of that name" in found.trials[3].message
    good = {number: score for number, score in undisturbed.items() if number != 3}
    assert {t.number: t.score for t in found.trials if t.has_score} == pytest.approx(good, rel=1e-5)
    for number in (0, 4):
        first, second = by_worker(tmp_path, number)
        assert second[0] >= first[-1], "it did not go on from its checkpoint"
    assert by_worker(tmp_path, 5) == [list(range(6))]
    with contextlib.suppress(ProcessLookupError):
        os.kill(paused[0], signal.SIGCONT)
    assert not alive(paused[0])


def test_a_lost_node_loses_no_trial_and_none_ends_twice(joined, tmp_path, undisturbed):
    lock = threading.Lock()

    def lose(pid):
        with lock:
            raylets = {node.all_processes["raylet"][0].process.pid: node for node in joined.worker_nodes}
            node = raylets.get(parent_of(pid))  # None: it is the head's
            if node is not None and len(joined.worker_nodes) == 2:
                joined.remove_node(node, allow_graceful=False)

    once(tmp_path, 0, 2, lose)
    once(tmp_path, 2, 2, lose)
    found = search(tmp_path, RayExecutor(), Watched(tmp_path, 6, 0.2))
    assert scores(found) == pytest.approx(undisturbed, rel=1e-5)
    assert journal_ends(found) == dict.fromkeys(range(6), 1)
    assert found.best_trial.number == min(undisturbed, key=undisturbed.get)
    trained = [by_worker(tmp_path, number) for number in range(6)]
    assert sorted(map(len, trained)) == [1, 1, 1, 1, 2, 2], "one group began again, on another node"
    assert all(epochs[-1][-1] == 5 for epochs in trained)
    assert not list((found.folder / "groups").iterdir())


def test_without_ray_the_extra_is_named():
    code = "import sys; sys.modules['ray'] = None; from thalweg.tuner.executors._ray import RayExecutor; RayExecutor()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Searches over a Ray cluster need the extra: pip install 'thalweg[ray]'" in ended.stderr
