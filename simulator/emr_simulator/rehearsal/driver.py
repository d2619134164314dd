"""Plays the world and the deployed stack in lockstep: time, events, schedules, queues; the story is scenario.py's.

The world stands still while a function runs, so every function sees the time its event happened at. A
function that fails is invoked again after one and two virtual minutes, as Lambda would, then given up.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from emr_autoscaler.domain.enrolment import POLICY_TAG
from emr_simulator.announcements import PROBE
from emr_simulator.local_aws import Delivery, EventDriver, ScheduleDriver, Stack, drain_queues
from emr_simulator.rehearsal.harvest import JournalReader, told
from emr_simulator.rehearsal.progress import Progress
from emr_simulator.rehearsal.scenario import LEAD, Scenario
from emr_simulator.rehearsal.timeline import Mark, Moment, observe
from emr_simulator.world import World

MINUTE = timedelta(minutes=1)
COSTS_ARE_IN = timedelta(minutes=6)
"""Past the last hour: its costs are recorded five minutes after it ends."""
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=2))
_SPENDING_IS_READ_EVERY = 15
_DECISIONS_ARE_READ_EVERY = 5


@dataclass(slots=True, kw_only=True)
class Played:
    """What was seen while it was played.

    Attributes:
        cluster_ids: By name.
        moments: One a minute.
        marks: The incidents.
        deliveries: Invocations by (rule, function), retries included.
            errors: Failed invocations, in words.
        given_up: Those that failed three times.
        warned: EC2 ids of the instances of clusters that were warned, by time.
    """

    cluster_ids: dict[str, str] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    deliveries: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    warned: dict[str, datetime] = field(default_factory=dict)


@dataclass(order=True, slots=True)
class _Retry:
    at: datetime
    order: int
    function: str = field(compare=False)
    event: Mapping[str, Any] = field(compare=False)
    rule: str = field(compare=False)
    attempt: int = field(compare=False)


class Rehearsal:
    """One scenario on one world and one deployed stack.

    Args:
        world: Stands at the scenario's start.
        lock: Held while the world moves; functions look at it over the wire.
        stack: The deployed stack.
        scenario: What is played.
        progress: Shown what happens.
    """

    def __init__(
        self,
        *,
        world: World,
        lock: AbstractContextManager[object],
        stack: Stack,
        scenario: Scenario,
        progress: Progress,
    ) -> None:
        self._world = world
        self._lock = lock
        self._stack = stack
        self._scenario = scenario
        self._progress = progress
        self._events = EventDriver(stack)
        self._schedules = ScheduleDriver(self._events, world.now)
        self._incidents = list(scenario.incidents)
        self._retries: list[_Retry] = []
        self._order = itertools.count()
        self._spent = Decimal(0)
        self._journal = JournalReader(stack)
        self.played = Played()

    def play(self) -> Played:
        """Play from the start until the costs of the last hour are in."""
        self._raise_curtain()
        end = self._scenario.end + COSTS_ARE_IN
        while self._world.now < end:
            self._step(end)
        return self.played

    def _raise_curtain(self) -> None:
        """Start the clusters and promise them their work."""
        with self._lock:
            for member in self._scenario.cast:
                cluster_id = self._world.emr.run_job_flow(member.spec)
                self.played.cluster_ids[member.name] = cluster_id
                for job in member.workload.jobs if member.workload else ():
                    at = self._world.now + LEAD + timedelta(seconds=job.submit_after_seconds)
                    self._world.submit_job(cluster_id, job, at=at)
            self.played.moments.append(observe(self._world, self.played.cluster_ids, self._spent))

    def _step(self, end: datetime) -> None:
        """Go to the next thing that happens, and answer it."""
        target = min(filter(None, (end, self._next_minute(), self._schedules.next_at, self._next_retry())))
        with self._lock:
            self._world.run_until(target, stop_at_events=True)
            events = self._world.take_events()
        answered = self._answer(events)
        if self._world.now >= target:
            answered |= self._on_time()
        if answered:
            drain_queues(self._stack)

    def _next_minute(self) -> datetime:
        return self._world.now.replace(second=0) + MINUTE

    def _next_retry(self) -> datetime | None:
        return self._retries[0].at if self._retries else None

    def _answer(self, events: Iterable[Mapping[str, Any]]) -> bool:
        answered = False
        for event in events:
            self._note_warning(event)
            for delivery in self._events.deliver(event, raise_errors=False):
                answered |= event["source"] != PROBE  # snapshots ask for no further look
                self._note(delivery, event)
        return answered

    def _on_time(self) -> bool:
        """Do what the clock says: retries, schedules, and on whole minutes incidents and a look."""
        now, answered = self._world.now, False
        while self._retries and self._retries[0].at <= now:
            retry = heapq.heappop(self._retries)
            again = self._events.invoke(retry.function, retry.event, rule=retry.rule, raise_errors=False)
            self._note(again, retry.event, attempt=retry.attempt)
            answered = True
        for at, rule in self._schedules.pending(now):
            for delivery in self._schedules.fire(rule, at, raise_errors=False):
                self._note(delivery, None)
                answered = True
        if now.second == 0:
            self._every_minute()
        return answered

    def _every_minute(self) -> None:
        world, ids = self._world, self.played.cluster_ids
        if world.now.minute % _DECISIONS_ARE_READ_EVERY == 0:
            self._tell_decisions()
        with self._lock:
            for incident in [i for i in self._incidents if self._scenario.start + i.after <= world.now]:
                text = incident.happen(world, ids)
                if text is not None:
                    self._incidents.remove(incident)
                    self.played.marks.append(Mark(at=world.now, kind=incident.kind, text=text))
                    self._progress.tell(world.now, text)
            if world.now.minute % _SPENDING_IS_READ_EVERY == 0:
                self._spent = self._spent_on_enrolled()
            moment = observe(world, ids, self._spent)
        self.played.moments.append(moment)
        self._progress.show(moment)

    def _spent_on_enrolled(self) -> Decimal:
        bill, ids = self._world.ledger.bill(), self.played.cluster_ids
        opted_in = (member.name for member in self._scenario.cast if POLICY_TAG in member.spec.tags)
        return sum((bill.total_usd(cluster_id=ids[name]) for name in opted_in), Decimal(0))

    def _tell_decisions(self) -> None:
        """Show what was decided since the last look, as the state table has it."""
        for deed in self._journal.since_last_look(self.played.cluster_ids):
            self._progress.tell(deed.decision.decided_at, told(deed))

    def _note_warning(self, event: Mapping[str, Any]) -> None:
        if event["detail-type"] == "EC2 Spot Instance Interruption Warning":
            instance_id = event["detail"]["instance-id"]
            if instance_id not in self._world.ec2.foreign:
                self.played.warned[instance_id] = self._world.now

    def _note(self, delivery: Delivery, event: Mapping[str, Any] | None, *, attempt: int = 0) -> None:
        """Count an invocation; plan another where it failed. A schedule comes again by itself."""
        played, now = self.played, self._world.now
        played.deliveries[delivery.rule, delivery.function] += 1
        if delivery.error is None:
            return
        text = f"{now:%H:%M:%S} {delivery.function}: {delivery.error}"
        played.errors.append(text)
        self._progress.tell(now, f"{delivery.function} failed: {delivery.error}")
        if event is None:
            return
        if attempt >= len(RETRY_AFTER):
            played.given_up.append(text)
            return
        retry = _Retry(
            now + RETRY_AFTER[attempt], next(self._order), delivery.function, event, delivery.rule, attempt + 1
        )
        heapq.heappush(self._retries, retry)
