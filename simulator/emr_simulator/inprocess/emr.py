"""The ports ClusterReader and ClusterActuator on the World."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from emr_autoscaler.adapters.emr_volumes import default_data_volumes
from emr_autoscaler.domain.cluster import (
    Cluster,
    ClusterState,
    ClusterSummary,
    GroupState,
    Instance,
    InstanceGroup,
    InstanceState,
    Market,
    Role,
    Volume,
)
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.fleets import FleetTarget, FleetType, InstanceFleet
from emr_autoscaler.ports import NewTaskFleet, NewTaskGroup
from emr_simulator import words
from emr_simulator.descriptions import (
    GroupDescription,
    GroupResize,
    GroupSpec,
    InstanceDescription,
    VolumeSpec,
)
from emr_simulator.fleet_descriptions import FleetDescription, FleetResize, FleetSpec, FleetTypeSpec
from emr_simulator.inprocess.refusals import domain_errors
from emr_simulator.trail import Caller
from emr_simulator.world import World

GROUPS_PER_CALL = 5
_UNFINISHED = ("PENDING", "CANCEL_PENDING", "RUNNING")


class WorldClusterReader:
    """ClusterReader on the World; it makes the calls that the adapter makes, so that quotas count alike."""

    def __init__(self, world: World) -> None:
        self._emr = world.emr
        self._volumes: dict[str, Mapping[str, tuple[Volume, ...]]] = {}

    def describe_cluster(self, cluster_id: str) -> Cluster:
        """Describe one cluster. Raises NotFoundError."""
        with domain_errors("DescribeCluster"):
            described = self._emr.describe_cluster(cluster_id)
            state = ClusterState(described.state)
            managed = None if state.has_ended else self._emr.get_managed_scaling_policy(cluster_id)
        return Cluster(
            cluster_id=described.cluster_id,
            arn=described.arn,
            name=described.name,
            state=state,
            created_at=described.created_at,
            ended_at=described.ended_at,
            tags=dict(described.tags),
            release_label=described.release_label,
            availability_zone=described.availability_zone,
            termination_protected=described.termination_protected,
            uses_fleets=described.uses_fleets,
            has_managed_scaling=managed is not None,
            applications=tuple(name.lower() for name in described.applications),
            dfs_replication=described.dfs_replication,
            root_volume=_volume(described.root_volume),
            subnet_id=described.subnet_id,
        )

    def list_clusters(
        self, states: Sequence[ClusterState], *, created_after: datetime | None = None
    ) -> tuple[ClusterSummary, ...]:
        """List the clusters that are in one of ``states``, newest first."""
        if not states:
            return ()
        with domain_errors("ListClusters"):
            clusters = self._emr.list_clusters(states=states, created_after=created_after)
        summaries = (
            ClusterSummary(
                cluster_id=cluster.cluster_id,
                name=cluster.name,
                state=ClusterState(cluster.state),
                created_at=cluster.created_at,
            )
            for cluster in clusters
        )
        return tuple(sorted(summaries, key=lambda summary: summary.created_at, reverse=True))

    def list_instance_groups(self, cluster_id: str) -> tuple[InstanceGroup, ...]:
        """List a cluster's groups. Raises NotFoundError; RefusedError for clusters with fleets."""
        with domain_errors("ListInstanceGroups"):
            groups = tuple(_group(group) for group in self._emr.list_instance_groups(cluster_id))
        self._volumes.update((group.group_id, {group.instance_type: group.volumes}) for group in groups)
        return groups

    def list_instance_fleets(self, cluster_id: str) -> tuple[InstanceFleet, ...]:
        """List a cluster's fleets. Raises NotFoundError; RefusedError for clusters with groups."""
        with domain_errors("ListInstanceFleets"):
            fleets = tuple(_fleet(fleet) for fleet in self._emr.list_instance_fleets(cluster_id))
        self._volumes.update((f.fleet_id, {kind.instance_type: kind.volumes for kind in f.types}) for f in fleets)
        return fleets

    def list_instances(self, cluster_id: str) -> tuple[Instance, ...]:
        """List a cluster's instances, those that ended in the last 30 days included."""
        with domain_errors("ListInstances"):
            instances = self._emr.list_instances(cluster_id)
        if not {i.group_id for i in instances if not i.in_fleet} <= self._volumes.keys():
            self.list_instance_groups(cluster_id)
        if not {i.group_id for i in instances if i.in_fleet} <= self._volumes.keys():
            self.list_instance_fleets(cluster_id)
        return tuple(_instance(instance, self._volumes) for instance in instances)

    def supported_types(self, release_label: str) -> frozenset[str]:
        """Return the instance types a release can use. Raises RefusedError for an unknown release."""
        with domain_errors("ListSupportedInstanceTypes"):
            return frozenset(self._emr.list_supported_instance_types(release_label))

    def has_unfinished_steps(self, cluster_id: str) -> bool:
        """Return whether a step is pending, being cancelled or running. Raises NotFoundError."""
        with domain_errors("ListSteps"):
            return bool(self._emr.list_steps(cluster_id, states=_UNFINISHED))


OURSELVES = Caller(role="emr-autoscaler-FunctionRole", session="emr-autoscaler-scale-task-groups")
"""The role and session of the functions in this process."""


