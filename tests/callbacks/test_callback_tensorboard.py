"""TensorBoard: what it writes is read back by TensorBoard's own reader and its own server."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from callback_fakes import drive

import thalweg
from thalweg import layers, optimizers
from thalweg.callbacks import Callback, EarlyStopping, LambdaCallback, LearningRateScheduler
from thalweg.callbacks import _tensorboard_events as events
from thalweg.callbacks._tensorboard import TensorBoard
from thalweg.callbacks._tensorboard_run import picture

pytest.importorskip("tensorboard")
accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
hparams = pytest.importorskip("tensorboard.plugins.hparams.metadata")
from tensorboard.util.tensor_util import make_ndarray  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.int64)


def net(rate=0.01, dropout=0.1, units=5):
    model = thalweg.Sequential(
        [
            thalweg.Input((4,)),
            layers.Dense(units, activation="relu", name="hidden"),
            layers.Dropout(dropout),
            layers.Dense(2, activation="softmax", name="out"),
        ]
    )
    model.compile(optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, board, epochs=3, **more):
    callbacks = [board, *more.pop("callbacks", [])]
    return model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, seed=1, callbacks=callbacks, **more)


def read(folder):
    """Tag -> [(step, value)] of a run's scalars, and the reader."""
    reader = accumulator.EventAccumulator(str(folder), size_guidance={accumulator.TENSORS: 0}).Reload()
    tags = [tag for tag in reader.Tags()["tensors"] if plugin(reader, tag) == "scalars"]
    return {tag: points(reader, tag) for tag in tags}, reader


def plugin(reader, tag):
    return reader.SummaryMetadata(tag).plugin_data.plugin_name


def points(reader, tag):
    return [(event.step, make_ndarray(event.tensor_proto).item()) for event in reader.Tensors(tag)]


def arrays(reader, tag):
    return [(event.step, make_ndarray(event.tensor_proto)) for event in reader.Tensors(tag)]


def float32(values):
    return [float(np.float32(value)) for value in values]


def test_epochs_stand_under_keras_names_with_the_numbers_of_the_history(tmp_path):
    history = fit(net(), TensorBoard(tmp_path), validation_split=0.2).history
    train, _ = read(tmp_path / "train")
    validation, _ = read(tmp_path / "validation")
    assert set(train) == {"epoch_loss", "epoch_accuracy", "epoch_learning_rate"}
    assert set(validation) == {
        *("epoch_loss", "epoch_accuracy"),
        *("evaluation_loss_vs_iterations", "evaluation_accuracy_vs_iterations"),
    }
    for name in ("loss", "accuracy"):
        assert train[f"epoch_{name}"] == list(enumerate(float32(history[name])))
        assert validation[f"epoch_{name}"] == list(enumerate(float32(history[f"val_{name}"])))
        assert validation[f"evaluation_{name}_vs_iterations"] == [
            (8 * (epoch + 1), value) for epoch, value in enumerate(float32(history[f"val_{name}"]))
        ]
    assert [value for _, value in train["epoch_learning_rate"]] == float32([0.01] * 3)


def test_names_are_those_that_keras_writes():
    keras = importlib.util.find_spec("keras")  # its own callback runs with TensorFlow only
    if keras is None:
        pytest.skip("keras is not installed")
    source = Path(keras.origin).parent.joinpath("src/callbacks/tensorboard.py").read_text()
    for told in (
        'f"epoch_{name}"',
        'f"batch_{name}"',
        'f"evaluation_{name}_vs_iterations"',
        'f"{weight_name}/histogram"',
        'f"{weight_name}/image"',
        'logs["learning_rate"]',
        'train_logs["steps_per_second"]',
        '"batch_steps_per_second"',
        'self._log_write_dir, "train"',
        'self._log_write_dir, "validation"',
    ):
        assert told in source, told


@pytest.mark.parametrize(("freq", "each"), [(4, 4), ("batch", 1), (7, 7)])
def test_batches_are_written_when_due_at_the_steps_of_the_whole_fit(tmp_path, freq, each):
    seen = {}
    model = net()
    watch = LambdaCallback(on_progress=lambda step, logs: seen.update({int(model.steps_taken): logs["loss"]}))
    fit(model, TensorBoard(tmp_path, update_freq=freq), callbacks=[watch])
    train, _ = read(tmp_path / "train")
    due = list(range(each, 31, each))
    assert train["batch_loss"] == [(step, float(np.float32(seen[step]))) for step in due]
    assert [step for step, _ in train["batch_accuracy"]] == due


