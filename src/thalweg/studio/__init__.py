"""The studio: a local web page about fits and runs, with knobs that reach a net while it trains."""

from thalweg.studio._studio import Studio as Studio
