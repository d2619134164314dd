"""What EMR shows of clusters, groups, instances and steps."""

from emr_simulator.clusters import Cluster, Group, Node, StepRun
from emr_simulator.descriptions import ClusterDescription, GroupDescription, InstanceDescription, StepDescription
from emr_simulator.ec2 import subnet_of
from emr_simulator.engine import to_moment, to_moment_or_none


def show_cluster(cluster: Cluster) -> ClusterDescription:
    """Return a cluster as EMR describes it."""
    return ClusterDescription(
        cluster_id=cluster.cluster_id,
        arn=cluster.arn,
        name=cluster.spec.name,
        state=cluster.state,
        state_change_code=cluster.change_code,
        state_change_message=cluster.change_message,
        created_at=to_moment(cluster.created_at),
        ready_at=to_moment_or_none(cluster.ready_at),
        ended_at=to_moment_or_none(cluster.ended_at),
        release_label=cluster.spec.release_label,
        applications=cluster.spec.applications,
        tags=dict(cluster.tags),
        termination_protected=cluster.protected,
        auto_terminate=cluster.spec.auto_terminate,
        availability_zone=cluster.zone,
        dfs_replication=cluster.spec.dfs_replication,
        root_volume=cluster.root_volume,
        uses_fleets=cluster.spec.uses_fleets,
        normalized_instance_hours=0,
        subnet_id=subnet_of(cluster.zone),
        master_public_dns="ec2-10-0-0-1.compute.amazonaws.com" if cluster.ready_at else "",
    )


def show_group(group: Group) -> GroupDescription:
    """Return an instance group as EMR describes it."""
    return GroupDescription(
        group_id=group.group_id,
        name=group.spec.name,
        role=group.spec.role,
        market=group.spec.market,
        instance_type=group.spec.instance_type,
        requested_count=group.requested,
        running_count=group.running,
        state=group.state,
        state_change_message=group.message,
        created_at=to_moment(group.created_at),
        ready_at=to_moment_or_none(group.ready_at),
        ended_at=to_moment_or_none(group.ended_at),
        volumes=group.volumes,
        bid_price_usd=group.spec.bid_price_usd,
        has_auto_scaling_policy=group.spec.has_auto_scaling_policy,
    )


def show_node(node: Node) -> InstanceDescription:
    """Return an instance as EMR describes it."""
    created = node.requested_at if node.launched_at is None else node.launched_at
    return InstanceDescription(
        instance_id=node.instance_id,
        ec2_instance_id=node.ec2_id,
        group_id=node.group.group_id,
        role=node.group.spec.role,
        market=node.market,
        instance_type=node.instance_type,
        state=node.state,
        state_change_code="INSTANCE_FAILURE" if node.interrupted else "",
        created_at=to_moment(created),
        ready_at=to_moment_or_none(node.ready_at),
        ended_at=to_moment_or_none(node.ended_at),
        volume_ids=tuple(volume.volume_id for volume in node.volumes),
        private_ip=node.private_ip,
        in_fleet=node.group.cluster.spec.uses_fleets,
    )


def show_step(step: StepRun) -> StepDescription:
    """Return a step as EMR describes it."""
    return StepDescription(
        step_id=step.step_id,
        name=step.spec.name,
        state=step.state,
        action_on_failure=step.spec.action_on_failure,
        created_at=to_moment(step.created_at),
        started_at=to_moment_or_none(step.started_at),
        ended_at=to_moment_or_none(step.ended_at),
    )
