"""The journal of decisions on the state table: written as intent, written again with the outcome."""

import json
import zlib
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar

from emr_autoscaler.adapters.dynamodb_table import PK, SK, Item, Table, sortable
from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.state_table import (
    DOCUMENT,
    EXPIRES_AT,
    OPEN_INDEX,
    OPEN_INTENT,
    OPEN_KIND,
    OPEN_SINCE,
    RETENTION,
    Document,
    cluster_pk,
    dump_json,
    epoch_seconds,
)
from emr_autoscaler.domain.errors import InvalidInputError
from emr_autoscaler.domain.record import DecisionRecord, Outcome

_PREFIX = "DECISION#"
_AFTER_ALL = f"{_PREFIX}~"  # above every time: '~' sorts after digits and letters
_EVIDENCE = "evidence"
_RECORD = Document(DecisionRecord)


class DynamoDecisions:
    """Implements ``ports.Decisions``.

    A record's key is made of its time and id, so the outcome must carry the ``decided_at`` of its
    intent; a decision is never altered after the fact. Evidence that another release wrote in a form
    this one cannot read is left out of the record.
    """

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("dynamodb:PutItem",), "write a decision before acting, and its outcome after"),
        Permission(("dynamodb:Query",), "read a cluster's decisions, and find intents without outcome"),
        Permission(("dynamodb:BatchGetItem",), "make sure that an intent still has no outcome"),
    )

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, record: DecisionRecord) -> None:
        """Write a record; the same record_id replaces (intent becomes outcome)."""
        self._table.put(_item_of(record))

    def of_cluster(
        self, cluster_id: str, *, since: datetime | None = None, limit: int = 100
    ) -> tuple[DecisionRecord, ...]:
        """Return at most ``limit`` records decided at or after ``since``, newest first."""
        if limit < 1:
            return ()
        items = self._table.query(
            "PK = :pk AND SK BETWEEN :from AND :to",
            {
                ":pk": cluster_pk(cluster_id),
                ":from": _PREFIX if since is None else f"{_PREFIX}{sortable(since)}",
                ":to": _AFTER_ALL,
            },
            newest_first=True,
            page_size=limit,
        )
        return tuple(_record_of(item) for item in islice(items, limit))

    def unfinished(self, before: datetime) -> tuple[DecisionRecord, ...]:
        """Return the intents decided before ``before`` that have no outcome yet, oldest first.

        The index lags behind the table by moments, so each candidate is read again: an intent that
        was just carried out must not be carried out twice.
        """
        candidates = self._table.query(
            f"{OPEN_KIND} = :kind AND {OPEN_SINCE} < :before",
            {":kind": OPEN_INTENT, ":before": sortable(before)},
            index=OPEN_INDEX,
        )
        now_stored = self._table.get_many([(item[PK], item[SK]) for item in candidates])
        records = [_record_of(item) for item in now_stored.values()]
        intents = [record for record in records if record.outcome is Outcome.INTENDED]
        return tuple(sorted(intents, key=lambda r: (r.decision.decided_at, r.record_id)))


def _item_of(record: DecisionRecord) -> Item:
    decided_at = record.decision.decided_at
    item: dict[str, Any] = {
        PK: cluster_pk(record.decision.cluster_id),
        SK: f"{_PREFIX}{sortable(decided_at)}#{record.record_id}",
        DOCUMENT: _RECORD.dump(replace(record, evidence=None)),
        EXPIRES_AT: epoch_seconds(decided_at + RETENTION),
    }
    if record.evidence is not None:
        text = dump_json(dump_evidence(record.decision.kind, record.evidence))
        # A week of idle samples is beyond an item's 400 KB as text; and writes are paid by the KB.
        item[_EVIDENCE] = zlib.compress(text.encode())
    if record.outcome is Outcome.INTENDED:
        item |= {OPEN_KIND: OPEN_INTENT, OPEN_SINCE: sortable(decided_at)}
    return item


def _record_of(item: Item) -> DecisionRecord:
    record = _RECORD.load(item[DOCUMENT])
    if _EVIDENCE not in item:
        return record
    try:
        evidence = load_evidence(record.decision.kind, json.loads(zlib.decompress(bytes(item[_EVIDENCE]))))
    except InvalidInputError:
        # Written by another release. The decision still stands; only its replay is lost.
        return record
    return replace(record, evidence=evidence)
