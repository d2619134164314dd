"""How instance fleets buy and give back units; how a single node comes and goes is resizing.py's.

A fleet buys whole instances of the type that is cheapest by the unit among those that can be had and,
where one fits, not larger than what is missing. It gives back whole instances, the emptiest first, and
never falls below its target. What cannot be had is asked for again each minute.
"""

from fractions import Fraction
from functools import partial

from emr_simulator import announcements
from emr_simulator.catalogue import TYPES
from emr_simulator.clusters import Cluster, Node
from emr_simulator.descriptions import GroupSpec
from emr_simulator.fleet_descriptions import FleetResize, FleetSpec, FleetTypeSpec
from emr_simulator.fleets import Fleet
from emr_simulator.group_states import refresh
from emr_simulator.instances import BY_EMR
from emr_simulator.kernel import Kernel
from emr_simulator.resizing import RETRY_SECONDS, SHORTAGE_EVENT_SECONDS, Resizer
from emr_simulator.words import ENDING, GroupState, InstanceState, Market


class FleetResizer:
    """Moves fleets towards their target units."""

    def __init__(self, kernel: Kernel, resizer: Resizer) -> None:
        self._kernel = kernel
        self._resizer, self._instances = resizer, resizer.instances
        resizer.refill_fleet = self.fill

    def create(self, cluster: Cluster, spec: FleetSpec) -> Fleet:
        """Begin a fleet of a cluster."""
        first = spec.types[0].instance_type
        fleet = Fleet(
            group_id=self._kernel.new_id("if"),
            cluster=cluster,
            spec=GroupSpec(role=spec.role, market=Market.ON_DEMAND, instance_type=first, count=0, name=spec.name),
            requested=0,
            state=GroupState.PROVISIONING,
            created_at=self._kernel.now,
            fleet=spec,
            targets={Market.ON_DEMAND: spec.on_demand_units, Market.SPOT: spec.spot_units},
        )
        cluster.groups[fleet.group_id] = fleet
        announcements.group_changed(self._kernel, fleet, "The {group} is being created.")
        self.fill(fleet)
        if spec.switch_to_on_demand_after_seconds is not None:
            self._kernel.engine.after(spec.switch_to_on_demand_after_seconds, partial(self._switch, fleet))
        return fleet

    def order(self, fleet: Fleet, order: FleetResize) -> None:
        """Carry out an accepted order of absolute targets."""
        before, was_resizing = dict(fleet.targets), fleet.state is GroupState.RESIZING
        for market, units in ((Market.ON_DEMAND, order.on_demand_units), (Market.SPOT, order.spot_units)):
            fleet.targets[market] = before[market] if units is None else units
        if fleet.state is GroupState.SUSPENDED:
            fleet.state, fleet.held = GroupState.RUNNING, False
        fleet.covering = 0
        for market in Market:
            self._recall(fleet, market)
            self._shrink(fleet, market)
        self.fill(fleet)
        if before != fleet.targets and was_resizing:
            announcements.fleet_resize_began(self._kernel, fleet)

    def fill(self, fleet: Fleet) -> None:
        """Buy what is missing; a held fleet waits."""
        if not (fleet.held or fleet.is_buying or fleet.is_launched):
            fleet.is_buying = True
            buy = partial(self._buy, fleet, self._resizer.draw_boot_seconds())
            self._kernel.engine.after(self._kernel.settings.launch_lag_seconds, buy)
        refresh(self._kernel, fleet)

    # ------------------------------------------------------------------ coming

    def _switch(self, fleet: Fleet) -> None:
        """Cover on demand what the first provisioning has not got of spot."""
        if fleet.state is GroupState.PROVISIONING and fleet.missing(Market.SPOT) > 0:
            fleet.covering = fleet.missing(Market.SPOT)
            self.fill(fleet)

    def _buy(self, fleet: Fleet, boot_seconds: int) -> None:
        fleet.is_buying = False
        if fleet.cluster.state in ENDING or fleet.held:
            return
        for market in Market:
            while fleet.missing(market) > 0:
                kind = self._choose(fleet, market)
                if kind is None:
                    self._report_shortage(fleet, market)
                    break
                node = Node(
                    instance_id=self._kernel.new_id("ci"),
                    group=fleet,
                    instance_type=kind.instance_type,
                    market=market,
                    requested_at=self._kernel.now,
                    boot_seconds=boot_seconds,
                    state=InstanceState.PROVISIONING,
                    units=kind.units,
                )
                fleet.nodes.append(node)
                fleet.all_nodes.append(node)
                self._resizer.begin(node)
        if not fleet.is_launched:
            fleet.is_buying = True
            self._kernel.engine.after(RETRY_SECONDS, partial(self._buy, fleet, boot_seconds))
        refresh(self._kernel, fleet)

    def _choose(self, fleet: Fleet, market: Market) -> FleetTypeSpec | None:
        zone, missing = fleet.cluster.zone, fleet.missing(market)

        def rank(kind: FleetTypeSpec) -> tuple[bool, Fraction]:
            usd = Fraction(TYPES[kind.instance_type].on_demand_usd)
            if market is Market.SPOT:
                now = self._kernel.now
                usd = Fraction(self._instances.pools.steps(kind.instance_type, zone).between(now, now + 1)[-1][1])
            return kind.units > missing, usd / kind.units

        may_launch = self._instances.may_launch
        to_be_had = [t for t in fleet.fleet.types if may_launch(t.instance_type, zone, market)]
        return min(to_be_had, key=rank, default=None)

    def _report_shortage(self, fleet: Fleet, market: Market) -> None:
        if self._kernel.now >= fleet.next_shortage_event_at:
            fleet.next_shortage_event_at = self._kernel.now + SHORTAGE_EVENT_SECONDS
            over_quota = self._instances.is_over_quota(market)
            announcements.fleet_capacity_missing(self._kernel, fleet, market, over_quota=over_quota)

    # ------------------------------------------------------------------ leaving

    def _recall(self, fleet: Fleet, market: Market) -> None:
        """Let draining nodes stay that are wanted again."""
        for node in fleet.nodes:
            if node.market is market and node.draining and not node.warned and fleet.missing(market) > 0:
                self._resizer.recall(node)

    def _shrink(self, fleet: Fleet, market: Market) -> None:
        yarn = fleet.cluster.yarn

        def cost_of_losing(node: Node) -> tuple[bool, int, int]:
            running = node.state is InstanceState.RUNNING
            tasks = node.yarn.containers + yarn.masters_on(node.yarn) if running and node.yarn else 0
            return not node.warned, tasks, -node.requested_at

        for node in sorted((n for n in fleet.active if n.market is market), key=cost_of_losing):
            if node.units > -fleet.missing(market):
                continue
            if node.state is InstanceState.RUNNING:
                self._resizer.drain(node, self._kernel.settings.decommission_timeout_seconds)
            else:
                self._resizer.remove(node, BY_EMR)