def test_a_number_of_steps_leaves_the_chunks_long(tmp_path):
    def chunks(*callbacks, **more):
        stops = []
        watch = LambdaCallback(on_progress=lambda step, logs: stops.append(step))
        model = net()
        for _ in range(2):  # once the program knows how long a step takes
            stops.clear()
            model.fit(X, Y, batch_size=1, verbose=0, seed=1, callbacks=[watch, *callbacks], **more)
        return stops

    assert TensorBoard(tmp_path).wants_batches is False
    alone = len(chunks())
    stops = chunks(TensorBoard(tmp_path, update_freq=40))
    assert {40, 80} <= set(stops) and len(stops) <= alone + 2


def test_a_fit_that_goes_on_counts_on(tmp_path):
    model, board = net(), TensorBoard(tmp_path, update_freq=5)
    fit(model, board, epochs=2)
    fit(model, board, epochs=4, initial_epoch=2, validation_split=0.0)
    train, _ = read(tmp_path / "train")
    assert [step for step, _ in train["batch_loss"]] == [5, 10, 15, 20, 25, 30, 35, 40]
    assert [step for step, _ in train["epoch_loss"]] == [0, 1, 2, 3]


def test_steps_per_second(tmp_path):
    begun = time.monotonic()
    fit(net(), TensorBoard(tmp_path, update_freq=5, write_steps_per_second=True), epochs=2)
    least = 10 / (time.monotonic() - begun)
    train, _ = read(tmp_path / "train")
    assert len(train["batch_steps_per_second"]) == 4 and len(train["epoch_steps_per_second"]) == 2
    assert all(value > least for _, value in train["epoch_steps_per_second"])


def test_every_epoch_can_be_read_along(tmp_path):
    seen = []
    peek = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(len(read(tmp_path / "train")[0]["epoch_loss"])))
    fit(net(), TensorBoard(tmp_path), callbacks=[peek])
    assert seen == [1, 2, 3]


def test_numbers_that_are_none_are_written_as_they_are(tmp_path):
    logs = [{"loss": float("nan"), "each": [0.5, 0.25]}, {"loss": float("inf"), "val_loss": 1e300}]
    drive(TensorBoard(tmp_path), logs)
    train, _ = read(tmp_path / "train")
    assert np.isnan(train["epoch_loss"][0][1]) and train["epoch_loss"][1] == (1, np.inf)
    assert train["epoch_each/0"] == [(0, 0.5)] and train["epoch_each/1"] == [(0, 0.25)]
    assert read(tmp_path / "validation")[0]["epoch_loss"] == [(1, np.inf)]


def test_histograms_count_every_weight(tmp_path):
    model, kept = net(), []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    fit(model, TensorBoard(tmp_path, histogram_freq=2), callbacks=[keep])
    _, reader = read(tmp_path / "train")
    tags = [tag for tag in reader.Tags()["tensors"] if plugin(reader, tag) == "histograms"]
    assert tags == [f"{layer}/{weight}/histogram" for layer in ("hidden", "out") for weight in ("kernel", "bias")]
    for place, tag in enumerate(tags):
        found = arrays(reader, tag)
        assert [step for step, _ in found] == [0, 2]
        for step, rows in found:
            weights = kept[step][place].ravel().astype(np.float64)
            counts, ends = np.histogram(weights, bins=30)
            assert rows.shape == (30, 3)
            np.testing.assert_allclose(rows[:, 0], ends[:-1], rtol=1e-6, atol=1e-9)
            np.testing.assert_allclose(rows[:, 1], ends[1:], rtol=1e-6, atol=1e-9)
            assert rows[:, 2].sum() == weights.size and np.abs(rows[:, 2] - counts).sum() <= 2  # at ties of ends


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([np.nan, np.inf], {}),
        ([], {}),
        ([2.0, 2.0, np.nan], {29: 2}),
        ([0.0, 3.0, 3.0], {0: 1, 29: 2}),
        ([0.0, 5e-324], {29: 2}),
    ],
)
def test_histograms_of_odd_weights(values, counts):
    rows = events.buckets(np.array(values))
    assert {i: int(count) for i, count in enumerate(rows[:, 2]) if count} == counts
    if counts.keys() == {29} and values[0] == 2.0:
        assert set(rows[:, :2].ravel()) == {2.0}


