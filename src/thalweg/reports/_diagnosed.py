"""A run's diagnosis: the one that lies in its folder, where it is of the same net, or a new one."""

from __future__ import annotations

import json
from typing import Any

from thalweg import diagnosis
from thalweg.callbacks import Run
from thalweg.diagnosis._kept import kept
from thalweg.reports._given import Given


def diagnosed(run: Run, given: Given) -> dict[str, Any]:
    """As ``Diagnosis.record()`` gives it.

    Raises:
        ValueError: where the net has several outputs or no loss, or its rows do not fit.

    """
    found = kept(run.path) if given.known else None
    if found is not None:
        return found
    record = diagnosis.diagnose(given.model, given.train, given.validation, history=run).record()
    whole: dict[str, Any] = json.loads(json.dumps(record))  # tuples as lists, as from a file
    return whole
