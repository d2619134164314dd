"""What of a cluster is billed: its instances as EMR lists them, with what EC2 knows beyond that.

Which of the two is asked for an hour is decided in instance_facts.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from emr_autoscaler.domain.cluster import Instance, InstanceGroup, Market, Role, Volume
from emr_autoscaler.domain.cost_history import HourRevision
from emr_autoscaler.domain.costs import BilledInstance, EndSource, StartSource
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.planned_groups import with_planned_fleets
from emr_autoscaler.ports import ComputeInstance


def billed_instances(
    entry: RegistryEntry, instances: tuple[Instance, ...], seen: Mapping[str, ComputeInstance]
) -> tuple[BilledInstance, ...]:
    """Turn listed instances into billed ones.

    Args:
        entry: The cluster, its groups or fleets and the interruptions proven so far.
        instances: As EMR lists them; requests that EC2 has not met yet cost nothing and are left out.
        seen: What EC2 still knows, by instance id: its launch and shutdown are preferred over EMR's times.
    """
    roles = {group.group_id: group.role for group in entry.groups}
    roles |= {fleet.fleet_id: fleet.role for fleet in entry.fleets}
    return tuple(
        with_ec2(
            BilledInstance(
                ec2_instance_id=i.ec2_instance_id,
                group_id=i.group_id,
                role=roles.get(i.group_id, Role.TASK),
                market=i.market,
                instance_type=i.instance_type,
                availability_zone=entry.cluster.availability_zone,
                started_at=i.created_at,
                ended_at=i.ended_at,
                interrupted=i.ec2_instance_id in entry.interrupted,
                volumes=(entry.cluster.root_volume, *(i.volumes or _group_volumes(entry, i))),
            ),
            seen.get(i.ec2_instance_id),
        )
        for i in instances
        if i.ec2_instance_id
    )


def started_instance(entry: RegistryEntry, seen: ComputeInstance) -> BilledInstance | None:
    """Return an instance that EC2 alone tells of; None where it is not sure which group or fleet it belongs to."""
    plans = [
        plan
        for plan in planned_instances(entry)
        if (plan.role, plan.instance_type, plan.market) == (seen.role, seen.instance_type, seen.market)
    ]
    if len(plans) != 1:
        return None
    instance = replace(
        plans[0],
        ec2_instance_id=seen.ec2_instance_id,
        started_at=seen.launched_at,
        interrupted=seen.ec2_instance_id in entry.interrupted,
    )
    return with_ec2(instance, seen)


def with_ec2(instance: BilledInstance, seen: ComputeInstance | None) -> BilledInstance:
    """Return an instance with what EC2 knows better than EMR: launch, shutdown, interruption, volume ids."""
    if seen is None:
        return instance
    shut_down = seen.ended_at is not None
    return replace(
        instance,
        started_at=seen.launched_at,
        start_source=StartSource.EC2_LAUNCH_TIME,
        ended_at=seen.ended_at if shut_down else instance.ended_at,
        end_source=EndSource.EC2_SHUTDOWN_TIME if shut_down else instance.end_source,
        interrupted=instance.interrupted or seen.interrupted,
        volume_ids=seen.volume_ids if len(seen.volume_ids) == len(instance.volumes) else instance.volume_ids,
    )


def with_memory(
    instances: Sequence[BilledInstance], *, earlier: Iterable[HourRevision], same_hour: Iterable[HourRevision]
) -> tuple[BilledInstance, ...]:
    """Return the instances of an hour, never known worse than when they were recorded.

    EC2 forgets an instance an hour after its end, EMR lists 2,000 at most: a launch time or a proven
    interruption that was recorded stays, and so does an instance that is not listed any more.

    Args:
        instances: As AWS knows them now.
        earlier: What was recorded of the hours before.
        same_hour: What was recorded of this hour.
    """
    recorded_here = {p.instance.ec2_instance_id: p.instance for r in same_hour for p in r.instances}
    recorded = {p.instance.ec2_instance_id: p.instance for r in earlier for p in r.instances} | recorded_here
    listed = {i.ec2_instance_id for i in instances}
    return (
        *(_at_least(i, recorded.get(i.ec2_instance_id)) for i in instances),
        *(i for instance_id, i in recorded_here.items() if instance_id not in listed),
    )


def _at_least(instance: BilledInstance, recorded: BilledInstance | None) -> BilledInstance:
    """Take from the record what AWS has forgotten: launch, shutdown, interruption, volume ids."""
    if recorded is None:
        return instance
    start = end = instance
    if _forgotten(instance.start_source, recorded.start_source, StartSource.EC2_LAUNCH_TIME):
        start = recorded
    if _forgotten(instance.end_source, recorded.end_source, EndSource.EC2_SHUTDOWN_TIME):
        end = recorded
    volume_ids = instance.volume_ids or recorded.volume_ids
    interrupted = instance.interrupted or recorded.interrupted
    if start is end is instance and (volume_ids, interrupted) == (instance.volume_ids, instance.interrupted):
        return instance
    return replace(
        instance,
        started_at=start.started_at,
        start_source=start.start_source,
        ended_at=end.ended_at,
        end_source=end.end_source,
        interrupted=interrupted,
        volume_ids=volume_ids,
    )


def _forgotten(now: StrEnum, recorded: StrEnum, better: StrEnum) -> bool:
    return now is not better and recorded is better


def planned_instances(entry: RegistryEntry) -> tuple[BilledInstance, ...]:
    """Return one instance for each group, or each type and market of a fleet: it tells which prices are needed."""
    groups = (*entry.groups, *entry.planned)
    of_groups = (_plan(entry, g, g.market, g.instance_type, g.volumes) for g in groups)
    of_fleets = (
        _plan(entry, fleet, market, kind.instance_type, kind.volumes)
        for fleet in with_planned_fleets(entry.fleets, entry.planned_fleets)
        for kind in fleet.types
        for market in Market
    )
    return (*of_groups, *of_fleets)


def _plan(
    entry: RegistryEntry,
    owner: InstanceGroup | InstanceFleet,
    market: Market,
    instance_type: str,
    volumes: tuple[Volume, ...],
) -> BilledInstance:
    return BilledInstance(
        ec2_instance_id="",
        group_id=owner.group_id if isinstance(owner, InstanceGroup) else owner.fleet_id,
        role=owner.role,
        market=market,
        instance_type=instance_type,
        availability_zone=entry.cluster.availability_zone,
        started_at=entry.cluster.created_at,
        ended_at=None,
        volumes=(entry.cluster.root_volume, *volumes),
    )


def _group_volumes(entry: RegistryEntry, instance: Instance) -> tuple[Volume, ...]:
    kinds = {(f.fleet_id, kind.instance_type): kind.volumes for f in entry.fleets for kind in f.types}
    of_fleet = kinds.get((instance.group_id, instance.instance_type), ())
    return next((g.volumes for g in entry.groups if g.group_id == instance.group_id), of_fleet)
