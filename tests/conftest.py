"""What tests of several floors share."""

from __future__ import annotations

import gc
import sys
import types
import zlib

import psutil
import pytest

from thalweg import _seeds

_ROOM = 2 << 30  # bytes that a test process holds before it lets go of what it has compiled


@pytest.fixture(autouse=True, scope="module")
def _let_go():
    """Keras and JAX keep what they compile: after some thousand tests 5 GB, through which each garbage collection walks."""
    yield
    if psutil.Process().memory_info().rss > _ROOM and "jax" in sys.modules:
        from thalweg.engine import _program

        _program._programs.clear()
        sys.modules["jax"].clear_caches()
        gc.collect()


@pytest.fixture(autouse=True)
def _the_same_numbers_each_time(request):
    """What names no seed draws what it drew before: 64 numbers of 2^24 hold an equal pair once in some thousand runs."""
    _seeds.set_random_seed(zlib.crc32(request.node.nodeid.encode()))
    yield
    _seeds._base = None


@pytest.fixture
def notebook(monkeypatch):
    """IPython as its kernel sees it; gives every output as the list of what it has shown."""
    outputs = []

    class Handle:
        def __init__(self, shown):
            self.shown = shown

        def update(self, bundle, raw):
            assert raw
            self.shown.append(bundle)

    def display(bundle, raw, display_id):
        assert raw and display_id
        outputs.append([bundle])
        return Handle(outputs[-1])

    ipython, shown = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    shown.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    return outputs
