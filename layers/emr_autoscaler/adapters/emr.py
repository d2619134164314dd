"""EMR, looked at: the port ClusterReader on boto3. Orders are given in emr_actuator."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.emr_fleets import read_fleet
from emr_autoscaler.adapters.emr_volumes import data_volumes, default_data_volumes, release_of, root_volume
from emr_autoscaler.adapters.permissions import Permission
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
from emr_autoscaler.domain.fleets import InstanceFleet

if TYPE_CHECKING:
    from mypy_boto3_emr import EMRClient
    from mypy_boto3_emr.literals import ClusterStateType
    from mypy_boto3_emr.type_defs import ClusterTypeDef, InstanceGroupTypeDef, InstanceTypeDef

_MANAGED_SCALING_SINCE = (5, 30)
# EMR's states of an automatic scaling policy that is on its way out or was never accepted.
_SCALING_POLICY_GONE = frozenset({"DETACHING", "DETACHED", "FAILED"})


class EmrClusterReader:
    """ClusterReader on the EMR API."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(
            actions=("elasticmapreduce:DescribeCluster", "elasticmapreduce:GetManagedScalingPolicy"),
            why="re-check a cluster before acting on it, and leave managed ones alone",
        ),
        Permission(
            actions=("elasticmapreduce:ListClusters",),
            why="find clusters whose events were lost",
        ),
        Permission(
            actions=(
                "elasticmapreduce:ListInstanceFleets",
                "elasticmapreduce:ListInstanceGroups",
                "elasticmapreduce:ListInstances",
            ),
            why="see what runs, for resizes, replacements and cost records",
        ),
        Permission(
            actions=("elasticmapreduce:ListSupportedInstanceTypes",),
            why="create no pool of a type that the release cannot use",
        ),
        Permission(
            actions=("elasticmapreduce:ListSteps",),
            why="never reap a cluster that has work",
        ),
    )

    def __init__(self, client: "EMRClient") -> None:
        self._client = client
        # Fixed at creation, so a group or fleet is asked for its volumes once in the life of a process.
        self._volumes: dict[str, Mapping[str, tuple[Volume, ...]]] = {}

    def describe_cluster(self, cluster_id: str) -> Cluster:
        """Describe one cluster; a second call asks for its managed scaling policy unless it has ended.

        Raises:
            NotFoundError: EMR does not know the cluster.
        """
        with domain_errors():
            description = self._client.describe_cluster(ClusterId=cluster_id)["Cluster"]
        state = ClusterState(description["Status"]["State"])
        release = description.get("ReleaseLabel", "")
        timeline = description["Status"]["Timeline"]
        ended_at = timeline.get("EndDateTime")
        return Cluster(
            cluster_id=description["Id"],
            arn=description["ClusterArn"],
            name=description.get("Name", ""),
            state=state,
            created_at=timeline["CreationDateTime"].astimezone(UTC),
            ended_at=ended_at.astimezone(UTC) if ended_at else None,
            tags={tag["Key"]: tag.get("Value", "") for tag in description.get("Tags", []) if "Key" in tag},
            release_label=release,
            availability_zone=description.get("Ec2InstanceAttributes", {}).get("Ec2AvailabilityZone", ""),
            subnet_id=description.get("Ec2InstanceAttributes", {}).get("Ec2SubnetId", ""),
            termination_protected=description.get("TerminationProtected", False),
            uses_fleets=description.get("InstanceCollectionType") == "INSTANCE_FLEET",
            has_managed_scaling=not state.has_ended and self._has_managed_scaling(cluster_id, release),
            applications=tuple(
                name.lower() for item in description.get("Applications", []) if (name := item.get("Name"))
            ),
            dfs_replication=_dfs_replication(description),
            root_volume=root_volume(description),
        )

    def _has_managed_scaling(self, cluster_id: str, release_label: str) -> bool:
        release = release_of(release_label)
        if release is not None and release < _MANAGED_SCALING_SINCE:
            return False  # the feature does not exist there; asking would only cost quota
        with domain_errors():
            answer = self._client.get_managed_scaling_policy(ClusterId=cluster_id)
        return bool(answer.get("ManagedScalingPolicy"))

    def list_clusters(
        self, states: Sequence[ClusterState], *, created_after: datetime | None = None
    ) -> tuple[ClusterSummary, ...]:
        """List the clusters that are in one of ``states``, newest first; all pages are read."""
        if not states:
            return ()  # EMR takes an empty list of states for all of them
        pages = self._client.get_paginator("list_clusters")
        wanted: list[ClusterStateType] = [state.value for state in states]
        with domain_errors():
            answers = (
                pages.paginate(ClusterStates=wanted)
                if created_after is None
                else pages.paginate(ClusterStates=wanted, CreatedAfter=created_after)
            )
            clusters = [cluster for answer in answers for cluster in answer["Clusters"]]
        summaries = (
            ClusterSummary(
                cluster_id=cluster["Id"],
                name=cluster.get("Name", ""),
                state=ClusterState(cluster["Status"]["State"]),
                created_at=cluster["Status"]["Timeline"]["CreationDateTime"].astimezone(UTC),
            )
            for cluster in clusters
        )
        return tuple(sorted(summaries, key=lambda summary: summary.created_at, reverse=True))

    def list_instance_groups(self, cluster_id: str) -> tuple[InstanceGroup, ...]:
        """List a cluster's groups, all pages.

        Raises:
            NotFoundError: EMR does not know the cluster.
            RefusedError: The cluster has instance fleets.
        """
        with domain_errors():
            answers = self._client.get_paginator("list_instance_groups").paginate(ClusterId=cluster_id)
            groups = tuple(_group(group) for answer in answers for group in answer["InstanceGroups"])
        self._volumes.update((group.group_id, {group.instance_type: group.volumes}) for group in groups)
        return groups

    def list_instance_fleets(self, cluster_id: str) -> tuple[InstanceFleet, ...]:
        """List a cluster's fleets, all pages.

        Raises:
            NotFoundError: EMR does not know the cluster.
            RefusedError: The cluster has instance groups.
        """
        with domain_errors():
            answers = self._client.get_paginator("list_instance_fleets").paginate(ClusterId=cluster_id)
            fleets = tuple(read_fleet(fleet) for answer in answers for fleet in answer["InstanceFleets"])
        self._volumes.update((f.fleet_id, {kind.instance_type: kind.volumes for kind in f.types}) for f in fleets)
        return fleets

    def list_instances(self, cluster_id: str) -> tuple[Instance, ...]:
        """List a cluster's instances, those of the last 30 days included, all pages.

        ListInstances gives volume ids only, so the volumes come from the groups or fleets: one call
        more, the first time one is met.

        Raises:
            NotFoundError: EMR does not know the cluster.
        """
        with domain_errors():
            answers = self._client.get_paginator("list_instances").paginate(ClusterId=cluster_id)
            instances = [instance for answer in answers for instance in answer["Instances"]]
        group_ids = {group_id for instance in instances if (group_id := instance.get("InstanceGroupId"))}
        if not group_ids <= self._volumes.keys():
            self.list_instance_groups(cluster_id)
        fleet_ids = {fleet_id for instance in instances if (fleet_id := instance.get("InstanceFleetId"))}
        if not fleet_ids <= self._volumes.keys():
            self.list_instance_fleets(cluster_id)
        return tuple(_instance(instance, self._volumes) for instance in instances)

    def supported_types(self, release_label: str) -> frozenset[str]:
        """Return the instance types a release can use, all pages.

        Raises:
            RefusedError: EMR does not know the release.
        """
        found: set[str] = set()
        marker = ""
        while True:
            with domain_errors():
                answer = (
                    self._client.list_supported_instance_types(ReleaseLabel=release_label, Marker=marker)
                    if marker
                    else self._client.list_supported_instance_types(ReleaseLabel=release_label)
                )
            found.update(kind["Type"] for kind in answer["SupportedInstanceTypes"] if "Type" in kind)
            marker = answer.get("Marker", "")
            if not marker:
                return frozenset(found)

    def has_unfinished_steps(self, cluster_id: str) -> bool:
        """Return whether a step is pending, being cancelled or running.

        Raises:
            NotFoundError: EMR does not know the cluster.
        """
        with domain_errors():
            answers = self._client.get_paginator("list_steps").paginate(
                ClusterId=cluster_id, StepStates=["PENDING", "CANCEL_PENDING", "RUNNING"]
            )
            return any(answer["Steps"] for answer in answers)


