"""Health of capacity pools on the state table."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from emr_autoscaler.adapters.dynamodb_table import PK, SK, Table
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.state_table import (
    DOCUMENT,
    ENTRY_VERSION,
    EXPIRES_AT,
    HEALTH_SK,
    RETENTION,
    Document,
    epoch_seconds,
)
from emr_autoscaler.domain.memory import PoolHealth, PoolKey

_HEALTH = Document(PoolHealth)


class DynamoPools:
    """Implements ``ports.Pools``. A pool without trouble for as long as records are kept is forgotten."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("dynamodb:BatchGetItem",), "read the health of the pools a cluster may use"),
        Permission(("dynamodb:PutItem",), "remember a pool's trouble"),
    )

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, keys: Sequence[PoolKey]) -> tuple[PoolHealth, ...]:
        """Return the health of each key, in order; pools never seen are healthy."""
        found = self._table.get_many([(_pk(key), HEALTH_SK) for key in keys])
        healths = []
        for key in keys:
            item = found.get((_pk(key), HEALTH_SK))
            healths.append(PoolHealth(key=key) if item is None else _HEALTH.load(item[DOCUMENT]))
        return tuple(healths)

    def put(self, health: PoolHealth) -> PoolHealth:
        """Write a pool's health against the version it was read with; return it with the next one."""
        stored = replace(health, version=health.version + 1)
        item: dict[str, Any] = {
            PK: _pk(health.key),
            SK: HEALTH_SK,
            DOCUMENT: _HEALTH.dump(stored),
            ENTRY_VERSION: stored.version,
        }
        moments = (health.cooling_until, health.last_trouble_at, health.rebalance_at, health.experience_at)
        last = max((moment for moment in moments if moment is not None), default=None)
        if last is not None:
            item[EXPIRES_AT] = epoch_seconds(last + RETENTION)
        if health.version:
            self._table.put(item, condition=f"{ENTRY_VERSION} = :read", values={":read": health.version})
        else:  # items of earlier releases carry no version
            self._table.put(item, condition=f"attribute_not_exists({ENTRY_VERSION})")
        return stored


def _pk(key: PoolKey) -> str:
    return f"POOL#{key.instance_type}#{key.availability_zone}#{key.market}"
