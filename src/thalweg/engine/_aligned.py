"""Which layers of several nets are one and the same layer of the net that holds them all.

Nets of one graph are laid on each other layer by layer. Chains may also lack layers: between two anchors, which all of
them have, the layers of each net are a subsequence of those of the merged one. Layers at the front are matched first,
so that what a shallow net lacks lies in the back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from thalweg.engine._kinds import Kind, is_chain, kind_of, stretches
from thalweg.network import Network


class Aligned(NamedTuple):
    """Nets laid on each other.

    Attributes:
        size: layers of the merged net.
        places: per net and per layer of its own, which of the merged net's layers it is; rising.

    """

    size: int
    places: list[tuple[int, ...]]

    @property
    def owners(self) -> list[list[tuple[int, int]]]:
        """Per merged layer, the nets that have it, and which of their own layers it is."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(self.size)]
        for net, places in enumerate(self.places):
            for own, merged in enumerate(places):
                found[merged].append((net, own))
        return found


class Differs(ValueError):  # noqa: N818
    """Two nets cannot be laid on each other.

    Attributes:
        member: the number of the net that is unlike the first.
        what: in what, for the message.

    """

    def __init__(self, member: int, what: str) -> None:
        super().__init__(f"Member {member} differs from member 0 in {what}.")
        self.member, self.what = member, what


def aligned(networks: Sequence[Network]) -> Aligned:
    """Lay nets on each other.

    Raises:
        Differs: naming the first that does not fit, and in what.

    """
    kinds = [[kind_of(network, i) for i in range(len(network.layers))] for network in networks]
    first = networks[0]
    for i, network in enumerate(networks[1:], start=1):
        if network.inputs != first.inputs:
            raise Differs(i, f"the shapes of its inputs: {network.inputs} against {first.inputs}")
    graphs = [(network.nodes, network.outputs) for network in networks]
    if all(graph == graphs[0] for graph in graphs) and all(mine == kinds[0] for mine in kinds):
        return Aligned(len(first.layers), [tuple(range(len(first.layers)))] * len(networks))
    if not all(map(is_chain, networks)):
        raise _unlike(networks, kinds)
    return _chains(networks, kinds)


def _unlike(networks: Sequence[Network], kinds: list[list[Kind]]) -> Differs:
    """What to say of graphs: they cannot lack a layer."""
    first = networks[0]
    for i, network in enumerate(networks):
        for k, (mine, theirs) in enumerate(zip(kinds[i], kinds[0], strict=False)):
            if mine != theirs:
                return Differs(i, _layers(network, k, first, k))
        if (network.nodes, network.outputs) != (first.nodes, first.outputs):
            return Differs(i, f"its graph: {_layer_count(network)} against {_layer_count(first)}")
    i = next(i for i, network in enumerate(networks) if not is_chain(network))
    return Differs(i, "its graph")


def _chains(networks: Sequence[Network], kinds: list[list[Kind]]) -> Aligned:
    pieces = [stretches(network) for network in networks]
    first = networks[0]
    for i, mine in enumerate(pieces):
        for one, other in zip(mine, pieces[0], strict=False):
            if kinds[i][one.anchor] != kinds[0][other.anchor]:
                raise Differs(i, _layers(networks[i], one.anchor, first, other.anchor))
        if len(mine) != len(pieces[0]):
            raise Differs(
                i, f"layers that a net cannot lack: {_layer_count(networks[i])} against {_layer_count(first)}"
            )
    places: list[list[int]] = [[] for _ in networks]
    count = 0
    for number in range(len(pieces[0])):
        runs = [[kinds[i][k] for k in mine[number].between] for i, mine in enumerate(pieces)]
        merged = _common(runs)
        for i, run in enumerate(runs):
            places[i].extend([*(count + k for k in _within(run, merged) or ()), count + len(merged)])
        count += len(merged) + 1
    return Aligned(count, [tuple(mine) for mine in places])


def _common(runs: list[list[Kind]]) -> list[Kind]:
    """A short sequence of which every run is a subsequence; that is the longest run where it will do."""
    merged: list[Kind] = []
    for run in sorted(runs, key=len, reverse=True):
        if _within(run, merged) is None:
            merged = _woven(merged, run)
    return merged


def _within(run: list[Kind], merged: list[Kind]) -> list[int] | None:
    """Where the run's members stand in `merged`, as far in front as they can; None where it is no subsequence."""
    found: list[int] = []
    start = 0
    for one in run:
        at = next((k for k in range(start, len(merged)) if merged[k] == one), None)
        if at is None:
            return None
        found.append(at)
        start = at + 1
    return found


def _woven(one: list[Kind], other: list[Kind]) -> list[Kind]:
    """The shortest sequence that both are subsequences of."""
    best: list[list[list[Kind]]] = [[[] for _ in range(len(other) + 1)] for _ in range(len(one) + 1)]
    for i in range(len(one) + 1):
        for k in range(len(other) + 1):
            if i == 0 or k == 0:
                best[i][k] = [*one[:i], *other[:k]]
            elif one[i - 1] == other[k - 1]:
                best[i][k] = [*best[i - 1][k - 1], one[i - 1]]
            else:
                above, left = best[i - 1][k], best[i][k - 1]
                best[i][k] = [*above, one[i - 1]] if len(above) <= len(left) else [*left, other[k - 1]]
    return best[-1][-1]


def _layers(network: Network, number: int, first: Network, other: int) -> str:
    mine, theirs = network.layers[number], first.layers[other]
    return (
        f"more than widths, activations and numbers: its layer {mine.name!r} ({type(mine).__name__}) is not of the "
        f"structure of {theirs.name!r} ({type(theirs).__name__})"
    )


def _layer_count(network: Network) -> str:
    return f"{len(network.layers)} layers"
