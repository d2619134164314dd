"""What of a cluster is billed: its instances as EMR lists them, with what EC2 knows beyond that."""

from collections.abc import Mapping

from emr_autoscaler.domain.cluster import Instance, InstanceGroup, Role, Volume
from emr_autoscaler.domain.costs import BilledInstance
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.ports import ComputeInstance


def billed_instances(
    entry: RegistryEntry, instances: tuple[Instance, ...], seen: Mapping[str, ComputeInstance]
) -> tuple[BilledInstance, ...]:
    """Turn listed instances into billed ones.

    Args:
        entry: The cluster, its groups and the interruptions proven so far.
        instances: As EMR lists them; requests that EC2 has not met yet cost nothing and are left out.
        seen: What EC2 still knows, by instance id: its launch time is preferred over EMR's.
    """
    roles = {group.group_id: group.role for group in entry.groups}
    return tuple(
        BilledInstance(
            ec2_instance_id=i.ec2_instance_id,
            group_id=i.group_id,
            role=roles.get(i.group_id, Role.TASK),
            market=i.market,
            instance_type=i.instance_type,
            availability_zone=entry.cluster.availability_zone,
            started_at=seen[i.ec2_instance_id].launched_at if i.ec2_instance_id in seen else i.created_at,
            ended_at=i.ended_at,
            interrupted=i.ec2_instance_id in entry.interrupted
            or (i.ec2_instance_id in seen and seen[i.ec2_instance_id].interrupted),
            volumes=(entry.cluster.root_volume, *(i.volumes or _group_volumes(entry, i))),
        )
        for i in instances
        if i.ec2_instance_id
    )


def planned_instances(entry: RegistryEntry) -> tuple[BilledInstance, ...]:
    """Return one instance for each group: enough to know which prices the cluster needs."""
    return tuple(_plan(entry, group) for group in entry.groups)


def _plan(entry: RegistryEntry, group: InstanceGroup) -> BilledInstance:
    return BilledInstance(
        ec2_instance_id="",
        group_id=group.group_id,
        role=group.role,
        market=group.market,
        instance_type=group.instance_type,
        availability_zone=entry.cluster.availability_zone,
        started_at=entry.cluster.created_at,
        ended_at=None,
        volumes=(entry.cluster.root_volume, *group.volumes),
    )


def _group_volumes(entry: RegistryEntry, instance: Instance) -> tuple[Volume, ...]:
    return next((g.volumes for g in entry.groups if g.group_id == instance.group_id), ())
