"""emr-autoscaler pause and resume: one tag of a cluster, in EMR and, so that it holds at once, in the registry."""

import argparse
from dataclasses import replace

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.usecases.registry_updates import update_entry
from emr_autoscaler_cli.failures import DONE, FailedError
from emr_autoscaler_cli.installation import Installation
from emr_autoscaler_cli.output import print_json, print_line

PAUSED_TAG = "emr-autoscaler:paused"

PAUSE_EXAMPLES = """\
example:
  emr-autoscaler pause j-2AXXXXXXGAPLF

Sets the tag emr-autoscaler:paused=true. Until it is resumed the cluster is neither scaled nor reaped, and
warned instances are not replaced; its costs are recorded. A resize that EMR has begun goes on.
"""
RESUME_EXAMPLES = """\
example:
  emr-autoscaler resume j-2AXXXXXXGAPLF

Removes the tag emr-autoscaler:paused and asks for a look at the cluster at once.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what pause and resume take."""
    parser.add_argument("cluster", metavar="CLUSTER", help="cluster id, j-...")


def pause(arguments: argparse.Namespace, installation: Installation) -> int:
    """Suspend a cluster."""
    entry = _enrolled(arguments.cluster, installation)
    installation.account.set_tag(entry.cluster_id, PAUSED_TAG, "true")
    _remember(entry, installation, paused=True)
    return _report(arguments, entry, paused=True)


def resume(arguments: argparse.Namespace, installation: Installation) -> int:
    """Let a cluster be scaled again, and have it looked at."""
    entry = _enrolled(arguments.cluster, installation)
    installation.account.remove_tag(entry.cluster_id, PAUSED_TAG)
    _remember(entry, installation, paused=False)
    now = installation.ports.clock.now()
    for kind in (DecisionKind.TASK, DecisionKind.CORE):
        installation.ports.queue.request(entry.cluster_id, kind, now=now, cause="resumed")
    return _report(arguments, entry, paused=False)


def _enrolled(cluster_id: str, installation: Installation) -> RegistryEntry:
    entry = installation.ports.registry.get(cluster_id)
    if entry is None or not entry.is_active:
        msg = f"{cluster_id} is not enrolled with {installation.prefix}, or has ended; see emr-autoscaler status"
        raise FailedError(msg)
    return entry


def _remember(entry: RegistryEntry, installation: Installation, *, paused: bool) -> None:
    """Tell the registry as well: EMR sends no event when a tag changes."""

    def change(current: RegistryEntry) -> RegistryEntry:
        tags = {key: value for key, value in current.cluster.tags.items() if key != PAUSED_TAG}
        if paused:
            tags[PAUSED_TAG] = "true"
        return replace(current, cluster=replace(current.cluster, tags=tags))

    update_entry(installation.ports.registry, entry.cluster_id, change)


def _report(arguments: argparse.Namespace, entry: RegistryEntry, *, paused: bool) -> int:
    if arguments.json:
        print_json({"cluster_id": entry.cluster_id, "paused": paused})
    else:
        print_line(f"{entry.cluster_id} ({entry.cluster.name}) is {'paused' if paused else 'resumed'}")
    return DONE
