"""Pictures of a search: every kind, whole, readable, and nobody's matplotlib changed."""

from __future__ import annotations

import builtins
import pickle
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from thalweg.tuner import _pictures as module
from thalweg.tuner._objective import Objective
from thalweg.tuner._parameters import Boolean, Choice, Condition, Fixed, Float, Int
from thalweg.tuner._pictures import KINDS, picture
from thalweg.tuner._trial import Trial

ACCURACY, WEIGHTS, SECONDS = Objective("val_accuracy"), Objective("weights", "min"), Objective("seconds", "min")
SPACE = [
    Int("layers", 1, 3),
    Float("learning_rate", 1e-5, 1, sampling="log"),
    Choice("optimizer", ["sgd", "adam", "rmsprop", "lion"]),
    Int("units", 16, 256, step=16),
    Float("momentum", 0, 0.99, conditions=[Condition("optimizer", ["sgd"])]),
    Boolean("bias"),
    Float("a_rather_long_scope/block/label_$smoothing", 0, 0.2),
    Fixed("epochs", 20),
]


def searched(goals=(ACCURACY,), n=40, space=SPACE):
    rng = np.random.default_rng(0)
    trials = []
    for number in range(n):
        values = {}
        for one in space:
            if one.is_active(values):
                values[one.name] = one.value_at(rng.random())
        score = 0.9 - 0.02 * np.log10(values.get("learning_rate", 0.1) * 300) ** 2 + 0.01 * rng.normal()
        scores = [float(score), 100.0 * values.get("units", number), float(rng.random())][: len(goals)]
        trials.append(Trial(number, values, "COMPLETED", scores, [0.01, None, None][: len(goals)]))
    trials[3] = Trial(3, trials[3].values, "FAILED", message="x")
    trials[5].scores[0] = -1e6
    trials[7].scores[0] = float("nan")
    return [*trials, Trial(n, {})]


@pytest.fixture(scope="module")
def trials():
    return searched()


def texts(figure):
    """Everything that is written in a figure, where it is shown at all."""
    import matplotlib.text

    return [t for t in figure.findobj(matplotlib.text.Text) if t.get_visible() and t.get_text().strip()]


def assert_nothing_is_cut_off(figure):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer, box = canvas.get_renderer(), figure.bbox
    for axes in figure.axes:
        for part in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts, *axes.get_xticklabels()):
            if axes.axison and part.get_visible() and part.get_text():
                extent = part.get_window_extent(renderer)
                low, high = axes.get_xlim()
                if part in axes.get_xticklabels() and not low <= part.get_position()[0] <= high:
                    continue
                assert extent.x0 >= -1 and extent.x1 <= box.x1 + 1, part
                assert extent.y0 >= -1 and extent.y1 <= box.y1 + 1, part


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "pareto"])
def test_every_kind_is_drawn_whole_and_written(kind, trials, tmp_path):
    path = tmp_path / f"{kind}.png"
    figure = picture(kind, trials, SPACE, [ACCURACY], path)
    assert isinstance(figure, Figure) and path.read_bytes().startswith(b"\x89PNG")
    assert_nothing_is_cut_off(figure)
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_a_figure_shows_itself_in_a_notebook_and_can_be_pickled(trials):
    figure = picture("history", trials, SPACE, [ACCURACY])
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert isinstance(pickle.loads(pickle.dumps(figure)), Figure)


def test_svg_is_written_and_an_unknown_ending_told(trials, tmp_path):
    picture("history", trials, SPACE, [ACCURACY], tmp_path / "a.svg")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    with pytest.raises(ValueError, match="xyz"):
        picture("history", trials, SPACE, [ACCURACY], tmp_path / "a.xyz")


def test_history_shows_the_best_so_far_and_what_went_wrong(trials):
    axes = picture("history", trials, SPACE, [ACCURACY]).axes[0]
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    scores = [trial.score for trial in trials if trial.has_score]
    np.testing.assert_array_equal(lines["best so far"][:-1], np.maximum.accumulate(scores))
    assert len(lines["no score"]) == 2
    low, _ = axes.get_ylim()
    assert low > 0.0  # the disaster is at the edge
    assert f"by trial {int(np.argmax([t.score if t.has_score else -9 for t in trials[:-1]]))}" in axes.get_title()
    assert "more is better" in axes.get_ylabel()


def test_slices_have_a_plot_a_parameter_with_its_own_scale(trials):
    figure = picture("slices", trials, SPACE, [ACCURACY])
    plots = {axes.get_xlabel(): axes for axes in figure.axes if axes.get_xlabel()}
    assert len(plots) == 7 and "epochs" not in plots  # what has one value is not drawn
    assert plots["learning_rate"].get_xscale() == "log" and plots["units"].get_xscale() == "linear"
    assert [t.get_text() for t in plots["optimizer"].get_xticklabels()] == ["sgd", "adam", "rmsprop", "lion"]
    assert [t.get_text() for t in plots["layers"].get_xticklabels()] == ["1", "2", "3"]
    low, high = plots["learning_rate"].get_xlim()
    assert 1e-6 < low < 1e-5 and 1 < high < 10  # the whole range is shown
    assert plots["momentum"].get_title().startswith("active in ")
    assert any(r"\$" in name for name in plots)  # no formula begins there
    one = picture("slices", trials, SPACE, [ACCURACY], params=["learning_rate"])
    assert one.get_figwidth() < figure.get_figwidth() and one.get_figheight() < figure.get_figheight()


