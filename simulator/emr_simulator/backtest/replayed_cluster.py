"""The cluster of a replay as decisions see it: groups of nodes, or fleets of units; nodes are replayed_nodes.py's.

The two markets of a task fleet are two groups whose nodes are steps, as they are to the decision itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.fleet_selection import missing_task_fleet
from emr_autoscaler.domain.fleet_steps import side_id, step_price
from emr_autoscaler.domain.fleets import FleetTarget, FleetType, InstanceFleet
from emr_autoscaler.domain.node_prices import MarketPrices, NodePrice
from emr_autoscaler.domain.policy import TaskPolicy
from emr_simulator.backtest.groups import core_type, node_sizes, task_groups
from emr_simulator.backtest.recording import Recording
from emr_simulator.backtest.replayed_nodes import ReplayedGroup
from emr_simulator.backtest.sizes import core_mib, recorded_sizes, unit_mib
from emr_simulator.backtest.work import Work
from emr_simulator.errors import RecordingError

CORE_GROUP, CORE_FLEET, TASK_FLEET = "core", "if-core", "if-task"

FLEETS_DRAIN_FOR = timedelta(hours=1)
"""YARN's default graceful timeout: ModifyInstanceFleet takes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedCluster:
    """Task capacity that decisions move, beside core nodes that stay as they were recorded.

    Attributes:
        groups: Task groups, or the spot and the on-demand side of the task fleet.
        core_type: Of the core nodes.
        core_mib: YARN memory of a core node.
        fleet: The task fleet, where there are fleets; its units are those of the beginning.
    """

    groups: tuple[ReplayedGroup, ...]
    core_type: str
    core_mib: float
    fleet: InstanceFleet | None = None

    @property
    def step(self) -> int:
        """What one node of a group counts: units of the fleet, else 1."""
        return 1 if self.fleet is None else self.fleet.step_units

    @property
    def requested(self) -> int:
        """Task nodes, or units, that were asked for."""
        return sum(group.requested for group in self.groups) * self.step

    @property
    def present(self) -> int:
        """Task nodes, or units, that are there."""
        return sum(group.present for group in self.groups) * self.step

    @property
    def running_mib(self) -> float:
        """YARN memory of the task nodes that take work."""
        return sum(group.running * group.node_mib for group in self.groups)

    def advance(self, now: datetime) -> None:
        """Let nodes come that are ready, and go that are done."""
        for group in self.groups:
            group.advance(now)

    def pay(self, now: datetime, seconds: int) -> None:
        """Count the time that nodes are paid for."""
        for group in self.groups:
            group.node_seconds += group.billed(now) * seconds

    def order(self, targets: Sequence[GroupTarget | FleetTarget], now: datetime) -> None:
        """Carry out what was decided."""
        for target in targets:
            counts = {target.group_id: target.count}
            if isinstance(target, FleetTarget):
                counts = {
                    side_id(TASK_FLEET, Market.SPOT): target.spot_units // self.step,
                    side_id(TASK_FLEET, Market.ON_DEMAND): target.on_demand_units // self.step,
                }
            for group in self.groups:
                if group.group_id in counts:
                    group.order(counts[group.group_id], now)

    def described(self, core_nodes: int) -> Mapping[str, Any]:
        """Return the groups or fleets as EMR would describe them, by the names that evidence has for them."""
        if self.fleet is None:
            return {"groups": (self._core_group(core_nodes), *(group.describe() for group in self.groups))}
        return {"groups": (), "fleets": (self._core_fleet(core_nodes), self._task_fleet()), "uses_fleets": True}

    def prices(self, usd_per_node_hour: Mapping[str, Decimal], now: datetime) -> MarketPrices:
        """Return what a node of each group, or a step of the fleet, costs: a recording has no prices."""
        priced = {name: NodePrice(ec2_usd=usd, emr_usd=Decimal(0)) for name, usd in usd_per_node_hour.items()}
        by_group = {g.group_id: priced.get(g.instance_type) for g in self.groups}
        if self.fleet is not None:
            step = step_price(self.fleet, [priced.get(kind.instance_type) for kind in self.fleet.types])
            by_group = {g.group_id: step for g in self.groups}
        return MarketPrices(
            by_group={group_id: price for group_id, price in by_group.items() if price is not None},
            confirmed_at=now,
        )

    def _core_group(self, core_nodes: int) -> InstanceGroup:
        return InstanceGroup(
            group_id=CORE_GROUP,
            role=Role.CORE,
            market=Market.ON_DEMAND,
            instance_type=self.core_type,
            requested_count=core_nodes,
            running_count=core_nodes,
            state=GroupState.RUNNING,
        )

    def _core_fleet(self, core_nodes: int) -> InstanceFleet:
        """Return a core fleet of one unit for each node: metrics do not tell its types apart."""
        return InstanceFleet(
            fleet_id=CORE_FLEET,
            role=Role.CORE,
            state=GroupState.RUNNING,
            target_on_demand_units=core_nodes,
            target_spot_units=0,
            provisioned_on_demand_units=core_nodes,
            provisioned_spot_units=0,
            types=(FleetType(instance_type=self.core_type),),
        )

    def _task_fleet(self) -> InstanceFleet:
        assert self.fleet is not None  # noqa: S101 (asked of clusters with fleets only)
        by_market = {group.market: group for group in self.groups}
        spot, on_demand = by_market[Market.SPOT], by_market[Market.ON_DEMAND]
        settled = all(group.requested == group.present for group in self.groups)
        return replace(
            self.fleet,
            state=GroupState.RUNNING if settled else GroupState.RESIZING,
            target_on_demand_units=on_demand.requested * self.step,
            target_spot_units=spot.requested * self.step,
            provisioned_on_demand_units=on_demand.present * self.step,
            provisioned_spot_units=spot.present * self.step,
        )


