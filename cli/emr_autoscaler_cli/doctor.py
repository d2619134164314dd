"""emr-autoscaler doctor: whether an installation works, part by part; clusters are in cluster_checks.py."""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta

from emr_autoscaler.domain.errors import AutoscalerError, InvalidPolicyError
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler_cli.cluster_checks import check_clusters
from emr_autoscaler_cli.failures import DONE, FAILED
from emr_autoscaler_cli.findings import Finding, Verdict, careful, failed, ok, warning
from emr_autoscaler_cli.installation import Installation
from emr_autoscaler_cli.output import print_json, print_line, print_table
from emr_autoscaler_cli.pool_checks import check_pools
from emr_autoscaler_cli.trails import TRAIL_ACTIONS, Trail

EXAMPLES = """\
examples:
  emr-autoscaler doctor
  emr-autoscaler doctor --json --stack-prefix emr-autoscaler-test

Looks at the stack, its tables, queues, rules and alarms; at every policy and its pool types (does a release
support them, does a zone offer them?); at every enrolled cluster; and whether a CloudTrail trail brings the calls
of people. Reads and changes nothing; docs/settings.md lists the permissions it takes. Exit code 1 when a check
failed; warnings do not fail.
"""

DEAD_LETTERS = {
    "failed events": "FailedEventsQueueUrl",
    "undelivered events": "UndeliveredEventsQueueUrl",
    "task evaluations' dead letters": "TaskEvaluationDeadLetterQueueUrl",
    "core evaluations' dead letters": "CoreEvaluationDeadLetterQueueUrl",
}
QUEUES = {"task evaluations": "TaskEvaluationQueueUrl", "core evaluations": "CoreEvaluationQueueUrl"}

BACKLOG = 100
"""Evaluations of five clusters at a time take seconds each: so many waiting means that nobody works."""

TRAIL_ADVICE = (
    "let a trail record write management events of all sources in this region (docs/deployment.md, CloudTrail)"
)

INTENT_IS_LATE_AFTER = timedelta(minutes=15)
"""The sweep closes intents without an outcome after five minutes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: doctor looks at everything."""
    del parser


