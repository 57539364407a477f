"""A side of a benchmark: a process of its own, whose last line of output is its record."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any


def recorded(command: list[str], **variables: str) -> dict[str, Any]:
    """The record of a command, run with these environment variables beside the process's own."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables}, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    record: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return record
