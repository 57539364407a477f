"""A page in a real browser, for tests: what it must not do, how it is waited for, and its screenshots."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

sync_api.expect.set_options(timeout=20_000)
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed here")


@contextmanager
def running(script, *arguments):
    """A script in another process that tells the link to its page: the process and the link; it is killed in the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("studio: http://127.0.0.1:"), line
        yield process, line.split()[1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Watched:
    """A page that must log no error and ask nobody outside."""

    def __init__(self, browser, **how):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page, self.wrong, self.allowed = self.context.new_page(), [], ()
        self.page.on("console", lambda one: one.type == "error" and self.wrong.append(one.text))
        self.page.on("pageerror", lambda one: self.wrong.append(str(one)))
        self.page.on("request", lambda one: self._asked(one.url))
        self.page.on("dialog", lambda one: one.accept())

    def _asked(self, url):
        if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.wrong.append(f"asked {url}")

    def close(self):
        self.context.close()
        assert [one for one in self.wrong if not any(word in one for word in self.allowed)] == []


def kept(page, name):
    """A screenshot as an artefact, where somebody wants them."""
    folder = os.environ.get("THALWEG_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def fits_and_is_kept(page, name):
    """No wider than the window."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} pixels too wide"
    kept(page, name)


def at_both_widths(page, name):
    """On a table and in a hand."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        until(
            lambda: page.evaluate(
                "document.querySelectorAll('.chart .main-svg').length == 0 || document.documentElement.scrollWidth <= innerWidth"
            )
        )
        fits_and_is_kept(page, f"{name}-{width}")
    page.set_viewport_size({"width": 1280, "height": 800})
    until(lambda: page.evaluate(FILLED))


FILLED = """[...document.querySelectorAll('.chart')].every((one) => {
    const drawn = one.querySelector('.main-svg');
    return !drawn || !one.offsetWidth || Math.abs(drawn.getBoundingClientRect().width - one.clientWidth) < 2;
})"""
"""Whether pictures have followed a window that has changed its size."""


def until(look, seconds=20.0):
    """What is looked for, once it is there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")
