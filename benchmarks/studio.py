"""What the studio costs a fit, how soon a knob arrives, and what slow readers do to it.

    python benchmarks/studio.py

A net of 784-128-128-10 on the embedded digits, batches of 32. Costs are paired: whoever looks at a fit looks and looks away in turns.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import connect

import thalweg
from thalweg import callbacks, layers
from thalweg.studio import Studio
from thalweg.studio._house import House
from thalweg.studio._server import Server

FITS, EPOCHS = 6, 100  # pairs of fits, and how long each is
ROUNDS, BLOCK = 9, 20  # turns in one fit, and the epochs of each
SLOW = 500


def rows() -> tuple[np.ndarray, np.ndarray]:
    held = thalweg.datasets.load("digits")
    return held.x.reshape(-1, 784) / np.float32(255), held.y


def net() -> Any:
    hidden = [layers.Dense(128, "relu"), layers.Dropout(0.2)]
    model = thalweg.Sequential([thalweg.Input((784,)), *hidden, layers.Dense(128, "relu"), layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def timed(x: np.ndarray, y: np.ndarray, more: list[Any], epochs: int = EPOCHS) -> float:
    model = net()
    begun = time.perf_counter()
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, seed=0, callbacks=more)
    return time.perf_counter() - begun


READERS = """
import asyncio, contextlib, json, sys, time
from websockets.asyncio.client import connect
address, token, count, slow = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "slow"
frames = opened = 0

async def one():
    global frames, opened
    head = {"Authorization": f"Bearer {token}"}
    with contextlib.suppress(Exception):
        async with connect(address, additional_headers=head, proxy=None, max_size=None, open_timeout=60, max_queue=1) as socket:
            opened += 1
            if opened == count:
                print("open", flush=True)
            while True:
                if slow:
                    await asyncio.sleep(60)
                else:
                    await socket.recv()
                    await socket.send('{"got": true}')
                    frames += 1

async def all_of_them():
    gates = [asyncio.ensure_future(one()) for _ in range(count)]
    await asyncio.to_thread(sys.stdin.readline)
    print(frames, flush=True)
    for gate in gates:
        gate.cancel()

