"""Cost records on the cost table: hours and the rollups that move with them; prices in price_store.py."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.cost_history_items import (
    CORRECTIONS,
    close_item,
    close_key,
    correction_item,
    correction_of,
    correction_sk,
    revision_items,
    revisions_of,
    trace_prefix,
)
from emr_autoscaler.adapters.cost_items import (
    ACCOUNT_INDEX,
    ACCOUNT_MONTH,
    CORRECTED_REVISION,
    COST_CENTRE_INDEX,
    COST_CENTRE_MONTH,
    HOUR_CLUSTER,
    HOUR_PREFIX,
    INDEX_ATTRIBUTES,
    ROLLUP_REVISION,
    account_month,
    booked,
    cluster_pk,
    cost_centre_month,
    first_hour_from,
    hour_item,
    hour_of,
    hour_text,
    month_of,
    month_rollups,
    month_total_of,
    moved,
    rollup_item,
    rollup_pk,
)
from emr_autoscaler.adapters.dynamodb_table import Item, Table
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.price_store import PriceBook
from emr_autoscaler.domain.cost_history import (
    Correction,
    HourRevision,
    InstanceCharges,
    MonthClose,
    correct,
    next_revision,
    says_the_same,
)
from emr_autoscaler.domain.costs import HourRecord, MonthTotal
from emr_autoscaler.domain.errors import ConflictError, UnavailableError
from emr_autoscaler.domain.price_book import Price, PriceKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_AFTER_ALL = f"{HOUR_PREFIX}~"
_ATTEMPTS = 10  # a rollup is shared by the clusters of its payer, so it may move under us


class DynamoCosts:
    """Implements ``ports.Costs``."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("dynamodb:GetItem",), "read the stored revision of a cluster-hour, and month totals"),
        Permission(
            ("dynamodb:PutItem",), "write a cluster-hour, its history and its month's rollup in one transaction"
        ),
        Permission(("dynamodb:ConditionCheckItem",), "write into a month only while it is open"),
        Permission(("dynamodb:Query",), "read hours, their revisions, corrections and prices"),
        Permission(("dynamodb:BatchWriteItem",), "add prices to the price book"),
    )

    def __init__(self, table: Table) -> None:
        self._table = table
        self._prices = PriceBook(table)

    def get_hour(self, account_id: str, region: str, cluster_id: str, hour: datetime) -> HourRecord | None:
        """Return the latest revision of a cluster-hour, corrections included."""
        return self._stored(account_id, region, cluster_id, hour).latest

    def put_hour(self, record: HourRecord, instances: Sequence[InstanceCharges] = ()) -> HourRecord:
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
            closed = self.month_close(record.account_id, month_of(record.hour)) is not None
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

    def revisions(
        self, account_id: str, region: str, cluster_id: str, hour: datetime, *, latest_only: bool = False
    ) -> tuple[HourRevision, ...]:
        """Return every revision of an hour, or the latest one only, oldest first."""
        pk = cluster_pk(account_id, region, cluster_id)
        prefix = trace_prefix(hour_text(hour))
        items: list[Item] = []
        for item in self._table.query(
            "PK = :pk AND begins_with(SK, :prefix)", {":pk": pk, ":prefix": prefix}, newest_first=latest_only
        ):
            if latest_only and items and item["revision"] != items[0]["revision"]:
                break
            items.append(item)
        return revisions_of(items[::-1] if latest_only else items)

    def close_month(self, close: MonthClose) -> MonthClose:
        """Close a month, or return how it was closed before: once closed it stays."""
        try:
            self._table.put(close_item(close), condition="attribute_not_exists(PK)")
        except ConflictError:
            return self.month_close(close.account_id, close.month) or close
        return close

    def month_close(self, account_id: str, month: str) -> MonthClose | None:
        """Return when a month of an account was closed, or None while it is open."""
        item = self._table.get(*close_key(account_id, month))
        if item is None:
            return None
        closed_at = datetime.fromisoformat(item["closed_at"])
        return MonthClose(account_id=account_id, month=month, closed_at=closed_at)

    def corrections_of_cost_centre(self, cost_centre: str, month: str) -> tuple[Correction, ...]:
        """Return the corrections booked for a cost centre in a month (2026-11), by corrected hour."""
        partition = cost_centre_month(cost_centre, month) + CORRECTIONS
        return tuple(map(correction_of, self._indexed(COST_CENTRE_INDEX, COST_CENTRE_MONTH, partition)))

    def corrections_of_account(self, account_id: str, month: str) -> tuple[Correction, ...]:
        """Return the corrections booked in an account and month (2026-11), by corrected hour."""
        partition = account_month(account_id, month) + CORRECTIONS
        return tuple(map(correction_of, self._indexed(ACCOUNT_INDEX, ACCOUNT_MONTH, partition)))

    def hours_of_cluster(
        self,
        account_id: str,
        region: str,
        cluster_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> tuple[HourRecord, ...]:
        """Return a cluster's hours in [start, end), oldest first."""
        first = HOUR_PREFIX if start is None else f"{HOUR_PREFIX}{hour_text(first_hour_from(start))}"
        last = _AFTER_ALL
        if end is not None:
            last = f"{HOUR_PREFIX}{hour_text(first_hour_from(end) - timedelta(hours=1))}"
        if last < first:
            return ()
        items = self._table.query(
            "PK = :pk AND SK BETWEEN :first AND :last",
            {":pk": cluster_pk(account_id, region, cluster_id), ":first": first, ":last": last},
        )
        return tuple(hour_of(item) for item in items)

    def hours_of_cost_centre(
        self, cost_centre: str, month: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[HourRecord, ...]:
        """Return the hours of a cost centre in a month (2026-10) and in [start, end), oldest first."""
        partition = cost_centre_month(cost_centre, month)
        return tuple(map(hour_of, self._indexed(COST_CENTRE_INDEX, COST_CENTRE_MONTH, partition, start, end)))

    def hours_of_account(
        self, account_id: str, month: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[HourRecord, ...]:
        """Return the hours of an account in a month (2026-10) and in [start, end), oldest first."""
        partition = account_month(account_id, month)
        return tuple(map(hour_of, self._indexed(ACCOUNT_INDEX, ACCOUNT_MONTH, partition, start, end)))

    def month_totals(self, month: str) -> tuple[MonthTotal, ...]:
        """Return the rollups of every cost centre in a month (2026-10), by name."""
        found = self._indexed(ACCOUNT_INDEX, ACCOUNT_MONTH, month_rollups(month))
        return tuple(month_total_of(item["cost_centre"], month, item) for item in found)

    def month_total(self, cost_centre: str, month: str) -> MonthTotal | None:
        """Return the rollup of a cost centre and month (2026-10), or None where no hour was ever written."""
        item = self._table.get(rollup_pk(cost_centre), month)
        return None if item is None else month_total_of(cost_centre, month, item)

    def put_prices(self, prices: Sequence[Price]) -> None:
        """Add prices to the price book; the same key and date replaces."""
        self._prices.put(prices)

    def prices(self, keys: Sequence[PriceKey], *, start: datetime, end: datetime) -> tuple[Price, ...]:
        """Return every price of ``keys`` in force at some time in [start, end), oldest first by key."""
        return self._prices.in_force(keys, start=start, end=end)

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

    def _indexed(
        self,
        index: str,
        attribute: str,
        partition: str,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Iterator[Item]:
        condition, values = f"{attribute} = :partition", {":partition": partition}
        if start is not None or end is not None:
            condition += f" AND {HOUR_CLUSTER} BETWEEN :first AND :last"
            values[":first"] = "0" if start is None else hour_text(first_hour_from(start))
            # Text order: what begins with the hour before the end sorts below that hour and a tilde.
            before_end = None if end is None else first_hour_from(end) - timedelta(hours=1)
            values[":last"] = "~" if before_end is None else f"{hour_text(before_end)}~"
            if values[":last"] < values[":first"]:
                return iter(())
        return self._table.query(condition, values, index=index)

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
