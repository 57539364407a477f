"""Studies on the page, as a person sees them: a search that runs in another process, and one that has ended."""

import signal

import pytest
from studio_browser import at_both_widths, kept, needs_browser, running, sync_api, until

from thalweg import tuner
from thalweg.diagnosis.coaching._notebook import Notebook, Page, Tried
from thalweg.diagnosis.coaching._written import Written
from thalweg.studio._house import House
from thalweg.studio._server import Server

pytestmark = needs_browser

SEARCH = """
import sys, time
import numpy as np
import thalweg
from thalweg import layers, tuner
from thalweg.studio import Studio

class Slow(thalweg.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(float(sys.argv[2]))

def build(hp):
    model = thalweg.Sequential([thalweg.Input((8,)), layers.Dense(hp.Int("<i>units</i>", 2, 9), "relu"), layers.Dense(2, "softmax")])
    kind = hp.Choice("optimizer", ["sgd", "adam"])
    if kind == "sgd":
        optimizer = thalweg.optimizers.SGD(hp.Float("rate", 0.001, 1.0, sampling="log"))
    else:
        optimizer = thalweg.optimizers.Adam(0.01)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

x = np.random.default_rng(0).normal(size=(96, 8)).astype("float32")
search = tuner.Hyperband(build, "val_accuracy", max_epochs=9, factor=3, hyperband_iterations=int(sys.argv[3]), directory=sys.argv[1], project_name="search", seed=0)
search.search(x, (x.sum(axis=1) > 0).astype(int), validation_split=0.25, verbose=0,
              callbacks=[Slow(), Studio(sys.argv[1], tell=lambda text: print(text, flush=True))])
"""


@pytest.fixture
def searching(tmp_path):
    """A search in another process, that goes on for long."""
    with running(SEARCH, tmp_path / "runs", 0.02, 500) as (process, link):
        assert "#study=search" in link
        yield process, tmp_path / "runs", link


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """A folder with a study that has ended."""
    folder = tmp_path_factory.mktemp("runs")
    with running(SEARCH, folder, 0, 1) as (process, _):
        assert process.wait(120) == 0
    return folder


@pytest.fixture
def server(ended):
    found = Server(House(ended))
    found.start()
    yield found
    found.stop()


def test_a_study_is_opened_while_it_runs_and_grows(searching, watched):
    process, runs, link = searching
    seen = watched()
    page = seen.page
    page.goto(link)
    status, rows = page.locator(".title .status"), page.get_by_label("Trials", exact=True).locator("tbody tr")
    sync_api.expect(status).to_have_text("running")
    until(lambda: rows.locator(".status", has_text="completed").count() >= 3, 60)
    first = page.locator(".title + .hint").inner_text()
    until(lambda: page.locator(".title + .hint").inner_text() != first, 60)
    until(lambda: page.evaluate("document.querySelector('.chart').data?.length") >= 2)
    assert page.get_by_label("Parallel coordinates").locator("polyline").count() >= 3
    kept(page, "study-running")
    seen.allowed = ("WebSocket", "Failed to load resource", "ERR_")
    other = Server(House(runs))  # one that is none of the process that searches
    other.start()
    page.goto(f"{other.link}#study=search")
    sync_api.expect(status).to_have_text("running")
    process.send_signal(signal.SIGKILL)
    sync_api.expect(status).to_have_text("broken off")
    kept(page, "study-broken-off")
    other.stop()


def test_the_best_trial_is_first_and_opens_as_a_run(ended, server, watched):
    study = tuner.read_study(ended / "search")
    best = tuner.ranked(study.trials, [tuner.Objective("val_accuracy", "max")])[0]
    page = watched().page
    page.goto(server.link)
    page.get_by_role("link", name="search", exact=True).click()
    sync_api.expect(page.locator(".title .status")).to_have_text("finished")
    row = page.get_by_label("Trials", exact=True).locator("tbody tr").first
    sync_api.expect(row.get_by_role("link")).to_have_text(str(best.number))
    row.get_by_role("link").click()
    page.wait_for_url(f"**trial-{best.number:04d}")
    sync_api.expect(page.locator("h2")).to_have_text(f"search/trial-{best.number:04d}")
    for name, value in best.values.items():
        row = page.locator("table", has=page.locator("caption")).locator("tr", has_text=name)
        shown = row.locator("td").inner_text()
        assert shown == value if isinstance(value, str) else float(shown) == pytest.approx(value, rel=1e-3)
    assert page.get_by_role("button", name="Pause").is_hidden()
    page.get_by_role("link", name="The study search").click()
    page.wait_for_url("**#study=search")


