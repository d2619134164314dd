"""EMR, acted on: the port ClusterActuator, live and dry. Deciding what to order is not done here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.emr_fleets import fleet_order, new_fleet
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.fleets import FleetTarget
from emr_autoscaler.ports import NewTaskFleet, NewTaskGroup

if TYPE_CHECKING:
    from mypy_boto3_emr import EMRClient
    from mypy_boto3_emr.type_defs import (
        InstanceGroupConfigTypeDef,
        InstanceGroupModifyConfigTypeDef,
        InstanceResizePolicyTypeDef,
        ShrinkPolicyTypeDef,
    )

GROUPS_PER_CALL = 5
"""EMR's own limit of AddInstanceGroups."""


class LiveActuator:
    """ClusterActuator that gives its orders to EMR."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(
            actions=("elasticmapreduce:ModifyInstanceGroups",),
            why="resize task and core groups of opted-in clusters",
        ),
        Permission(
            actions=("elasticmapreduce:ModifyInstanceFleet",),
            why="resize task and core fleets of opted-in clusters",
        ),
        Permission(
            actions=("elasticmapreduce:AddInstanceFleet",),
            why="create the task fleet of a cluster with fleets that has none",
        ),
        Permission(
            actions=("elasticmapreduce:AddInstanceGroups",),
            why="create spot pools and the on-demand fallback at zero instances",
        ),
        Permission(
            actions=("elasticmapreduce:TerminateJobFlows",),
            why="end idle and overdue clusters",
        ),
    )

    def __init__(self, client: "EMRClient") -> None:
        self._client = client

    @property
    def is_dry(self) -> bool:
        """Whether orders are only accepted, not carried out: no."""
        return False

    def resize_groups(self, cluster_id: str, targets: Sequence[GroupTarget]) -> None:
        """Order absolute counts in one call; a shrink drains its nodes for the decommission timeout.

        Where targets name nodes, ShrinkPolicy.InstanceResizePolicy carries them: those drain first, or never.
        EC2InstanceIdsToTerminate is never sent: it kills at once, whatever runs there.

        Raises:
            NotFoundError: EMR does not know the cluster or a group.
            RefusedError: EMR refuses: below replication, a group that may not be resized, ...
        """
        if not targets:
            return
        with domain_errors():
            self._client.modify_instance_groups(
                ClusterId=cluster_id, InstanceGroups=[_order(target) for target in targets]
            )

    def resize_fleet(self, cluster_id: str, target: FleetTarget) -> None:
        """Order absolute units of both markets; what is too much drains for the cluster's own timeout.

        Raises:
            NotFoundError: EMR does not know the cluster or the fleet.
            RefusedError: EMR refuses: below replication, a fleet that may not be resized, ...
        """
        with domain_errors():
            self._client.modify_instance_fleet(ClusterId=cluster_id, InstanceFleet=fleet_order(target))

    def add_task_fleet(self, cluster_id: str, fleet: NewTaskFleet) -> str | None:
        """Create the task fleet; return its id.

        Raises:
            NotFoundError: EMR does not know the cluster.
            RefusedError: EMR refuses: groups, a task fleet is there, a type the release cannot use, ...
        """
        with domain_errors():
            answer = self._client.add_instance_fleet(ClusterId=cluster_id, InstanceFleet=new_fleet(fleet))
        return answer["InstanceFleetId"]

    def add_task_groups(self, cluster_id: str, groups: Sequence[NewTaskGroup]) -> tuple[str, ...]:
        """Create task groups at zero instances, five a call; return their ids in order.

        Raises:
            NotFoundError: EMR does not know the cluster.
            RefusedError: EMR refuses: fleets, too many groups, a type the release cannot use, ...
        """
        ids: list[str] = []
        for start in range(0, len(groups), GROUPS_PER_CALL):
            part = groups[start : start + GROUPS_PER_CALL]
            with domain_errors():
                answer = self._client.add_instance_groups(
                    JobFlowId=cluster_id, InstanceGroups=[_new_group(group) for group in part]
                )
            ids.extend(answer["InstanceGroupIds"])
        return tuple(ids)

    def terminate_cluster(self, cluster_id: str) -> None:
        """End a cluster; EMR takes minutes to do it.

        Raises:
            NotFoundError: EMR does not know the cluster.
            RefusedError: Termination protection is on.
        """
        with domain_errors():
            self._client.terminate_job_flows(JobFlowIds=[cluster_id])


class DryRunActuator:
    """ClusterActuator that accepts the same orders and does nothing."""

    permissions: ClassVar[tuple[Permission, ...]] = ()

    @property
    def is_dry(self) -> bool:
        """Whether orders are only accepted, not carried out: yes."""
        return True

    def resize_groups(self, cluster_id: str, targets: Sequence[GroupTarget]) -> None:
        """Do nothing."""

    def resize_fleet(self, cluster_id: str, target: FleetTarget) -> None:
        """Do nothing."""

    def add_task_fleet(
        self,
        cluster_id: str,  # noqa: ARG002 - the port's signature
        fleet: NewTaskFleet,  # noqa: ARG002 - the port's signature
    ) -> str | None:
        """Create nothing and return no id."""
        return None

    def add_task_groups(
        self,
        cluster_id: str,  # noqa: ARG002 - the port's signature
        groups: Sequence[NewTaskGroup],  # noqa: ARG002 - the port's signature
    ) -> tuple[str, ...]:
        """Create nothing and return no ids: an id that EMR does not know would be a trap."""
        return ()

    def terminate_cluster(self, cluster_id: str) -> None:
        """Do nothing."""


def _order(target: GroupTarget) -> "InstanceGroupModifyConfigTypeDef":
    order: InstanceGroupModifyConfigTypeDef = {
        "InstanceGroupId": target.group_id,
        "InstanceCount": target.count,
    }
    if target.count < target.previous_count and target.decommission_timeout is not None:
        order["ShrinkPolicy"] = _shrink_policy(target, int(target.decommission_timeout.total_seconds()))
    return order


def _shrink_policy(target: GroupTarget, timeout_seconds: int) -> "ShrinkPolicyTypeDef":
    policy: ShrinkPolicyTypeDef = {"DecommissionTimeout": timeout_seconds}
    if target.leave_first or target.protected:
        nodes: InstanceResizePolicyTypeDef = {}
        if target.leave_first:
            nodes["InstancesToTerminate"] = list(target.leave_first)
            nodes["InstanceTerminationTimeout"] = timeout_seconds  # named nodes drain as long as any other
        if target.protected:
            nodes["InstancesToProtect"] = list(target.protected)
        policy["InstanceResizePolicy"] = nodes
    return policy


def _new_group(group: NewTaskGroup) -> "InstanceGroupConfigTypeDef":
    # No BidPrice: the cap is then the on-demand price, EMR's and EC2's own default.
    return {
        "Name": group.name,
        "Market": group.market.value,
        "InstanceRole": "TASK",
        "InstanceType": group.instance_type,
        "InstanceCount": 0,
    }
