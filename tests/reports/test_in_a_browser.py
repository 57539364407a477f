"""Reports in a real browser that reaches nobody: whole, silent, and asking for nothing."""

import itertools
import json
import os
import shutil
import signal
import subprocess

import numpy as np
import pandas as pd
import pytest

from thalweg import reports
from thalweg.cli._train import train

RNG = np.random.default_rng(0)
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
OPTIONS = {
    "layers": "8", "activation": "relu", "dropout": 0.1, "l2": 0.0, "optimizer": "adam", "learning_rate": 0.01,
    "batch_size": 32, "epochs": 2, "validation": 0.2, "test": 0.1, "seed": 0, "checkpoint": "epoch",
}  # fmt: skip
HEADINGS = [
    "1. What was trained on what", "2. Curves", "3. Diagnosis", "4. Would more rows help?", "5. Validation rows",
    "6. The test set",
]  # fmt: skip

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed here")


class Browser:
    """Chromium without a window, spoken to through two pipes; no name is resolved, and no proxy answers."""

    def __init__(self, folder):
        theirs, self.mine = os.pipe()
        self.heard, answers = os.pipe()
        options = (
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
            "--host-resolver-rules='MAP * ~NOTFOUND'", "--proxy-server=127.0.0.1:9", "--disable-background-networking",
            f"--user-data-dir='{folder}'",
        )  # fmt: skip
        command = f"exec {BROWSER} {' '.join(options)} about:blank 3<&{theirs} 4>&{answers}"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        self.process = subprocess.Popen(["bash", "-c", command], pass_fds=(theirs, answers), **quiet)
        os.close(theirs)
        os.close(answers)
        self.numbers, self.rest, self.events = itertools.count(1), b"", []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **params):
        number, session = next(self.numbers), getattr(self, "session", None)
        told = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self.mine, json.dumps(told).encode() + b"\0")
        while (answer := self.next()).get("id") != number:
            self.events.append(answer)
        assert "result" in answer, answer
        return answer["result"]

    def next(self):
        while b"\0" not in self.rest:
            more = os.read(self.heard, 1 << 20)
            assert more, "the browser has ended"
            self.rest += more
        one, _, self.rest = self.rest.partition(b"\0")
        return json.loads(one)

    def open(self, path):
        """Show a file; gives what the browser did for it."""
        self.events = []
        self.ask("Page.navigate", url=path.as_uri())
        while not any(one.get("method") == "Page.loadEventFired" for one in self.events):
            self.events.append(self.next())
        self.value(
            "document.images.length && Promise.all([...document.images].map(one => one.decode().catch(() => 0)))"
        )
        return self.events

    def value(self, script):
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.mine)
        os.close(self.heard)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


def pictures(folder):
    y = np.arange(240) % 3
    x = RNG.integers(0, 60, (240, 8, 8)).astype(np.uint8)
    x[np.arange(240), y * 2] += 120
    np.savez(folder / "p.npz", x=x, y=y)
    return folder / "p.npz", {}


def table(folder):
    x = RNG.normal(size=240)
    frame = pd.DataFrame({EVIL: x, "job": RNG.choice(["a|b", EVIL], 240), "kind": np.where(x > 0, EVIL, "poor")})
    frame.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv", {"target": "kind"}


@pytest.mark.parametrize("make", [pictures, table])
def test_a_report_is_whole_silent_and_asks_for_nothing(make, browser, tmp_path):
    path, more = make(tmp_path)
    train(str(path), {**OPTIONS, **more, "out": str(tmp_path / "run")})
    found = reports.report(tmp_path / "run")
    (tmp_path / "alone").mkdir()
    page = (tmp_path / "run" / "report.html").rename(tmp_path / "alone" / "page.html")  # nothing lies beside it
    events = browser.open(page)
    asked = [one["params"]["request"]["url"] for one in events if one.get("method") == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    told = [one for one in events if one.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled",
                                                           "Runtime.exceptionThrown", "Page.javascriptDialogOpening")]  # fmt: skip
    assert told == []
    sizes = browser.value("[...document.images].map(one => one.naturalWidth)")
    assert len(sizes) == (24 if make is pictures else 0) and all(size > 0 for size in sizes)
    assert browser.value("[...document.images].every(one => one.alt)") is True
    assert browser.value("[...document.querySelectorAll('h2')].map(one => one.textContent)") == HEADINGS
    assert browser.value("document.querySelectorAll('script, [onerror], iframe, link, object').length") == 0
    drawn = browser.value("[...document.querySelectorAll('figure svg')].map(one => one.getBoundingClientRect().height)")
    assert len(drawn) == 3 and min(drawn) > 100
    texts = browser.value(
        "[...document.querySelectorAll('.matrix tbody tr')].map(r => [...r.cells].map(c => c.innerText))"
    )
    matrix = [[int(cell) for cell in row[1:-1]] for row in texts]
    assert matrix == found.validation["confusion"] and np.sum(matrix) == found.validation["rows"]
    if make is table:
        assert EVIL in [row[0] for row in texts]
        browser.ask("Emulation.setDeviceMetricsOverride", width=360, height=700, deviceScaleFactor=1, mobile=True)
        assert browser.value("document.documentElement.scrollWidth") <= 360  # tables scroll, the page does not
        browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        assert browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"
