"""What is seen of the world while it is played: one moment a minute, and marks; judged by summary.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from emr_simulator.clusters import Cluster
from emr_simulator.words import InstanceState, Role
from emr_simulator.world import World

MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMoment:
    """One instance group at one time: nodes wanted and nodes running."""

    group_id: str
    role: str
    market: str
    instance_type: str
    wanted: int
    running: int

    @property
    def label(self) -> str:
        """What people call it: its role, or the market and type of a task group."""
        if self.role != Role.TASK:
            return self.role.lower()
        return f"{'spot' if self.market == 'SPOT' else 'on-demand'} {self.instance_type}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMoment:
    """One cluster at one time.

    Attributes:
        state: EMR's word.
        allocated_gib: YARN memory in use.
        pending_gib: YARN memory waited for.
        total_gib: YARN memory there is.
        pending_containers: Containers waited for.
        hdfs_used_percent: 0-100.
    """

    state: str
    groups: tuple[GroupMoment, ...]
    allocated_gib: float
    pending_gib: float
    total_gib: float
    pending_containers: int
    hdfs_used_percent: float

    def running(self, role: str) -> int:
        """Count the running nodes of a role."""
        return sum(group.running for group in self.groups if group.role == role)

    def wanted(self, role: str) -> int:
        """Count the wanted nodes of a role."""
        return sum(group.wanted for group in self.groups if group.role == role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The whole world at one time; clusters by name, ended ones included."""

    at: datetime
    clusters: Mapping[str, ClusterMoment]
    spent_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened to the world: an incident of the story."""

    at: datetime
    kind: str
    text: str


def observe(world: World, ids: Mapping[str, str], spent_usd: Decimal) -> Moment:
    """Look at every cluster, without a call."""
    return Moment(
        at=world.now,
        clusters={name: _observe_cluster(world.inside(cluster_id)) for name, cluster_id in ids.items()},
        spent_usd=spent_usd,
    )


def _observe_cluster(cluster: Cluster) -> ClusterMoment:
    yarn = cluster.yarn
    return ClusterMoment(
        state=cluster.state.value,
        groups=tuple(
            GroupMoment(
                group_id=group.group_id,
                role=group.spec.role.value,
                market=group.spec.market.value,
                instance_type=group.spec.instance_type,
                wanted=0 if cluster.ended_at else group.requested,
                running=sum(node.state is InstanceState.RUNNING for node in group.nodes),
            )
            for group in cluster.groups.values()
        ),
        allocated_gib=yarn.allocated_mib / MIB_PER_GIB,
        pending_gib=yarn.pending_mib / MIB_PER_GIB,
        total_gib=yarn.total_mib / MIB_PER_GIB,
        pending_containers=yarn.pending,
        hdfs_used_percent=cluster.hdfs.utilization_percent,
    )
