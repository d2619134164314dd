"""What EMR refuses of calls about instance fleets, in its own words where they are known; nothing is changed."""

from collections.abc import Sequence

from emr_simulator.catalogue import VOLUMES, instance_type
from emr_simulator.clusters import Cluster
from emr_simulator.errors import ApiError, invalid_request, validation
from emr_simulator.fleet_descriptions import FleetResize, FleetSpec
from emr_simulator.fleets import Fleet
from emr_simulator.words import GroupState, Role

MAXIMUM_TYPES = 30
"""Five without, thirty with an allocation strategy (EMR Management Guide, instance fleets)."""

_RESIZABLE = {GroupState.RUNNING, GroupState.RESIZING, GroupState.SUSPENDED}


def of_fleet_calls(cluster: Cluster, operation: str) -> None:
    """Refuse calls about fleets on a cluster with groups."""
    if not cluster.spec.uses_fleets:
        raise invalid_request(
            "Instance fleets and instance groups are mutually exclusive. The EMR cluster specified in the "
            f"request uses instance groups. The {operation} operation does not support clusters that use "
            f"instance groups. Use the {operation.replace('Fleet', 'Group')} operation instead."
        )


def known_fleet(cluster: Cluster, fleet_id: str) -> Fleet:
    """Return a fleet of a cluster. Raises ApiError for an unknown id."""
    fleet = cluster.groups.get(fleet_id)
    if not isinstance(fleet, Fleet):
        raise unknown_fleet(fleet_id)
    return fleet


def unknown_fleet(fleet_id: str) -> ApiError:
    """Return EMR's answer to a fleet id it does not know."""
    return invalid_request(f"Instance fleet id '{fleet_id}' is not valid.")


def of_resize(cluster: Cluster, order: FleetResize) -> None:
    """Refuse an order that EMR would not carry out."""
    fleet = known_fleet(cluster, order.fleet_id)
    if order.on_demand_units is None or order.spot_units is None:
        # Seen of EMR itself (gchq/sleeper issue 6422), though its reference calls both optional.
        both = "both targetOnDemandCapacity and targetSpotCapacity"
        raise validation(f"The instance fleet ({order.fleet_id}) should have {both} specified.")
    if not cluster.is_up:
        raise validation("An instance fleet may only be modified when the cluster is running or waiting.")
    if fleet.spec.role is Role.MASTER:
        raise validation("The master instance fleet cannot be resized.")
    if fleet.state not in _RESIZABLE:
        raise validation(f"Instance fleet {order.fleet_id} is in state {fleet.state.value} and cannot be resized.")
    before = sum(fleet.targets.values())
    units = [order.on_demand_units, order.spot_units]
    if min(units) < 0:
        raise validation("Target capacity must not be below 0.")
    largest = max(kind.units for kind in fleet.fleet.types)
    if fleet.spec.role is Role.CORE and sum(units) < before and -(-sum(units) // largest) < cluster.replication:
        raise validation(
            f"Target capacity {sum(units)} of core instance fleet {order.fleet_id} must not leave fewer "
            f"instances than the HDFS replication factor {cluster.replication}."
        )


def of_added_fleet(cluster: Cluster, spec: FleetSpec) -> None:
    """Refuse a fleet that cannot be added to a running cluster."""
    if spec.role is not Role.TASK:
        raise validation(f"Only a task instance fleet may be added: {spec.role.value}.")
    if any(group.spec.role is Role.TASK for group in cluster.groups.values()):
        raise validation("The cluster already has a task instance fleet.")
    _of_fleet(spec)


def of_new_fleets(specs: Sequence[FleetSpec]) -> None:
    """Refuse the fleets of a cluster that cannot be."""
    roles = [spec.role for spec in specs]
    if len(set(roles)) != len(roles):
        raise validation("A cluster has at most one instance fleet of each type.")
    if Role.MASTER not in roles:
        raise validation("A cluster needs a master instance fleet.")
    if Role.TASK in roles and Role.CORE not in roles:
        raise validation("A cluster with a task instance fleet needs a core instance fleet.")
    for spec in specs:
        _of_fleet(spec)
        if spec.role is Role.MASTER and (spec.on_demand_units + spec.spot_units != 1):
            raise validation("The master instance fleet must have a target capacity of 1.")


def _of_fleet(spec: FleetSpec) -> None:
    if min(spec.on_demand_units, spec.spot_units) < 0 or not spec.on_demand_units + spec.spot_units:
        raise validation("At least one of TargetSpotCapacity and TargetOnDemandCapacity should be greater than 0.")
    names = [kind.instance_type for kind in spec.types]
    if not 1 <= len(names) <= MAXIMUM_TYPES or len(set(names)) != len(names):
        raise validation(f"An instance fleet takes 1 to {MAXIMUM_TYPES} different instance types.")
    for kind in spec.types:
        instance_type(kind.instance_type)
        if kind.units < 1:
            raise validation(f"Weighted capacity {kind.units} must be 1 or greater.")
        for volume in kind.volumes or ():
            if volume.volume_type not in VOLUMES:
                raise validation(f"Volume type {volume.volume_type} is not valid.")
