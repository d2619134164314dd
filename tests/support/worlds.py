"""Small worlds and clusters for tests, with delays that a test can count on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from emr_simulator.descriptions import ClusterSpec, GroupSpec
from emr_simulator.fleet_descriptions import FleetSpec, FleetTypeSpec
from emr_simulator.settings import UniformDelay, WorldSettings
from emr_simulator.words import Market, Role
from emr_simulator.world import World

START = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
PROVISIONING = timedelta(minutes=5)

CALM = WorldSettings(
    provisioning_delay=UniformDelay(low_seconds=300, high_seconds=300),
    publish_delay=UniformDelay(low_seconds=90, high_seconds=90),
    enforce_quotas=False,
    spot_prices_move=False,
)
"""No quotas, no moving prices, every delay a constant."""


def calm_world(**changes: Any) -> World:
    """Return a world at START that does nothing by itself."""
    return World(seed=1, start=START, settings=replace(CALM, **changes))


def group(role: Role, count: int, *, market: Market = Market.ON_DEMAND, **options: Any) -> GroupSpec:
    """Return a group of m5.xlarge instances."""
    return GroupSpec(role=role, market=market, count=count, **{"instance_type": "m5.xlarge", **options})


def cluster(*, core: int = 3, task: int = 0, spot: int = 0, **options: Any) -> ClusterSpec:
    """Return a cluster with an on-demand and a spot task group where they are asked for."""
    groups = [group(Role.MASTER, 1, name="master"), group(Role.CORE, core, name="core")]
    if task:
        groups.append(group(Role.TASK, task, name="task"))
    if spot:
        groups.append(group(Role.TASK, spot, name="spot", market=Market.SPOT))
    return ClusterSpec(**{"name": "etl", "groups": tuple(groups), **options})


def fleet(role: Role, on_demand: int = 0, *, spot: int = 0, types: dict[str, int] | None = None, **options: Any):
    """Return a fleet; ``types`` gives the units of each, m5.xlarge with one unit where nothing is said."""
    return FleetSpec(
        role=role,
        types=tuple(FleetTypeSpec(instance_type=t, units=u) for t, u in (types or {"m5.xlarge": 1}).items()),
        on_demand_units=on_demand,
        spot_units=spot,
        **{"name": role.value.lower(), **options},
    )


def fleet_cluster(*, core: int = 3, task: FleetSpec | None = None, **options: Any) -> ClusterSpec:
    """Return a cluster with instance fleets: on-demand master and core, and a task fleet where one is given."""
    fleets = (fleet(Role.MASTER, 1), fleet(Role.CORE, core), *([task] if task else []))
    return ClusterSpec(**{"name": "fleets", "fleets": fleets, **options})


def run_cluster(world: World, spec: ClusterSpec | None = None) -> str:
    """Run a cluster and let it get ready; return its id."""
    cluster_id = world.emr.run_job_flow(spec or cluster())
    world.run_for(timedelta(minutes=30))
    return cluster_id
