"""What a number from test rows is worth that were looked at several times."""

from __future__ import annotations

from thalweg import _checks


def level_for(looks: int, level: float = 0.95) -> float:
    """The level at which each of several looks at the same test rows is reported, so that all hold together.

    Each interval misses with probability ``a / k`` at most, so that any of the k misses with ``a`` at most: ``1 - a / k`` in
    place of ``1 - a``. The looks before count too: what was reported of them at a higher ``a / k`` is widened likewise.

    Args:
        looks: k, how often the rows were opened, this time included: ``len(data.openings(folder, test.data))``.
        level: ``1 - a``, of all looks together.

    Returns:
        The level of each look's interval.

    Raises:
        ValueError: on looks below 1 or a level outside (0, 1).

    Example:
        >>> from thalweg import data
        >>> [round(data.level_for(looks), 4) for looks in (1, 2, 5)]
        [0.95, 0.975, 0.99]

    Source: Bonferroni's inequality; Dunn 1961, "Multiple comparisons among means".

    """
    if not _checks.whole(1)(looks):
        raise ValueError(f"looks must be a whole number from 1 on, got {looks!r}.")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, as 0.95 does, got {level!r}.")
    return 1 - (1 - level) / looks
