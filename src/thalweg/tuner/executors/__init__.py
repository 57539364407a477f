"""Who trains the trials of a search."""
