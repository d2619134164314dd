"""emr-autoscaler status: every enrolled cluster in one line."""

import argparse
from typing import Any

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.errors import InvalidPolicyError
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler_cli.account import PolicyBook
from emr_autoscaler_cli.failures import DONE
from emr_autoscaler_cli.installation import Installation
from emr_autoscaler_cli.output import moment, print_json, print_line, print_table

EXAMPLES = """\
examples:
  emr-autoscaler status
  emr-autoscaler status --all --json
  emr-autoscaler status --stack-prefix emr-autoscaler-test --profile test --region eu-west-1

nodes are running/requested; of a cluster with instance fleets units provisioned/asked for, marked u. A cluster
without a next evaluation is settled: nothing is looked at until an alarm or an event speaks.
"""

COLUMNS = ["cluster", "name", "state", "policy", "mode", "core", "task", "next evaluation", "last decision"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what status takes."""
    parser.add_argument(
        "--all", action="store_true", help="ended and opted-out clusters whose costs are open as well"
    )


def run(arguments: argparse.Namespace, installation: Installation) -> int:
    """Show every enrolled cluster."""
    entries = [entry for entry in installation.ports.registry.all() if arguments.all or entry.is_active]
    policies = installation.account.policies()
    clusters = [describe(entry, policies, installation) for entry in entries]
    if arguments.json:
        print_json({"stack_prefix": installation.prefix, "clusters": clusters})
    elif clusters:
        print_table(COLUMNS, [_row(cluster) for cluster in clusters], right=["core", "task"])
    else:
        print_line("no cluster is enrolled; the tag emr-autoscaler:policy=<name> on a cluster enrolls it")
    return DONE


def describe(entry: RegistryEntry, policies: PolicyBook, installation: Installation) -> dict[str, Any]:
    """Return one cluster as JSON."""
    last = next(iter(installation.ports.decisions.of_cluster(entry.cluster_id, limit=1)), None)
    return {
        "cluster_id": entry.cluster_id,
        "name": entry.cluster.name,
        "state": entry.cluster.state,
        "paused": entry.is_paused,
        "policy": entry.policy_name,
        "mode": _mode(entry, policies),
        "cost_centre": entry.cost_centre,
        "counted_in": "units" if entry.fleets else "nodes",
        "nodes": {role.value: _nodes(entry, role) for role in Role},
        "fleets": [_fleet(fleet) for fleet in entry.fleets],
        "next_evaluation_at": entry.next_evaluation_at,
        "last_decision": None
        if last is None
        else {
            "decided_at": last.decision.decided_at,
            "kind": last.decision.kind,
            "action": last.decision.action,
            "reason": last.decision.reason,
            "outcome": last.outcome,
        },
    }


def _mode(entry: RegistryEntry, policies: PolicyBook) -> str:
    policy = policies.get(entry.policy_name)
    if policy is None:
        return "opted out" if not entry.policy_name else "no such policy"
    return "invalid policy" if isinstance(policy, InvalidPolicyError) else policy.mode.value


def _nodes(entry: RegistryEntry, role: Role) -> dict[str, int]:
    groups = [group for group in entry.groups if group.role is role]
    fleets = [fleet for fleet in entry.fleets if fleet.role is role]
    return {
        "running": sum(g.running_count for g in groups) + sum(f.provisioned_units for f in fleets),
        "requested": sum(g.requested_count for g in groups) + sum(f.target_units for f in fleets),
    }


def _fleet(fleet: InstanceFleet) -> dict[str, Any]:
    return {
        "fleet_id": fleet.fleet_id,
        "role": fleet.role,
        "state": fleet.state,
        "target_on_demand_units": fleet.target_on_demand_units,
        "target_spot_units": fleet.target_spot_units,
        "provisioned_on_demand_units": fleet.provisioned_on_demand_units,
        "provisioned_spot_units": fleet.provisioned_spot_units,
        "types": {kind.instance_type: kind.units for kind in fleet.types},
    }


def _row(cluster: dict[str, Any]) -> list[str]:
    last = cluster["last_decision"]
    unit = " u" if cluster["counted_in"] == "units" else ""
    return [
        cluster["cluster_id"],
        cluster["name"],
        f"{cluster['state']}{' (paused)' if cluster['paused'] else ''}",
        cluster["policy"] or "-",
        cluster["mode"],
        *(
            f"{nodes['running']}/{nodes['requested']}{unit}"
            for nodes in (cluster["nodes"][r.value] for r in (Role.CORE, Role.TASK))
        ),
        moment(cluster["next_evaluation_at"]),
        f"{moment(last['decided_at'])} {last['kind']} {last['action']} {last['reason']}" if last else "-",
    ]
