"""What the probe on a cluster's primary node sends: a snapshot of YARN. docs/probe.md describes it for people."""

from datetime import UTC
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from emr_autoscaler.domain.snapshot import NodeLoad, NodeState, Snapshot
from emr_autoscaler.messages.envelope import ClusterId, Detail, InstanceId

MOST_NODES = 1000
"""Of more nodes the probe names the emptiest: an event holds 256 KB."""

Figure = Annotated[float, Field(allow_inf_nan=False)]
"""Any number: whether it can be true is judged where decisions are made. YARN itself shows negative ones."""


class ProbedNode(Detail):
    """What runs on one node."""

    ec2_instance_id: InstanceId = Field(alias="instanceId", description="The node's EC2 instance.")
    state: NodeState = Field(description="DECOMMISSIONING nodes get no new containers.")
    containers: int = Field(ge=0, description="Running containers, application masters included.")
    application_masters: int = Field(
        default=0, ge=0, alias="applicationMasters", description="How many of them are application masters."
    )
    used_mib: Figure = Field(alias="usedMB", description="YARN memory in use, MiB.")

    def to_load(self) -> NodeLoad:
        """Return the node as the domain knows it."""
        return NodeLoad(
            ec2_instance_id=self.ec2_instance_id,
            state=self.state,
            containers=self.containers,
            application_masters=self.application_masters,
            used_mib=self.used_mib,
        )


class YarnSnapshot(Detail):
    """YARN Snapshot: the ResourceManager's figures at one moment."""

    answered_once: ClassVar[bool] = False

    cluster_id: ClusterId = Field(alias="clusterId", description="The cluster the probe runs on.")
    at: AwareDatetime = Field(description="When the figures were taken, with a time zone.")
    active_nodes: Figure = Field(alias="activeNodes", description="Nodes that take containers.")
    core_nodes: Figure | None = Field(default=None, alias="coreNodes", description="Of them core nodes.")
    task_nodes: Figure | None = Field(default=None, alias="taskNodes", description="Of them task nodes.")
    total_mib: Figure = Field(alias="totalMB", description="YARN memory, MiB.")
    allocated_mib: Figure = Field(alias="allocatedMB", description="Of it in use.")
    available_mib: Figure = Field(alias="availableMB", description="Of it free.")
    pending_mib: Figure = Field(alias="pendingMB", description="Memory that waiting containers ask for, MiB.")
    containers_allocated: Figure = Field(alias="containersAllocated", description="Running containers.")
    containers_pending: Figure = Field(alias="containersPending", description="Waiting containers.")
    containers_completed: Figure | None = Field(
        default=None,
        alias="containersCompleted",
        description="Containers that ended since the ResourceManager began (AggregateContainersReleased).",
    )
    apps_running: Figure = Field(alias="appsRunning", description="Running applications.")
    apps_pending: Figure = Field(alias="appsPending", description="Waiting applications.")
    nodes: tuple[ProbedNode, ...] = Field(
        default=(), max_length=MOST_NODES, description="What runs on each node; of many the emptiest."
    )

    def to_snapshot(self) -> Snapshot:
        """Return the snapshot as the domain knows it."""
        return Snapshot(
            at=self.at.astimezone(UTC),
            active_nodes=self.active_nodes,
            core_nodes=self.core_nodes,
            task_nodes=self.task_nodes,
            total_mib=self.total_mib,
            allocated_mib=self.allocated_mib,
            available_mib=self.available_mib,
            pending_mib=self.pending_mib,
            containers_allocated=self.containers_allocated,
            containers_pending=self.containers_pending,
            containers_completed=self.containers_completed,
            apps_running=self.apps_running,
            apps_pending=self.apps_pending,
            nodes=tuple(node.to_load() for node in self.nodes),
        )
