"""The coach: what it keeps is better beyond the noise of seeds, and what it leaves is an ordinary run."""

import json
import time

import numpy as np
import pytest

import thalweg
from thalweg import callbacks, data, models
from thalweg.diagnosis._errors_of import Ground
from thalweg.diagnosis._measured import measured
from thalweg.diagnosis.coaching import Plan, Purpose
from thalweg.diagnosis.coaching._candidates import FAMILIES, Candidate, remedies
from thalweg.diagnosis.coaching._coach import _Lesson
from thalweg.diagnosis.coaching._code import code_of
from thalweg.diagnosis.coaching._plan import build, images_of
from thalweg.diagnosis.coaching._trained import Result
from thalweg.diagnosis.coaching._trained import train as train_plans

RNG = np.random.default_rng(0)


def corners(n):
    x = RNG.uniform(-1, 1, size=(n, 3)).astype("f4")
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


@pytest.fixture(scope="module")
def coached(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coach") / "run"
    told = []
    train, rest = corners(400), corners(200)
    return (
        thalweg.coach(*train, validation=rest, target_error=0.03, time=12, run=folder, tell=told.append),
        folder,
        told,
        rest,
    )


def test_it_starts_simple_tells_what_it_does_and_reaches_the_target(coached):
    found, _, told, rest = coached
    assert "Start simple: 64 hidden units" in " ".join(told[0].split()) and told[-1].startswith(
        "The net, the best of 3: "
    )
    said = np.asarray(found.model.predict(rest[0])).argmax(axis=1)
    assert found.error == pytest.approx((said != rest[1]).mean()) and found.error <= 0.1
    assert "\n".join(told[1:2])[:3] == "1. " and str(found).startswith(told[0][:40])
    if found.error <= 0.03:
        assert "target is reached" in str(found)


def test_every_page_says_what_was_seen_tried_and_kept(coached):
    found = coached[0]
    record = json.loads(json.dumps(found.record()))
    for page in record["notebook"]["pages"][:-1]:
        assert page["aim"] in ("bias", "variance", "both") and "Training error" in page["saw"]
        names = [one["name"] for one in page["tried"]]
        assert len(names) == len(set(names)) >= 3 and (page["kept"] is None or page["kept"] in names)
        assert page["why"].startswith("Kept: " if page["kept"] else "Nothing kept: ")
    assert record["notebook"]["pages"][-1]["tried"] == []


def test_what_it_leaves_is_a_run_and_code_that_builds_the_same_net(coached):
    found, folder, _, rest = coached
    run = callbacks.read_run(folder)
    assert run.state in ("finished", "stopped early") and (folder / "coach.json").is_file()
    best = models.load_model(folder / "best.keras")
    np.testing.assert_allclose(best.predict(rest[0]), found.model.predict(rest[0]), rtol=1e-5, atol=1e-6)
    code = (folder / "net.py").read_text()
    assert code == found.code
    train = corners(64)
    given = {"x": train[0], "y": train[1], "x_val": rest[0], "y_val": rest[1]}
    exec(compile(code, "net.py", "exec"), given)
    shapes = [[one.shape for one in net.trainable_weights] for net in (given["model"], best)]
    assert shapes[0] == shapes[1]


def test_numbers_of_any_size_are_learnt_in_their_own_unit():
    x = RNG.normal(size=(300, 2)).astype("f4")
    y = 5000 + 300 * x[:, 0]
    found = thalweg.coach(x, y, target_error=0.1, time=10)
    assert found.unit == "unexplained variance" and found.error < 0.2
    assert abs(float(np.asarray(found.model.predict(x)).mean()) - 5000) < 100 and "layers.Rescaling(" in found.code


def test_code_cuts_the_rows_as_the_coach_did():
    x, y = corners(200)
    found = thalweg.coach(x, y, target_error=0.9, time=5)
    given = {"x": x, "y": y}
    exec(compile(found.code, "net.py", "exec"), given)
    assert [len(given[name]) for name in ("x", "y", "x_val", "y_val")] == [160, 160, 40, 40]
    cut = data.split(x, y, 0.2, 0, seed=0)
    np.testing.assert_array_equal(given["x_val"], cut.validation[0])


def test_each_remedy_changes_the_plan_and_none_stands_twice():
    plan = Plan((64, 32), dropout=0.2, l2=1e-4)
    for name in FAMILIES:
        plans = [one.plan for one in FAMILIES[name](plan)]
        assert plan not in plans and len(set(plans)) == len(plans) > 8
    assert any(one.l2 == 0 and one.dropout == 0 for one in (c.plan for c in FAMILIES["bias"](plan)))


def grounds(purpose, rows, rest):
    found = measured(build(Plan((4,)), purpose), data.adapt(*rows, what="x"), data.adapt(*rest, what="y"))
    return Ground(found.task, found.train.rows, found.validation.rows, found.spread)


def spots(n):
    """Images with a dark or a bright half."""
    y = RNG.integers(0, 2, n)
    x = RNG.random((n, 9, 8)).astype("f4")
    x[:, :4] += 0.3 * y[:, None, None]
    return x, y


@pytest.mark.parametrize(
    ("rows", "plans"),
    [
        (corners, [Plan((8,)), Plan((6, 4), activation="tanh", optimizer="sgd", rate=0.05)]),
        (spots, [Plan((8,)), Plan((6, 4), shift=0.1), Plan((6,), filters=(3,), turn=0.1, dropout=0.2)]),
    ],
)
def test_nets_of_other_depths_widths_and_optimizers_train_in_one_population_as_each_would_alone(rows, plans):
    (x, y), rest = rows(96), rows(48)
    front = models.array_front(x)
    purpose = Purpose(front, 2, "softmax", "sparse_categorical_crossentropy", "accuracy", 96, images_of(front()))
    assert purpose.images == ((9, 8, 1) if rows is spots else None)
    plans = [plan._replace(epochs=3) for plan in plans]
    results = train_plans(plans, purpose, grounds(purpose, (x, y), rest), [5])
    for plan, result in zip(plans, results, strict=True):
        alone = build(plan, purpose)
        stop = callbacks.EarlyStopping(patience=plan.patience, restore_best_weights=True)
        alone.fit(x, y, epochs=3, batch_size=32, validation_data=rest, seed=5, verbose=0, callbacks=[stop])
        np.testing.assert_allclose(result.best.predict(rest[0]), alone.predict(rest[0]), rtol=1e-4, atol=1e-5)


def test_the_code_of_a_net_for_images_moves_them_as_the_net_does():
    (x, y), rest = spots(64), spots(32)
    front = models.array_front(x)
    purpose = Purpose(front, 2, "softmax", "sparse_categorical_crossentropy", "accuracy", 64, images_of(front()))
    plan = Plan((5,), filters=(3,), shift=0.1, turn=0.05, epochs=1)
    given = {"x": x, "y": y, "x_val": rest[0], "y_val": rest[1]}
    exec(compile(code_of(plan, purpose, grounds(purpose, (x, y), rest)), "net.py", "exec"), given)
    kinds = [
        [type(one) for one in net.layers if "Random" in type(one).__name__]
        for net in (given["model"], build(plan, purpose))
    ]
    assert kinds == [[thalweg.layers.RandomTranslation, thalweg.layers.RandomRotation]] * 2
    made = build(plan, purpose)
    made.ready(data.adapt(x, y, what="x"), 0)
    assert [one.shape for one in given["model"].get_weights()] == [one.shape for one in made.get_weights()]
    turned = next(one for one in given["model"].layers if hasattr(one, "factor"))
    assert (turned.factor, turned.fill_mode) == (0.05, "nearest")


def test_code_is_written_for_a_front_with_a_scale_a_column():
    (x, y), rest = corners(64), corners(32)

    def front():
        return [thalweg.Input((3,)), thalweg.layers.Rescaling([1.0, 2.0, 3.0])]

    purpose = Purpose(front, 2, "softmax", "sparse_categorical_crossentropy", "accuracy", 64)
    code = code_of(Plan((5,)), purpose, grounds(purpose, (x, y), rest))
    assert "scale = layers.Normalization()" in code


@pytest.mark.parametrize("aim", ["bias", "variance", "both"])
def test_images_alone_are_moved_and_convolved(aim):
    plain, moved = ({one.name: one.plan for one in remedies(aim, Plan((8,)), images)} for images in (None, (8, 8, 1)))
    more = {name: plan for name, plan in moved.items() if name not in plain}
    assert plain.items() < moved.items() and not any(plan.of_images for plan in plain.values())
    assert all(
        ("image" in name and plan.moves) or ("convolution" in name and plan.filters) for name, plan in more.items()
    )


def test_images_are_not_halved_more_often_than_they_can_be():
    assert not any(len(one.plan.filters) > 1 for one in remedies("variance", Plan((8,)), (3, 8, 1)))


def purpose_of(x, classes):
    front = models.array_front(x)
    return Purpose(front, classes, "softmax", "sparse_categorical_crossentropy", "accuracy", len(x), images_of(front()))


def test_what_time_does_not_reach_is_not_begun_and_what_it_ends_says_so():
    (x, y), rest = spots(96), spots(48)
    purpose = purpose_of(x, 2)
    plans = [Plan((8,), epochs=5), Plan((99,), epochs=5), Plan((7,), l2=0.1, epochs=5)]  # the second is much larger
    ground = grounds(purpose, (x, y), rest)
    first, large, other = train_plans(plans, purpose, ground, [5, 6], time.monotonic() - 1)
    assert first.plan == plans[0]._replace(epochs=1) and other.plan == plans[2]._replace(epochs=1) and large is None
    whole = train_plans(plans, purpose, ground, [5])
    assert [one.plan for one in whole] == plans and all(one.seconds > 0 for one in whole)
    once = train_plans([plans[0]._replace(epochs=1)], purpose, ground, [5, 6])[0]
    np.testing.assert_allclose(first.best.predict(rest[0]), once.best.predict(rest[0]), rtol=1e-4, atol=1e-5)


def test_convolution_is_tried_where_there_is_time_for_it():
    lesson = object.__new__(_Lesson)
    lesson.purpose, lesson.plan, lesson.epoch = purpose_of(spots(8)[0], 2), Plan((64,), epochs=50), 0.01
    lesson.pace = 0.0
    kinds = {}
    for seconds in (1, 30, 10_000):
        lesson.left = lambda seconds=seconds: seconds
        kinds[seconds] = {one.name: one.plan for one in lesson.to_try("variance") if one.plan.filters}
    assert not kinds[1] and list(kinds[30]) == ["convolution, 8-16 filters"] and len(kinds[10_000]) == 2
    assert 6 <= kinds[30]["convolution, 8-16 filters"].epochs < 50
    assert all(plan.epochs == 50 for plan in kinds[10_000].values())


@pytest.mark.parametrize(("stage", "seconds"), [("looking at", 8), ("round 1: ", 100), ("to the end", 5)])
def test_ctrl_c_ends_it_with_the_best_net_so_far(stage, seconds, tmp_path):
    def press(what):
        if stage in what:
            raise KeyboardInterrupt

    given = {"time": seconds, "run": tmp_path / "run", "doing": press}
    if stage == "looking at":
        with pytest.raises(KeyboardInterrupt):
            thalweg.coach(*corners(200), **given)
        return
    x, y = corners(200)
    found = thalweg.coach(x, np.where(RNG.random(200) < 0.3, 1 - y, y), **given)  # nobody is right of all of these
    assert "Stopped by hand" in str(found) and found.notebook.pages[-1].tried == ()
    assert callbacks.read_run(tmp_path / "run").state in ("finished", "stopped early")
    assert (tmp_path / "run" / "coach.json").is_file() and 0 <= found.error < 0.6


def test_the_story_is_printed_where_it_is_asked_for(capsys):
    for verbose, told in (("auto", False), (1, True)):
        thalweg.coach(*corners(60), target_error=0.99, time=3, verbose=verbose)
        assert ("Start simple" in capsys.readouterr().out) == told
    with pytest.raises(ValueError, match="verbose"):
        thalweg.coach(*corners(60), verbose=7)


def test_what_cannot_be_coached_is_told():
    x, y = corners(40)
    with pytest.raises(ValueError, match="target_error must be"):
        thalweg.coach(x, y, target_error=-1)
    with pytest.raises(ValueError, match="an error rate, between 0 and 1"):
        thalweg.coach(x, y, target_error=2)
    with pytest.raises(ValueError, match="time must be seconds"):
        thalweg.coach(x, y, time="soon")
    with pytest.raises(TypeError, match="validation must be rows"):
        thalweg.coach(x, y, validation=0.2)
    with pytest.raises(data.SealedError):
        thalweg.coach(x, y, validation=data.split(x, y).test)


def test_a_net_is_not_replaced_by_one_that_is_worse_than_it_was_with_all_its_epochs():
    """Where time ends the training of what there is, beside which a remedy looks good."""

    def result(plan, error):
        few = np.full(3, error)
        return Result(plan, (1, 2, 3), (None,) * 3, few, few, few, 1.0)

    lesson = object.__new__(_Lesson)
    (x, y), rest = spots(64), spots(32)
    lesson.ground, lesson.plan, lesson.pace = grounds(purpose_of(x, 2), (x, y), rest), Plan((8,), epochs=20), 1.0
    lesson.now = had = result(lesson.plan, 0.07)
    remedy = Candidate("learning rate x 3", Plan((8,), rate=0.003, epochs=20))
    for error, kept in ((0.1, False), (0.02, True)):
        cut_short = result(lesson.plan._replace(epochs=1), 0.14)
        name, why = lesson.judged(cut_short, (remedy, result(remedy.plan._replace(epochs=1), error)), "variance")
        assert (name == "learning rate x 3") == kept and "7.00% -> " in why
        assert (lesson.now is had) != kept
