"""emr-autoscaler explain: what was decided on a cluster, from what, and that it would be decided so again."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from emr_autoscaler.adapters.evidence import dump_evidence
from emr_autoscaler.domain.core_scene import CoreEvidence
from emr_autoscaler.domain.decision import Action, DecisionKind, GroupTarget
from emr_autoscaler.domain.fleets import FleetTarget, InstanceFleet
from emr_autoscaler.domain.idleness import IdleEvidence
from emr_autoscaler.domain.interruption import InterruptionEvidence
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.record import DecisionRecord
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.domain.tuning import tuning_of
from emr_autoscaler.ports import Decisions
from emr_autoscaler_cli import explain_words as words
from emr_autoscaler_cli.arguments import utc_time, whole_number
from emr_autoscaler_cli.failures import DONE, FailedError
from emr_autoscaler_cli.installation import Installation
from emr_autoscaler_cli.output import moment, print_facts, print_json, print_line, print_table
from emr_autoscaler_cli.reasons import EXPLANATIONS, NOTHING
from emr_autoscaler_cli.replay import Replay, replay

LOOK_BACK = timedelta(days=1)
MOST_IN_A_DAY = 20_000

REPORTS = frozenset({Action.ALERT, Action.ADD_GROUPS})
"""What is recorded of them is said as it is seen: most are made by no decision function."""

EXAMPLES = """\
examples:
  emr-autoscaler explain j-2AXXXXXXGAPLF
  emr-autoscaler explain j-2AXXXXXXGAPLF --at 2026-10-05T13:20Z
  emr-autoscaler explain j-2AXXXXXXGAPLF --last 20 --kind TASK --json

