"""One cluster-hour on the cost table: read as it is known now, and written together with its rollup.

Every write is one transaction on the hour, its history and the month's rollup. Queries over many hours, and what
belongs to no single one, are cost_store.py's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from emr_autoscaler.adapters.cost_history_items import (
    close_key,
    correction_item,
    correction_of,
    correction_sk,
    revision_items,
)
from emr_autoscaler.adapters.cost_items import (
    CORRECTED_REVISION,
    HOUR_PREFIX,
    INDEX_ATTRIBUTES,
    ROLLUP_REVISION,
    booked,
    cluster_pk,
    hour_item,
    hour_of,
    hour_text,
    month_of,
    month_total_of,
    moved,
    rollup_item,
    rollup_pk,
)
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.domain.cost_history import (
    HourRevision,
    InstanceCharges,
    correct,
    next_revision,
    says_the_same,
)
from emr_autoscaler.domain.costs import HourRecord, MonthTotal
from emr_autoscaler.domain.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_ATTEMPTS = 10  # a rollup is shared by the clusters of its payer, so it may move under us


class HourLedger:
    """The hours of the cost table; its permissions are declared with the store that holds it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, account_id: str, region: str, cluster_id: str, hour: datetime) -> HourRecord | None:
        """Return the latest revision of a cluster-hour, corrections included."""
        return self._stored(account_id, region, cluster_id, hour).latest

    def write(self, record: HourRecord, instances: Sequence[InstanceCharges] = ()) -> HourRecord:
        """Write an hour with its history and move its rollup by the difference, in one transaction.

        The revision is given here: one above what is stored. The conditions on it and on the rollup's
        own revision keep a repeated transaction from moving the rollup twice, however late it comes.
        An hour of a closed month stays as it is: the difference is booked in the month of ``recorded_at``.

        Raises:
            ConflictError: Somebody wrote the hour in between; compute it again from facts.
            UnavailableError: Others keep moving the same rollup.
        """
        key = (record.account_id, record.region, record.cluster_id, record.hour)
        before = self._stored(*key)
        for _ in range(_ATTEMPTS):
            if before.latest is not None and says_the_same(before.latest, record):
                return before.latest
            closed = self._is_closed(record.account_id, month_of(record.hour))
            new = next_revision(before.latest, record, closed=closed)
            actions = self._correcting(before, new) if closed else self._writing(before, new)
            try:
                self._table.transact([*actions, *self._history(new, instances)], subject=_subject(record))
            except ConflictError:
                read, before = before, self._stored(*key)
                # The SDK may have repeated a call that had been carried out: then our own write is there.
                if before.latest is not None and says_the_same(before.latest, record):
                    return before.latest
                if before != read:
                    raise
                # Only a rollup was moved, by another cluster's hour, or the month was closed: again.
            else:
                return new
        msg = f"{_subject(record)}: its month is being moved by others; repeat the invocation"
        raise UnavailableError(msg)

    def _is_closed(self, account_id: str, month: str) -> bool:
        return self._table.get(*close_key(account_id, month)) is not None

    def _stored(self, account_id: str, region: str, cluster_id: str, hour: datetime) -> "_Stored":
        pk = cluster_pk(account_id, region, cluster_id)
        item = self._table.get(pk, f"{HOUR_PREFIX}{hour_text(hour)}")
        if item is None:
            return _Stored(base=None, latest=None)
        base = hour_of(item)
        if CORRECTED_REVISION not in item:
            return _Stored(base=base, latest=base)
        corrected = replace(base, revision=int(item[CORRECTED_REVISION]))
        correction = self._table.get(pk, correction_sk(corrected))
        latest = corrected if correction is None else correction_of(correction).record
        return _Stored(base=base, latest=latest)

    def _writing(self, before: "_Stored", new: HourRecord) -> "list[TransactWriteItemTypeDef]":
        """Replace the hour and move the rollups, unless the month is closed meanwhile."""
        stored = before.base
        hour_is_as_read, values = "attribute_not_exists(PK)", None
        if stored is not None:
            hour_is_as_read, values = "revision = :read", {":read": stored.revision}
        month = month_of(new.hour)
        payers = {new.cost_centre, new.cost_centre if stored is None else stored.cost_centre}
        return [
            self._table.put_action(hour_item(new), condition=hour_is_as_read, values=values),
            *(
                self._rollup(
                    payer,
                    month,
                    partial(
                        moved,
                        out=stored if stored is not None and stored.cost_centre == payer else None,
                        into=new if new.cost_centre == payer else None,
                    ),
                )
                for payer in sorted(payers)
            ),
            self._table.check_action(*close_key(new.account_id, month), condition="attribute_not_exists(PK)"),
        ]

    def _correcting(self, before: "_Stored", new: HourRecord) -> "list[TransactWriteItemTypeDef]":
        """Leave the closed hour, note that it is corrected, and book the difference."""
        correction = correct(before.latest, new, month_of(new.recorded_at))
        # An hour that was never recorded gets an empty one, outside the indexes: the closed month stays as told.
        base = before.base or replace(new, lines=(), idle=None, revision=0)
        item = {**hour_item(base), CORRECTED_REVISION: new.revision}
        if base.revision == 0:
            item = {name: value for name, value in item.items() if name not in INDEX_ATTRIBUTES}
        hour_is_as_read, values = "attribute_not_exists(PK)", None
        if before.base is not None and before.latest is not None:
            values = {":read": before.latest.revision}
            uncorrected = f"attribute_not_exists({CORRECTED_REVISION}) AND revision = :read"
            hour_is_as_read = f"{CORRECTED_REVISION} = :read OR ({uncorrected})"
        return [
            self._table.put_action(item, condition=hour_is_as_read, values=values),
            self._table.put_action(correction_item(correction), condition="attribute_not_exists(PK)"),
            self._rollup(new.cost_centre, correction.month, partial(booked, correction=correction)),
            self._table.check_action(
                *close_key(new.account_id, correction.month), condition="attribute_not_exists(PK)"
            ),
        ]

    def _history(self, new: HourRecord, instances: Sequence[InstanceCharges]) -> "list[TransactWriteItemTypeDef]":
        items = revision_items(HourRevision(record=new, instances=tuple(instances)))
        return [self._table.put_action(item) for item in items]

    def _rollup(
        self, cost_centre: str, month: str, change: Callable[[MonthTotal], MonthTotal]
    ) -> "TransactWriteItemTypeDef":
        item = self._table.get(rollup_pk(cost_centre), month)
        total = change(month_total_of(cost_centre, month, item))
        if item is None:
            return self._table.put_action(rollup_item(total, revision=1), condition="attribute_not_exists(PK)")
        read = item[ROLLUP_REVISION]
        return self._table.put_action(
            rollup_item(total, revision=int(read) + 1),
            condition=f"{ROLLUP_REVISION} = :read",
            values={":read": read},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """An hour as it was booked, and as it is known now."""

    base: HourRecord | None
    latest: HourRecord | None


def _subject(record: HourRecord) -> str:
    return f"{record.cluster_id} {hour_text(record.hour)}"
