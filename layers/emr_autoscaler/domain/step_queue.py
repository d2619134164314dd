"""Which steps of a cluster wait for their turn: work that is known to come, though YARN does not show it yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

BETWEEN_STEPS = timedelta(minutes=10)
"""So long after a step ended, nodes wait for the next one: starting them again takes about as long."""

STEP_STARTS_WITHIN = timedelta(minutes=3)
"""A step that was started asks YARN for containers within this time."""

FORGOTTEN_AFTER = timedelta(days=2)
"""A step that waits longer has been forgotten by its events, which are best effort, rather than by EMR."""

MOST_STEPS = 256
"""EMR queues no more."""


class StepState(StrEnum):
    """States of EMR Step Status Change."""

    PENDING = "PENDING"
    CANCEL_PENDING = "CANCEL_PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepQueue:
    """The steps of one cluster as its events tell.

    Attributes:
        waiting: Step id to the time since which it waits.
        begun: Ids of steps that were seen running or ended, newest last: a late event does not queue them again.
        started_at: When a step last began to run.
        ended_at: When a step last ended.
    """

    waiting: Mapping[str, datetime] = field(default_factory=dict)
    begun: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None

    def held_until(self, now: datetime) -> datetime | None:
        """Return until when nodes are kept for a step that is about to work; None where none is."""
        since = [since for since in self.waiting.values() if now - since < FORGOTTEN_AFTER]
        between = self.ended_at + BETWEEN_STEPS if since and self.ended_at else None
        starting = self.started_at + STEP_STARTS_WITHIN if self.started_at else None
        latest = max(filter(None, (between, starting)), default=None)
        return latest if latest is not None and latest > now else None


def note_step(queue: StepQueue, step_id: str, state: StepState, at: datetime) -> StepQueue:
    """Return the queue after an event of a step; events may be late, lost and out of order."""
    if state in {StepState.PENDING, StepState.CANCEL_PENDING}:
        if step_id in queue.begun or step_id in queue.waiting:
            return queue
        return replace(queue, waiting=_newest({**queue.waiting, step_id: at}))
    left = {other: since for other, since in queue.waiting.items() if other != step_id}
    begun = (*(other for other in queue.begun if other != step_id), step_id)[-MOST_STEPS:]
    queue = replace(queue, waiting=left, begun=begun)
    if state is StepState.RUNNING:
        return replace(queue, started_at=max(at, queue.started_at or at))
    return replace(queue, ended_at=max(at, queue.ended_at or at))


def _newest(waiting: Mapping[str, datetime]) -> dict[str, datetime]:
    ordered = sorted(waiting.items(), key=lambda entry: entry[1])
    return dict(ordered[-MOST_STEPS:])
