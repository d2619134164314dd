"""What doctor looks for in the instance fleets of a cluster; everything else is in cluster_checks.py."""

from collections.abc import Iterator

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.fleet_steps import fleet_of, unit_mib
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler_cli.findings import Finding, failed, warning

FEWEST_TYPES = 3
"""Facts on spot: with three to five pools one that dries up is not the end."""


def check_fleets(entry: RegistryEntry, what: str) -> Iterator[Finding]:
    """Yield what does not scale, or scales badly, in a cluster with fleets."""
    if not entry.fleets:
        yield warning(what, "its instance fleets are not known yet", "wait for the next full sweep, five minutes")
        return
    task, core = fleet_of(entry.fleets, Role.TASK), fleet_of(entry.fleets, Role.CORE)
    if task is None:
        yield warning(what, "has no task fleet", "name task.instance_types in its policy, or add one")
    else:
        yield from _check_task_fleet(task, entry, what)
    if core is not None and not core.has_one_size:
        yield warning(
            what, "its core fleet has types of different weight, so it only grows", "give its types one weight"
        )
    for fleet in entry.fleets:
        if fleet.state in {"SUSPENDED", "ARRESTED"}:
            yield failed(what, f"{fleet.fleet_id} is {fleet.state}", "read its last state change reason in EMR")
        if fleet.role is not Role.TASK and fleet.target_spot_units:
            yield warning(
                what, f"its {fleet.role} fleet is on spot", "an interruption loses HDFS blocks or the cluster"
            )


def _check_task_fleet(fleet: InstanceFleet, entry: RegistryEntry, what: str) -> Iterator[Finding]:
    if len(fleet.types) < FEWEST_TYPES:
        many = f"{len(fleet.types)} instance type{'s' if len(fleet.types) > 1 else ''}"
        yield warning(what, f"its task fleet buys from {many}", "give it 3 to 5 of one class")
    if unit_mib(fleet, learned=entry.task.node_mib) is None:
        yield warning(
            what, "the YARN memory of a unit of its task fleet is not known", "give its types one weight"
        )
