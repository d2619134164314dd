"""The state of clusters, groups, nodes and steps; what happens to them is in lifecycle.py and resizing.py."""

from dataclasses import dataclass, field

from emr_simulator.applications import NodeManager
from emr_simulator.catalogue import TYPES, default_data_volumes, default_root_volume
from emr_simulator.descriptions import ClusterSpec, Ec2Volume, GroupSpec, StepSpec, VolumeSpec
from emr_simulator.hdfs import Hdfs
from emr_simulator.words import ClusterState, GroupState, InstanceState, Market, StepState
from emr_simulator.yarn import Yarn


@dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """One instance, wanted, running or gone. Times are seconds since 1970.

    Attributes:
        instance_type, market: The group's; in a fleet those it was bought by.
        boot_seconds: From its EC2 launch to its usefulness.
        units: What it counts in its fleet.
        draining: Chosen to leave; no new containers.
        drain_deadline: When it is taken even if it is not empty.
        copied_at: Core only: when its blocks are safe elsewhere; None while that has not begun.
        warned: AWS takes it back within two minutes.
        interrupted: AWS took it back.
    """

    instance_id: str
    group: "Group"
    instance_type: str
    market: Market
    requested_at: int
    boot_seconds: int
    state: InstanceState
    units: int = 1
    ec2_id: str = ""
    launched_at: int | None = None
    ready_at: int | None = None
    ended_at: int | None = None
    end_code: str = ""
    draining: bool = False
    drain_deadline: int | None = None
    copied_at: int | None = None
    warned: bool = False
    interrupted: bool = False
    yarn: NodeManager | None = None
    volumes: tuple[Ec2Volume, ...] = ()
    private_ip: str = ""

    @property
    def data_volumes(self) -> tuple[VolumeSpec, ...]:
        """Its volumes beyond the root volume."""
        return self.group.volumes_of(self.instance_type)

    @property
    def data_gib(self) -> int:
        """Its disk for HDFS."""
        return sum(volume.size_gib for volume in self.data_volumes)

    def yarn_mib(self, extra: dict[str, int]) -> int:
        """Memory YARN has on it."""
        return extra.get(self.instance_type, TYPES[self.instance_type].yarn_mib)

    @property
    def is_gone(self) -> bool:
        """Whether it has ended or was given up before it began."""
        return self.state is InstanceState.TERMINATED


@dataclass(slots=True, kw_only=True, eq=False)
class Group:
    """One instance group.

    Attributes:
        nodes: Those that are not gone, oldest first.
        all_nodes: Every node it ever had.
        held: A state set from outside, which resizes do not move.
    """

    group_id: str
    cluster: "Cluster"
    spec: GroupSpec
    requested: int
    state: GroupState
    created_at: int
    ready_at: int | None = None
    ended_at: int | None = None
    message: str = ""
    nodes: list[Node] = field(default_factory=list)
    all_nodes: list[Node] = field(default_factory=list)
    held: bool = False
    resize_began_at: int = 0
    next_shortage_event_at: int = 0

    @property
    def running(self) -> int:
        """Nodes that EMR reports as running, draining ones included."""
        return sum(node.state is InstanceState.RUNNING for node in self.nodes)

    @property
    def active(self) -> list[Node]:
        """Nodes that are wanted: not draining."""
        return [node for node in self.nodes if not node.draining]

    @property
    def is_launched(self) -> bool:
        """Whether EC2 has launched every node it has."""
        return all(node.launched_at is not None for node in self.nodes)

    @property
    def is_settled(self) -> bool:
        """Whether it has what it was asked for, and nothing comes or goes."""
        return len(self.nodes) == self.requested and all(
            node.state is InstanceState.RUNNING and not node.draining for node in self.nodes
        )

    @property
    def size_in_words(self) -> str:
        """How large it is, for messages."""
        return f"It now has an instance count of {self.running}."

    @property
    def volumes(self) -> tuple[VolumeSpec, ...]:
        """Data volumes of each instance."""
        return self.volumes_of(self.spec.instance_type)

    def volumes_of(self, instance_type: str) -> tuple[VolumeSpec, ...]:
        """Return the data volumes of each instance of a type."""
        if self.spec.volumes is not None:
            return self.spec.volumes
        return default_data_volumes(instance_type, self.cluster.spec.release_label)

    def yarn_mib(self, extra: dict[str, int]) -> int:
        """Memory YARN has on one node."""
        return extra.get(self.spec.instance_type, TYPES[self.spec.instance_type].yarn_mib)


@dataclass(slots=True, kw_only=True, eq=False)
class StepRun:
    """One step."""

    step_id: str
    spec: StepSpec
    created_at: int
    state: StepState = StepState.PENDING
    started_at: int | None = None
    ended_at: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Cluster:
    """One cluster."""

    cluster_id: str
    arn: str
    spec: ClusterSpec
    zone: str
    created_at: int
    yarn: Yarn
    hdfs: Hdfs
    replication: int
    tags: dict[str, str]
    protected: bool
    state: ClusterState = ClusterState.STARTING
    change_code: str = ""
    change_message: str = ""
    ready_at: int | None = None
    ended_at: int | None = None
    groups: dict[str, Group] = field(default_factory=dict)
    steps: list[StepRun] = field(default_factory=list)
    metrics_held_until: int = 0
    resizes_refused_until: int = 0
    refusal: str = ""
    probe_held_until: int = 0

    @property
    def is_up(self) -> bool:
        """Whether it takes work."""
        return self.state in {ClusterState.RUNNING, ClusterState.WAITING}

    @property
    def root_volume(self) -> VolumeSpec:
        """Root volume of each instance."""
        return self.spec.root_volume or default_root_volume(self.spec.release_label)

    def nodes(self) -> list[Node]:
        """Every node it ever had, group by group."""
        return [node for group in self.groups.values() for node in group.all_nodes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignInstance:
    """An instance of the account that belongs to no cluster."""

    ec2_id: str
    instance_type: str
    zone: str
    market: Market
    launched_at: int


def default_replication(core_count: int) -> int:
    """Return dfs.replication as EMR sets it for a cluster created with ``core_count`` core nodes."""
    four, ten = 4, 10
    return 1 if core_count < four else 2 if core_count < ten else 3
