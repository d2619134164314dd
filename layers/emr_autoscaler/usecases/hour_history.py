"""Hours and corrections with the instances they were computed from, as the FOCUS export needs them."""

from collections.abc import Iterator

from emr_autoscaler.domain.cost_history import Correction, HourRevision
from emr_autoscaler.domain.costs import HourRecord
from emr_autoscaler.domain.focus import FocusRow, rows_of_correction
from emr_autoscaler.ports import Costs


def with_instances(costs: Costs, record: HourRecord) -> HourRevision:
    """Return a booked hour with its instances; without any where its history does not tell."""
    key = (record.account_id, record.region, record.cluster_id, record.hour)
    found = costs.revisions(*key, latest_only=True)
    if found and found[-1].record.revision != record.revision:  # corrected since: the booked revision is older
        found = costs.revisions(*key)
    instances = [each.instances for each in found if each.record.revision == record.revision]
    return HourRevision(record=record, instances=instances[-1] if instances else ())


def correction_rows(costs: Costs, correction: Correction) -> Iterator[FocusRow]:
    """Yield the rows of a correction, by instance and volume where the history of its hour tells them."""
    record = correction.record
    key = (record.account_id, record.region, record.cluster_id, record.hour)
    known = {each.record.revision: each for each in costs.revisions(*key)}
    before, after = known.get(record.revision - 1), known.get(record.revision)
    yield from rows_of_correction(correction, before, after)
