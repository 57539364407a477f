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

RECORD, HISTORY, LOCK = "run.json", "history.jsonl", "lock"
CHECKPOINTS, PINNED, LEFT = "checkpoints", "kept", "left"
"""Folders of a run's checkpoints: the newest, those that somebody wanted kept, and of these the ones that the fit has gone back from."""
NOTEBOOK = "coach.json"
"""Of a coach, who writes before the run begins."""
BATCH = 32
"""Rows a step of a fit that was not told any."""
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
    given = {name: _plain(asked.get(name)) for name in kept}
    return {name: value for name, value in given.items() if isinstance(value, (int, float, str, type(None), list))}


def _plain(value: Any) -> Any:
    """NumPy's numbers and tuples as JSON has them."""
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return value.item() if hasattr(value, "item") else value


def without_names(told: Any) -> Any:
    """A model's description with its layers numbered: names that nobody gave differ from process to process."""
    listed = told["config"]["layers"]
    numbers = {one["config"]["name"]: f"layer {i}" for i, one in enumerate(listed)}
    return _renamed(told, {**numbers, told["config"].get("name"): "model"})


def _renamed(value: Any, names: Mapping[Any, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(key, key): _renamed(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value


def differences(before: Any, after: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two pieces of plain data differ: (place, before, after)."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from differences(before.get(key), after.get(key), f"{place}/{key}" if place else str(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{place}/{i}" if place else str(i))
    elif before != after and repr(before) != repr(after):  # two NaN are the same
        yield place, before, after


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """A record as readable JSON, whole or not at all."""
    files.write_whole(path, [(json.dumps(record, indent=2) + "\n").encode()])


class Lines:
    """The events of histories as lines of JSON, each written once: warnings, changes of hypers, notes, epochs.

    Args:
        histories: by member; None for one net, or for the whole population.
        whole: whether what they hold already is new; else it is of fits before, but for the warnings.

    """

    def __init__(self, histories: Mapping[int | None, History], whole: bool = False) -> None:
        self.histories = histories
        self.written: dict[int | None, dict[str, Any]] = {
            name: {} if whole else {**_counts(record), "warnings": 0} for name, record in histories.items()
        }

    def new(self) -> str:
        """What has happened since the last call, as lines."""
        return "".join(json.dumps(_finite(one)) + "\n" for one in self.events())

    def events(self) -> list[dict[str, Any]]:
        """The same as plain data."""
        found: list[dict[str, Any]] = []
        for member, record in self.histories.items():
            head = {} if member is None else {"member": member}
            done = self.written[member]
            found += [{**head, "warning": message} for message in record.warnings[done.get("warnings", 0) :]]
            found += [{**head, "change": change._asdict()} for change in record.changes[done.get("changes", 0) :]]
            found += [{**head, "note": note._asdict()} for note in record.notes[done.get("notes", 0) :]]
            found += [{**head, **line} for line in _new_epochs(record, done)]
            self.written[member] = _counts(record)
        return found


def _counts(record: History) -> dict[str, Any]:
    values = {name: len(values) for name, values in record.history.items()}
    counts = {name: len(getattr(record, name)) for name in ("warnings", "changes", "notes")}
    return {**counts, "epochs": len(record.epoch), "of": values}


def _new_epochs(record: History, done: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Epochs that are not written yet, one as a rule, with the logs that have grown."""
    of = done.get("of", {})
    for i in range(done.get("epochs", 0), len(record.epoch)):
        left = len(record.epoch) - i  # epochs from here on
        places = {name: len(values) - left for name, values in record.history.items()}
        logs = {name: record.history[name][at] for name, at in places.items() if at >= of.get(name, 0)}
        yield {"epoch": record.epoch[i], **logs, "seconds": round(record.seconds[i], 4)}


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
    def batch_size(self) -> int:
        """Rows a step."""
        return (self.record.get("fit") or {}).get("batch_size") or BATCH

    @property
    def steps(self) -> int | None:
        """Steps of an epoch, where the number of rows is known."""
        asked, rows = (self.record.get("fit") or {}).get("steps_per_epoch"), (self.record.get("data") or {}).get("rows")
        if asked:
            return int(asked)
        return None if rows is None else max(math.ceil(rows / self.batch_size), 1)

    def checkpoints(self) -> list[Path]:
        """All of them, those that stay included, in the order of the fit."""
        return checkpoints_in(self.path)

    @property
    def resumable(self) -> bool:
        """Whether there is something to go on from."""
        return self.state not in ("running", "finished", "stopped early") and bool(
            CheckpointFolder(self.path / CHECKPOINTS).paths()
        )


def left_in(folder: Path) -> list[Path]:
    """Checkpoints that stay of ways that a run has gone back from: they are no part of it, but it can be them again."""
    ways = (
        sorted((folder / LEFT).iterdir(), key=lambda way: (len(way.name), way.name)) if (folder / LEFT).is_dir() else []
    )
    return [path for way in ways for path in CheckpointFolder(way).paths()]


def checkpoint_name(path: Path) -> str:
    """What a run's checkpoint is called: by its file, of a way that was left by that, too.

    Example:
        >>> checkpoint_name(Path('run/kept/epoch-1-step-0.safetensors'))
        'epoch-1-step-0.safetensors'
        >>> checkpoint_name(Path('run/left/2/epoch-1-step-0.safetensors'))
        'left/2/epoch-1-step-0.safetensors'

    """
    return "/".join(path.parts[-3:]) if path.parts[-3:-2] == (LEFT,) else path.name


def checkpoints_in(folder: Path) -> list[Path]:
    """A run's checkpoints, those that stay included, in the order of the fit."""
    found = [path for name in (CHECKPOINTS, PINNED) for path in CheckpointFolder(folder / name).paths()]
    return sorted(found, key=lambda path: path.name)


def read_run(path: str | os.PathLike[str], epochs: bool = True) -> Run:
    """Read a run folder, also while another process writes it.

    Args:
        path: of the folder.
        epochs: whether to read the epochs, too; of long runs they take long.

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
    return Run(folder, record, state, owner, list(_epochs(folder / HISTORY)) if epochs else [])


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
