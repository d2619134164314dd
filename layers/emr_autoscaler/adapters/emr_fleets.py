"""Instance fleets in botocore's shapes and the domain's; the calls are made in emr.py and emr_actuator.py."""

from datetime import timedelta
from typing import TYPE_CHECKING

from emr_autoscaler.adapters.emr_volumes import data_volumes
from emr_autoscaler.domain.cluster import GroupState, Role
from emr_autoscaler.domain.fleets import FleetTarget, FleetType, InstanceFleet
from emr_autoscaler.ports import NewTaskFleet

if TYPE_CHECKING:
    from mypy_boto3_emr.type_defs import (
        InstanceFleetConfigTypeDef,
        InstanceFleetModifyConfigTypeDef,
        InstanceFleetTypeDef,
        InstanceTypeSpecificationTypeDef,
    )

SHORTEST_TIMEOUT = timedelta(minutes=5)
"""EMR's own least TimeoutDurationMinutes."""


def read_fleet(fleet: "InstanceFleetTypeDef") -> InstanceFleet:
    """Return a fleet as ListInstanceFleets describes it; what EMR leaves out is zero."""
    return InstanceFleet(
        fleet_id=fleet["Id"],
        role=Role(fleet["InstanceFleetType"]),
        state=GroupState(fleet["Status"]["State"]),
        target_on_demand_units=fleet.get("TargetOnDemandCapacity", 0),
        target_spot_units=fleet.get("TargetSpotCapacity", 0),
        provisioned_on_demand_units=fleet.get("ProvisionedOnDemandCapacity", 0),
        provisioned_spot_units=fleet.get("ProvisionedSpotCapacity", 0),
        types=tuple(_read_type(kind) for kind in fleet.get("InstanceTypeSpecifications", [])),
        name=fleet.get("Name", ""),
    )


def _read_type(kind: "InstanceTypeSpecificationTypeDef") -> FleetType:
    instance_type = kind["InstanceType"]
    return FleetType(
        instance_type=instance_type,
        units=kind.get("WeightedCapacity", 1),
        volumes=data_volumes(instance_type, kind.get("EbsBlockDevices", [])),
    )


def fleet_order(target: FleetTarget) -> "InstanceFleetModifyConfigTypeDef":
    """Return the order of both targets: one that is left out would stay as somebody else set it."""
    return {
        "InstanceFleetId": target.fleet_id,
        "TargetOnDemandCapacity": target.on_demand_units,
        "TargetSpotCapacity": target.spot_units,
    }


def new_fleet(fleet: NewTaskFleet) -> "InstanceFleetConfigTypeDef":
    """Return a task fleet to be created; the other timeout action, TERMINATE_CLUSTER, is never sent."""
    timeout = max(fleet.give_up_spot_after, SHORTEST_TIMEOUT)
    return {
        "Name": fleet.name,
        "InstanceFleetType": "TASK",
        "TargetOnDemandCapacity": fleet.on_demand_units,
        "TargetSpotCapacity": fleet.spot_units,
        "InstanceTypeConfigs": [
            {"InstanceType": kind.instance_type, "WeightedCapacity": kind.units} for kind in fleet.types
        ],
        "LaunchSpecifications": {
            "SpotSpecification": {
                "TimeoutDurationMinutes": int(timeout / timedelta(minutes=1)),
                "TimeoutAction": "SWITCH_TO_ON_DEMAND",
                "AllocationStrategy": "capacity-optimized",
            }
        },
    }
