"""``thalweg studio``: the page about a folder of runs; and how commands with --studio end."""

from __future__ import annotations

import time
import webbrowser
from pathlib import Path

import click

from thalweg.studio._house import House
from thalweg.studio._server import Server


def studio(runs: str, port: int, opened: bool) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        NotADirectoryError: where `runs` is a file.

    """
    if Path(runs).exists() and not Path(runs).is_dir():
        raise NotADirectoryError(f"{runs} is a file; the studio shows a folder of runs.")
    server = Server(House(runs), port)
    server.start()
    if opened:
        webbrowser.open(server.link)
    until_interrupted(f"studio: {server.link}\nCtrl-C ends it")
    server.stop()


def until_interrupted(told: str) -> None:
    """Tell something, and wait for Ctrl-C, which may come as soon as it is read."""
    try:
        click.echo(told)
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo()
