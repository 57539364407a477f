"""Members side by side: one program for nets of one structure, each with its own state, hypers and rows.

How members run follows from their size and the machine by rule, never from a stopwatch: bits must not
depend on timing. Measured on 2 cores, batch 32, against one net alone: 64-32-32-10 costs half a step
one after the other on one host device per core (vmap: 0.57), 784-128-128-10 0.42 (vmap: 0.53).
One after the other wins because a member's weights stay in the core's cache; on a GPU vmap alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

_AXIS = "members"
# Which arguments of a program have an axis of members; the others are shared. Bounds are each member's own:
# one that has stopped, or has fewer rows, simply runs no more steps.
_OWN = {
    "train": (True, True, True, False, True, True, True, True),
    "evaluate": (True, True, True, True, False, False, True, True, True),
    "evaluate each": (True, True, True, True, False, True, True, True, True),  # each on rows of its own
    "predict": (True, True, True, False, False, True, False),
}


def use_host_devices() -> None:
    """One CPU device per core, where JAX has not started yet; otherwise it stays at what there is.

    Called before the first computation of the process. JAX_NUM_CPU_DEVICES and XLA_FLAGS win.
    """
    from jax._src import xla_bridge

    if xla_bridge.backends_are_initialized() or "XLA_FLAGS" in os.environ or "JAX_NUM_CPU_DEVICES" in os.environ:
        return
    jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))


def ways(members: int) -> tuple[str, int]:
    """How `members` run here: ``'map'`` (one after the other) or ``'vmap'``, on how many devices."""
    devices = jax.local_devices()
    kind = "map" if devices[0].platform == "cpu" else "vmap"
    return kind, min(len(devices), members)


def padded_count(members: int) -> int:
    """Members and the idle ones that fill up the devices."""
    devices = ways(members)[1]
    return -(-members // devices) * devices


def spread(function: Callable[..., Any], kind: str, how: tuple[str, int]) -> Callable[..., Any]:
    """`function` of one member as a function of all: its own arguments get a leading axis of members."""
    own = _OWN[kind]

    def all_members(*arguments: Any) -> Any:
        def one(mine: tuple[Any, ...]) -> Any:
            given = iter(mine)
            return function(*(next(given) if is_own else shared for is_own, shared in zip(own, arguments, strict=True)))

        mine = tuple(value for is_own, value in zip(own, arguments, strict=True) if is_own)
        return lax.map(one, mine) if how[0] == "map" else jax.vmap(one)(mine)

    if how[1] == 1:
        return all_members
    specs = tuple(P(_AXIS) if is_own else P() for is_own in own)
    return jax.shard_map(all_members, mesh=_mesh(how[1]), in_specs=specs, out_specs=P(_AXIS), check_vma=False)


def options_for(how: tuple[str, int]) -> dict[str, Any]:
    """What the compiler is told of members that run so.

    Where each core has members of its own, XLA must not cut one member's loops into parts for several cores: these
    then wait for each other. It costs 8 % of a step of 64-128-128-128-10 and 7 % of one of 64-64-10.
    """
    return {"xla_disable_hlo_passes": "cpu-parallel-task-assigner"} if how[0] == "map" and how[1] > 1 else {}


def share_out(tree: Any, devices: int, own: bool = True) -> Any:
    """Arrays where the members need them: cut along the first axis, or a copy on every device."""
    if devices == 1:
        return jax.device_put(tree)
    return jax.device_put(tree, NamedSharding(_mesh(devices), P(_AXIS) if own else P()))


def stack(trees: list[Any]) -> Any:
    """One tree with a leading axis of members, on the host."""
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *trees)


def unstack(tree: Any, member: int) -> Any:
    """One member's tree."""
    return jax.tree.map(lambda leaf: leaf[member], tree)


def _mesh(devices: int) -> Mesh:
    return Mesh(np.array(jax.local_devices()[:devices]), (_AXIS,))
