"""emr-autoscaler explain: what was decided on a cluster, from what, and that it would be decided so again."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from emr_autoscaler.adapters.evidence import dump_evidence
from emr_autoscaler.domain.decision import DecisionKind, GroupTarget, order_in_words
from emr_autoscaler.domain.fleets import FleetTarget, InstanceFleet
from emr_autoscaler.domain.idleness import IdleEvidence
from emr_autoscaler.domain.interruption import InterruptionEvidence
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.record import DecisionRecord
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.domain.tuning import TUNING
from emr_autoscaler.ports import Decisions
from emr_autoscaler_cli.arguments import utc_time, whole_number
from emr_autoscaler_cli.failures import DONE, FailedError
from emr_autoscaler_cli.installation import Installation
from emr_autoscaler_cli.output import moment, print_facts, print_json, print_line, print_table
from emr_autoscaler_cli.reasons import EXPLANATIONS, NOTHING
from emr_autoscaler_cli.replay import Replay, replay

LOOK_BACK = timedelta(days=1)
MOST_IN_A_DAY = 20_000

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
    words = EXPLANATIONS[decision.reason]
    return {
        "record_id": record.record_id,
        "decided_at": decision.decided_at,
        "kind": decision.kind,
        "action": decision.action,
        "reason": decision.reason,
        "meaning": words.meaning,
        "what_to_do": words.advice,
        "detail": decision.detail,
        "targets": [_target(target) for target in decision.targets],
        "outcome": record.outcome,
        "error": record.error,
        "trigger": record.trigger,
        "next_evaluation_at": decision.next_evaluation_at,
        "replay": {"agrees": replayed.agrees, "differences": list(replayed.differences)},
        "evidence": None if record.evidence is None else dump_evidence(decision.kind, record.evidence),
    }


def _target(target: GroupTarget | FleetTarget) -> dict[str, Any]:
    sizes = {"previous_count": target.previous_count, "count": target.count}
    if isinstance(target, GroupTarget):
        return {"group_id": target.group_id} | sizes
    return {
        "fleet_id": target.fleet_id,
        **sizes,
        "previous_on_demand_units": target.previous_on_demand_units,
        "on_demand_units": target.on_demand_units,
        "previous_spot_units": target.previous_spot_units,
        "spot_units": target.spot_units,
    }


def show(record: DecisionRecord, replayed: Replay) -> None:
    """Print a decision for people."""
    decision, words = record.decision, EXPLANATIONS[record.decision.reason]
    facts = {
        "reason": f"{decision.reason}: {words.meaning}",
        "arithmetic": decision.detail,
        "orders": "; ".join(map(order_in_words, decision.targets)),
        "outcome": f"{record.outcome} {record.error}".strip(),
        "trigger": record.trigger,
        "looks again": moment(decision.next_evaluation_at),
        "what to do": "" if words.advice == NOTHING else words.advice,
        **_inputs(record),
        "decided again": _agreement(replayed),
    }
    title = f"{moment(decision.decided_at)}  {decision.kind}  {decision.action}"
    print_facts({name: text for name, text in facts.items() if text}, title=title)
    if record.evidence is not None and not isinstance(record.evidence, InterruptionEvidence):
        _show_metrics(record.evidence.metrics, decision.decided_at)
    print_line()


def _agreement(replayed: Replay) -> str:
    if replayed.decision is None:
        return "not possible: the record keeps no evidence that this release can read"
    if not replayed.differences:
        return "agrees: the stored evidence gives the same decision"
    return f"DIFFERS in {', '.join(replayed.differences)}: the rules have changed since"


def _inputs(record: DecisionRecord) -> Mapping[str, str]:
    evidence = record.evidence
    if evidence is None:
        return {}
    if isinstance(evidence, IdleEvidence):
        announced = evidence.memory.announced_at
        return {"announced": moment(announced), "asked EMR": "yes" if evidence.recheck else "no"}
    groups = ", ".join(
        f"{g.role} {g.market} {g.instance_type} {g.running_count}/{g.requested_count} {g.state} ({g.group_id})"
        for g in evidence.groups
    )
    seen = {"groups": groups, "fleets": ", ".join(map(_fleet, evidence.fleets))}
    return {**seen, **dict(_task_inputs(evidence))} if isinstance(evidence, TaskEvidence) else seen


def _fleet(fleet: InstanceFleet) -> str:
    types = ", ".join(f"{kind.instance_type} x{kind.units}" for kind in fleet.types)
    return (
        f"{fleet.role} {fleet.provisioned_on_demand_units}/{fleet.target_on_demand_units} units on demand, "
        f"{fleet.provisioned_spot_units}/{fleet.target_spot_units} on spot {fleet.state} "
        f"({fleet.fleet_id}: {types})"
    )


def _task_inputs(evidence: TaskEvidence) -> Iterator[tuple[str, str]]:
    policy = evidence.policy
    tuning = TUNING[policy.objective]
    drain, hold = tuning.drain_within.total_seconds(), tuning.hold.total_seconds()
    counted = "units" if evidence.fleets else "nodes"
    bounds = f"{policy.min_nodes}-{policy.max_nodes} {counted}, objective {policy.objective}"
    yield "policy", f"{bounds}: drain within {drain:.0f} s, hold for {hold:.0f} s"
    wanted = ", ".join(f"{want.mib:.0f} MiB at {want.at:%H:%M}" for want in evidence.memory.wanted)
    yield "needed lately", wanted
    cooling = [gid for gid, health in sorted(evidence.pools.items()) if health.is_cooling(evidence.now)]
    yield "pools cooling", ", ".join(cooling)


def _show_metrics(metrics: ClusterMetrics, now: datetime) -> None:
    rows = []
    for name, points in sorted(metrics.series.items()):
        if points:
            newest = max(points, key=lambda point: point.at)
            age = f"{(now - newest.at).total_seconds():.0f} s"
            rows.append([name.value, f"{newest.value:g}", moment(newest.at), age, str(len(points))])
    if rows:
        print_table(["metric", "newest", "sampled", "age", "samples"], rows, right=["newest", "age", "samples"])