def test_images_are_pictures_of_the_weights(tmp_path):
    image = pytest.importorskip("PIL.Image")
    model = net()
    fit(model, TensorBoard(tmp_path, histogram_freq=1, write_images=True), epochs=1)
    _, reader = read(tmp_path / "train")
    tags = [tag for tag in reader.Tags()["tensors"] if plugin(reader, tag) == "images"]
    assert tags == [f"{layer}/{weight}/image" for layer in ("hidden", "out") for weight in ("kernel", "bias")]
    width, height, data = arrays(reader, "out/kernel/image")[0][1].tolist()
    shown = np.asarray(image.open(io.BytesIO(data)))
    kernel = model.get_weights()[2].T  # [2, 5]: it lies on its longer side
    assert (int(width), int(height)) == (5, 2) and shown.shape == (2, 5)
    expected = (kernel - kernel.min()) / (kernel.max() - kernel.min()) * 255
    assert np.abs(shown - expected).max() <= 0.51


def test_pictures_of_odd_weights():
    assert picture(np.zeros((1, 1))) is None and picture(np.zeros((2, 2, 3))) is None
    assert picture(np.zeros(3)).shape == (3, 1) and picture(np.zeros((4, 1))).shape == (4, 1)
    assert not events.grey(np.array([[np.nan, np.inf]])).any()
    assert events.grey(np.array([[np.nan, 1.0, 3.0]])).tolist() == [[0, 0, 255]]
    assert not events.grey(np.full((2, 2), 7.0)).any()


def test_hypers_are_told_with_the_beginning_and_the_end_of_the_fit(tmp_path):
    model = net(rate=0.02)
    history = fit(model, TensorBoard(tmp_path), validation_split=0.2).history
    root, reader = read(tmp_path)
    about = {tag: reader.SummaryMetadata(tag).plugin_data.content for tag in reader.Tags()["tensors"]}
    experiment = hparams.parse_experiment_plugin_data(about[hparams.EXPERIMENT_TAG])
    assert (
        {one.name for one in experiment.hparam_infos}
        == set(model.hypers)
        == {"optimizer/learning_rate", "dropout/rate"}
    )
    assert [one.display_name for one in experiment.metric_infos] == ["loss", "accuracy", "val_loss", "val_accuracy"]
    start = hparams.parse_session_start_info_plugin_data(about[hparams.SESSION_START_INFO_TAG])
    assert {path: value.number_value for path, value in start.hparams.items()} == dict(model.hypers)
    end = hparams.parse_session_end_info_plugin_data(about[hparams.SESSION_END_INFO_TAG])
    assert end.status == 1 and end.end_time_secs >= start.start_time_secs
    for one in experiment.metric_infos:  # the tab shows the last value of each
        assert one.name.group == "" and root[one.name.tag] == list(enumerate(float32(history[one.display_name])))


def test_a_hyper_that_is_turned_has_a_course_and_others_have_none(tmp_path):
    def turn(epoch, logs):
        if epoch == 2:
            model.hypers["dropout/rate"] = 0.4

    model = net()
    fit(model, TensorBoard(tmp_path), epochs=4, callbacks=[LambdaCallback(on_epoch_begin=turn)])
    train, _ = read(tmp_path / "train")
    assert train["hyper/dropout/rate"] == [(1, float(np.float32(0.1))), *((n, float(np.float32(0.4))) for n in (2, 3))]
    assert "hyper/optimizer/learning_rate" not in train


def test_the_rate_in_force_is_written(tmp_path):
    halving = LearningRateScheduler(lambda epoch, rate: rate / 2)
    fit(net(rate=0.8), TensorBoard(tmp_path), callbacks=[halving])
    train, _ = read(tmp_path / "train")
    assert [value for _, value in train["epoch_learning_rate"]] == float32([0.4, 0.2, 0.1])
    assert [value for _, value in train["hyper/optimizer/learning_rate"]] == float32([0.4, 0.2, 0.1])


def test_an_optax_transformation_keeps_its_rate_to_itself(tmp_path):
    import optax

    model = thalweg.Sequential([thalweg.Input((4,)), layers.Dense(1)])
    model.compile(optax.sgd(0.1), "mse")
    fit(model, TensorBoard(tmp_path), epochs=1)
    assert set(read(tmp_path / "train")[0]) == {"epoch_loss"}


@pytest.mark.parametrize("steps", [3, (3, 12), (1, 2), "2,4"])
def test_the_steps_asked_for_are_profiled(tmp_path, monkeypatch, steps):
    import jax

    model, calls = net(), []
    monkeypatch.setattr(jax.profiler, "start_trace", lambda folder: calls.append((folder, int(model.steps_taken))))
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: calls.append(int(model.steps_taken)))
    board = TensorBoard(tmp_path, profile_batch=steps)
    first, last = {3: (3, 3), "2,4": (2, 4)}.get(steps, steps)
    for taken in (0, 30):  # the second fit counts from 1 again
        fit(model, board)
        assert calls == [(str(tmp_path), taken + first - 1), taken + last]
        calls.clear()


