"""``thalweg backprop``: a neuron's wishes, all layers, the picture, and numbers that are out of range."""

import numpy as np
import pytest
from click.testing import CliRunner

import thalweg
from thalweg.cli import main
from thalweg.diagnosis import backprop


def run(*arguments, code=0):
    done = CliRunner().invoke(main, [str(one) for one in arguments], env={"COLUMNS": "120"})
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backprop") / "run"
    run("train", "digits8", "--epochs", 1, "--layers", "16,16", "--no-diagnose", "--out", folder)
    return folder


def test_a_neuron_of_one_row(trained):
    from thalweg.cli._again import again

    x, y = again(trained, "").source.validation
    found = backprop(thalweg.models.load_model(trained / "best.keras"), x[7:8], y[7:8])
    awake, asleep = (int(one) for one in (found.layer(2).error[0] ** 2).argsort()[[-1, 0]])
    said = run("backprop", trained, "--example", 7, "--layer", 2, "--neuron", awake)
    assert "validation row 7" in said and f"neuron {awake} of layer 2 (dense_1)" in said
    for text in ("dL/dz", "wish for w", "wish for a", "all neurons' for a", "and 8 smaller wishes", "backprop.png"):
        assert text in said
    said = run("backprop", trained, "--example", 7, "--layer", "dense_1", "--neuron", asleep)
    assert f"neuron {asleep} of layer 2 (dense_1)" in said
    assert ("wish for w" in said) == bool(found.layer(2).error[0, asleep])


def test_the_numbers_are_those_of_the_rows(trained):
    from thalweg.cli._again import again

    x, y = again(trained, "").source.train
    wishes = backprop(thalweg.models.load_model(trained / "best.keras"), x[5:6], y[5:6]).wishes(1, 4, 0)
    said = run("backprop", trained, "--example", 5, "--layer", 1, "--neuron", 4, "--of", "training")
    assert "training row 5" in said and f"dL/dz {wishes.error:+.4g}" in said
    line = next(one for one in said.splitlines() if one.split()[:1] == [str(wishes.largest[0])])
    assert f"{wishes.weights[wishes.largest[0]]:+.3g}" in line.split()


def test_all_layers_on_average_and_the_picture(trained):
    (trained / "backprop.png").unlink(missing_ok=True)
    said = run("backprop", trained)
    for text in ("by the chain rule", "2 dense_1 (Dense)", "the largest errors", "cancels out", "pulls hardest"):
        assert text in said
    pytest.importorskip("matplotlib")
    assert (trained / "backprop.png").read_bytes()[:4] == b"\x89PNG"
    assert "one example" in run("backprop", trained, "--example", 0)


def test_numbers_out_of_range(trained):
    assert "--example must be a number from 0 to" in run("backprop", trained, "--example", 99999, code=1)
    assert "got -1" in run("backprop", trained, "--example", -1, code=1)
    assert "go together" in run("backprop", trained, "--layer", 1, code=1)
    assert "from 0 to 3 (0 input_layer" in run("backprop", trained, "--layer", 9, "--neuron", 0, code=1)
    assert "Did you mean 'dense_1'" in run("backprop", trained, "--layer", "dense_11", "--neuron", 0, code=1)
    assert "neuron must be a whole number from 0 to 15" in run(
        "backprop", trained, "--layer", 1, "--neuron", 16, code=1
    )
    assert "no Dense layer" in run("backprop", trained, "--layer", "flatten", "--neuron", 0, code=1)


def test_a_run_of_a_script_says_what_to_call(tmp_path):
    net = thalweg.Sequential([thalweg.Input((2,)), thalweg.layers.Dense(1)])
    net.compile("sgd", "mse")
    net.fit(np.zeros((8, 2)), np.arange(8.0), run=tmp_path / "script", verbose=0)
    assert "thalweg.diagnosis.backprop(model, x, y)" in run("backprop", tmp_path / "script", code=1)
