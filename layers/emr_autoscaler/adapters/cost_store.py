"""Cost records on the cost table, as finance asks for them: by cluster, payer, account and month.

How one hour is read and written is hour_ledger.py's; prices are price_store.py's.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from emr_autoscaler.adapters.cost_history_items import (
    CORRECTIONS,
    close_item,
    close_key,
    correction_of,
    revisions_of,
    trace_prefix,
)
from emr_autoscaler.adapters.cost_items import (
    ACCOUNT_INDEX,
    ACCOUNT_MONTH,
    COST_CENTRE_INDEX,
    COST_CENTRE_MONTH,
    HOUR_CLUSTER,
    HOUR_PREFIX,
    account_month,
    cluster_pk,
    cost_centre_month,
    first_hour_from,
    hour_of,
    hour_text,
    month_rollups,
    month_total_of,
    rollup_pk,
)
from emr_autoscaler.adapters.dynamodb_table import Item, Table
from emr_autoscaler.adapters.hour_ledger import HourLedger
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.price_store import PriceBook
from emr_autoscaler.domain.cost_history import (
    Correction,
    HourRevision,
    InstanceCharges,
    MonthClose,
)
from emr_autoscaler.domain.costs import HourRecord, MonthTotal
from emr_autoscaler.domain.errors import ConflictError
from emr_autoscaler.domain.price_book import Price, PriceKey

_AFTER_ALL = f"{HOUR_PREFIX}~"


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
        self._hours = HourLedger(table)
        self._prices = PriceBook(table)

    def get_hour(self, account_id: str, region: str, cluster_id: str, hour: datetime) -> HourRecord | None:
        """Return the latest revision of a cluster-hour, corrections included."""
        return self._hours.read(account_id, region, cluster_id, hour)

    def put_hour(self, record: HourRecord, instances: Sequence[InstanceCharges] = ()) -> HourRecord:
        """Write an hour with its history and move its rollup by the difference, in one transaction.

        Raises:
            ConflictError: Somebody wrote the hour in between; compute it again from facts.
            UnavailableError: Others keep moving the same rollup.
        """
        return self._hours.write(record, instances)

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
