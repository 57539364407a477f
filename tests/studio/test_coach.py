"""A coach on the page: its notebook from the begin, then its run."""

import asyncio
import json
import threading

import pytest
from studio_nets import X, Y, net
from websockets.asyncio.client import connect

import thalweg
from thalweg.diagnosis.coaching._notebook import Notebook, Page, Tried
from thalweg.diagnosis.coaching._written import Written
from thalweg.studio import Studio
from thalweg.studio._house import House
from thalweg.studio._server import Server

PAGE = Page(
    "Training error 1 %.", "variance", (Tried("<i>L2</i>", 3, 0.01, 0.02, 0.003),), "<i>L2</i>", "Kept.", "a net", 2.0
)
NOTEBOOK = Notebook("It began.", (PAGE,), "")


def test_a_coach_under_way_is_a_run_with_its_notebook(tmp_path):
    house = House(tmp_path)
    with Written(tmp_path / "c") as written:
        written.busy = "round 1"
        written.write(NOTEBOOK)
        (row,) = house.rows()
        assert row["run"] == "c" and row["status"] == "coaching" and row["begun"]
        now = house.find("c").live.now
        assert now["coach"]["busy"] == "round 1"
        assert now["coach"]["notebook"] == json.loads(json.dumps(NOTEBOOK.record()))
        written.write(NOTEBOOK._replace(pages=(PAGE, PAGE)))
        assert len(house.find("c").live.now["coach"]["notebook"]["pages"]) == 2
    assert house.find("c").live.now["status"] == "broken off"
    assert [one["status"] for one in house.rows()] == ["broken off"]


def test_what_is_there_already_is_not_written_over(tmp_path):
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine.txt").touch()
    with pytest.raises(FileExistsError, match="is there already"), Written(tmp_path / "c"):
        pass
    with pytest.raises(FileExistsError, match="is there already"):
        thalweg.coach(X, Y, time=1, run=tmp_path / "c")


def test_a_damaged_notebook_is_no_notebook(tmp_path):
    with Written(tmp_path / "c") as written:
        written.write(NOTEBOOK)
    (tmp_path / "c" / "coach.json").write_text("[")
    assert House(tmp_path).find("c").live.now["status"] == "damaged"


def test_a_coach_with_a_studio_is_shown_from_the_begin_and_its_run_is_live(tmp_path):
    told, seen = [], []

    class Look(thalweg.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(Server.of_process(tmp_path).house.find("c").live.now["status"])

    def busy(text):
        if "round" in text or "first net" in text:
            seen.append(Server.of_process(tmp_path).house.find("c").live.now["status"])

    found = thalweg.coach(
        X,
        Y,
        time=1,
        target_error=0.9,
        run=tmp_path / "c",
        callbacks=[Look(), Studio(tmp_path, tell=told.append)],
        doing=busy,
    )
    assert told[0].endswith("#run=c") and seen[0] == "coaching" and seen[-1] == "running"
    now = House(tmp_path).find("c").live.now
    assert now["status"] in ("finished", "stopped early")
    assert now["coach"]["notebook"]["ended"] == found.notebook.ended


def test_a_page_that_watches_a_coach_is_handed_the_knobs_of_its_run(tmp_path):
    server = Server.of_process(tmp_path)
    seen = []

    async def watch(ready):
        address = f"ws://127.0.0.1:{server.port}/api/runs/c/live"
        head = {"Authorization": f"Bearer {server.token}"}
        async with connect(address, additional_headers=head, proxy=None, max_size=None) as socket:
            while not seen or not seen[-1]["now"].get("steered"):
                seen.append(json.loads(await asyncio.wait_for(socket.recv(), 30)))
                ready.set()
                await socket.send('{"got": true}')

    class Wait(thalweg.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            watcher.join(0.2)
            if not watcher.is_alive():
                self.model.stop_training = True

    with Written(tmp_path / "c") as written:
        written.write(NOTEBOOK)
        server.house.find("c")
        ready = threading.Event()
        watcher = threading.Thread(target=lambda: asyncio.run(watch(ready)), daemon=True)
        watcher.start()
        assert ready.wait(10)
    net().fit(X, Y, epochs=500, verbose=0, run=tmp_path / "c", callbacks=[Wait(), Studio(tmp_path, tell=None)])
    watcher.join(10)
    assert not watcher.is_alive()
    assert seen[0]["now"]["status"] == "coaching" and seen[-1]["now"]["status"] == "running" and seen[-1]["fresh"]
