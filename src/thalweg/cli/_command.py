"""The command by which a run was begun, as its folder tells it."""

from __future__ import annotations

from typing import Any

from thalweg.callbacks import Run


def command_of(run: Run, instead: str) -> tuple[str, dict[str, Any]]:
    """The data that a run was begun on, and the command's options.

    Args:
        run: which.
        instead: what is to be done where a script began it.

    Raises:
        ValueError: where no command began it.

    """
    command = (run.record.get("asked") or {}).get("command")
    if command is None:
        raise ValueError(f"{run.path} was begun by a script, which knows its data: {instead}")
    return command["data"], {key: value for key, value in command.items() if key != "data"}
