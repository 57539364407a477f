"""How nets are grouped."""

from nets import FIT, TRAIN, build

from thalweg import tuner
from thalweg.tuner._bench import Assignment, Bench, jobs_of
from thalweg.tuner._hypermodel import hypermodel_of
from thalweg.tuner._hyperparameters import HyperParameters, keyed
from thalweg.tuner._objective import objectives_of
from thalweg.tuner.executors._plan import Chain, merged_widths, plan


def bench(fit=FIT, build=build):
    return Bench(hypermodel_of(build), HyperParameters(), objectives_of("val_loss"), 0, TRAIN, fit)


def jobs(count, bench):
    found = []
    for number in range(count):
        hp = HyperParameters(unknown=keyed(0, number))
        bench.hypermodel.build(hp)
        found.extend(jobs_of(bench, Assignment(number, number, dict(hp.values))))
    return found


def test_merged_widths_hold_every_net():
    chains = [Chain(64, (32,), 10), Chain(64, (64, 128), 10), Chain(64, (128, 32, 64), 10)]
    assert merged_widths(chains) == (128, 128, 128)
    assert merged_widths(chains[:1]) == (32,)
    assert merged_widths([Chain(64, (32, 64), 10), Chain(64, (128, 16), 10)]) == (128, 64)


def test_a_net_runs_only_the_layers_it_has():
    assert Chain(64, (32,), 10).within((128, 128)) == 64 * 128 + 128 * 10
    assert Chain(64, (32, 16), 10).within((32, 16)) == 64 * 32 + 32 * 16 + 16 * 10


def test_every_net_is_in_one_group_and_small_work_is_compiled_once():
    made = jobs(20, bench())
    found = plan(made, 1 << 30)
    assert sorted(id(job) for group in found for job in group.jobs) == sorted(map(id, made))
    assert len(found) == 1, "so few steps are cheaper than another program"
    assert [job.assignment.number for job in found[0].jobs] == list(range(20))


def test_long_training_is_worth_several_programs():
    made = jobs(20, bench({**FIT, "epochs": 2_000_000}))
    found = plan(made, 1 << 30)
    assert len(found) > 2
    assert sum(group.wasted for group in found) / len(found) < plan(jobs(20, bench()), 1 << 30)[0].wasted


def test_other_arguments_of_fit_make_other_groups():
    class Batches(tuner.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            return model.fit(*args, **{**kwargs, "batch_size": hp.Choice("batch_size", [8, 16])})

    found = plan(jobs(12, bench(build=Batches())), 1 << 30)
    assert len(found) == 2
    for group in found:
        assert len({job.hp.values["batch_size"] for job in group.jobs}) == 1
        for job in group.jobs:
            job.rehearsal.abandon()


def test_a_group_that_was_stays_one():
    made = jobs(8, bench({**FIT, "epochs": 20_000}))
    known = [[0, 3, 5], [1, 2]]
    groups = [[job.assignment.number for job in group.jobs] for group in plan(made, 1 << 30, known)]
    assert all(numbers in groups for numbers in known)
