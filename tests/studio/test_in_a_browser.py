"""The page as a person sees it: a real browser, a real training in another process."""

import json
import shutil
import signal

import numpy as np
import pytest
from studio_browser import at_both_widths, kept, needs_browser, running, sync_api, until

import thalweg
from thalweg import callbacks
from thalweg.studio._house import House
from thalweg.studio._server import Server

pytestmark = needs_browser

TRAINING = """
import sys, time
import numpy as np
import thalweg
from thalweg.studio import Studio

class Slow(thalweg.callbacks.Callback):
    def next_stop(self, step):
        return step + 1
    def on_progress(self, step, logs=None):
        time.sleep(0.02)

x = np.random.default_rng(0).normal(size=(128, 8)).astype("float32")
layers = [thalweg.Input((8,)), thalweg.layers.Dense(8, "relu"), thalweg.layers.Dropout(0.2), thalweg.layers.Dense(2, "softmax")]
model = thalweg.Sequential(layers)
model.compile(thalweg.optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, (x.sum(axis=1) > 0).astype(int), batch_size=8, epochs=5000, validation_split=0.25, seed=0, verbose=0,
          run=sys.argv[1] + "/first", callbacks=[Slow(), Studio(sys.argv[1], tell=lambda text: print(text, flush=True))])
"""


@pytest.fixture
def training(tmp_path):
    """A fit in another process, and the link to its own page."""
    runs = tmp_path / "runs"
    with running(TRAINING, runs) as (process, link):
        yield process, runs, link


@pytest.fixture
def server(training):
    """The page of ``thalweg studio``, which is none of the process that trains."""
    found = Server(House(training[1]))
    found.start()
    yield found
    found.stop()


def events(runs, name="first"):
    return [json.loads(line) for line in (runs / name / "history.jsonl").read_text().splitlines()]


def test_the_rate_is_turned_by_its_slider_from_another_process(training, server, watched):
    _, runs, _ = training
    page = watched().page
    page.goto(f"{server.link}#run=first")
    slider = page.get_by_label("optimizer/learning_rate", exact=True)
    sync_api.expect(slider).to_be_enabled()
    slider.focus()
    for _ in range(3):
        page.keyboard.press("PageDown")
    line = until(lambda: [one["change"] for one in events(runs) if "change" in one and one["change"]["new"] < 0.0005])
    assert line[0]["path"] == "optimizer/learning_rate"
    sync_api.expect(page.locator(".events .turn").first).to_contain_text("optimizer/learning_rate")
    until(lambda: page.evaluate("document.querySelector('.chart').layout.shapes.length") >= 1)
    value = page.get_by_label("optimizer/learning_rate, number").input_value()
    assert float(value) == pytest.approx(line[-1]["new"], rel=1e-3) or float(value) < 0.0005
    kept(page, "run-steered")


def test_a_value_out_of_range_is_refused_beside_its_knob(training, watched):
    page = watched().page
    page.goto(training[2])
    field = page.get_by_label("dropout/rate, number")
    sync_api.expect(field).to_be_enabled()
    field.fill("7")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator(".knob .hint", has_text="dropout/rate")).to_be_visible()
    sync_api.expect(field).to_have_value("0.2")
    assert not any("change" in one for one in events(training[1]))


def test_pause_keep_go_back_branch_note_and_script(training, watched):
    _, runs, link = training
    seen = watched()
    page = seen.page
    page.goto(link)
    status, button = page.locator(".title .status"), lambda name: page.get_by_role("button", name=name, exact=True)
    sync_api.expect(status).to_have_text("running")
    button("Pause").click()
    sync_api.expect(status).to_have_text("paused")
    page.get_by_label("Note").fill("<img src=x onerror=alert(1)> why")
    button("Keep").click()
    sync_api.expect(page.locator(".events .note")).to_contain_text("<img src=x onerror=alert(1)> why")
    button("Checkpoint now").click()
    until(lambda: list((runs / "first" / "kept").glob("*.safetensors")))
    (pinned,) = (runs / "first" / "kept").glob("*.safetensors")
    before = len([one for one in events(runs) if "epoch" in one])
    button("One more epoch").click()
    until(lambda: len([one for one in events(runs) if "epoch" in one]) > before)
    sync_api.expect(status).to_have_text("paused")
    step = int(pinned.stem.rpartition("-")[2])
    row = page.locator(".checkpoints li", has_text=f"step {step}" if step else "done").first
    row.get_by_role("button", name="Go back").click()
    sync_api.expect(page.locator(".title + .hint")).to_contain_text(f"step {step} of 12" if step else "step 0")
    sync_api.expect(status).to_have_text("paused")
    button("Go on").click()
    sync_api.expect(status).to_have_text("running")
    until(lambda: len([one for one in events(runs) if "epoch" in one]) > before)
    row.get_by_role("button", name="Branch").click()
    page.get_by_label("Its value from there on").fill("0.01")
    button("Branch off").click()
    page.wait_for_url("**#run=first-branch-1")
    sync_api.expect(page.locator("h2")).to_have_text("first-branch-1")
    sync_api.expect(status).to_have_text("running")
    until(lambda: [one for one in events(runs, "first-branch-1") if one.get("change", {}).get("new") == 0.01])
    assert callbacks.read_run(runs / "first").state == "interrupted"
    button("Copy as Python").click()
    sync_api.expect(page.locator("#state")).to_contain_text("clipboard")
    code = page.evaluate("navigator.clipboard.readText()")
    assert "callbacks.Replay(" in code and "0.01" in code
    kept(page, "run-branched")
    seen.allowed = ("WebSocket",)  # of a process that has ended
    button("Stop").click()
    sync_api.expect(status).to_have_text("stopped early")
    assert training[0].wait(20) == 0