def run(arguments: argparse.Namespace, installation: Installation) -> int:
    """Run every check."""
    findings = examine(installation)
    bad = any(finding.verdict is Verdict.FAILED for finding in findings)
    if arguments.json:
        print_json({"healthy": not bad, "checks": [asdict(finding) for finding in findings]})
    else:
        print_table(
            ["", "check", "found", "what to do"],
            [[f.verdict.value, f.check, f.detail, f.advice] for f in findings],
        )
        counts = {verdict: sum(f.verdict is verdict for f in findings) for verdict in Verdict}
        print_line(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return FAILED if bad else DONE


def examine(installation: Installation) -> list[Finding]:
    """Return the findings of every check."""
    checks: dict[str, Callable[[], Iterable[Finding]]] = {
        "stack": lambda: _stack(installation),
        "state table": lambda: _state_table(installation),
        "cost table": lambda: _cost_table(installation),
        "queues": lambda: _queues(installation),
        "dead letters": lambda: _dead_letters(installation),
        "event rules and schedules": lambda: _rules(installation),
        "alarms of the stack": lambda: _alarms(installation),
        "notifications": lambda: _notifications(installation),
        "CloudTrail": lambda: _trails(installation),
        "policies": lambda: _policies(installation),
        "pools": lambda: check_pools(installation),
        "journal": lambda: _journal(installation),
        "clusters": lambda: check_clusters(installation),
    }
    return [finding for check, look in checks.items() for finding in careful(check, look)]


def _stack(installation: Installation) -> Iterator[Finding]:
    status = installation.account.stack.status
    if status.endswith("_FAILED") or "ROLLBACK" in status:
        yield failed("stack", status, "read the stack's events in CloudFormation and deploy again")
    elif status.endswith("_IN_PROGRESS"):
        yield warning("stack", status, "wait for the deployment to end")
    else:
        yield ok("stack", status)


def _state_table(installation: Installation) -> Iterator[Finding]:
    name = installation.account.stack.outputs["StateTableName"]
    state = installation.account.table(name)
    if state.status == "ACTIVE":
        yield ok("state table", name)
    else:
        yield failed("state table", f"{name} is {state.status}", "deploy the stack again")


def _cost_table(installation: Installation) -> Iterator[Finding]:
    name = installation.account.stack.outputs["CostTableName"]
    state = installation.account.table(name)
    if state.status != "ACTIVE":
        yield failed("cost table", f"{name} is {state.status}", "restore it from a point in time before deploying")
    elif not state.is_recoverable:
        yield warning("cost table", f"{name} has no point-in-time recovery", "deploy the stack again")
    elif not state.is_protected:
        yield warning("cost table", f"{name} may be deleted", "deploy with ProtectCostTable=true")
    else:
        yield ok("cost table", name)


def _queues(installation: Installation) -> Iterator[Finding]:
    for what, output in QUEUES.items():
        waiting = installation.account.messages_in(installation.account.stack.outputs[output])
        if waiting >= BACKLOG:
            yield warning(
                what, f"{waiting} wait", "read the log of the function that takes them, or its throttles"
            )
        else:
            yield ok(what, f"{waiting} wait")


def _dead_letters(installation: Installation) -> Iterator[Finding]:
    for what, output in DEAD_LETTERS.items():
        lying = installation.account.messages_in(installation.account.stack.outputs[output])
        if lying:
            yield failed(what, f"{lying} lie there", "docs/operations.md, Dead letters")
        else:
            yield ok(what, "none")


def _rules(installation: Installation) -> Iterator[Finding]:
    rules = installation.account.rules()
    wrong = {name: state for name, state in rules.items() if state != "ENABLED"}
    for name, state in wrong.items():
        yield failed(
            f"rule {name}",
            state or "gone",
            "enable it in EventBridge" if state else "deploy the stack again: somebody removed it",
        )
    if not rules:
        yield failed("event rules and schedules", "the stack has none", "deploy the stack again")
    elif not wrong:
        yield ok("event rules and schedules", f"{len(rules)} enabled")


def _alarms(installation: Installation) -> Iterator[Finding]:
    ringing = installation.account.ringing_alarms()
    for name in ringing:
        yield failed(f"alarm {name}", "stands in ALARM", "docs/operations.md, When an alarm rings")
    if not ringing:
        yield ok("alarms of the stack", "none rings")


def _notifications(installation: Installation) -> Iterator[Finding]:
    count = installation.account.subscriptions()
    if count:
        yield ok("notifications", f"{count} confirmed subscription{'s' if count > 1 else ''}")
    else:
        yield warning(
            "notifications", "nobody is told", "set NotificationEmail, or subscribe to the topic and confirm it"
        )


def _trails(installation: Installation) -> Iterator[Finding]:
    """Look for a trail that brings operators' calls; without one less is seen, and later: never a failure."""
    trails: Sequence[Trail] = ()
    refusals: list[str] = []
    try:
        trails = installation.account.trails()
        refusals = [trail.unreadable for trail in trails if trail.unreadable]
    except AutoscalerError as error:
        refusals = [str(error)]
    delivering = [trail.name for trail in trails if trail.delivers]
    readable = [trail for trail in trails if not trail.unreadable]
    if delivering:
        yield ok("CloudTrail", f"{', '.join(delivering)}: management events reach EventBridge")
    elif refusals:
        yield warning(
            "CloudTrail",
            f"cannot be looked at, so a trail that brings operators' calls may be missing: {refusals[0]}",
            f"allow yourself {', '.join(TRAIL_ACTIONS)} (an organisation's trail: look at it in its own account)",
        )
    else:
        off = [trail.name for trail in readable if not trail.is_logging]
        found = f"the trail {off[0]} is switched off" if off else "no trail records management events that write"
        yield warning(
            "CloudTrail",
            f"{found}: resizes by people are seen from changed counts only, tags and protection by the sweep",
            f"aws cloudtrail start-logging --name {off[0]}" if off else TRAIL_ADVICE,
        )


def _policies(installation: Installation) -> Iterator[Finding]:
    policies = installation.account.policies()
    for name, policy in policies.items():
        if isinstance(policy, InvalidPolicyError):
            yield failed(f"policy {name}", str(policy), "mend it; emr-autoscaler policy validate FILE checks it")
    usable = [policy for policy in policies.values() if isinstance(policy, Policy)]
    if usable:
        live = [policy.name for policy in usable if policy.mode is Mode.LIVE]
        yield ok("policies", f"{len(usable)} usable, live: {', '.join(live) or 'none'}")
    elif not policies:
        yield failed("policies", "there is none", "deploy the stack again; it brings the policy named default")


def _journal(installation: Installation) -> Iterator[Finding]:
    now = installation.ports.clock.now()
    late = installation.ports.decisions.unfinished(now - INTENT_IS_LATE_AFTER)
    if late:
        clusters = ", ".join(sorted({record.decision.cluster_id for record in late}))
        yield failed(
            "journal",
            f"{len(late)} decisions without an outcome ({clusters})",
            "the full sweep closes them: see that sweep-fleet runs",
        )
    else:
        yield ok("journal", "every intent has its outcome")
