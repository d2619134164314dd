"""What goes wrong in a rehearsal, and when: interruptions, dry pools, HDFS that fills."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_simulator.clusters import Node
from emr_simulator.engine import to_moment
from emr_simulator.words import InstanceState, Market, Role
from emr_simulator.world import World

Happening = Callable[[World, Mapping[str, str]], str | None]
"""Takes the world and cluster ids by name; returns what it did in words, or None to be asked again."""

SECOND_LOAD = 0.4
"""Share (0-1) of the rehearsal after which the second load comes, while no spot capacity can be had."""

FIRST_HOUR = timedelta(hours=1)
_MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that happens once.

    Attributes:
        after: Time since the start from which on it is tried, minute by minute.
        kind: For marks: interruption, dry-pool, hdfs or foreign.
        happen: What is done.
    """

    after: timedelta
    kind: str
    happen: Happening


def usual_incidents(
    cluster: str, spot_types: Sequence[str], length: timedelta, maximum: int
) -> tuple[Incident, ...]:
    """Return the incidents of every rehearsal, spread over its length; those on spot nodes wait for one.

    Args:
        cluster: The one that is scaled.
        spot_types: Types of its spot pools; the first is dry for long, all of them for a while.
        length: Of the rehearsal.
        maximum: Most task nodes of the cluster.
    """

    def interruption(after: timedelta, *, young: bool) -> Incident:
        happen = interrupt_task_node(cluster, young=young, maximum=maximum)
        return Incident(after=after, kind="interruption", happen=happen)

    dry_at = length * SECOND_LOAD
    return (
        Incident(after=timedelta(minutes=15), kind="hdfs", happen=fill_hdfs(cluster, 0.62)),
        Incident(after=timedelta(minutes=16), kind="foreign", happen=warn_foreign_instance),
        interruption(timedelta(minutes=20), young=True),
        Incident(after=timedelta(minutes=30), kind="hdfs", happen=fill_hdfs(cluster, 0.86)),
        Incident(after=dry_at, kind="dry-pool", happen=dry_pools(spot_types[:1], timedelta(minutes=50))),
        Incident(after=dry_at, kind="dry-pool", happen=dry_pools(spot_types[1:], timedelta(minutes=30))),
        interruption(length * 0.52, young=False),
        Incident(after=length * 0.55, kind="hdfs", happen=fill_hdfs(cluster, 0.18)),
        interruption(length * 0.60, young=True),
    )


def interrupt_task_node(cluster: str, *, young: bool, maximum: int) -> Happening:
    """Return the interruption of one running spot task node, in its first hour (free of EC2 charge) or later.

    It waits until there is such a node, and room below ``maximum`` for what replaces it.
    """

    def happen(world: World, ids: Mapping[str, str]) -> str | None:
        nodes = [n for n in _running_spot_nodes(world, ids[cluster]) if _is_young(n, world.now) is young]
        if not nodes or _ordered(world, ids[cluster]) >= maximum:
            return None
        node = max(nodes, key=lambda n: (n.launched_at or 0, n.ec2_id))
        world.warn_spot_interruption(node.ec2_id)
        age = "in its first hour" if young else "after its first hour"
        return f"EC2 takes {node.ec2_id} ({node.group.spec.instance_type}, spot) back, {age}"

    return happen


def dry_pools(instance_types: Sequence[str], length: timedelta) -> Happening:
    """Return a time in which nothing can be bought from some spot pools."""

    def happen(world: World, ids: Mapping[str, str]) -> str | None:
        zone = world.inside(next(iter(ids.values()))).zone
        for instance_type in instance_types:
            world.dry_pool(instance_type, zone, world.now + length)
        minutes = length // timedelta(minutes=1)
        return f"spot {', '.join(instance_types)} cannot be had in {zone} for {minutes} min"

    return happen


def fill_hdfs(cluster: str, fraction: float) -> Happening:
    """Return HDFS being filled to a fraction (0-1) of its present capacity, or emptied to it."""

    def happen(world: World, ids: Mapping[str, str]) -> str | None:
        capacity = world.inside(ids[cluster]).hdfs.capacity_gib
        if not capacity:
            return None
        world.set_hdfs_used_gib(ids[cluster], capacity * fraction)
        return f"HDFS of {cluster} now holds {capacity * fraction:.0f} of {capacity} GiB"

    return happen


def warn_foreign_instance(world: World, ids: Mapping[str, str]) -> str:
    """Warn an instance of the account that belongs to no cluster."""
    zone = world.inside(next(iter(ids.values()))).zone
    instance_id = world.add_foreign_instance("c5.xlarge", zone)
    world.warn_spot_interruption(instance_id)
    return f"EC2 warns {instance_id}, which belongs to no cluster"


def _ordered(world: World, cluster_id: str) -> int:
    groups = world.inside(cluster_id).groups.values()
    return sum(group.requested for group in groups if group.spec.role is Role.TASK)


def _running_spot_nodes(world: World, cluster_id: str) -> list[Node]:
    return [
        node
        for group in world.inside(cluster_id).groups.values()
        if group.spec.role is Role.TASK and group.spec.market is Market.SPOT
        for node in group.nodes
        if node.state is InstanceState.RUNNING and not (node.warned or node.draining)
    ]


def _is_young(node: Node, now: datetime) -> bool | None:
    """Return whether the two minutes' notice ends well within the first hour; None close to its end."""
    if node.launched_at is None:
        return None
    age = now - to_moment(node.launched_at)
    if FIRST_HOUR - _MARGIN < age < FIRST_HOUR:
        return None
    return age < FIRST_HOUR
