"""The landscape as a person sees it: surfaces, curvature and races in a real browser."""

import threading

import numpy as np
import pytest
from studio_browser import at_both_widths, fits_and_is_kept, needs_browser, sync_api, until

import thalweg
from thalweg import layers
from thalweg.diagnosis._telling import telling
from thalweg.studio import Studio
from thalweg.studio._jobs import Jobs
from thalweg.studio._server import Server

pytestmark = needs_browser

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.int32)
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """Of a fit of this process that is over."""
    before, Server._shared = Server._shared, None
    runs = tmp_path_factory.mktemp("runs")
    found = Studio(runs, tell=None)
    model = thalweg.Sequential([thalweg.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, epochs=30, batch_size=8, verbose=0, seed=0, run=runs / HOSTILE, callbacks=[found])
    yield found
    Server._shared.stop()
    Server._shared = before


@pytest.fixture(autouse=True)
def nothing_asked_for(studio):
    """Nobody has asked for anything before."""
    studio._server.house.jobs = Jobs()


def address(studio, run=HOSTILE):
    page = studio.link.partition("#")[0]
    return f"{page}#landscape={run.replace('<', '%3C').replace('>', '%3E').replace(' ', '%20').replace('=', '%3D')}"


def traces(page, nth, what="name"):
    """What a chart holds, trace by trace."""
    return page.evaluate(
        "([nth, what]) => (document.querySelectorAll('.chart')[nth]?.data || []).map((one) => one[what])", [nth, what]
    )


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_every_part_at_both_widths_in_both_themes(studio, watched):
    for theme in ("light", "dark"):
        page = watched(color_scheme=theme).page
        page.goto(address(studio))
        sync_api.expect(page.locator("h2")).to_have_text(f"The landscape of {HOSTILE}")
        sync_api.expect(page.locator(".title .status")).to_have_text("finished")
        sync_api.expect(page.get_by_label("Nesterov", exact=True)).to_be_checked()
        at_both_widths(page, f"landscape-empty-{theme}")
        button(page, "Draw the surface").click()
        until(lambda page=page: "its begin" in traces(page, 0), 60)
        button(page, "Measure the curvature").click()
        until(lambda page=page: len(traces(page, 4)) >= 2, 120)
        button(page, "Race").click()
        until(lambda page=page: "lowest" in traces(page, 5), 60)
        assert page.locator("section", has_text="Race of optimizers").locator("tbody tr").count() == 5
        at_both_widths(page, f"landscape-{theme}")


def test_the_surface_says_what_the_record_says(studio, watched):
    page = watched().page
    page.goto(address(studio))
    page.get_by_label("Plane", exact=True).select_option("filter")
    page.get_by_label("Size", exact=True).select_option("11")
    page.get_by_label("span").fill("0.5")
    button(page, "Draw the surface").click()
    until(lambda: "lowest" in traces(page, 0), 60)
    model, copies = studio.trail.ask()
    x, y = studio.ground().rows(1000)
    way = [one.weights for one in copies]
    own = thalweg.diagnosis.loss_surface(model, x, y, "filter", 11, 0.5, way, verbose=0)
    ratios = own.losses.max() > 2 * own.losses.min()
    assert np.array(traces(page, 0, "z")[0]) == pytest.approx(np.log10(own.losses) if ratios else own.losses, rel=1e-6)
    names = traces(page, 0)
    assert "the net" in names and ("the way" in names) == own.shows_path
    words = page.locator("section", has_text="Loss surface").locator(".hint").last
    sync_api.expect(words).to_contain_text(f"{own.explained:.1%}".replace("%", " %"))
    page.get_by_label("Plane", exact=True).select_option("trajectory")
    button(page, "Draw the surface").click()
    until(lambda: traces(page, 0)[-2:] == ["its end", "lowest"], 60)


def test_a_reload_shows_the_same(studio, watched):
    page = watched().page
    page.goto(address(studio))
    sync_api.expect(page.get_by_label("Nesterov", exact=True)).to_be_visible()
    for name, value in (("Plane", "eigen"), ("Size", "11")):
        page.get_by_label(name, exact=True).select_option(value)
    page.get_by_label("Surface", exact=True).select_option("plateau")
    page.get_by_label("Nesterov", exact=True).uncheck()
    button(page, "Draw the surface").click()
    button(page, "Race").click()
    until(lambda: "lowest" in traces(page, 0) and "lowest" in traces(page, 5), 60)
    before = [traces(page, nth, "x") for nth in (0, 5)]
    page.reload()
    until(lambda: "lowest" in traces(page, 0) and "lowest" in traces(page, 5), 60)
    assert [traces(page, nth, "x") for nth in (0, 5)] == before
    sync_api.expect(page.get_by_label("Plane", exact=True)).to_have_value("eigen")
    sync_api.expect(page.get_by_label("Surface", exact=True)).to_have_value("plateau")
    sync_api.expect(page.get_by_label("Nesterov", exact=True)).not_to_be_checked()


def test_how_far_it_is_and_what_waits(studio, watched, monkeypatch):
    gate, real = threading.Event(), thalweg.diagnosis.loss_surface

    def slow(*given, **more):
        with telling("loss_surface", 0) as told:
            told(3, 10)
            gate.wait(60)
        return real(*given, **more)

    monkeypatch.setattr("thalweg.studio._landscape.landscape.loss_surface", slow)
    pages = [watched().page, watched(viewport={"width": 390, "height": 800}).page]
    for page, name in zip(pages, ("Draw the surface", "Race"), strict=True):
        page.goto(address(studio))
        sync_api.expect(page.get_by_label("Nesterov", exact=True)).to_be_visible()
        button(page, name).click()
    sync_api.expect(pages[0].get_by_text("Computing: 3 of 10")).to_be_visible()
    sync_api.expect(button(pages[0], "Draw the surface")).to_be_disabled()
    assert pages[0].get_by_label("Loss surface: how far it is").evaluate("(one) => one.value") == pytest.approx(0.3)
    sync_api.expect(pages[1].get_by_text("Waiting for 1 other piece of work.")).to_be_visible()
    for page, name in zip(pages, ("computing", "waiting"), strict=True):
        fits_and_is_kept(page, f"landscape-{name}")
    sync_api.expect(pages[1].get_by_text("Computing: 3 of 10")).to_be_visible()
    gate.set()
    until(lambda: "lowest" in traces(pages[0], 0), 60)
    until(lambda: "lowest" in traces(pages[1], 0) and "lowest" in traces(pages[1], 5), 60)
    for page in pages:
        sync_api.expect(page.get_by_label("Loss surface: how far it is")).to_be_hidden()


def test_what_is_refused_is_told_beside_its_button(studio, watched):
    seen = watched()
    seen.allowed = ("400", "404")
    page = seen.page
    page.goto(address(studio))
    page.get_by_label("span").fill("100")
    page.get_by_label("span").evaluate("(one) => { one.max = 1000; one.value = 500; }")
    button(page, "Draw the surface").click()
    sync_api.expect(page.get_by_text("span must be a number above 0, at most 100, got '500'.")).to_be_visible()
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    button(page, "Race").click()
    sync_api.expect(page.get_by_text("racers must be a list")).to_be_visible()
    page.goto(address(studio, "nobody"))
    sync_api.expect(page.locator("main").get_by_text("There is no run 'nobody'.")).to_be_visible()


def test_a_race_without_a_run_is_played_and_slid_over(studio, watched):
    page = watched().page
    page.goto(studio.link.partition("#")[0])
    page.get_by_role("link", name="Races of optimizers").click()
    sync_api.expect(page.get_by_role("heading", name="Races of optimizers")).to_be_visible()
    page.get_by_label("Surface", exact=True).select_option("saddle")
    sync_api.expect(page.get_by_text("the slope vanishes at (0, 0)")).to_be_visible()
    page.get_by_label("Adam + decay").check()
    page.get_by_label("Steps", exact=True).fill("60")
    button(page, "Race").click()
    until(lambda: "lowest" in traces(page, 0), 60)
    own = thalweg.diagnosis.race(
        ["gradient descent", "momentum", "Nesterov", "RMSprop", "Adam", "Adam + decay"], "saddle", 60, verbose=0
    )
    told = page.locator("tbody tr th").all_inner_texts()
    assert [one.strip() for one in told] == [own.names[i] for i in own.ranking]
    assert traces(page, 0, "x")[1] == pytest.approx(own.paths[0][:, 0].tolist())
    slider = page.get_by_label("Step that is shown")
    slider.focus()
    page.keyboard.press("Home")
    until(lambda: len(traces(page, 0, "x")[1]) == 1)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    until(lambda: len(traces(page, 0, "x")[1]) == 4)
    until(lambda: len(traces(page, 1, "x")[0]) == 4)
    assert traces(page, 0, "y")[8] == pytest.approx([own.paths[1][3][1]]), "its head"
    sync_api.expect(page.get_by_text("step 3", exact=True)).to_be_visible()
    button(page, "Play").click()
    until(lambda: len(traces(page, 0, "x")[1]) == 61, 60)
    sync_api.expect(button(page, "Play")).to_be_visible()


def test_nothing_moves_by_itself_for_who_wants_that(studio, watched):
    page = watched(reduced_motion="reduce").page
    page.goto(f"{studio.link.partition('#')[0]}#landscape=")
    button(page, "Race").click()
    until(lambda: "lowest" in traces(page, 0), 60)
    sync_api.expect(button(page, "Play")).to_be_hidden()
    sync_api.expect(page.get_by_label("Step that is shown")).to_be_visible()


def test_by_keyboard_from_the_run(studio, watched):
    page = watched().page
    page.goto(studio.link)
    link = page.get_by_role("link", name="Landscape")
    link.focus()
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("h2")).to_contain_text("The landscape of")
    span = page.get_by_label("span")
    span.focus()
    page.keyboard.press("Enter")
    until(lambda: "its end" in traces(page, 0), 60)
