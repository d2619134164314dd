"""EMR's operations on instance fleets in botocore's shapes; what they do is the World's."""

from collections.abc import Mapping
from typing import Any

from emr_simulator.apis.emr_shapes import device, timeline, volume
from emr_simulator.apis.operations import Result, present
from emr_simulator.descriptions import VolumeSpec
from emr_simulator.errors import ApiError
from emr_simulator.fleet_descriptions import FleetDescription, FleetResize, FleetSpec, FleetTypeSpec
from emr_simulator.words import Role


def read_fleet(entry: Mapping[str, Any]) -> FleetSpec:
    """Read an InstanceFleetConfig."""
    refuse(entry, "ResizeSpecifications", "Context")
    spot = entry.get("LaunchSpecifications", {}).get("SpotSpecification", {})
    if spot.get("TimeoutAction", "SWITCH_TO_ON_DEMAND") != "SWITCH_TO_ON_DEMAND":
        raise ApiError("UnsupportedOperation", f"TimeoutAction {spot['TimeoutAction']} is not simulated")
    minutes = spot.get("TimeoutDurationMinutes")
    return FleetSpec(
        role=Role(entry["InstanceFleetType"]),
        types=tuple(_read_type(kind) for kind in entry.get("InstanceTypeConfigs", ())),
        on_demand_units=entry.get("TargetOnDemandCapacity", 0),
        spot_units=entry.get("TargetSpotCapacity", 0),
        name=entry.get("Name", ""),
        switch_to_on_demand_after_seconds=None if minutes is None else minutes * 60,
    )


def _read_type(entry: Mapping[str, Any]) -> FleetTypeSpec:
    refuse(entry, "BidPrice", "Configurations", "CustomAmiId", "Priority")
    devices = entry.get("EbsConfiguration", {}).get("EbsBlockDeviceConfigs")
    return FleetTypeSpec(
        instance_type=entry["InstanceType"],
        units=entry.get("WeightedCapacity", 1),
        volumes=read_volumes(devices) if devices else None,
        bid_percent=entry.get("BidPriceAsPercentageOfOnDemandPrice"),
    )


def read_resize(entry: Mapping[str, Any]) -> FleetResize:
    """Read an InstanceFleetModifyConfig."""
    refuse(entry, "ResizeSpecifications", "InstanceTypeConfigs", "Context")
    return FleetResize(
        fleet_id=entry["InstanceFleetId"],
        on_demand_units=entry.get("TargetOnDemandCapacity"),
        spot_units=entry.get("TargetSpotCapacity"),
    )


def read_volumes(devices: list[Mapping[str, Any]]) -> tuple[VolumeSpec, ...]:
    """Read an EbsBlockDeviceConfigList."""
    return tuple(
        _read_volume(entry["VolumeSpecification"])
        for entry in devices
        for _ in range(entry.get("VolumesPerInstance", 1))
    )


def _read_volume(specification: Mapping[str, Any]) -> VolumeSpec:
    return VolumeSpec(
        volume_type=specification["VolumeType"],
        size_gib=specification["SizeInGB"],
        iops=specification.get("Iops"),
        throughput_mibps=specification.get("Throughput"),
    )


def refuse(entry: Mapping[str, Any], *names: str) -> None:
    """Refuse what the simulator cannot do, instead of answering as if it had not been asked."""
    for name in names:
        if name in entry:
            raise ApiError("UnsupportedOperation", f"{name} is not simulated")


def fleet(described: FleetDescription) -> Result:
    """Return an InstanceFleet as ListInstanceFleets shows it."""
    return present(
        Id=described.fleet_id,
        Name=described.name or None,
        InstanceFleetType=described.role.value,
        Status={
            "State": described.state.value,
            "StateChangeReason": {"Message": described.state_change_message},
            "Timeline": timeline(described.created_at, described.ready_at, described.ended_at),
        },
        TargetOnDemandCapacity=described.target_on_demand_units,
        TargetSpotCapacity=described.target_spot_units,
        ProvisionedOnDemandCapacity=described.provisioned_on_demand_units,
        ProvisionedSpotCapacity=described.provisioned_spot_units,
        InstanceTypeSpecifications=[
            present(
                InstanceType=kind.instance_type,
                WeightedCapacity=kind.units,
                BidPriceAsPercentageOfOnDemandPrice=kind.bid_percent or 100.0,
                EbsBlockDevices=[
                    {"VolumeSpecification": volume(spec), "Device": device(number)}
                    for number, spec in enumerate(kind.volumes or ())
                ],
            )
            for kind in described.types
        ],
    )
