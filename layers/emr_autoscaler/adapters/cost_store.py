"""Cost records on the cost table: hours and the rollups that move with them; prices in price_store.py."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.cost_items import (
    ACCOUNT_INDEX,
    ACCOUNT_MONTH,
    COST_CENTRE_INDEX,
    COST_CENTRE_MONTH,
    HOUR_PREFIX,
    ROLLUP_REVISION,
    account_month,
    cluster_pk,
    cost_centre_month,
    first_hour_from,
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
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.price_store import PriceBook
from emr_autoscaler.domain.costs import HourRecord, MonthTotal, Price, PriceKey
from emr_autoscaler.domain.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_AFTER_ALL = f"{HOUR_PREFIX}~"
_ATTEMPTS = 10  # a rollup is shared by the clusters of its payer, so it may move under us


class DynamoCosts:
    """Implements ``ports.Costs``."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("dynamodb:GetItem",), "read the stored revision of a cluster-hour, and month totals"),
        Permission(("dynamodb:PutItem",), "write a cluster-hour and its month's rollup in one transaction"),
        Permission(("dynamodb:Query",), "read hours and prices"),
        Permission(("dynamodb:BatchWriteItem",), "add prices to the price book"),
    )

    def __init__(self, table: Table) -> None:
        self._table = table
        self._prices = PriceBook(table)

    def get_hour(self, account_id: str, region: str, cluster_id: str, hour: datetime) -> HourRecord | None:
        """Return the latest revision of a cluster-hour."""
        pk = cluster_pk(account_id, region, cluster_id)
        item = self._table.get(pk, f"{HOUR_PREFIX}{hour_text(hour)}")
        return None if item is None else hour_of(item)

    def put_hour(self, record: HourRecord) -> HourRecord:
        """Write an hour and move its rollup by the difference, in one transaction.

        The revision is given here: one above what is stored. The conditions on it and on the rollup's
        own revision keep a repeated transaction from moving the rollup twice, however late it comes.

        Raises:
            ConflictError: Somebody wrote the hour in between; compute it again from facts.
            UnavailableError: Others keep moving the same rollup.
        """
        stored = self._stored(record)
        for _ in range(_ATTEMPTS):
            if stored is not None and _says_the_same(stored, record):
                return stored
            new = replace(record, revision=1 if stored is None else stored.revision + 1)
            try:
                self._table.transact(self._hour_and_rollups(stored, new), subject=_subject(record))
            except ConflictError:
                read, stored = stored, self._stored(record)
                # The SDK may have repeated a call that had been carried out: then our own write is there.
                if stored is not None and _says_the_same(stored, record):
                    return stored
                if stored != read:
                    raise
                # Only a rollup was moved, by another cluster's hour: again, from its new value.
            else:
                return new
        msg = f"{_subject(record)}: its month is being moved by others; repeat the invocation"
        raise UnavailableError(msg)

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

    def hours_of_cost_centre(self, cost_centre: str, month: str) -> tuple[HourRecord, ...]:
        """Return the hours of a cost centre in a month (2026-10), oldest first."""
        partition = cost_centre_month(cost_centre, month)
        return tuple(self._hours(COST_CENTRE_INDEX, COST_CENTRE_MONTH, partition))

    def hours_of_account(self, account_id: str, month: str) -> tuple[HourRecord, ...]:
        """Return the hours of an account in a month (2026-10), oldest first."""
        return tuple(self._hours(ACCOUNT_INDEX, ACCOUNT_MONTH, account_month(account_id, month)))

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

    def _stored(self, record: HourRecord) -> HourRecord | None:
        return self.get_hour(record.account_id, record.region, record.cluster_id, record.hour)

    def _hours(self, index: str, attribute: str, partition: str) -> Iterator[HourRecord]:
        items = self._table.query(f"{attribute} = :partition", {":partition": partition}, index=index)
        return (hour_of(item) for item in items)

    def _hour_and_rollups(self, stored: HourRecord | None, new: HourRecord) -> "list[TransactWriteItemTypeDef]":
        hour_is_as_read, values = "attribute_not_exists(PK)", None
        if stored is not None:
            hour_is_as_read, values = "revision = :read", {":read": stored.revision}
        payers = {new.cost_centre, new.cost_centre if stored is None else stored.cost_centre}
        return [
            self._table.put_action(hour_item(new), condition=hour_is_as_read, values=values),
            *(self._rollup(cost_centre, stored, new) for cost_centre in sorted(payers)),
        ]

    def _rollup(self, cost_centre: str, stored: HourRecord | None, new: HourRecord) -> "TransactWriteItemTypeDef":
        month = month_of(new.hour)
        item = self._table.get(rollup_pk(cost_centre), month)
        total = moved(
            month_total_of(cost_centre, month, item),
            out=stored if stored is not None and stored.cost_centre == cost_centre else None,
            into=new if new.cost_centre == cost_centre else None,
        )
        if item is None:
            return self._table.put_action(rollup_item(total, revision=1), condition="attribute_not_exists(PK)")
        read = item[ROLLUP_REVISION]
        return self._table.put_action(
            rollup_item(total, revision=int(read) + 1),
            condition=f"{ROLLUP_REVISION} = :read",
            values={":read": read},
        )


def _subject(record: HourRecord) -> str:
    return f"{record.cluster_id} {hour_text(record.hour)}"


def _says_the_same(stored: HourRecord, record: HourRecord) -> bool:
    return stored == replace(record, revision=stored.revision, recorded_at=stored.recorded_at)
