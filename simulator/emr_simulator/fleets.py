"""The state of an instance fleet: a group whose nodes differ in type, market and units."""

from dataclasses import dataclass, field

from emr_simulator.catalogue import default_data_volumes
from emr_simulator.clusters import Group
from emr_simulator.descriptions import VolumeSpec
from emr_simulator.fleet_descriptions import FleetSpec
from emr_simulator.words import InstanceState, Market


@dataclass(slots=True, kw_only=True, eq=False)
class Fleet(Group):
    """One instance fleet. ``spec`` and ``requested`` are a group's view of it, for those who look at nodes.

    Attributes:
        fleet: As asked for.
        targets: Units asked for, by market.
        covering: On-demand units bought in place of spot by the first provisioning.
        is_buying: A purchase is under way or waits for capacity.
    """

    fleet: FleetSpec
    targets: dict[Market, int] = field(default_factory=dict)
    covering: int = 0
    is_buying: bool = False

    def volumes_of(self, instance_type: str) -> tuple[VolumeSpec, ...]:
        """Return the data volumes of each instance of a type."""
        named = next((t.volumes for t in self.fleet.types if t.instance_type == instance_type), None)
        if named is not None:
            return named
        return default_data_volumes(instance_type, self.cluster.spec.release_label)

    def wanted(self, market: Market) -> int:
        """Return the units to be had of a market."""
        covered = self.covering if market is Market.ON_DEMAND else -self.covering
        return self.targets[market] + covered

    def provisioned(self, market: Market) -> int:
        """Return the units there are of a market, draining ones included."""
        return sum(node.units for node in self.nodes if node.market is market)

    def missing(self, market: Market) -> int:
        """Return the units still to be bought of a market; below zero there are too many."""
        return self.wanted(market) - sum(node.units for node in self.active if node.market is market)

    @property
    def is_launched(self) -> bool:
        """Whether everything wanted has been bought."""
        return all(self.missing(market) <= 0 for market in Market)

    @property
    def is_settled(self) -> bool:
        """Whether everything wanted runs and nothing is on its way out."""
        return self.is_launched and all(
            node.state is InstanceState.RUNNING and not node.draining for node in self.nodes
        )

    @property
    def size_in_words(self) -> str:
        """How large it is, for messages."""
        return (
            f"The instance fleet now has On-Demand capacity of {self.provisioned(Market.ON_DEMAND)} and Spot "
            f"capacity of {self.provisioned(Market.SPOT)}. Target On-Demand capacity was "
            f"{self.targets[Market.ON_DEMAND]} and target Spot capacity was {self.targets[Market.SPOT]}."
        )
