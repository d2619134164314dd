"""Notifications and evaluation requests in memory, kept for whoever drives the simulation or asserts."""

from dataclasses import dataclass
from datetime import datetime

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.ports import Notification


class MemoryNotifier:
    """Implements ``ports.Notifier``: keeps what was published in ``sent``."""

    def __init__(self) -> None:
        self.sent: list[Notification] = []

    def notify(self, notification: Notification) -> str:
        """Keep a notification; return its number as its id."""
        self.sent.append(notification)
        return f"notification-{len(self.sent)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """One message of the evaluation queues.

    Attributes:
        cluster_id: j-..., the message group.
        kind: TASK or CORE.
        requested_at: When the evaluation was asked for.
        cause: Who asked: the sweep, an interruption, ...
    """

    cluster_id: str
    kind: DecisionKind
    requested_at: datetime
    cause: str


class MemoryEvaluationQueue:
    """Implements ``ports.EvaluationQueue``; ``take`` hands the messages over, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[EvaluationRequest] = []
        self._seen: set[tuple[str, DecisionKind, datetime]] = set()

    def request(self, cluster_id: str, kind: DecisionKind, *, now: datetime, cause: str) -> None:
        """Queue an evaluation of task or core capacity; those of a minute are one."""
        if kind not in {DecisionKind.TASK, DecisionKind.CORE}:
            msg = f"no evaluation queue takes decisions of kind {kind}"
            raise ValueError(msg)
        key = (cluster_id, kind, now.replace(second=0, microsecond=0))
        if key in self._seen:
            return
        self._seen.add(key)
        self._waiting.append(EvaluationRequest(cluster_id=cluster_id, kind=kind, requested_at=now, cause=cause))

    def take(self) -> tuple[EvaluationRequest, ...]:
        """Return the waiting messages and forget them."""
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken
