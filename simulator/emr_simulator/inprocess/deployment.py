"""The deployed system without Lambda: which use case which event wakes, when schedules fire, what is retried.

The rules and schedules are those of template.yaml; a test compares the two. The use cases and their
routes are the deployed ones.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from emr_autoscaler.bootstrap import UseCases, routes
from emr_autoscaler.bootstrap.routes import Route
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import AutoscalerError, InvalidEventError
from emr_autoscaler.messages.alarm_events import ScheduledTick
from emr_autoscaler.messages.evaluations import EvaluationRequest
from emr_autoscaler.messages.events import Event, read_event
from emr_simulator.inprocess.ports import WorldPorts

EVALUATION_DELAY = timedelta(seconds=5)
"""EvaluationDelaySeconds of the template."""

EVENT_RETRIES = (timedelta(minutes=1), timedelta(minutes=2))
"""How long Lambda waits before it hands a failed event over again."""

MESSAGE_RETRIES = (timedelta(seconds=90),) * 4
"""The queues' visibility timeout, and one delivery less than maxReceiveCount."""

_CAPACITY_EVENTS = frozenset(
    {
        ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
        ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
        ("aws.emr", "EMR Instance Group Provisioning"),
        ("aws.emr", "EMR Instance Group Resize"),
        ("aws.emr", "EMR Instance Fleet Provisioning"),
        ("aws.emr", "EMR Instance Fleet Resize"),
    }
)
_GROUP_EVENTS = frozenset(
    {
        ("aws.emr", "EMR Instance Group State Change"),
        ("aws.emr", "EMR Instance Fleet State Change"),
        ("aws.emr", "EMR Step Status Change"),
        ("aws.emr", "EMR Auto Scaling Policy State Change"),
        ("aws.emr", "EMR Managed Scaling Action"),
    }
)
_OPERATOR_CALLS = frozenset(
    {
        "ModifyInstanceGroups",
        "AddInstanceGroups",
        "ModifyInstanceFleet",
        "AddInstanceFleet",
        "SetTerminationProtection",
        "PutManagedScalingPolicy",
        "RemoveManagedScalingPolicy",
        "PutAutoScalingPolicy",
        "RemoveAutoScalingPolicy",
        "AddTags",
        "RemoveTags",
    }
)
_ENDED = frozenset({"TERMINATED", "TERMINATED_WITH_ERRORS"})
_ALARM_ROUTES: Mapping[str, tuple[Route, frozenset[str]]] = {
    "task": (routes.scale_task_groups, frozenset({"ALARM", "OK"})),
    "core": (routes.resize_core_group, frozenset({"ALARM", "OK"})),
    "idle": (routes.reap_idle_clusters, frozenset({"ALARM"})),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule of the template.

    Attributes:
        route: What it wakes.
        every: How often.
        after: How long after each multiple of ``every`` (counted from midnight UTC) it fires.
    """

    route: Route
    every: timedelta
    after: timedelta = timedelta(0)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first firing later than ``moment``."""
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        turns = (moment - midnight - self.after) // self.every + 1
        return midnight + self.after + turns * self.every


SCHEDULES = (
    Schedule(route=routes.sweep_fleet, every=timedelta(minutes=1)),
    Schedule(route=routes.reap_idle_clusters, every=timedelta(minutes=5)),
    Schedule(route=routes.record_costs, every=timedelta(hours=1), after=timedelta(minutes=5)),
    Schedule(route=routes.refresh_prices, every=timedelta(minutes=5)),
    Schedule(route=routes.publish_statements, every=timedelta(days=1), after=timedelta(hours=4, minutes=40)),
)


def routes_of(raw: Mapping[str, Any], prefix: str) -> Iterator[Route]:
    """Yield the route of each function whose rule matches an event."""
    kind, detail = (raw.get("source"), raw.get("detail-type")), raw.get("detail", {})
    if kind == ("aws.emr", "EMR Cluster State Change"):
        yield routes.enroll_cluster
        if detail.get("state") in _ENDED:
            yield routes.record_costs
    elif kind in _GROUP_EVENTS or (
        kind == ("aws.elasticmapreduce", "AWS API Call via CloudTrail")
        and detail.get("eventSource") == "elasticmapreduce.amazonaws.com"
        and detail.get("eventName") in _OPERATOR_CALLS
    ):
        yield routes.enroll_cluster
    elif kind == ("aws.cloudwatch", "CloudWatch Alarm State Change"):
        for topic, (route, states) in _ALARM_ROUTES.items():
            named = str(detail.get("alarmName", "")).startswith(f"{prefix}-{topic}-")
            if named and detail.get("state", {}).get("value") in states:
                yield route
    elif kind == ("emr-autoscaler.probe", "YARN Snapshot"):
        yield routes.scale_task_groups
    elif kind in _CAPACITY_EVENTS or (
        kind == ("aws.health", "AWS Health Event")
        and detail.get("service") == "EC2"
        and detail.get("eventTypeCategory") == "scheduledChange"
    ):
        yield routes.handle_interruption


@dataclass(frozen=True, slots=True)
class _Invocation:
    run: Callable[[], object]
    retries: Sequence[timedelta]


class InProcessDeployment:
    """The use cases of one stack on one World, woken as the deployed functions are.

    Args:
        ports: The World behind the layer's ports.

    Attributes:
        use_cases: The deployed use cases.
        invocations: Attempts so far, by route.
        given_up: What would lie in the dead-letter queues: the error of the last attempt.
    """

    def __init__(self, ports: WorldPorts) -> None:
        self._ports = ports
        self.use_cases = UseCases(ports)
        self.invocations: Counter[str] = Counter()
        self.given_up: list[AutoscalerError] = []
        self._order = count()
        self._waiting: list[tuple[datetime, int, _Invocation]] = []
        now = ports.clock.now()
        self._firings = {number: s.next_after(now) for number, s in enumerate(SCHEDULES)}

    def next_at(self) -> datetime:
        """Return when something is due next."""
        firing = min(self._firings.values())
        return min(firing, self._waiting[0][0]) if self._waiting else firing

    def deliver(self, raw: Mapping[str, Any]) -> None:
        """Hand one event of the bus to every function whose rule matches it."""
        for route in routes_of(raw, self._ports.prefix):
            try:
                event = read_event(raw)
            except InvalidEventError as error:
                self.given_up.append(error)
                continue
            if event is not None:
                self._invoke(self._answering(route, event), EVENT_RETRIES)

    def run_due(self) -> None:
        """Fire the schedules that are due, deliver messages, and try again what failed."""
        now = self._ports.clock.now()
        for number, schedule in enumerate(SCHEDULES):
            if self._firings[number] <= now:
                tick = Event(id=f"{number}-{now.isoformat()}", time=self._firings[number], detail=ScheduledTick())
                self._firings[number] = schedule.next_after(now)
                self._invoke(self._answering(schedule.route, tick), EVENT_RETRIES)
        while self._waiting and self._waiting[0][0] <= now:
            _at, _order, invocation = heapq.heappop(self._waiting)
            self._invoke(invocation.run, invocation.retries)

    def _answering(self, route: Route, event: Event) -> Callable[[], object]:
        def run() -> object:
            self.invocations[route.__name__] += 1
            return route(event, self.use_cases, event.id)

        return run

    def _invoke(self, run: Callable[[], object], retries: Sequence[timedelta]) -> None:
        try:
            run()
        except AutoscalerError as error:
            if retries:
                self._later(retries[0], run, retries[1:])
            else:
                self.given_up.append(error)
        self._collect_messages()

    def _later(self, delay: timedelta, run: Callable[[], object], retries: Sequence[timedelta]) -> None:
        at = self._ports.clock.now() + delay
        heapq.heappush(self._waiting, (at, next(self._order), _Invocation(run, retries)))

    def _collect_messages(self) -> None:
        """Take the evaluations that were asked for; each is delivered after the queue's delay."""
        for asked in self._ports.queue.take():
            request = EvaluationRequest(
                cluster_id=asked.cluster_id, kind=asked.kind, requested_at=asked.requested_at, cause=asked.cause
            )
            self._later(EVALUATION_DELAY, self._evaluating(request), MESSAGE_RETRIES)

    def _evaluating(self, request: EvaluationRequest) -> Callable[[], object]:
        core = request.kind is DecisionKind.CORE
        route = routes.evaluate_core_group if core else routes.evaluate_task_groups
        trigger = f"{request.cause} {request.requested_at.isoformat()}"

        def run() -> object:
            self.invocations[route.__name__] += 1
            return route(request, self.use_cases, trigger)

        return run
