"""Compiled programs on disk, so that the next process starts where this one was.

JAX's own persistent cache, with what it lacks: entries are written to a temporary name and
renamed, carry a checksum, and an entry that cannot be read is deleted instead of warned about for ever.
"""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from pathlib import Path

import jax

from thalweg import config

_LEAST_SECONDS = 0.1  # what compiles faster than that is not worth a file
_MOST_BYTES = 1 << 30
_DIGEST = 32
_ready = False


def use_disk_cache() -> None:
    """Keep compiled programs in the cache folder, unless the user set JAX's cache up or THALWEG_DISK_CACHE=0."""
    global _ready
    if _ready:
        return
    _ready = True
    if os.environ.get("THALWEG_DISK_CACHE") == "0" or jax.config.jax_compilation_cache_dir:  # type: ignore[attr-defined]
        return
    folder = config.cache_folder() / "programs" / _machine()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _prune(folder)
    except OSError:  # a read-only home: compile every time, as without a cache
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS)
    _install(folder)


def _machine() -> str:
    """Programs hold instructions of one processor: a home shared by several keeps them apart."""
    try:
        flags = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags"))
    except (OSError, StopIteration):
        flags = platform.processor()
    return hashlib.sha256(f"{jax.__version__} {platform.machine()} {flags}".encode()).hexdigest()[:16]


def _prune(folder: Path) -> None:
    """Delete the entries used longest ago until the folder is of a decent size."""
    entries = sorted((entry.stat().st_atime, entry.stat().st_size, entry) for entry in folder.iterdir())
    total = sum(size for _, size, _ in entries)
    for _, size, entry in entries:
        if total <= _MOST_BYTES:
            break
        entry.unlink(missing_ok=True)
        total -= size


def _install(folder: Path) -> None:
    from jax._src import compilation_cache

    class Checked(compilation_cache.CacheInterface):  # type: ignore[name-defined, misc]
        """Entries that are whole or not there."""

        _path = folder

        def get(self, key: str) -> bytes | None:
            path = folder / f"{key}-checked"
            try:
                entry = path.read_bytes()
            except OSError:
                return None
            digest, value = entry[:_DIGEST], entry[_DIGEST:]
            if hashlib.sha256(value).digest() == digest:
                return value
            path.unlink(missing_ok=True)
            return None

        def put(self, key: str, value: bytes) -> None:
            handle, name = tempfile.mkstemp(dir=folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(value).digest() + value)
                os.replace(name, folder / f"{key}-checked")
            except OSError:  # a full disk costs the entry, not the run
                Path(name).unlink(missing_ok=True)

    # JAX offers no public way to bring a cache of one's own
    compilation_cache._cache = Checked()
    compilation_cache._cache_initialized = True
