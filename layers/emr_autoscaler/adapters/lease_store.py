"""Leases on the state table: one invocation at a time decides on a cluster."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from typing import ClassVar
from uuid import uuid4

from emr_autoscaler.adapters.dynamodb_table import PK, SK, Table, sortable
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.adapters.state_table import EXPIRES_AT, LEASE_SK, cluster_pk, epoch_seconds
from emr_autoscaler.domain.errors import BusyError, ConflictError, UnavailableError
from emr_autoscaler.ports import Clock

DEFAULT_LENGTH = timedelta(seconds=60)
TRY_EVERY_SECONDS = 0.5


class DynamoLeases:
    """Implements ``ports.Leases``.

    A lease ends with its block, or by itself after ``length`` when its holder crashed. A holder that
    outlives its lease is not stopped: what it writes to the registry is refused by the version, and
    functions that hold leases are given less time than a lease is long.

    Args:
        table: The state table.
        clock: Judges whether a lease has run out.
        length: How long a lease of a crashed holder blocks the cluster.
    """

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("dynamodb:PutItem",), "take the lease of a cluster, if it is free"),
        Permission(("dynamodb:DeleteItem",), "give the lease back"),
    )

    def __init__(self, table: Table, clock: Clock, *, length: timedelta = DEFAULT_LENGTH) -> None:
        self._table = table
        self._clock = clock
        self._length = length

    def hold(self, cluster_id: str, *, owner: str, wait: timedelta = timedelta(0)) -> AbstractContextManager[None]:
        """Hold the cluster for the length of the ``with`` block.

        Args:
            cluster_id: j-...
            owner: Who holds it, for people: a request id. The same owner is refused like any other.
            wait: How long to try while somebody else holds it.

        Raises:
            BusyError: Somebody still holds it after ``wait``.
        """
        return self._held(cluster_id, owner, wait)

    def _take(self, cluster_id: str, token: str) -> None:
        now = self._clock.now()
        until = now + self._length
        item = {
            PK: cluster_pk(cluster_id),
            SK: LEASE_SK,
            "lease_token": token,
            "leased_until": sortable(until),
            EXPIRES_AT: epoch_seconds(until + timedelta(days=1)),
        }
        try:
            self._table.put(
                item,
                # The token: where the SDK repeats a call that had been carried out, it is still ours.
                condition="attribute_not_exists(PK) OR leased_until <= :now OR lease_token = :mine",
                values={":now": sortable(now), ":mine": token},
            )
        except ConflictError as error:
            msg = f"cluster {cluster_id} is held by another invocation"
            raise BusyError(msg) from error

    @contextmanager
    def _held(self, cluster_id: str, owner: str, wait: timedelta) -> Iterator[None]:
        # A name may come twice (a retry keeps its request id), so the token is what owns the lease.
        token = f"{owner}#{uuid4()}"
        give_up_at = time.monotonic() + wait.total_seconds()
        while True:
            try:
                self._take(cluster_id, token)
                break
            except BusyError:
                if time.monotonic() >= give_up_at:
                    raise
                time.sleep(TRY_EVERY_SECONDS)
        try:
            yield
        finally:
            # Lost to another holder: nothing to give back. Throttled: it runs out by itself.
            with suppress(ConflictError, UnavailableError):
                self._table.delete(
                    cluster_pk(cluster_id),
                    LEASE_SK,
                    condition="lease_token = :mine",
                    values={":mine": token},
                )
