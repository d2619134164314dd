"""Which hours of a cluster are to be computed now: those not recorded yet, and those a late fact may change."""

from datetime import datetime, timedelta

from emr_autoscaler.domain.billing import FREE_WHEN_INTERRUPTED_WITHIN, HOUR
from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.costs import BilledInstance
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.usecases.instance_facts import InstanceFacts, last_listed

RESTATED = timedelta(hours=2)
"""A first-hour interruption is known this long after the end at the latest; until then hours may change."""

LOOKED_BACK = timedelta(days=2)
"""Once EMR lists the instances, hours since its last list are computed again, but never older ones than this."""

BEFORE_ENROLMENT = timedelta(days=1)
"""How far back an older cluster is recorded: of earlier hours neither instances nor prices are surely known."""


def hours_to_compute(entry: RegistryEntry, facts: InstanceFacts, now: datetime) -> list[datetime]:
    """Return the hours to compute, oldest first: the unrecorded ones and those a late fact may change."""
    instances = facts.instances
    started = min((i.started_at for i in instances), default=entry.cluster.created_at)
    first = _hour_of(max(started, entry.enrolled_at - BEFORE_ENROLMENT))
    last_end = _hour_of(now)
    if is_over(entry, instances):
        ends = [i.ended_at for i in instances if i.ended_at is not None]
        # A minute's minimum may spill into the next hour, and the hour of the end is complete by now.
        last_end = _hour_of(max(ends) + timedelta(seconds=59)) + HOUR if ends else last_end
    start = first
    if entry.costs_recorded_until is not None:
        # The hour recorded last is looked at again: instances and ends are sometimes listed late.
        start = min(entry.costs_recorded_until, last_end) - HOUR
        if facts.listed:  # what was carried on since the last list may have missed something
            start = min(start, _hour_of(max(last_listed(entry), now - LOOKED_BACK)) - HOUR)
        start = max(first, start)
        for instance in instances:
            if instance.interrupted and _may_be_restated(instance, now):
                start = min(start, _hour_of(instance.started_at))
    return [start + n * HOUR for n in range(max(0, (last_end - start) // HOUR))]


def _may_be_restated(instance: BilledInstance, now: datetime) -> bool:
    ended = instance.ended_at
    return (
        instance.market is Market.SPOT
        and ended is not None
        and ended - instance.started_at < FREE_WHEN_INTERRUPTED_WITHIN
        and now - ended < RESTATED
    )


def is_over(entry: RegistryEntry, instances: tuple[BilledInstance, ...]) -> bool:
    """Whether the cluster and all its instances are gone."""
    return entry.cluster.state.has_ended and all(i.ended_at is not None for i in instances)


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