def _dfs_replication(description: "ClusterTypeDef") -> int | None:
    for configuration in description.get("Configurations", []):
        if configuration.get("Classification") == "hdfs-site":
            value = configuration.get("Properties", {}).get("dfs.replication", "").strip()
            if value.isdecimal():
                return int(value)
    return None


def _group(group: "InstanceGroupTypeDef") -> InstanceGroup:
    scaling = group.get("AutoScalingPolicy", {})
    instance_type = group["InstanceType"]
    return InstanceGroup(
        group_id=group["Id"],
        role=Role(group["InstanceGroupType"]),
        market=Market(group["Market"]),
        instance_type=instance_type,
        requested_count=group["RequestedInstanceCount"],
        running_count=group["RunningInstanceCount"],
        state=GroupState(group["Status"]["State"]),
        name=group.get("Name", ""),
        has_own_scaling=bool(scaling) and scaling.get("Status", {}).get("State") not in _SCALING_POLICY_GONE,
        volumes=data_volumes(instance_type, group.get("EbsBlockDevices", [])),
    )


def _instance(instance: "InstanceTypeDef", volumes: Mapping[str, Mapping[str, tuple[Volume, ...]]]) -> Instance:
    timeline = instance["Status"]["Timeline"]
    ready_at, ended_at = timeline.get("ReadyDateTime"), timeline.get("EndDateTime")
    group_id = instance.get("InstanceGroupId") or instance.get("InstanceFleetId", "")
    instance_type = instance["InstanceType"]
    known = volumes.get(group_id, {}).get(instance_type)
    return Instance(
        ec2_instance_id=instance.get("Ec2InstanceId", ""),
        group_id=group_id,
        market=Market(instance["Market"]),
        instance_type=instance_type,
        state=InstanceState(instance["Status"]["State"]),
        created_at=timeline["CreationDateTime"].astimezone(UTC),
        ready_at=ready_at.astimezone(UTC) if ready_at else None,
        ended_at=ended_at.astimezone(UTC) if ended_at else None,
        volumes=default_data_volumes(instance_type) if known is None else known,
    )
