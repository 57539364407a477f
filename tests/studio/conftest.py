"""A server on a folder of runs, and whoever asks it."""

import pytest
from studio_client import Client
from studio_nets import X, Y, net

pytest.importorskip("starlette")

from thalweg.studio._house import House
from thalweg.studio._server import Server


@pytest.fixture(autouse=True)
def own_server(monkeypatch):
    """A server a test."""
    monkeypatch.setattr(Server, "_shared", None)
    yield
    if Server._shared is not None:
        Server._shared.stop()


@pytest.fixture
def runs(tmp_path):
    """A folder with two runs, one of a hostile name."""
    for name in ("first", "deep/<b>second<b>"):
        net().fit(X, Y, epochs=3, verbose=0, seed=0, validation_split=0.25, run=tmp_path / "runs" / name)
    return tmp_path / "runs"


@pytest.fixture
def server(runs):
    """Of its own; listening."""
    found = Server(House(runs))
    found.start()
    yield found
    found.stop()


@pytest.fixture
def client(server):
    return Client(server)


@pytest.fixture(scope="module")
def browser():
    from studio_browser import BROWSER, sync_api

    with sync_api.sync_playwright() as play:
        found = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def watched(browser):
    """Makes pages that must log no error and ask nobody outside."""
    from studio_browser import Watched

    made = []

    def make(**how):
        made.append(Watched(browser, **how))
        return made[-1]

    yield make
    for one in made:
        one.close()
