"""Hands events to deployed functions the way EventBridge would: by the deployed rules and nothing else.

The local AWS takes no events of ``aws.*`` sources, so the driver here reads the deployed rules, lets the
local AWS itself say which of their patterns match (TestEventPattern), and invokes their targets. Schedules
live in schedules.py.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from emr_simulator.local_aws.deployment import Stack

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A deployed EventBridge rule.

    Attributes:
        name: Its name.
        pattern: Its event pattern, None for a schedule.
        schedule: Its schedule expression, None for a pattern.
        functions: Names of the functions it invokes.
    """

    name: str
    pattern: str | None
    schedule: str | None
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event handed to one function.

    Attributes:
        rule: Name of the rule that matched.
        function: Name of the invoked function.
        result: What the function returned; None where it was not waited for.
        error: The error it ended with, or None.
        seconds: How long the invocation took, seen from outside.
    """

    rule: str
    function: str
    result: Any = None
    error: str | None = None
    seconds: float = 0.0


class FunctionFailedError(Exception):
    """A deployed function ended with an error; names function, error and the last lines of its log."""


class EventDriver:
    """Delivers events to a deployed stack."""

    def __init__(self, stack: Stack) -> None:
        """Read the deployed rules, once."""
        self._events = stack.aws.client("events")
        self._lambda = stack.aws.client("lambda")
        self.rules = deployed_rules(stack)

    def matching(self, event: Event) -> tuple[Rule, ...]:
        """Return the deployed rules whose pattern matches, as the local AWS judges it."""
        text = json.dumps(event)
        return tuple(
            rule
            for rule in self.rules
            if rule.pattern
            and _may_match(json.loads(rule.pattern), event)
            and self._events.test_event_pattern(EventPattern=rule.pattern, Event=text)["Result"]
        )

    def deliver(self, event: Event, *, wait: bool = True, raise_errors: bool = True) -> tuple[Delivery, ...]:
        """Hand an event to the functions of every rule that matches it; none is no error.

        Args:
            event: The whole EventBridge event.
            wait: True invokes one function after the other and waits, so that a run is the same every
                time. False invokes asynchronously, as EventBridge does: retries, then the dead-letter queue.
            raise_errors: Whether a function that fails raises, when waited for.

        Raises:
            FunctionFailedError: A function failed.
        """
        return tuple(
            self.invoke(function, event, rule=rule.name, wait=wait, raise_errors=raise_errors)
            for rule in self.matching(event)
            for function in rule.functions
        )

    def invoke(
        self, function: str, event: Event, *, rule: str = "", wait: bool = True, raise_errors: bool = True
    ) -> Delivery:
        """Invoke one deployed function by name, whatever the rules say; arguments as in ``deliver``."""
        kind: Literal["RequestResponse", "Event"] = "RequestResponse" if wait else "Event"
        started = time.perf_counter()
        answer = self._lambda.invoke(
            FunctionName=function, InvocationType=kind, Payload=json.dumps(event).encode()
        )
        body = answer["Payload"].read()
        seconds = time.perf_counter() - started
        result = json.loads(body) if body else None
        if "FunctionError" not in answer:
            return Delivery(rule=rule, function=function, result=result, seconds=seconds)
        error = f"{result['errorType']}: {result['errorMessage']}" if result else answer["FunctionError"]
        if raise_errors:
            msg = f"{function} failed on {event.get('detail-type')!r}: {error}"
            raise FunctionFailedError(msg)
        return Delivery(rule=rule, function=function, error=error, seconds=seconds)


def deployed_rules(stack: Stack) -> tuple[Rule, ...]:
    """Return the rules of the stack's prefix with their Lambda targets, by name."""
    events = stack.aws.client("events")
    found = []
    pages = events.get_paginator("list_rules").paginate(NamePrefix=f"{stack.outputs['StackPrefix']}-")
    for rule in (rule for page in pages for rule in page["Rules"]):
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        found.append(
            Rule(
                name=rule["Name"],
                pattern=rule.get("EventPattern"),
                schedule=rule.get("ScheduleExpression"),
                functions=tuple(target["Arn"].rpartition(":function:")[2] for target in targets),
            )
        )
    return tuple(sorted(found, key=lambda rule: rule.name))


def _may_match(pattern: Mapping[str, Any], event: Event) -> bool:
    """Say no without asking where source or detail type are listed and the event has another one."""
    return all(
        event.get(key) in values for key in ("source", "detail-type") if (values := _literals(pattern.get(key)))
    )


def _literals(values: Sequence[Any] | None) -> Sequence[str]:
    return values if values and all(isinstance(value, str) for value in values) else ()
