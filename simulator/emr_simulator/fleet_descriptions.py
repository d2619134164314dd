"""What calls about instance fleets take and return: frozen values in AWS's words, no behaviour."""

from dataclasses import dataclass
from datetime import datetime

from emr_simulator.descriptions import VolumeSpec
from emr_simulator.words import GroupState, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetTypeSpec:
    """An instance type a fleet may buy.

    Attributes:
        units: WeightedCapacity: what one instance counts towards the targets.
        volumes: Data volumes; None takes EMR's default for the type.
        bid_percent: Highest spot price in percent of the on-demand price; kept, and never outbid here.
    """

    instance_type: str
    units: int = 1
    volumes: tuple[VolumeSpec, ...] | None = None
    bid_percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSpec:
    """An instance fleet to be created.

    Attributes:
        switch_to_on_demand_after_seconds: When the first provisioning gives spot up and buys on demand
            what is missing; None waits for spot. It holds for the first provisioning only.
    """

    role: Role
    types: tuple[FleetTypeSpec, ...]
    on_demand_units: int = 0
    spot_units: int = 0
    name: str = ""
    switch_to_on_demand_after_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetResize:
    """A ModifyInstanceFleet call; EMR refuses one that leaves a target out."""

    fleet_id: str
    on_demand_units: int | None = None
    spot_units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDescription:
    """An instance fleet as ListInstanceFleets shows it; ``types`` have their volumes filled in."""

    fleet_id: str
    name: str
    role: Role
    state: GroupState
    state_change_message: str
    created_at: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    target_on_demand_units: int
    target_spot_units: int
    provisioned_on_demand_units: int
    provisioned_spot_units: int
    types: tuple[FleetTypeSpec, ...]
