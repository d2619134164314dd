"""Instance fleets as EMR describes them, and what may be ordered of one; the decisions are elsewhere."""

import math
from dataclasses import dataclass
from datetime import timedelta

from emr_autoscaler.domain.cluster import GroupState, Market, Role, Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetType:
    """One instance type a fleet may buy.

    Attributes:
        instance_type: For instance m5.xlarge.
        units: What one instance counts towards the fleet's targets (EMR's WeightedCapacity).
        volumes: EBS volumes of each instance of the type (root volume not included).
    """

    instance_type: str
    units: int = 1
    volumes: tuple[Volume, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an instance that counts nothing."""
        if self.units < 1:
            msg = f"fleet type {self.instance_type}: less than one unit"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFleet:
    """One instance fleet as last seen. A cluster has at most one for each role.

    Attributes:
        fleet_id: EMR's id, if-...
        role: MASTER, CORE or TASK.
        state: Life cycle state of the fleet.
        target_on_demand_units: On-demand units EMR was asked for.
        target_spot_units: Spot units EMR was asked for.
        provisioned_on_demand_units: On-demand units there are; more than asked for where whole
            instances are larger than what was missing.
        provisioned_spot_units: Spot units there are.
        types: What EMR may buy from, in the order they were named.
        name: What the operator called it; may be empty.
    """

    fleet_id: str
    role: Role
    state: GroupState
    target_on_demand_units: int
    target_spot_units: int
    provisioned_on_demand_units: int
    provisioned_spot_units: int
    types: tuple[FleetType, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse units that cannot be."""
        units = (
            self.target_on_demand_units,
            self.target_spot_units,
            self.provisioned_on_demand_units,
            self.provisioned_spot_units,
        )
        if min(units) < 0:
            msg = f"fleet {self.fleet_id}: units below zero"
            raise ValueError(msg)

    @property
    def step_units(self) -> int:
        """The smallest change that can be bought: what every instance's units are a multiple of."""
        return math.gcd(*(kind.units for kind in self.types)) or 1

    @property
    def largest_units(self) -> int:
        """Units of the largest instance EMR may buy."""
        return max((kind.units for kind in self.types), default=1)

    @property
    def has_one_size(self) -> bool:
        """Whether every instance counts the same, so that units tell the number of instances."""
        return len({kind.units for kind in self.types}) <= 1

    @property
    def target_units(self) -> int:
        """Units asked for, on demand and spot."""
        return self.target_on_demand_units + self.target_spot_units

    @property
    def provisioned_units(self) -> int:
        """Units there are, on demand and spot."""
        return self.provisioned_on_demand_units + self.provisioned_spot_units

    def target_of(self, market: Market) -> int:
        """Return the units asked for of a market."""
        return self.target_spot_units if market is Market.SPOT else self.target_on_demand_units

    def provisioned_of(self, market: Market) -> int:
        """Return the units there are of a market."""
        return self.provisioned_spot_units if market is Market.SPOT else self.provisioned_on_demand_units


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetTarget:
    """The units one fleet is to have; a shrink is drained by EMR, with YARN's own timeout.

    It reads like a group's target where only the size matters: ``group_id``, ``count`` and
    ``previous_count`` are the fleet and its units of both markets.

    Attributes:
        fleet_id: if-...
        on_demand_units: Wanted on-demand units, an absolute number.
        spot_units: Wanted spot units, an absolute number.
        previous_on_demand_units: On-demand units asked for when this was decided.
        previous_spot_units: Spot units asked for when this was decided.
    """

    fleet_id: str
    on_demand_units: int
    spot_units: int
    previous_on_demand_units: int
    previous_spot_units: int

    def __post_init__(self) -> None:
        """Refuse units that cannot be."""
        if self.on_demand_units < 0 or self.spot_units < 0:
            msg = f"fleet {self.fleet_id}: a target below zero"
            raise ValueError(msg)

    @property
    def group_id(self) -> str:
        """The fleet's id."""
        return self.fleet_id

    @property
    def count(self) -> int:
        """Wanted units of both markets."""
        return self.on_demand_units + self.spot_units

    @property
    def previous_count(self) -> int:
        """Units of both markets asked for when this was decided."""
        return self.previous_on_demand_units + self.previous_spot_units

    @property
    def decommission_timeout(self) -> timedelta | None:
        """None: ModifyInstanceFleet takes none, the cluster's own graceful timeout holds."""
        return None