def test_a_profile_is_written(tmp_path):
    fit(net(), TensorBoard(tmp_path, profile_batch=(2, 1000)), epochs=1)  # which the end of the fit cuts off
    assert any(path.stat().st_size for path in tmp_path.glob("plugins/profile/*/*.xplane.pb"))


def test_a_profiler_in_use_costs_no_fit(tmp_path):
    import jax

    jax.profiler.start_trace(str(tmp_path / "other"))
    try:
        with pytest.warns(UserWarning, match="the profiler could not be started"):
            history = fit(net(), TensorBoard(tmp_path / "logs", profile_batch=2), epochs=1)
    finally:
        jax.profiler.stop_trace()
    assert len(history.warnings) == 1 and history.epoch == [0]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_everything_is_closed_where_a_fit_ends_early(tmp_path, monkeypatch, error):
    import jax

    stopped = []
    monkeypatch.setattr(jax.profiler, "start_trace", lambda folder: None)
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: stopped.append(True))

    class Fail(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise error

    board = TensorBoard(tmp_path, profile_batch=(1, 10_000))
    with pytest.raises(error):
        fit(net(), board, callbacks=[Fail()])
    assert stopped == [True]
    assert all(one._writer is None for one in (board._own.root, board._own.train, board._own.validation))
    assert len(read(tmp_path / "train")[0]["epoch_loss"]) == 2
    _, reader = read(tmp_path)
    content = reader.SummaryMetadata(hparams.SESSION_END_INFO_TAG).plugin_data.content
    status = hparams.parse_session_end_info_plugin_data(content).status
    assert status == (1 if error is KeyboardInterrupt else 2)  # Ctrl-C is a person's end, an error is none
    board.close()


def test_an_evaluation_alone_is_written_at_the_optimizers_steps(tmp_path):
    model = net()
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    board = TensorBoard(tmp_path)
    loss, _ = model.evaluate(X, Y, verbose=0, callbacks=[board])
    validation, _ = read(tmp_path / "validation")
    assert validation["evaluation_loss_vs_iterations"] == [(20, float(np.float32(loss)))]
    assert board._own.validation._writer is None


def test_a_population_has_a_folder_a_member(tmp_path):
    population = thalweg.Population([net(rate=0.0), net(rate=0.05, units=3)])
    stopping = EarlyStopping("loss", patience=1)
    board = TensorBoard(tmp_path, update_freq=4, histogram_freq=1)
    population.fit(
        X, Y, batch_size=8, epochs=4, verbose=0, seeds=[1, 2], validation_split=0.2, callbacks=[stopping, board]
    )
    lengths = [len(member.history.epoch) for member in population]
    assert lengths[0] < lengths[1]
    for i, member in enumerate(population):
        folder = tmp_path / f"member-0{i}"
        history = member.history.history
        train, reader = read(folder / "train")
        assert train["epoch_loss"] == list(enumerate(float32(history["loss"])))
        assert read(folder / "validation")[0]["epoch_accuracy"] == list(enumerate(float32(history["val_accuracy"])))
        assert train["epoch_learning_rate"][-1][1] == np.float32([0.0, 0.05][i])
        assert arrays(reader, "hidden/kernel/histogram")[-1][1][:, 2].sum() == 4 * (5, 3)[i]
        _, reader = read(folder)
        content = reader.SummaryMetadata(hparams.SESSION_START_INFO_TAG).plugin_data.content
        start = hparams.parse_session_start_info_plugin_data(content)
        assert start.hparams["optimizer/learning_rate"].number_value == [0.0, 0.05][i]
        assert hparams.SESSION_END_INFO_TAG in reader.Tags()["tensors"]
    _, reader = read(tmp_path)
    content = reader.SummaryMetadata(hparams.EXPERIMENT_TAG).plugin_data.content
    rate = next(
        one
        for one in hparams.parse_experiment_plugin_data(content).hparam_infos
        if one.name == "optimizer/learning_rate"
    )
    assert (rate.domain_interval.min_value, rate.domain_interval.max_value) == (0.0, 0.05)
    batches, _ = read(tmp_path / "train")
    assert [step for step, _ in batches["batch_loss"]][:3] == [4, 8, 12]


def test_batches_of_members_go_to_the_members(tmp_path):
    class Nets(list):
        history = None

    nets = Nets([net(), net()])
    board = TensorBoard(tmp_path, update_freq=1)
    board.set_model(nets)
    board.on_train_begin()
    board.on_epoch_begin(0)
    board.on_progress(1, {"loss": [1.0, 2.0], "spread": 0.5})
    board.close()
    values = [read(tmp_path / name / "train")[0]["batch_loss"] for name in ("member-00", "member-01")]
    assert values == [[(1, 1.0)], [(1, 2.0)]]
    assert read(tmp_path / "train")[0] == {"batch_spread": [(1, 0.5)]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"histogram_freq": -1}, r"histogram_freq must be a whole number >= 0, got TensorBoard\(histogram_freq=-1\)"),
        ({"update_freq": "bach"}, "Did you mean 'batch'.*A number of steps may be given too"),
        ({"update_freq": 0}, "update_freq must be a whole number >= 1"),
        ({"update_freq": True}, "update_freq must be"),
        ({"profile_batch": (5, 3)}, r"profile_batch must be a step >= 1, .*got TensorBoard\(profile_batch=\(5, 3\)\)"),
        ({"profile_batch": "5"}, "profile_batch must be"),
        ({"profile_batch": -1}, "profile_batch must be"),
        ({"profile_batch": (0, 3)}, "profile_batch must be"),
    ],
)
def test_wrong_arguments_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        TensorBoard(**given)


