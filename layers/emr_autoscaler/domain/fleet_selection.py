"""Which task fleet a cluster with fleets should have, of types that can be had; groups are pool_selection.py's."""

from collections.abc import Sequence
from dataclasses import dataclass

from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.fleets import FleetType, InstanceFleet
from emr_autoscaler.domain.instance_types import POOLS_WANTED, candidates_of
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.pool_selection import Availability


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFleet:
    """The task fleet the policy wants and a cluster with fleets lacks; units as in NewTaskFleet."""

    name: str
    types: tuple[FleetType, ...]
    on_demand_units: int
    spot_units: int


def missing_task_fleet(
    fleets: Sequence[InstanceFleet], policy: TaskPolicy, availability: Availability | None = None
) -> WantedFleet | None:
    """Return the task fleet the policy's types make, where a cluster with fleets has none.

    Of a profile those are the first that can be had. An instance counts by its YARN memory: one unit for
    the smallest type. Types whose memory is not known cannot be weighed beside others and are left out,
    unless none is known: then each counts one unit. EMR creates no fleet at zero, so one unit of spot is
    the least; the first look gives it back.

    Args:
        fleets: Of the cluster.
        policy: Says which types and bounds.
        availability: Which of the types can be had; None where nobody asked: then all.
    """
    has_one = any(fleet.role is Role.TASK for fleet in fleets)
    named = policy.instance_types or (candidates_of(policy.profile) if policy.profile else ())
    types = [t for t in named if availability is None or not availability.why_not(t)]
    if has_one or not policy.enabled or not types or not policy.max_nodes:
        return None
    if not policy.instance_types:
        types = types[:POOLS_WANTED]
    memory = {t: mib for t in types if (mib := yarn_mib_per_node(t, learned=None)) is not None}
    weighed = {t: max(1, round(mib / min(memory.values()))) for t, mib in memory.items()}
    on_demand = policy.on_demand_min_nodes
    return WantedFleet(
        name="emr-autoscaler task fleet",
        types=tuple(
            FleetType(instance_type=t, units=units) for t, units in (weighed or dict.fromkeys(types, 1)).items()
        ),
        on_demand_units=on_demand,
        spot_units=max(policy.min_nodes - on_demand, 0 if on_demand else 1),
    )