def test_parallel_lines_cross_every_axis(trials):
    figure = picture("parallel", trials, SPACE, [ACCURACY])
    axes = figure.axes[0]
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) == 8]
    assert len(lines) == sum(trial.has_score for trial in trials)
    written = [t.get_text() for t in axes.texts]
    assert {"1e-05", "0.001", "1", "adam", "not active", "True"} <= set(written)
    assert figure.get_figwidth() > picture("parallel", trials, SPACE, [ACCURACY], params=["units"]).get_figwidth()


def test_contours_are_pairs_in_a_triangle(trials):
    figure = picture("contour", trials, SPACE, [ACCURACY], params=["learning_rate", "optimizer", "momentum"])
    plots = [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes if axes.axison and axes.get_xlabel()]
    assert plots == [("learning_rate", "optimizer"), ("learning_rate", "momentum"), ("optimizer", "momentum")]
    assert figure.axes[0].get_xscale() == "log"


def test_a_landscape_is_the_mean_of_what_is_near():
    space = [Choice("a", ["x", "y"]), Choice("b", ["u", "v"])]
    table = {("x", "u"): [1.0, 3.0], ("x", "v"): [5.0], ("y", "u"): [4.0]}
    trials = [
        Trial(i, dict(zip("ab", pair, strict=True)), "COMPLETED", [score])
        for i, (pair, score) in enumerate((pair, score) for pair, scores in table.items() for score in scores)
    ]
    axes = picture("contour", trials, space, [Objective("val_loss")]).axes[0]
    means = axes.collections[0].get_array().reshape(2, 2)
    assert means[0, 0] == 2 and means[1, 0] == 5 and means[0, 1] == 4 and np.ma.getmaskarray(means)[1, 1]


def test_importance_draws_its_intervals(trials):
    figure = picture("importance", trials, SPACE, [ACCURACY])
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[-1] == "learning_rate" and any("momentum\n(" in name for name in names)
    assert len(axes.patches) == 7 == len(names) and axes.collections  # bars and their ends
    assert any("within the noise" in text.get_text() for text in texts(figure))
    with pytest.raises(ValueError, match="too few trials"):
        picture("importance", trials[:5], SPACE, [ACCURACY])


@pytest.mark.parametrize("goals", [[ACCURACY, WEIGHTS], [ACCURACY, WEIGHTS, SECONDS]])
def test_the_front_is_drawn_in_pairs(goals, tmp_path):
    figure = picture("pareto", searched(goals), SPACE, goals, tmp_path / "front.png")
    assert_nothing_is_cut_off(figure)
    plots = [axes for axes in figure.axes if axes.axison]
    assert len(plots) == len(goals) * (len(goals) - 1) / 2
    assert plots[0].get_xlabel().startswith("val_accuracy (more") and plots[0].get_ylabel().startswith("weights (less")
    assert "on the Pareto front" in figure.get_suptitle()


def test_one_of_several_objectives_can_be_drawn():
    goals = [ACCURACY, WEIGHTS]
    trials = searched(goals)
    for kind in ("history", "slices", "parallel", "importance"):
        written = [t.get_text() for t in texts(picture(kind, trials, SPACE, goals, objective="weights"))]
        assert any("weights" in text for text in written) and not any("val_accuracy" in text for text in written)


def test_one_trial_and_one_parameter_are_enough_for_most():
    space, trials = [Float("a", 0, 1)], [Trial(0, {"a": 0.5}, "COMPLETED", [0.5])]
    for kind in ("history", "slices", "parallel"):
        assert_nothing_is_cut_off(picture(kind, trials, space, [ACCURACY]))


def test_what_cannot_be_drawn_is_told(trials):
    with pytest.raises(ValueError, match=r"Unknown picture 'slice'.*Did you mean 'slices'"):
        picture("slice", trials, SPACE, [ACCURACY])
    with pytest.raises(ValueError, match=r"none of 1 trials has ended with a finite score"):
        picture("history", [Trial(0, {}, "FAILED"), Trial(1, {})], SPACE, [ACCURACY])
    with pytest.raises(ValueError, match=r"Unknown hyperparameter 'unit'.*'units'"):
        picture("slices", trials, SPACE, [ACCURACY], params=["unit"])
    with pytest.raises(ValueError, match=r"Unknown objective 'val_acc'"):
        picture("history", trials, SPACE, [ACCURACY], objective="val_acc")
    with pytest.raises(ValueError, match="two objectives"):
        picture("pareto", trials, SPACE, [ACCURACY])
    with pytest.raises(ValueError, match="'contour' needs 2 hyperparameters"):
        picture("contour", trials, SPACE, [ACCURACY], params=["units"])
    with pytest.raises(TypeError, match="params"):
        picture("history", trials, SPACE, [ACCURACY], params=["units"])


def test_a_missing_matplotlib_is_told(trials, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'thalweg\[plots\]'"):
        module.picture("history", trials, SPACE, [ACCURACY])


@pytest.mark.long
def test_no_display_is_needed_and_no_backend_chosen():
    """With a backend that cannot be loaded here, warnings as errors, and the user's style left alone."""
    code = """
import warnings; warnings.simplefilter('error')
import matplotlib; before = dict(matplotlib.rcParams)
from thalweg.tuner._objective import Objective
from thalweg.tuner._parameters import Float
from thalweg.tuner._pictures import picture
from thalweg.tuner._trial import Trial
trials = [Trial(n, {'a': n / 9}, 'COMPLETED', [n / 2]) for n in range(9)]
for kind in ('history', 'slices', 'parallel'):
    picture(kind, trials, [Float('a', 0, 1)], [Objective('val_loss')])._repr_png_()
assert dict(matplotlib.rcParams) == before
import sys; print('matplotlib.pyplot' in sys.modules, matplotlib.get_backend())
"""
    env = {**__import__("os").environ, "MPLBACKEND": "tkagg", "DISPLAY": ""}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert said.stdout.split() == ["False", "tkagg"]