asyncio.run(all_of_them())
"""


class Reader:
    """Sockets to a fit's page, in another process; a slow one never reads what it is sent."""

    def __init__(self, studio: Studio, count: int = 1, slow: bool = False) -> None:
        self.studio, self.count, self.slow, self.frames = studio, count, slow, 0

    def start(self) -> None:
        """Open all of them."""
        server = self.studio._server
        address = f"ws://127.0.0.1:{server.port}/api/runs/{self.studio.live.now['run']}/live"
        how = [address, server.token, str(self.count), "slow" if self.slow else "fast"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", READERS, *how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "open\n"

    def end(self) -> None:
        """Close them."""
        said, _ = self.process.communicate("\n", timeout=60)
        self.frames = int(said.split()[0])


def held() -> float:
    """Memory of this process, in MB."""
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1000


class Turns(callbacks.Callback):
    """Has everybody look and look away in turns, and keeps what an epoch takes meanwhile, and the memory."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.begun, self.most = reader, 0.0, 0.0
        self.took: dict[bool, list[float]] = {False: [], True: []}
        self.ratios: list[float] = []
        self.frames, self.looked = 0, 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        turn, first = divmod(epoch, BLOCK)
        self.looks = turn % 2 == 1
        if first == 0 and self.looks:
            self.before = held()
            self.reader.start()
        elif first == 0 and epoch:
            self.reader.end()
            self.frames += self.reader.frames
            self.ratios.append(statistics.median(self.took[True]) / statistics.median(self.took[False]))
            self.took = {False: [], True: []}
        if first == 0:
            time.sleep(2)  # opening and closing are over
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.begun
        self.took[self.looks].append(seconds)
        if self.looks:
            self.looked += seconds
            self.most = max(self.most, held() - self.before)


def cost(x: np.ndarray, y: np.ndarray, readers: int, slow: bool) -> tuple[float, float, float]:
    """An epoch that is looked at over one that is not, the median of turns in one fit; frames a second of each; MB that they took."""
    studio = Studio(tempfile.mkdtemp(), tell=None)
    turns = Turns(Reader(studio, readers, slow))
    timed(x, y, [studio, turns], (2 * ROUNDS + 1) * BLOCK)
    return statistics.median(turns.ratios), turns.frames / turns.looked / readers, turns.most


class Clocked(Studio):
    """Knows what its hooks take of the thread that trains."""

    spent = 0.0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if not name.startswith("on_"):
            return found

        def clocked(*given: Any, **more: Any) -> Any:
            begun = time.perf_counter()
            try:
                return found(*given, **more)
            finally:
                self.spent += time.perf_counter() - begun

        return clocked


def alone(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """A fit with the studio, at which nobody looks, over one without, the median of pairs; and the share of it that hooks take."""
    ratios, shares = [], []
    timed(x, y, [], 2)
    for i in range(FITS):
        took, studio = {}, Clocked(tempfile.mkdtemp(), tell=None)
        for shown in (True, False)[:: 1 if i % 2 else -1]:
            took[shown] = timed(x, y, [studio] if shown else [])
        ratios.append(took[True] / took[False])
        shares.append(studio.spent / took[True])
    return statistics.median(ratios), statistics.median(shares)


def answers(x: np.ndarray, y: np.ndarray) -> tuple[list[float], list[float]]:
    """Seconds from a drawn digit on the socket to what the net says to it while it trains, without and with its label."""
    studio, found = Studio(tempfile.mkdtemp(), tell=None), ([], [])  # type: ignore[var-annotated]
    model = net()

    async def draw() -> None:
        server = studio._server
        address = f"ws://127.0.0.1:{server.port}/api/runs/{studio.live.now['run']}/live"
        head = {"Authorization": f"Bearer {server.token}"}
        async with connect(address, additional_headers=head, proxy=None, max_size=None) as socket:
            for i in range(110):
                what = {"do": "answer", "pixels": x[i].tolist(), "number": i, **({"label": int(y[i])} if i % 2 else {})}
                begun = time.perf_counter()
                await socket.send(json.dumps(what))
                while json.loads(await socket.recv()).get("number") != i:
                    await socket.send('{"got": true}')
                if i >= 10:  # the first ones compile
                    found[i % 2].append(time.perf_counter() - begun)
                await asyncio.sleep(0.05)
        model.stop_training = True

    class Begin(callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                threading.Thread(target=lambda: asyncio.run(draw()), daemon=True).start()

    model.fit(x, y, batch_size=32, epochs=5000, verbose=0, seed=0, callbacks=[Begin(), studio])
    return found


def latency(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Seconds from a wish on the socket to the first step that runs with it."""
    studio, found = Studio(tempfile.mkdtemp(), tell=None), []
    model = net()

    async def turn() -> None:
        server = studio._server
        address = f"ws://127.0.0.1:{server.port}/api/runs/{studio.live.now['run']}/live"
        head = {"Authorization": f"Bearer {server.token}"}
        async with connect(address, additional_headers=head, proxy=None, max_size=None) as socket:
            for i in range(50):
                value = 0.001 + 1e-6 * (i + 1)
                begun = time.perf_counter()
                await socket.send(
                    json.dumps({"do": "turn", "path": "optimizer/learning_rate", "value": value, "number": i})
                )
                while True:
                    told = json.loads(await socket.recv())
                    if told.get("number") == i:
                        break
                    await socket.send('{"got": true}')
                while not any(abs(one.new - value) < 1e-12 for one in model.history.changes[-3:]):
                    await asyncio.sleep(0.001)
                found.append(time.perf_counter() - begun)
                await asyncio.sleep(0.13)
        model.stop_training = True

    class Begin(callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                threading.Thread(target=lambda: asyncio.run(turn()), daemon=True).start()

    model.fit(x, y, batch_size=32, epochs=5000, verbose=0, seed=0, callbacks=[Begin(), studio])
    return found


def long_curves(epochs: int = 100_000) -> str:
    """How long a browser takes to draw curves of so many epochs anew, as somebody moves along them."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        return "curves in a browser: not measured, there is no Chromium here"
    from playwright.sync_api import sync_playwright

    folder, rng = Path(tempfile.mkdtemp()), np.random.default_rng(0)
    x = rng.random((64, 3), np.float32)
    model = thalweg.Sequential([thalweg.Input((3,)), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, (x[:, 0] > 0.5).astype(int), epochs=2, validation_split=0.2, verbose=0, run=folder / "long")
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    with (folder / "long" / "history.jsonl").open("w") as file:
        for epoch, values in enumerate(rng.random((epochs, 4)).tolist()):
            file.write(json.dumps({"epoch": epoch, "seconds": 0.01, **dict(zip(names, values, strict=True))}) + "\n")
    server = Server(House(folder))
    server.start()
    with sync_playwright() as play:
        page = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"]).new_page()
        begun = time.perf_counter()
        page.goto(f"{server.link}#run=long")
        while not page.evaluate("document.querySelector('.chart')?.data?.[0]?.x?.length > 100"):
            time.sleep(0.02)
        shown = time.perf_counter() - begun
        took = page.evaluate(
            """async () => {
            const chart = document.querySelector('.chart'), took = [];
            for (let i = 0; i < 40; i += 1) {
                const begun = performance.now();
                await Plotly.relayout(chart, {'xaxis.range': [i * 1000, 50000 + i * 1000]});
                took.push(performance.now() - begun);
            }
            return took;
        }"""
        )
    server.stop()
    return (
        f"4 curves of {epochs:,} points in Chromium: on the page after {shown:.1f} s, drawn anew in "
        f"{statistics.median(took):.0f} ms (median of {len(took)}; worst {max(took):.0f})"
    )


def main() -> None:
    """Print it all."""
    x, y = rows()
    came = latency(x, y)
    print(
        f"a knob reaches the step after {1000 * statistics.median(came):.0f} ms (median of {len(came)}; worst {1000 * max(came):.0f})"
    )
    for said, how in zip(answers(x, y), ("", " with the net drawn and the pixels' wishes"), strict=True):
        print(
            f"a drawn digit is answered after {1000 * statistics.median(said):.0f} ms{how} "
            f"(median of {len(said)}; worst {1000 * max(said):.0f})"
        )
    print(long_curves())
    ratio, share = alone(x, y)
    print(
        f"the studio without a page: {100 * (ratio - 1):+.1f} % (median of {FITS} pairs of fits); its hooks take {100 * share:.1f} % of the "
        "thread that trains"
    )
    page, rate, small = cost(x, y, 1, False)
    print(f"one page more: {100 * (page - 1):+.1f} % (median of {ROUNDS} turns), {rate:.1f} updates a second")
    slow, _, large = cost(x, y, SLOW, True)
    print(f"{SLOW} connections that do not read: {100 * (slow - 1):+.1f} % (median of {ROUNDS} turns)")
    print(f"memory while it trains: {small:+.0f} MB with one page, {large:+.0f} MB with {SLOW} that do not read")


if __name__ == "__main__":
    main()
