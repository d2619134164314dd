"""What an hour is computed from: what AWS tells of its instances now, and what was recorded of it before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from emr_autoscaler.domain.billing import HOUR, MINIMUM, instances_in
from emr_autoscaler.domain.cost_history import HourBill, HourRevision
from emr_autoscaler.domain.costs import BilledInstance, HourRecord, RecordStatus
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.price_book import PRICE_ASSUMED, PriceBook
from emr_autoscaler.domain.restatement import has_same_facts
from emr_autoscaler.ports import Costs
from emr_autoscaler.usecases.billed_instances import with_memory


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFacts:
    """What one hour is computed from: what was recorded of it, and the instances as they are known now."""

    hour: datetime
    before: HourRecord | None
    recorded: tuple[HourRevision, ...]
    instances: tuple[BilledInstance, ...]

    def as_recorded(self, prices: PriceBook) -> HourRevision | None:
        """Return what is recorded, where instances and prices known now make no other hour.

        The instances are those known now: what they do in later hours is no reason to restate this one.
        """
        latest = self.recorded[-1] if self.recorded else None
        if self.before is None or latest is None or latest.record.revision != self.before.revision:
            return None
        if not has_same_facts(latest, self.instances, prices):
            return None
        known = {i.ec2_instance_id: i for i in instances_in(self.hour, self.instances)}
        parts = (replace(part, instance=known[part.instance.ec2_instance_id]) for part in latest.instances)
        return replace(latest, instances=tuple(parts))

    def is_changed_by(self, bill: HourBill, record: HourRecord) -> bool:
        """Return whether the hour has to be written: it is new, or its facts say otherwise now.

        A policy changed since is no fact of the hour: it holds from the hours recorded next.
        """
        before = self.before
        if before is None:
            return bool(record.lines)
        if before.status is RecordStatus.RECONCILED:
            return False
        if before.lines == record.lines:
            known_since = before.idle is None and record.idle is not None
            return known_since or (not before.reaping_saving_usd and bool(record.reaping_saving_usd))
        same_facts = any(revision.instances == bill.instances for revision in self.recorded)
        return not (same_facts and _configured(before) != _configured(record))


def find_hour_facts(
    costs: Costs, entry: RegistryEntry, instances: Sequence[BilledInstance], hours: Sequence[datetime]
) -> list[HourFacts]:
    """Return what is known of each hour of a cluster.

    Args:
        costs: Where hours are recorded.
        entry: Of the cluster.
        instances: As AWS tells of them now.
        hours: Starts of hours in a row, the first one first; at least one.
    """
    key = (entry.cluster.account_id, entry.cluster.region, entry.cluster_id)
    earlier: tuple[HourRevision, ...] = ()
    if entry.costs_recorded_until is not None:
        earlier = costs.revisions(*key, hours[0] - HOUR, latest_only=True)
    facts = []
    for hour in hours:
        before = costs.get_hour(*key, hour)
        recorded = () if before is None else costs.revisions(*key, hour, latest_only=True)
        present = [i for i in instances if _may_be_billed(i, hour)]
        known = with_memory(present, earlier=earlier, same_hour=recorded)
        facts.append(HourFacts(hour=hour, before=before, recorded=recorded, instances=known))
        earlier = (*earlier, *recorded)
    return facts


def _may_be_billed(instance: BilledInstance, hour: datetime) -> bool:
    """Whether an instance may have to do with an hour; generous by the minimum, and by a corrected start."""
    ended = instance.ended_at
    return instance.started_at < hour + 2 * HOUR and (ended is None or ended + MINIMUM > hour)


def _configured(record: HourRecord) -> list[str]:
    """Return the assumptions that the policy made; a price that was assumed is a fact that was missing."""
    return [text for text in record.assumptions if not text.startswith(PRICE_ASSUMED)]