def test_what_is_not_written_is_said_once_a_fit(tmp_path):
    with pytest.warns(UserWarning, match="TensorBoard: ") as told:
        history = fit(net(), TensorBoard(tmp_path, embeddings_freq=1, write_images=True))
    assert history.warnings == [str(one.message) for one in told]
    assert [message.split(" are ")[0] for message in history.warnings] == [
        "TensorBoard: embeddings",
        "TensorBoard: images",
    ]
    assert fit(net(), TensorBoard(tmp_path / "quiet")).warnings == []


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    with pytest.raises(ImportError, match=re.escape("need the extra: pip install 'thalweg[tensorboard]'")):
        TensorBoard()


def test_importing_the_callback_imports_no_tensorboard():
    code = "import sys, thalweg.callbacks._tensorboard; print('tensorboard' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def ask(address, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


@pytest.fixture
def server():
    """Starts TensorBoard on a folder; gives its address."""
    running = []

    def start(folder):
        command = [sys.executable, "-W", "ignore", "-m", "tensorboard.main", "--logdir", str(folder)]
        command += ["--host", "127.0.0.1", "--port", "0", "--reload_interval", "1"]
        log = open(folder.parent / "server.log", "w+")  # noqa: SIM115  closed below
        running.append((subprocess.Popen(command, stdout=log, stderr=log), log))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            log.seek(0)
            found = re.search(r"http://127\.0\.0\.1:\d+", log.read())
            if found:
                return found[0]
            time.sleep(0.2)
        raise TimeoutError("TensorBoard did not start")

    yield start
    for process, log in running:
        process.terminate()
        process.wait(20)
        log.close()


def test_a_real_server_shows_it(tmp_path, server):
    model = net(rate=0.02)
    logs = tmp_path / "logs"
    history = fit(model, TensorBoard(logs, update_freq=5, histogram_freq=1), validation_split=0.2).history
    address = server(logs)
    deadline = time.monotonic() + 60
    tags = {}
    while "validation" not in tags and time.monotonic() < deadline:
        tags = ask(address, "/data/plugin/scalars/tags")
        time.sleep(0.3)
    assert {"epoch_loss", "epoch_accuracy", "batch_loss"} <= set(tags["train"])
    series = ask(address, "/data/plugin/scalars/scalars?run=validation&tag=epoch_loss")
    assert [(step, value) for _, step, value in series] == list(enumerate(float32(history["val_loss"])))
    assert "hidden/kernel/histogram" in ask(address, "/data/plugin/histograms/tags")["train"]
    experiment = ask(address, "/data/plugin/hparams/experiment", {"experimentName": ""})
    assert {one["name"] for one in experiment["hparamInfos"]} == set(model.hypers)
    columns = [{"metric": one["name"]} for one in experiment["metricInfos"]]
    asked = {"experimentName": "", "allowedStatuses": ["STATUS_SUCCESS"], "colParams": columns, "sliceSize": 9}
    (row,) = ask(address, "/data/plugin/hparams/session_groups", asked)["sessionGroups"]
    assert row["hparams"] == dict(model.hypers)
    shown = {one["name"]["tag"]: one["value"] for one in row["metricValues"]}
    assert shown == {f"hparams/{name}": float32(values)[-1] for name, values in history.items()}
