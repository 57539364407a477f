"""``thalweg studio``: the page about a folder of runs; and how commands with --studio end."""

from __future__ import annotations

import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click


def studio(runs: str, studies: str, port: int, opened: bool) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        NotADirectoryError: where `runs` or `studies` is a file.

    """
    from thalweg.studio._house import House
    from thalweg.studio._server import Server

    for folder in (runs, studies):
        if Path(folder).exists() and not Path(folder).is_dir():
            raise NotADirectoryError(f"{folder} is a file; the studio shows folders of runs and studies.")
    server = Server(House(runs, studies, rows_of_run), port)
    server.start()
    if opened:
        webbrowser.open(server.link)
    until_interrupted(f"studio: {server.link}\nCtrl-C ends it")
    server.stop()


def rows_of_run(folder: Path) -> tuple[Any, Any, Any]:
    """A run's best net, the rows that it learnt from, and those that it was validated on.

    Raises:
        ValueError: where they cannot be made again.

    """
    from thalweg.cli._again import again

    _, source, model = again(
        str(folder), "its rows are not at hand here: open the page in the process that trains, callbacks=[Studio()]."
    )
    return model, source.train, source.validation


def studio_of(runs: str | Path, asked: dict[str, Any]) -> list[Any]:
    """The callback that shows what a command does, where that is asked for: none or one.

    Args:
        runs: the folder whose runs the page lists beside it.
        asked: of the command.

    """
    if not asked.get("studio"):
        return []
    from thalweg.studio import Studio
    from thalweg.studio._server import require_studio

    require_studio()  # before anything is trained
    return [Studio(runs, again=rows_of_run)]


def stay(studios: Sequence[Any]) -> None:
    """Keep the page of a command that has ended until Ctrl-C."""
    for one in studios:
        until_interrupted(f"the page stays until Ctrl-C: {one.link}")


def until_interrupted(told: str) -> None:
    """Tell something, and wait for Ctrl-C, which may come as soon as it is read."""
    try:
        click.echo(told)
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo()