def test_trials_are_sorted_filtered_and_compared(ended, server, watched):
    trials = tuner.read_study(ended / "search").trials
    page = watched().page
    page.goto(f"{server.link}#study=search")
    table = page.get_by_label("Trials", exact=True)
    sync_api.expect(table.locator("tbody tr").first).to_be_visible()
    table.locator("[data-key=number]").click()
    sync_api.expect(table.locator("tbody tr").first.get_by_role("link")).to_have_text("0")
    table.locator("[data-key=number]").click()
    sync_api.expect(table.locator("tbody tr").first.get_by_role("link")).to_have_text(str(len(trials) - 1))
    table.get_by_label("Filter trials").fill("optimizer=adam")
    adams = sum(trial.values["optimizer"] == "adam" for trial in trials)
    sync_api.expect(table.locator("[role=status]")).to_have_text(f"{adams} of {len(trials)} trials")
    for box in table.get_by_role("checkbox").all()[:2]:
        box.check()
    table.get_by_role("link", name="Compare").click()
    until(lambda: page.evaluate("document.querySelector('.chart')?.data?.length") == 2)
    chosen = [int(name.split("-")[-1]) for name in page.locator("thead a").all_inner_texts()]
    one, two = (next(trial.values for trial in trials if trial.number == number) for number in chosen)
    apart = [name for name in {**one, **two} if one.get(name) != two.get(name)]
    assert page.locator("tbody th").all_inner_texts() == apart or not apart
    page.get_by_role("link", name="The study search").click()
    page.wait_for_url("**#study=search")


def test_a_range_of_an_axis_keeps_to_some_trials(ended, server, watched):
    trials = tuner.read_study(ended / "search").trials
    page = watched(viewport={"width": 1280, "height": 2400}).page
    page.goto(f"{server.link}#study=search")
    grip = page.get_by_label("Parallel coordinates").locator(".grip").nth(1)
    sync_api.expect(grip).to_be_visible()
    box = grip.bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    upper = sum(trial.values["<i>units</i>"] > 5 for trial in trials)
    told = page.get_by_label("Trials", exact=True).locator("[role=status]")
    sync_api.expect(told).to_have_text(f"{upper} of {len(trials)} trials")
    page.mouse.click(x, box["y"] + 20)
    sync_api.expect(told).to_have_text(f"{len(trials)} of {len(trials)} trials")


def test_every_page_of_a_study_at_both_widths_in_both_themes(ended, server, watched):
    for theme in ("light", "dark"):
        page = watched(color_scheme=theme).page
        page.goto(f"{server.link}#study=search")
        sync_api.expect(page.get_by_label("What mattered").locator("tbody tr").first).to_be_visible()
        sync_api.expect(page.get_by_label("Brackets").locator("tbody tr")).to_have_count(3)
        assert page.get_by_label("Slices").locator("svg").count() == 3
        sync_api.expect(page.get_by_text("<i>units</i>").first).to_be_visible()
        at_both_widths(page, f"study-{theme}")
        page.goto(page.url.split("#")[0] + "#study=nobody")
        sync_api.expect(page.get_by_text("no study 'nobody'")).to_be_visible()
        at_both_widths(page, f"study-missing-{theme}")


def test_a_coachs_notebook_grows_on_its_page(tmp_path, watched):
    tried = [Tried(f"remedy {i}", 1, 0.1, 0.2, None) for i in range(8)]
    page_ = Page("Training error <i>1 %</i>.", "bias", tuple(tried), "remedy 0", "Kept: it helped.", "a net", 2.0)
    server = Server(House(tmp_path))
    server.start()
    with Written(tmp_path / "c") as written:
        written.busy = "round 1: 8 remedies"
        written.write(Notebook("It began.", (), ""))
        page = watched().page
        page.goto(f"{server.link}#run=c")
        notebook = page.get_by_label("The coach")
        sync_api.expect(page.locator(".title .status")).to_have_text("coaching")
        sync_api.expect(notebook.get_by_text("Now: round 1: 8 remedies.")).to_be_visible()
        written.write(Notebook("It began.", (page_,), ""))
        sync_api.expect(notebook.get_by_text("Training error <i>1 %</i>.")).to_be_visible()
        assert notebook.locator("tbody").first.locator("tr").count() == 6
        notebook.get_by_text("2 that came out worse").click()
        sync_api.expect(notebook.get_by_text("remedy 7")).to_be_visible()
        at_both_widths(page, "coach")
    sync_api.expect(page.locator(".title .status")).to_have_text("broken off")
    server.stop()
