"""Which nodes of a group leave, where it is known what runs on them: how many leave is decided elsewhere.

The emptiest go first. A node that hosts an application master never goes: losing it ends the application,
so fewer nodes go instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from emr_autoscaler.domain.cluster import InstanceGroup, Market
from emr_autoscaler.domain.placement import place_fewer
from emr_autoscaler.domain.slots import NO_LIMITS, Limits, Slot
from emr_autoscaler.domain.snapshot import NodeLoad, NodeState, Snapshot, is_pushing


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What EMR is told about the nodes of a group that shrinks.

    Attributes:
        first: EC2 ids of the nodes to take, emptiest first.
        protected: EC2 ids of the nodes not to take.
    """

    first: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementBounds:
    """What a placement of fewer nodes has to keep.

    Attributes:
        wanted_mib: YARN memory to keep.
        min_nodes: Nodes to keep.
        max_nodes: Nodes that may stay.
        on_demand_min_nodes: On-demand nodes to keep.
        limits: In units and money.
    """

    wanted_mib: float
    min_nodes: int
    max_nodes: int
    on_demand_min_nodes: int
    limits: Limits = NO_LIMITS

    def without(self, slot: Slot) -> "PlacementBounds":
        """Return what is left to keep once a slot keeps what it has."""
        on_demand = slot.count if slot.market is Market.ON_DEMAND else 0
        return PlacementBounds(
            wanted_mib=self.wanted_mib - slot.node_mib * slot.count,
            min_nodes=max(0, self.min_nodes - slot.count),
            max_nodes=max(0, self.max_nodes - slot.count),
            on_demand_min_nodes=max(0, self.on_demand_min_nodes - on_demand),
            limits=self.limits.without(slot),
        )


def master_hosts(nodes: Sequence[NodeLoad], node_groups: Mapping[str, str]) -> dict[str, int]:
    """Count the nodes of each group that host an application master and are not leaving anyway."""
    hosts: dict[str, int] = {}
    for node in nodes:
        group_id = node_groups.get(node.ec2_instance_id)
        if group_id is not None and node.application_masters and node.state is NodeState.RUNNING:
            hosts[group_id] = hosts.get(group_id, 0) + 1
    return hosts


def are_hosts_untold(nodes: Sequence[NodeLoad], pushed: Sequence[Snapshot], now: datetime) -> bool:
    """Whether a probe tells of nodes and this look has not heard it: the next snapshot will say who may go."""
    return not nodes and is_pushing(pushed, now) and pushed[-1].tells_nodes


def place_fewer_keeping(
    slots: Sequence[Slot], hosts: Mapping[str, int], bounds: PlacementBounds
) -> dict[str, int]:
    """Take nodes away as ``place_fewer`` does, but none that hosts an application master: others go, or fewer do.

    Args:
        slots: The groups.
        hosts: Nodes by group id that may not go.
        bounds: What has to be kept over all slots.
    """
    free, kept = list(slots), dict[str, int]()
    while True:
        counts = place_fewer(
            free,
            wanted_mib=bounds.wanted_mib,
            min_nodes=bounds.min_nodes,
            max_nodes=bounds.max_nodes,
            on_demand_min_nodes=bounds.on_demand_min_nodes,
            limits=bounds.limits,
        )
        short = [s for s in free if counts[s.group_id] < min(hosts.get(s.group_id, 0), s.count)]
        if not short:
            return kept | counts
        for slot in short:
            fixed = replace(slot, count=min(hosts[slot.group_id], slot.count))
            kept[slot.group_id] = fixed.count
            bounds = bounds.without(fixed)
            free.remove(slot)


def name_leaving(
    group: InstanceGroup, count: int, nodes: Sequence[NodeLoad], node_groups: Mapping[str, str]
) -> Leaving:
    """Name the nodes that leave a group on its way down to ``count``, and those that must not.

    EMR says that it takes the least active nodes first, and not that those that still boot are among them. They
    are taken to be: only what is left is named. Should EMR drain ready nodes all the same, they do so gracefully,
    the protected ones stay, and the count is as ordered once the others have booted.
    """
    mine = [node for node in nodes if node_groups.get(node.ec2_instance_id) == group.group_id]
    working = [node for node in mine if node.state is NodeState.RUNNING]
    leaving = group.running_count - (len(mine) - len(working)) - count
    idle = sorted(
        (node for node in working if not node.application_masters),
        key=lambda node: (node.containers, node.used_mib, node.ec2_instance_id),
    )
    return Leaving(
        first=tuple(node.ec2_instance_id for node in idle[: max(0, leaving)]),
        protected=tuple(sorted(node.ec2_instance_id for node in working if node.application_masters)),
    )
