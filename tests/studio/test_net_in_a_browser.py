"""The look into a net as a person sees it: rows that are chosen, weights as pictures, histograms while a fit runs."""

import re

import numpy as np
import pytest
from click.testing import CliRunner
from studio_browser import at_both_widths, kept, needs_browser, running, sync_api, until

import thalweg
from thalweg.cli._main import main
from thalweg.cli._studio import rows_of_run
from thalweg.models import load_model
from thalweg.studio._house import House
from thalweg.studio._rows import rows_of_folder
from thalweg.studio._server import Server

pytestmark = needs_browser

TRAINING = """
import sys, time
import thalweg
from thalweg.studio import Studio

class Slow(thalweg.callbacks.Callback):
    def next_stop(self, step):
        return step + 4
    def on_progress(self, step, logs=None):
        time.sleep(0.02)

digits = thalweg.datasets.load("digits8")
layers = [thalweg.Input((8, 8)), thalweg.layers.Rescaling(1 / 16), thalweg.layers.Flatten(), thalweg.layers.Dense(24, "relu", name="hidden"),
          thalweg.layers.Dense(10, "softmax", name="digit")]
model = thalweg.Sequential(layers)
model.compile(thalweg.optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(digits.x, digits.y, batch_size=32, epochs=5000, validation_split=0.25, seed=0, verbose=0,
          run=sys.argv[1] + "/first", callbacks=[Slow(), Studio(sys.argv[1], tell=lambda text: print(text, flush=True))])
"""


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """The link to the page of a fit in another process, which learns digits."""
    runs = tmp_path_factory.mktemp("net") / "runs"
    with running(TRAINING, runs) as (_, link):
        yield link


@pytest.fixture
def recorded(tmp_path):
    """A server of two runs of the command: digits, and a table with a name that is no markup."""
    rng = np.random.default_rng(0)
    size, kind = rng.normal(size=300), rng.choice(["a", "b", "c"], 300)
    lines = ["<b>size</b>,weight,kind,good"]
    lines += [f"{a:.3f},{b:.3f},{c},{'yes' if a + (c == 'b') > 0 else 'no'}" for a, b, c in zip(size, rng.normal(size=300), kind, strict=True)]  # fmt: skip
    (tmp_path / "table.csv").write_text("\n".join(lines))
    options = ["--epochs", "3", "--no-diagnose", "--layers", "16"]
    for data, name, more in (("digits8", "digits", []), (str(tmp_path / "table.csv"), "table", ["--target", "good"])):
        done = CliRunner().invoke(main, ["train", data, "--out", str(tmp_path / "runs" / name), *options, *more])
        assert done.exit_code == 0, done.output
    server = Server(House(tmp_path / "runs", again=rows_of_run))
    server.start()
    yield server, tmp_path / "runs"
    server.stop()


def painted(page, selector):
    """How many different colours a canvas has."""
    return page.evaluate(
        """(which) => {
            const canvas = document.querySelector(which);
            if (!canvas) return 0;
            const data = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
            return new Set(data).size;
        }""",
        selector,
    )


def opened(page, words):
    page.locator("summary", has_text=words).click()


def test_histograms_grow_while_a_fit_runs_and_a_reload_shows_the_same(training, watched):
    page = watched(viewport={"width": 1280, "height": 1600}).page
    page.goto(training)
    opened(page, "Inside the layers")
    slider = page.get_by_label("Which look")
    sync_api.expect(page.locator(".insides h4")).to_have_text(["hidden", "digit"])
    until(lambda: int(slider.get_attribute("max")) >= 4)
    until(lambda: painted(page, ".insides section:nth-child(2) figure:nth-child(3) canvas") > 20)
    row = page.locator("tbody tr", has_text="hidden").last
    until(lambda: re.search(r"\d %", row.inner_text()))
    cells = row.locator("td").all_inner_texts()
    assert "±" in cells[0] and cells[2].endswith(" %") and float(cells[5]) > 0
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    output = page.locator("output")
    told = output.inner_text()
    held = int(slider.get_attribute("max"))
    until(lambda: int(slider.get_attribute("max")) > held)
    assert output.inner_text() == told, "what was chosen stays chosen while looks come"
    kept(page, "inside")
    page.reload()
    opened(page, "Inside the layers")
    until(lambda: int(slider.get_attribute("max") or 0) >= held)
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    sync_api.expect(output).to_have_text(told)


def test_what_is_closed_asks_nothing(training, watched):
    page = watched().page
    asked = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda text: asked.append(str(text))))
    page.goto(training)
    until(lambda: page.evaluate("1") and any("sight" in one for one in asked))
    epoch = page.locator(".title + .hint")
    before = epoch.inner_text()
    until(lambda: epoch.inner_text() != before)
    assert not any('"inside"' in one or '"weights"' in one for one in asked)
    opened(page, "Inside the layers")
    until(lambda: page.evaluate("1") and any('"inside"' in one for one in asked))


