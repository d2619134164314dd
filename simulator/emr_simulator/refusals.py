"""What EMR refuses, in its own words; nothing is changed here."""

from collections.abc import Mapping, Sequence

from emr_simulator.catalogue import VOLUMES, instance_type
from emr_simulator.clusters import Cluster
from emr_simulator.descriptions import ClusterSpec, GroupResize, GroupSpec
from emr_simulator.errors import ApiError, invalid_request, unknown_cluster, validation
from emr_simulator.fleet_refusals import of_new_fleets
from emr_simulator.words import ENDING, GroupState, Role

MAXIMUM_TASK_GROUPS = 48
MAXIMUM_GROUPS_PER_CALL = 5
MAXIMUM_CLUSTERS_PER_CALL = 10
_RESIZABLE = {GroupState.RUNNING, GroupState.RESIZING, GroupState.SUSPENDED}


def known_cluster(clusters: Mapping[str, Cluster], cluster_id: str) -> Cluster:
    """Return a cluster. Raises ApiError for an unknown id."""
    if cluster_id not in clusters:
        raise unknown_cluster(cluster_id)
    return clusters[cluster_id]


def unknown_group(group_id: str) -> ApiError:
    """Return EMR's answer to a group id it does not know."""
    return invalid_request(f"Instance group id '{group_id}' is not valid.")


def of_unknown_group(cluster: Cluster, group_id: str) -> None:
    """Refuse a group that is not of this cluster."""
    if group_id not in cluster.groups:
        raise unknown_group(group_id)


def of_group_calls(cluster: Cluster, operation: str) -> None:
    """Refuse calls about groups on a cluster with fleets."""
    if cluster.spec.uses_fleets:
        raise invalid_request(
            "Instance fleets and instance groups are mutually exclusive. The EMR cluster specified in the "
            f"request uses instance fleets. The {operation} operation does not support clusters that use "
            f"instance fleets. Use the {operation.replace('Group', 'Fleet')} operation instead."
        )


def of_ended(cluster: Cluster) -> None:
    """Refuse to change a cluster that is gone or going."""
    if cluster.state in ENDING:
        raise validation("A job flow that is shutting down, terminated, or finished may not be modified.")


def of_resize(cluster: Cluster, order: GroupResize) -> None:
    """Refuse an order that EMR would not carry out."""
    of_unknown_group(cluster, order.group_id)
    group = cluster.groups[order.group_id]
    if order.count is None and not order.ec2_instance_ids_to_terminate:
        raise validation(f"Instance group {order.group_id}: no instance count and no instances to terminate.")
    if group.spec.role is Role.MASTER:
        raise validation("The master instance group cannot be resized.")
    if group.state not in _RESIZABLE:
        raise validation(f"Instance group {order.group_id} is in state {group.state.value} and cannot be resized.")
    present = {node.ec2_id for node in group.nodes if node.ec2_id}
    for ec2_id in order.ec2_instance_ids_to_terminate:
        if ec2_id not in present:
            raise validation(f"Instance {ec2_id} is not an active instance of group {order.group_id}.")
    target = order.count
    if target is None:
        target = group.requested - len(order.ec2_instance_ids_to_terminate)
    if target < 0:
        raise validation(f"Instance count {target} must not be below 0.")
    if group.spec.role is Role.CORE and target < cluster.replication and target < group.requested:
        raise validation(
            f"Instance count {target} of core instance group {order.group_id} must not be less than the "
            f"HDFS replication factor {cluster.replication}."
        )


def of_new_groups(cluster: Cluster, groups: Sequence[GroupSpec]) -> None:
    """Refuse groups that cannot be added to a running cluster."""
    if not 1 <= len(groups) <= MAXIMUM_GROUPS_PER_CALL:
        raise validation(f"An AddInstanceGroups call takes 1 to {MAXIMUM_GROUPS_PER_CALL} instance groups.")
    for group in groups:
        if group.role is not Role.TASK:
            raise validation(f"Only task instance groups may be added: {group.role.value}.")
        _of_group(group)
    task_groups = sum(group.spec.role is Role.TASK for group in cluster.groups.values())
    if task_groups + len(groups) > MAXIMUM_TASK_GROUPS:
        raise validation(f"A cluster may have at most {MAXIMUM_TASK_GROUPS} task instance groups.")


def of_new_cluster(spec: ClusterSpec, zones: Sequence[str]) -> None:
    """Refuse a cluster that cannot be."""
    if spec.groups and spec.fleets:
        raise validation("A cluster has instance groups or instance fleets, not both.")
    if spec.availability_zone is not None and spec.availability_zone not in zones:
        raise validation(f"Availability zone {spec.availability_zone} is not valid.")
    if spec.fleets:
        of_new_fleets(spec.fleets)
        return
    counts = {role: [group.count for group in spec.groups if group.role is role] for role in Role}
    if len(counts[Role.MASTER]) != 1 or counts[Role.MASTER][0] not in {1, 3}:
        raise validation("A cluster needs one master instance group of 1 or 3 instances.")
    if len(counts[Role.CORE]) > 1:
        raise validation("A cluster has at most one core instance group.")
    if counts[Role.TASK] and not sum(counts[Role.CORE]):
        raise validation("A cluster with task instance groups needs core instances.")
    if len(counts[Role.TASK]) > MAXIMUM_TASK_GROUPS:
        raise validation(f"A cluster may have at most {MAXIMUM_TASK_GROUPS} task instance groups.")
    for group in spec.groups:
        _of_group(group)


def _of_group(group: GroupSpec) -> None:
    instance_type(group.instance_type)
    if group.count < 0:
        raise validation(f"Instance count {group.count} must not be below 0.")
    for volume in group.volumes or ():
        if volume.volume_type not in VOLUMES:
            raise validation(f"Volume type {volume.volume_type} is not valid.")


def of_too_many_clusters(cluster_ids: Sequence[str]) -> None:
    """Refuse more than ten clusters in one TerminateJobFlows call."""
    if len(cluster_ids) > MAXIMUM_CLUSTERS_PER_CALL:
        raise validation(
            "1 validation error detected: Value at 'jobFlowIds' failed to satisfy constraint: Member must "
            f"have length less than or equal to {MAXIMUM_CLUSTERS_PER_CALL}"
        )


def of_protected(clusters: Sequence[Cluster]) -> None:
    """Refuse to end protected clusters."""
    if any(cluster.protected and cluster.state not in ENDING for cluster in clusters):
        raise validation("Could not shut down one or more job flows since they are termination protected.")