def replayed_cluster(recording: Recording, work: Work, policy: TaskPolicy, *, boot: timedelta) -> ReplayedCluster:
    """Return the cluster as a replay begins: with the nodes, or units, that were there.

    Raises:
        RecordingError: There is no task capacity, and the policy creates none.
    """
    core = core_type(recording)
    if not recording.fleets:
        sizes = node_sizes(recording, work, policy)
        groups = task_groups(recording, work, policy, boot=boot, node_mib=sizes)
        return ReplayedCluster(groups=tuple(groups), core_type=core, core_mib=core_mib(recording, work) or 0.0)
    fleet = _described_fleet(recording, policy)
    step = fleet.step_units
    units = round(recorded_sizes(recording, work)[0])
    there = {Market.ON_DEMAND: units * fleet.target_on_demand_units // max(1, fleet.target_units)}
    there[Market.SPOT] = units - there[Market.ON_DEMAND]
    sides = tuple(
        ReplayedGroup(
            group_id=side_id(fleet.fleet_id, market),
            market=market,
            instance_type="",
            node_mib=(unit_mib(recording, work, fleet.types) or 0.0) * step,
            boot=boot,
            drain=min(timedelta(seconds=work.task_seconds), FLEETS_DRAIN_FOR),
            running=-(-there[market] // step),
        )
        for market in (Market.SPOT, Market.ON_DEMAND)
    )
    return ReplayedCluster(groups=sides, core_type=core, core_mib=core_mib(recording, work) or 0.0, fleet=fleet)


def _described_fleet(recording: Recording, policy: TaskPolicy) -> InstanceFleet:
    """Return the task fleet that was there, or the one enrolment adds; its targets tell the markets apart."""
    recorded = recording.task_fleet
    wanted = missing_task_fleet((), policy) if recorded is None else None
    made = recorded or wanted
    if made is None:
        problem = "there is no task fleet, and the policy's task.instance_types names none to create"
        raise RecordingError(path=recording.source, problem=problem)
    return InstanceFleet(
        fleet_id=TASK_FLEET,
        role=Role.TASK,
        state=GroupState.RUNNING,
        target_on_demand_units=made.on_demand_units,
        target_spot_units=made.spot_units,
        provisioned_on_demand_units=0,
        provisioned_spot_units=0,
        types=made.types,
        name="" if wanted is None else wanted.name,
    )
