"""Which task fleet a cluster with instance fleets should have; task groups are pool_selection.py's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.fleets import FleetType, InstanceFleet
from emr_autoscaler.domain.policy import CapacityUnit, TaskPolicy
from emr_autoscaler.domain.pool_selection import Availability, spot_types

TASK_FLEET_NAME = "emr-autoscaler task fleet"


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

    An instance counts what the policy's weights say where its bounds are in units, else by its YARN memory: one
    unit for the smallest type. Types whose memory is not known cannot be weighed beside others and are left out,
    unless none is known: then each counts one unit. EMR creates no fleet at zero, so one unit of spot is the
    least; the first look gives it back.

    Args:
        fleets: All fleets of the cluster.
        policy: The task section of the policy.
        availability: Which types can be had; None where nobody asked, and then all can.
    """
    has_one = any(fleet.role is Role.TASK for fleet in fleets)
    types = spot_types(policy, availability)
    if has_one or not policy.enabled or not types or not policy.max_nodes:
        return None
    on_demand = policy.on_demand_min_nodes
    return WantedFleet(
        name=TASK_FLEET_NAME,
        types=tuple(FleetType(instance_type=t, units=units) for t, units in _weigh(types, policy).items()),
        on_demand_units=on_demand,
        spot_units=max(policy.min_nodes - on_demand, 0 if on_demand else 1),
    )


def _weigh(types: Sequence[str], policy: TaskPolicy) -> Mapping[str, int]:
    if policy.unit is CapacityUnit.UNITS:
        return {t: policy.weights.get(t, 1) for t in types}
    memory = {t: mib for t in types if (mib := yarn_mib_per_node(t, learned=None)) is not None}
    weighed = {t: max(1, round(mib / min(memory.values()))) for t, mib in memory.items()}
    return weighed or dict.fromkeys(types, 1)