def test_a_row_is_chosen_and_answered_while_a_fit_runs(training, watched):
    page = watched(viewport={"width": 1280, "height": 2000}).page
    page.goto(training)
    page.get_by_label("Number of the row").fill("7")
    page.keyboard.press("Enter")
    which = page.locator("form .hint")
    sync_api.expect(which).to_contain_text("7 of 1,077")
    sync_api.expect(page.locator(".bars .best")).to_have_count(1)
    sync_api.expect(page.locator(".net svg circle")).to_have_count(12 + 12 + 10)
    right = which.inner_text().split()[-1]
    assert page.get_by_label("What it is").input_value() == right
    page.get_by_role("button", name="Next").click()
    sync_api.expect(which).to_contain_text("8 of 1,077")
    page.get_by_label("Which rows").select_option("validation")
    page.get_by_role("button", name="Next").click()
    sync_api.expect(which).to_contain_text("1 of 360")
    page.get_by_label("Pad: draw").click()
    sync_api.expect(which).to_have_text("")


def test_the_weights_are_shown_as_pictures_and_as_a_matrix(training, watched):
    page = watched(viewport={"width": 1280, "height": 1600}).page
    page.goto(training)
    opened(page, "Weights as pictures")
    told = page.locator("details .hint", has_text="full colour is ±")
    sync_api.expect(told).to_contain_text("24 units: the weights of each as a picture of what it sees.")
    assert page.locator("canvas.kernel").evaluate("(one) => [one.width, one.height]") == [44, 44]
    until(lambda: painted(page, "canvas.kernel") > 30)
    kept(page, "weights")
    page.get_by_label("Layer", exact=True).select_option("digit")
    sync_api.expect(told).to_contain_text("The matrix: 24 inputs down, 10 units across.")
    assert page.locator("canvas.kernel").evaluate("(one) => [one.width, one.height]") == [10, 24]
    assert page.locator("canvas.kernel").bounding_box()["height"] < 560
    kept(page, "matrix")


def test_a_run_of_the_command_shows_its_rows_and_one_look(recorded, watched):
    server, runs = recorded
    page = watched(viewport={"width": 1280, "height": 2000}).page
    page.goto(f"{server.link}#run=digits")
    page.get_by_role("button", name="A wrong one").click()
    which = page.locator("form .hint")
    sync_api.expect(which).to_contain_text("; right is")
    number = int(page.get_by_label("Number of the row").input_value()) - 1
    sample, model = rows_of_folder(runs / "digits", rows_of_run), load_model(runs / "digits" / "best.keras")
    said = model.predict(sample.x[0][number : number + 1], verbose=0)[0]
    assert said.argmax() != sample.y[0][number]
    sync_api.expect(page.locator(".bars .best span").first).to_have_text(str(said.argmax()))
    opened(page, "Inside the layers")
    sync_api.expect(page.locator("output")).to_contain_text("256 rows")


def test_a_row_of_a_table_is_shown_with_its_names(recorded, watched):
    server, _ = recorded
    for theme in ("light", "dark"):
        page = watched(color_scheme=theme).page
        page.goto(f"{server.link}#run=table")
        sync_api.expect(page.get_by_text("It sees no pictures: choose a row")).to_be_visible()
        assert not page.get_by_label("Pad: draw").is_visible()
        page.get_by_role("button", name="Next").click()
        sync_api.expect(page.locator(".features th", has_text="<b>size</b>")).to_be_visible()
        sync_api.expect(page.locator(".bars li span:first-child")).to_have_text(["no", "yes"])
        sync_api.expect(page.locator(".net svg circle").first).to_be_visible()
        at_both_widths(page, f"table-{theme}")


def test_a_run_of_a_script_says_why_it_shows_no_rows(tmp_path, watched):
    model = thalweg.Sequential([thalweg.Input((3,)), thalweg.layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(40, 3))
    model.fit(x, (x[:, 0] > 0).astype(int), verbose=0, epochs=1, run=tmp_path / "runs" / "script")
    server = Server(House(tmp_path / "runs", again=rows_of_run))
    server.start()
    page = watched().page
    page.goto(f"{server.link}#run=script")
    page.get_by_role("button", name="Next").click()
    sync_api.expect(page.locator("form .hint")).to_contain_text("was begun by a script")
    opened(page, "Inside the layers")
    sync_api.expect(page.locator("details .hint", has_text="was begun by a script")).to_be_visible()
    sync_api.expect(page.locator(".insides canvas").first).to_be_visible()
    server.stop()


def test_everything_open_at_both_widths_in_both_themes(training, watched):
    for theme in ("light", "dark"):
        page = watched(color_scheme=theme).page
        page.goto(training)
        page.get_by_label("Number of the row").fill("12")
        page.keyboard.press("Enter")
        sync_api.expect(page.locator(".net svg circle").first).to_be_visible()
        opened(page, "Weights as pictures")
        opened(page, "Inside the layers")
        sync_api.expect(page.locator("details .hint", has_text="full colour is ±")).to_be_visible()
        until(lambda page=page: painted(page, ".heat") > 20)
        at_both_widths(page, f"net-{theme}")
