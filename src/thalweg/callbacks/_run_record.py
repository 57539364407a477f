"""What a run folder says of a run, as plain data: who asked for what, on what machine; and reading it back."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from thalweg import files
from thalweg.callbacks._checkpoints import CheckpointFolder
from thalweg.callbacks._history import History

RECORD, HISTORY, LOCK, CHECKPOINTS = "run.json", "history.jsonl", "lock", "checkpoints"
_ARGUMENTS = ("batch_size", "shuffle", "steps_per_epoch", "initial_epoch")
"""Arguments of ``fit`` that a fit which goes on must share with the one before."""


def now() -> str:
    """The time, as people write it, with its zone."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def machine() -> dict[str, Any]:
    """What results may depend on: versions, devices, threads."""
    import jax
    import numpy as np

    import thalweg

    return {
        "versions": {
            "thalweg": thalweg.__version__,
            "jax": jax.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "machine": {
            "devices": [device.device_kind for device in jax.local_devices()],
            "threads": len(os.sched_getaffinity(0)),
            "system": platform.platform(),
        },
    }


def arguments_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a fit that are plain data."""
    kept = (*_ARGUMENTS, "epochs", "validation_split", "validation_freq")
    return {
        name: asked[name] for name in kept if isinstance(asked.get(name), (int, float, str, bool, type(None), list))
    }


def differences(before: Any, after: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two pieces of plain data differ: (place, before, after)."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from differences(before.get(key), after.get(key), f"{place}/{key}" if place else str(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{place}/{i}")
    elif before != after:
        yield place, before, after


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """A record as readable JSON, whole or not at all."""
    files.write_whole(path, [(json.dumps(record, indent=2) + "\n").encode()])


class Lines:
    """The events of histories as lines of JSON, each written once: warnings, changes of hypers, epochs."""

    def __init__(self, histories: Mapping[int | None, History]) -> None:
        self.histories = histories  # by member; None for one net, or for the whole population
        self.written = {name: [0, 0, 0] for name in histories}

    def new(self) -> str:
        """What has happened since the last call."""
        found: list[dict[str, Any]] = []
        for member, record in self.histories.items():
            head = {} if member is None else {"member": member}
            done = self.written[member]
            found += [{**head, "warning": message} for message in record.warnings[done[0] :]]
            found += [{**head, "change": change._asdict()} for change in record.changes[done[1] :]]
            found += [{**head, **_epoch(record, i)} for i in range(done[2], len(record.epoch))]
            self.written[member] = [len(record.warnings), len(record.changes), len(record.epoch)]
        return "".join(json.dumps(_finite(one)) + "\n" for one in found)


def _epoch(record: History, i: int) -> dict[str, Any]:
    """One epoch's numbers; a log that is not there every epoch is found by counting from its end."""
    logs = {}
    for name, values in record.history.items():
        place = i - (len(record.epoch) - len(values))
        if place >= 0:
            logs[name] = values[place]
    return {"epoch": record.epoch[i], **logs, "seconds": round(record.seconds[i], 4)}


def _finite(value: Any) -> Any:
    """Numbers that JSON has no word for become null."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Run(NamedTuple):
    """A run folder, read.

    Attributes:
        path: of the folder.
        record: run.json.
        state: ``'running'``, ``'finished'``, ``'stopped early'``, ``'interrupted'``, ``'failed'`` or
            ``'broken off'`` (its process is gone).
        owner: the process that writes it, where it runs.
        epochs: lines of history.jsonl that are epochs, those of a population's members apart.

    """

    path: Path
    record: dict[str, Any]
    state: str
    owner: int | None
    epochs: list[dict[str, Any]]

    @property
    def resumable(self) -> bool:
        """Whether there is something to go on from."""
        return self.state not in ("running", "finished", "stopped early") and bool(
            CheckpointFolder(self.path / CHECKPOINTS).paths()
        )


def read_run(path: str | os.PathLike[str]) -> Run:
    """Read a run folder, also while another process writes it.

    Raises:
        thalweg.models.FileError: where it is none, or its record is damaged.

    """
    folder = Path(path)
    if not (folder / RECORD).is_file():
        files.refuse(folder, RECORD, "is missing: this is no run folder.")
    record = files.parse((folder / RECORD).read_bytes(), folder / RECORD, "")
    running = files.is_held(folder / LOCK)
    owner = files.owner_of(folder / LOCK).get("pid") if running else None
    ended = record.get("ended") or {}
    state = "running" if running else str(ended.get("why", "broken off"))
    return Run(folder, record, state, owner, list(_epochs(folder / HISTORY)))


def _epochs(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                found = json.loads(line)
            except ValueError:  # a line that is being written, or was when the power failed
                continue
            if isinstance(found, dict) and "epoch" in found and "member" not in found:
                yield found


def runs_in(folder: str | os.PathLike[str]) -> list[Run]:
    """The runs in a folder and the folders below it, the oldest first; what is no run is passed over."""
    found = []
    for record in Path(folder).rglob(RECORD):
        try:
            found.append(read_run(record.parent))
        except (files.FileError, OSError):
            continue
    return sorted(found, key=lambda run: (str(run.record.get("begun")), str(run.path)))