The recorded evidence is handed to the decision function again, and the two decisions are compared: they
agree unless the rules have changed since. Records are kept for 90 days.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what explain takes."""
    parser.add_argument("cluster", metavar="CLUSTER", help="cluster id, j-...")
    parser.add_argument(
        "--at", type=utc_time, metavar="TIME", help="decisions up to this time (UTC), at most a day older"
    )
    parser.add_argument("--last", type=whole_number(1, 1000), default=1, metavar="N", help="how many (default: 1)")
    parser.add_argument("--kind", choices=[kind.value for kind in DecisionKind], help="only this kind")


def run(arguments: argparse.Namespace, installation: Installation) -> int:
    """Explain the decisions asked for.

    Raises:
        FailedError: None was found.
    """
    kind = None if arguments.kind is None else DecisionKind(arguments.kind)
    records = find_records(
        installation.ports.decisions, arguments.cluster, at=arguments.at, last=arguments.last, kind=kind
    )
    if not records:
        window = f" in the day before {moment(arguments.at)}" if arguments.at else ""
        msg = f"no {arguments.kind or ''} decision on {arguments.cluster} is recorded{window}".replace("  ", " ")
        raise FailedError(msg)
    if arguments.json:
        explained = [document(record, replay(record)) for record in records]
        print_json({"cluster_id": arguments.cluster, "decisions": explained})
    else:
        for record in records:
            show(record, replay(record))
    return DONE


def find_records(
    decisions: Decisions, cluster_id: str, *, at: datetime | None, last: int, kind: DecisionKind | None
) -> list[DecisionRecord]:
    """Return the newest records of a cluster, newest first.

    Args:
        decisions: The journal.
        cluster_id: j-...
        at: The newest that count were decided at this time; None for now.
        last: How many.
        kind: Only those of this kind; None for all.
    """
    if at is None:
        found = decisions.of_cluster(cluster_id, limit=last if kind is None else MOST_IN_A_DAY)
    else:
        found = decisions.of_cluster(cluster_id, since=at - LOOK_BACK, limit=MOST_IN_A_DAY)
        found = tuple(record for record in found if record.decision.decided_at <= at)
    return [record for record in found if kind is None or record.decision.kind is kind][:last]


def document(record: DecisionRecord, replayed: Replay) -> dict[str, Any]:
    """Return a decision as JSON: recorded, explained, decided again."""
    decision = record.decision
    explanation = EXPLANATIONS[decision.reason]
    return {
        "record_id": record.record_id,
        "decided_at": decision.decided_at,
        "kind": decision.kind,
        "action": decision.action,
        "reason": decision.reason,
        "meaning": explanation.meaning,
        "what_to_do": explanation.advice,
        "detail": decision.detail,
        "targets": [_target(target) for target in decision.targets],
        "outcome": record.outcome,
        "error": record.error,
        "note": record.note,
        "told_as": record.told_as,
        "trigger": record.trigger,
        "next_evaluation_at": decision.next_evaluation_at,
        "replay": {"agrees": replayed.agrees, "differences": list(replayed.differences)},
        "evidence": None if record.evidence is None else dump_evidence(decision.kind, record.evidence),
    }


def _target(target: GroupTarget | FleetTarget) -> dict[str, Any]:
    sizes = {"previous_count": target.previous_count, "count": target.count}
    if isinstance(target, GroupTarget):
        named = {"leave_first": list(target.leave_first), "protected": list(target.protected)}
        return {"group_id": target.group_id, **sizes, **named}
    return {
        "fleet_id": target.fleet_id,
        **sizes,
        "previous_on_demand_units": target.previous_on_demand_units,
        "on_demand_units": target.on_demand_units,
        "previous_spot_units": target.previous_spot_units,
        "spot_units": target.spot_units,
    }


def show(record: DecisionRecord, replayed: Replay) -> None:
    """Print a decision for people: what and why first, then what it was made from."""
    decision, explanation = record.decision, EXPLANATIONS[record.decision.reason]
    facts = {
        "why": f"{explanation.meaning} [{decision.reason}]",
        "arithmetic": decision.detail,
        "orders": "\n".join(words.orders(record)),
        "what became of it": words.what_became(record),
        "what to do": "" if explanation.advice == NOTHING else explanation.advice,
        "next look": words.next_look(decision),
        "looked because": words.cause(record.trigger),
        **_inputs(record),
        "decided again": "" if decision.action in REPORTS else _agreement(replayed),
    }
    done = words.what_was_done(record)
    title = f"{moment(decision.decided_at)}  {done}  ({decision.kind} {decision.action})"
    print_facts({name: text for name, text in facts.items() if text}, title=title)
    _show_groups(record)
    if record.evidence is not None and not isinstance(record.evidence, InterruptionEvidence):
        _show_metrics(record.evidence.metrics, decision.decided_at)
    print_line()


def _agreement(replayed: Replay) -> str:
    if replayed.decision is None:
        return "not possible: nothing was kept that this release could decide from again"
    if not replayed.differences:
        return "agrees: the stored evidence gives the same decision"
    return f"DIFFERS in {', '.join(replayed.differences)}: the rules have changed since"


def _inputs(record: DecisionRecord) -> Mapping[str, str]:
    evidence = record.evidence
    if isinstance(evidence, IdleEvidence):
        announced = evidence.memory.announced_at
        return {"announced": moment(announced), "asked EMR": "yes" if evidence.recheck else "no"}
    if not isinstance(evidence, TaskEvidence | CoreEvidence):
        return {}
    return {
        "metrics missing": words.missing_metrics(record),
        "set by somebody else": words.standing_hold(record),
        "last resize": words.last_resizes(evidence),
        "works unseen by YARN": words.unseen(evidence),
        "fleets": "\n".join(map(_fleet, evidence.fleets)),
        **(dict(_task_inputs(evidence)) if isinstance(evidence, TaskEvidence) else {}),
    }


def _fleet(fleet: InstanceFleet) -> str:
    types = ", ".join(f"{kind.instance_type} x{kind.units}" for kind in fleet.types)
    return (
        f"{fleet.role} {fleet.provisioned_on_demand_units}/{fleet.target_on_demand_units} units on demand, "
        f"{fleet.provisioned_spot_units}/{fleet.target_spot_units} on spot {fleet.state} "
        f"({fleet.fleet_id}: {types})"
    )


def _task_inputs(evidence: TaskEvidence) -> Iterator[tuple[str, str]]:
    policy = evidence.policy
    tuning = tuning_of(policy)
    drain, hold = tuning.drain_within.total_seconds(), tuning.hold.total_seconds()
    counted = "units of the task fleet" if evidence.fleets else "task nodes"
    aim = f"objective {policy.objective}" if policy.drain_within is None else "a drain time of its own"
    bounds = f"{policy.min_nodes}-{policy.max_nodes} {counted}, {aim}"
    lengths = f", or {tuning.drain_lengths:g} times the length of its containers" if tuning.drain_lengths else ""
    patience = f"waiting work may take {drain:.0f} s{lengths}"
    kept = f", nodes needed in the last {hold:.0f} s are kept" if hold else ""
    yield "policy", f"{bounds}: {patience}{kept}"
    wanted = ", ".join(f"{want.mib:.0f} MiB at {want.at:%H:%M}" for want in evidence.memory.wanted)
    yield "needed lately", wanted
    since = evidence.memory.on_demand_since
    yield "on demand stands in for spot", f"since {moment(since)}" if since else ""
    yield "host application masters", words.hosts(evidence)


def _show_groups(record: DecisionRecord) -> None:
    ordered = {target.group_id: target.count for target in record.decision.targets}
    rows = [
        [
            words.group_name(group),
            str(group.running_count),
            str(group.requested_count),
            str(ordered.get(group.group_id, "")),
            str(group.state),
            _pool(record, group.group_id),
        ]
        for group in words.groups_of(record)
    ]
    if rows:
        columns = ["group", "running", "ordered before", "now", "state", "pool"]
        print_table(columns, rows, right=["running", "ordered before", "now"])


def _pool(record: DecisionRecord, group_id: str) -> str:
    evidence = record.evidence
    health = evidence.pools.get(group_id) if isinstance(evidence, TaskEvidence | InterruptionEvidence) else None
    if health is None or not health.is_cooling(record.decision.decided_at):
        return ""
    return f"not asked until {moment(health.cooling_until)}"


def _show_metrics(metrics: ClusterMetrics, now: datetime) -> None:
    rows = []
    for name, points in sorted(metrics.series.items()):
        if points:
            newest = max(points, key=lambda point: point.at)
            age = f"{(now - newest.at).total_seconds():.0f} s"
            meaning = words.MEANINGS.get(name, "")
            rows.append([name.value, f"{newest.value:g}", meaning, moment(newest.at), age, str(len(points))])
    if rows:
        columns = ["metric", "newest", "", "sampled", "age", "samples"]
        print_table(columns, rows, right=["newest", "age", "samples"])
