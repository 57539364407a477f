"""A run once more: its rows as they were, and its best net."""

from __future__ import annotations

from typing import Any, NamedTuple

from thalweg import callbacks, data
from thalweg.cli._command import command_of
from thalweg.cli._source import Source, source_of
from thalweg.cli._weights import weights_of
from thalweg.models import load_model
from thalweg.models._checks import with_class_weight
from thalweg.models._fit import adapted


class Again(NamedTuple):
    """A run that ``thalweg train`` began.

    Attributes:
        run: its record.
        source: its rows.
        model: its best net.

    """

    run: callbacks.Run
    source: Source
    model: Any


def again(folder: str, instead: str) -> Again:
    """Make a run's rows again from its command, and read its best net.

    Args:
        folder: of the run.
        instead: what is to be done where a script began it.

    Raises:
        ValueError: where no command began it, it is under way, it has no net yet, or its data have changed since.

    """
    run = callbacks.read_run(folder)
    name, asked = command_of(run, instead)
    model = _best(run)
    source = source_of(name, asked)
    _same_rows(run, model, source, name, asked)
    return Again(run, source, model)


def _best(run: callbacks.Run) -> Any:
    if run.state == "running":
        raise ValueError(f"{run.path} is still being trained: its net is asked when that has ended.")
    path = run.path / "best.keras"
    if not path.is_file():
        raise ValueError(f"There is no {path}: no epoch of the run was finished. To go on: thalweg resume {run.path}")
    return load_model(path)


def _same_rows(run: callbacks.Run, model: Any, source: Source, name: str, asked: dict[str, Any]) -> None:
    """Raise where the rows are others than the run's: then rows that it learnt from could stand among the others."""
    rows, weights = adapted(model, *source.train, what="fit"), weights_of(source, asked)
    rows = rows if weights is None else with_class_weight(rows, weights)
    now = {"training": {"rows": rows.n, "sha256": data.fingerprint(rows)}}
    if source.test is not None:
        now["test"] = {"rows": source.test.rows, "sha256": source.test.data}
    before = {"training": run.record.get("data"), "test": run.record["asked"].get("test")}
    for part, told in before.items():
        if told is not None and part in now and told != now[part]:
            raise ValueError(
                f"{name} has changed since {run.path} was trained: its {part} rows were {_known(told)}, they are "
                f"{_known(now[part])}. Put the data back as they were, or train again."
            )


def _known(told: dict[str, Any]) -> str:
    return f"{told['rows']:,} with the SHA-256 {told['sha256'][:12]}..."
