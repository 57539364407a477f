"""What tests of several floors share."""

from __future__ import annotations

import sys
import types

import pytest


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