class WorldActuator:
    """ClusterActuator on the World, live. For a dry run take the adapters' DryRunActuator."""

    def __init__(self, world: World) -> None:
        self._emr = world.emr

    @property
    def is_dry(self) -> bool:
        """Whether orders are only accepted, not carried out: no."""
        return False

    def resize_groups(self, cluster_id: str, targets: Sequence[GroupTarget]) -> None:
        """Order absolute counts in one call, gracefully. Raises NotFoundError, RefusedError."""
        if not targets:
            return
        with domain_errors("ModifyInstanceGroups"), self._emr.calling_as(OURSELVES):
            self._emr.modify_instance_groups(cluster_id, [_order(target) for target in targets])

    def resize_fleet(self, cluster_id: str, target: FleetTarget) -> None:
        """Order absolute units of both markets. Raises NotFoundError, RefusedError."""
        order = FleetResize(
            fleet_id=target.fleet_id, on_demand_units=target.on_demand_units, spot_units=target.spot_units
        )
        with domain_errors("ModifyInstanceFleet"):
            self._emr.modify_instance_fleet(cluster_id, order)

    def add_task_fleet(self, cluster_id: str, fleet: NewTaskFleet) -> str | None:
        """Create the task fleet; return its id. Raises NotFoundError, RefusedError."""
        spec = FleetSpec(
            role=words.Role.TASK,
            types=tuple(FleetTypeSpec(instance_type=t.instance_type, units=t.units) for t in fleet.types),
            on_demand_units=fleet.on_demand_units,
            spot_units=fleet.spot_units,
            name=fleet.name,
            switch_to_on_demand_after_seconds=int(fleet.give_up_spot_after.total_seconds()),
        )
        with domain_errors("AddInstanceFleet"):
            return self._emr.add_instance_fleet(cluster_id, spec)

    def add_task_groups(self, cluster_id: str, groups: Sequence[NewTaskGroup]) -> tuple[str, ...]:
        """Create task groups at zero instances, five a call; return their ids in order."""
        ids: list[str] = []
        for start in range(0, len(groups), GROUPS_PER_CALL):
            specs = [_new_group(group) for group in groups[start : start + GROUPS_PER_CALL]]
            with domain_errors("AddInstanceGroups"), self._emr.calling_as(OURSELVES):
                ids.extend(self._emr.add_instance_groups(cluster_id, specs))
        return tuple(ids)

    def terminate_cluster(self, cluster_id: str) -> None:
        """End a cluster. Raises RefusedError while termination protection is on."""
        with domain_errors("TerminateJobFlows"):
            self._emr.terminate_job_flows([cluster_id])


def _volume(volume: VolumeSpec) -> Volume:
    return Volume(
        volume_type=volume.volume_type,
        size_gib=volume.size_gib,
        iops=volume.iops,
        throughput_mibps=volume.throughput_mibps,
    )


def _group(group: GroupDescription) -> InstanceGroup:
    return InstanceGroup(
        group_id=group.group_id,
        role=Role(group.role),
        market=Market(group.market),
        instance_type=group.instance_type,
        requested_count=group.requested_count,
        running_count=group.running_count,
        state=GroupState(group.state),
        name=group.name,
        has_own_scaling=group.has_auto_scaling_policy,
        volumes=tuple(map(_volume, group.volumes)),
    )


def _fleet(fleet: FleetDescription) -> InstanceFleet:
    return InstanceFleet(
        fleet_id=fleet.fleet_id,
        role=Role(fleet.role),
        state=GroupState(fleet.state),
        target_on_demand_units=fleet.target_on_demand_units,
        target_spot_units=fleet.target_spot_units,
        provisioned_on_demand_units=fleet.provisioned_on_demand_units,
        provisioned_spot_units=fleet.provisioned_spot_units,
        types=tuple(
            FleetType(
                instance_type=kind.instance_type, units=kind.units, volumes=tuple(map(_volume, kind.volumes or ()))
            )
            for kind in fleet.types
        ),
        name=fleet.name,
    )


def _instance(instance: InstanceDescription, volumes: Mapping[str, Mapping[str, tuple[Volume, ...]]]) -> Instance:
    known = volumes.get(instance.group_id, {}).get(instance.instance_type)
    return Instance(
        ec2_instance_id=instance.ec2_instance_id,
        group_id=instance.group_id,
        market=Market(instance.market),
        instance_type=instance.instance_type,
        state=InstanceState(instance.state),
        created_at=instance.created_at,
        ready_at=instance.ready_at,
        ended_at=instance.ended_at,
        volumes=known or default_data_volumes(instance.instance_type),
    )


def _order(target: GroupTarget) -> GroupResize:
    timeout = target.decommission_timeout if target.count < target.previous_count else None
    if timeout is None:
        return GroupResize(group_id=target.group_id, count=target.count)
    return GroupResize(
        group_id=target.group_id,
        count=target.count,
        decommission_timeout_seconds=int(timeout.total_seconds()),
        instances_to_terminate=target.leave_first,
        instances_to_protect=target.protected,
    )


def _new_group(group: NewTaskGroup) -> GroupSpec:
    return GroupSpec(
        role=words.Role.TASK,
        market=words.Market(group.market),
        instance_type=group.instance_type,
        count=0,
        name=group.name,
    )
