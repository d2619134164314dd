"""Where the instances of an hour come from: EC2 and the last record where they suffice, else EMR's own list.

EMR answers one ListInstances every two seconds for a whole account: too few for a thousand clusters an hour.
EC2 tells by tag what runs, when it was launched and when it was shut down, and its quota is far larger. So the
instances of the hour recorded last are carried on with what EC2 says of them, and EMR is asked only

- for a cluster that has ended, and for one that was not looked at for longer than EC2 remembers;
- where an instance is gone and EC2 does not say since when, or is new and may belong to two groups;
- every twelve hours at least, as quotas allow: what was missed in between is restated then.

Events are not needed for any of this, so none that is lost can make a figure wrong.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_autoscaler.domain.costs import BilledInstance
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.ports import ClusterReader, Compute, ComputeInstance, Costs
from emr_autoscaler.usecases.billed_instances import billed_instances, started_instance, with_ec2

HOUR = timedelta(hours=1)

EC2_REMEMBERS = timedelta(minutes=62)
"""EC2 shows a terminated instance for about an hour. Schedules are late by seconds, so the look before counts for
two minutes more: what lived only in those two minutes is found when EMR is asked next."""

STARTING = timedelta(minutes=5)
"""A cluster's instances boot for longer than this: until then none of them has ended."""

LISTED_EVERY = timedelta(hours=12)
"""EMR lists the instances of every cluster this often, whatever EC2 says."""

ROUTINE_LISTINGS = 100
"""So many of these a run at most, longest waiting first: three minutes of ListInstances' quota. Of a thousand
clusters each one's turn comes within twelve hours still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    """What is known of a cluster's instances now.

    Attributes:
        instances: Those that may have to do with the hours to be recorded.
        proven: EC2 ids of those that EC2 says AWS took back.
        listed: Whether EMR listed them.
    """

    instances: tuple[BilledInstance, ...]
    proven: frozenset[str]
    listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindInstances:
    """Finds the instances of a cluster."""

    reader: ClusterReader
    compute: Compute
    costs: Costs

    def carried(self, entry: RegistryEntry, now: datetime) -> InstanceFacts | None:
        """Return what EC2 and the last record tell; None where EMR has to be asked."""
        if entry.cluster.state.has_ended:
            return None
        recorded = self._recorded_last(entry, now)
        if recorded is None:
            return None
        seen = self._seen(entry)
        instances = carry_on(entry, recorded, seen)
        return None if instances is None else _facts(instances, seen, listed=False)

    def listed(self, entry: RegistryEntry) -> InstanceFacts:
        """Return what EMR lists, with what EC2 knows better.

        Raises:
            UnavailableError: EMR does not answer for now.
        """
        seen = self._seen(entry)
        instances = billed_instances(entry, self.reader.list_instances(entry.cluster_id), seen)
        return _facts(instances, seen, listed=True)

    def _seen(self, entry: RegistryEntry) -> Mapping[str, ComputeInstance]:
        return {i.ec2_instance_id: i for i in self.compute.find_cluster_instances(entry.cluster_id)}

    def _recorded_last(self, entry: RegistryEntry, now: datetime) -> tuple[BilledInstance, ...] | None:
        """Return the instances of the hour recorded last; None where too much may have happened since."""
        if entry.costs_recorded_until is None:
            return () if now - entry.cluster.created_at <= EC2_REMEMBERS + STARTING else None
        if entry.instances_seen_at is None or now - entry.instances_seen_at > EC2_REMEMBERS:
            return None
        hour = entry.costs_recorded_until - HOUR
        key = (entry.cluster.account_id, entry.cluster.region, entry.cluster_id)
        revisions = self.costs.revisions(*key, hour, latest_only=True)
        return tuple(part.instance for part in revisions[-1].instances) if revisions else None


def _facts(
    instances: tuple[BilledInstance, ...], seen: Mapping[str, ComputeInstance], *, listed: bool
) -> InstanceFacts:
    proven = frozenset(i for i, known in seen.items() if known.interrupted)
    return InstanceFacts(instances=instances, proven=proven, listed=listed)


def carry_on(
    entry: RegistryEntry, recorded: Sequence[BilledInstance], seen: Mapping[str, ComputeInstance]
) -> tuple[BilledInstance, ...] | None:
    """Return the instances recorded last with what EC2 says of them and of new ones.

    Returns:
        None where EC2 leaves something open that money depends on; then EMR has to be asked.
    """
    known = {instance.ec2_instance_id for instance in recorded}
    carried: list[BilledInstance] = []
    for instance in recorded:
        carried.append(with_ec2(instance, seen.get(instance.ec2_instance_id)))
        if instance.ended_at is None and instance.ec2_instance_id not in seen:
            return None
    for instance_id, now_seen in seen.items():
        if instance_id not in known:
            started = started_instance(entry, now_seen)
            if started is None:
                return None
            carried.append(started)
    ended_unseen = any(
        instance.ended_at is None and not seen[instance.ec2_instance_id].is_running for instance in carried
    )
    return None if ended_unseen else tuple(carried)


def last_listed(entry: RegistryEntry) -> datetime:
    """Return when EMR last listed the instances; a cluster that it never listed for waits since it was made."""
    return entry.instances_listed_at or entry.cluster.created_at


def due_for_a_list(entries: Iterable[RegistryEntry], now: datetime) -> list[RegistryEntry]:
    """Return the clusters that EMR should list although EC2 suffices, longest waiting first."""
    due = [entry for entry in entries if now - last_listed(entry) >= LISTED_EVERY]
    return sorted(due, key=lambda entry: (last_listed(entry), entry.cluster_id))[:ROUTINE_LISTINGS]
