"""What is told to people, and asked of the system itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from emr_autoscaler.domain.decision import DecisionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Something people should know.

    Attributes:
        subject: One line, at most 100 characters.
        body: A few lines: what, why, and what to do if it is wrong.
        attributes: For subscription filters: kind, reason, cluster_id, policy, severity.
    """

    subject: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class Notifier(Protocol):
    """Tells people."""

    def notify(self, notification: Notification) -> str:
        """Publish a notification; return the id it went out under."""
        ...


class EvaluationQueue(Protocol):
    """Asks for another look at a cluster: FIFO, the cluster is the message group."""

    def request(self, cluster_id: str, kind: DecisionKind, *, now: datetime, cause: str) -> None:
        """Queue an evaluation of task (TASK) or core (CORE) capacity; those of a minute are one."""
        ...