def test_a_training_that_is_killed_is_told_as_broken_off(training, server, watched):
    process, _, _ = training
    seen = watched()
    seen.page.goto(f"{server.link}#run=first")
    status = seen.page.locator(".title .status")
    sync_api.expect(status).to_have_text("running")
    process.send_signal(signal.SIGKILL)
    sync_api.expect(status).to_have_text("broken off", timeout=15000)
    sync_api.expect(seen.page.get_by_role("button", name="Pause")).to_be_disabled()
    kept(seen.page, "run-broken-off")


def test_a_server_that_is_gone_is_told_and_found_again(training, watched):
    server = Server(House(training[1]))
    server.start()
    seen = watched()
    seen.allowed = ("WebSocket", "Failed to load resource", "ERR_")
    seen.page.goto(f"{server.link}#run=first")
    sync_api.expect(seen.page.locator("#state")).to_have_text("connected")
    server.stop()
    sync_api.expect(seen.page.locator("#state")).to_contain_text("lost", timeout=15000)
    kept(seen.page, "run-lost")


def test_every_page_at_both_widths_in_both_themes(training, server, watched):
    _, runs, _ = training
    hostile = runs / "<img src=x onerror=alert(1)>"
    shutil.copytree(
        runs / "first", hostile, ignore=shutil.ignore_patterns("lock", "studio.json", "checkpoints", "*.part")
    )
    for theme in ("light", "dark"):
        page = watched(color_scheme=theme).page
        page.goto(server.link)
        sync_api.expect(page.get_by_role("link", name="<img src=x onerror=alert(1)>")).to_be_visible()
        at_both_widths(page, f"runs-{theme}")
        for box in page.get_by_role("checkbox").all():
            box.check()
        page.get_by_role("link", name="Compare").click()
        until(lambda page=page: page.evaluate("document.querySelector('.chart')?.data?.length") == 2)
        at_both_widths(page, f"compare-{theme}")
        for name, place, seen in (
            ("run", "#run=first", "optimizer/learning_rate"),
            ("missing", "#nowhere", "There is no such page"),
            ("nobody", "#run=nobody", "no run 'nobody'"),
        ):
            page.goto(page.url.split("#")[0] + place)
            sync_api.expect(page.get_by_text(seen).first).to_be_visible()
            at_both_widths(page, f"{name}-{theme}")


def test_by_keyboard_alone(training, watched):
    page = watched().page
    page.goto(training[2])
    sync_api.expect(page.locator(".title .status")).to_have_text("running")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Pause":
            break
    page.keyboard.press("Enter")
    sync_api.expect(page.locator(".title .status")).to_have_text("paused")


def test_a_digit_is_drawn_and_answered(tmp_path, browser, watched):
    digits = thalweg.datasets.load("digits8")
    model = thalweg.Sequential(
        [
            thalweg.Input((8, 8)),
            thalweg.layers.Rescaling(1 / 16),
            thalweg.layers.Flatten(),
            thalweg.layers.Dense(16, "relu"),
            thalweg.layers.Dense(10, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(digits.x, digits.y, epochs=20, verbose=0, seed=0, run=tmp_path / "runs" / "digits")
    server = Server(House(tmp_path / "runs"))
    server.start()
    page = watched(viewport={"width": 1280, "height": 2000}).page
    page.goto(f"{server.link}#run=digits")
    pad = page.get_by_label("Pad: draw")
    sync_api.expect(pad).to_be_visible()
    box = pad.bounding_box()
    x, y, wide = box["x"] + box["width"] / 2, box["y"], box["height"]
    page.mouse.move(x, y + 0.1 * wide)
    page.mouse.down()
    page.mouse.move(x, y + 0.95 * wide, steps=12)
    page.mouse.up()
    best = page.locator(".bars .best")
    sync_api.expect(best).to_have_count(1)
    assert page.locator(".net svg").count() == 0
    page.get_by_label("What it is").select_option("3")
    sync_api.expect(page.locator(".net svg circle")).to_have_count(12 + 12 + 10)
    assert page.locator(".net svg line").count() == 12 * 12 + 12 * 10
    pixels = page.evaluate("""() => {
        const pad = document.querySelector('.pad'), data = pad.getContext('2d').getImageData(0, 0, 8, 8).data;
        return Array.from({length: 64}, (_, i) => (255 - data[4 * i]) / 255);
    }""")
    said = model.predict(16 * np.array(pixels, np.float32).reshape(1, 8, 8), verbose=0)[0]
    assert best.locator("span").first.inner_text() == str(said.argmax())
    assert float(best.locator(".number").inner_text().split()[0]) == pytest.approx(100 * said.max(), abs=2)
    kept(page, "net")
    page.get_by_role("button", name="Clear").click()
    sync_api.expect(page.locator(".bars li")).to_have_count(0)
    server.stop()
