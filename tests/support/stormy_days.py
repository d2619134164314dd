"""Days with random outages of spot pools, and their record held against AWS's own bill."""

from collections import defaultdict
from decimal import Decimal

import pytest
from tests.support.stories import Story
from tests.support.worlds import calm_world

from emr_simulator.settings import SpotOutages, WorldSettings
from emr_simulator.world import World


def stormy(seed: int, **changes: object) -> World:
    settings = WorldSettings(spot_outages=SpotOutages(mean_up_seconds=5400), **changes)
    return World(seed=seed, start=calm_world().now, settings=settings)


def assert_bill(story: Story, cluster_id: str) -> None:
    """Compare each hour and component with AWS's own bill, hours fully past."""
    now = story.world.now
    closed = now.replace(minute=0, second=0, microsecond=0)
    own: defaultdict[tuple[object, str], Decimal] = defaultdict(Decimal)
    for record in story.ports.costs.hours_of_cluster(story.world.settings.account_id, "us-east-1", cluster_id):
        for line in record.lines if record.hour < closed else ():
            own[record.hour, line.component] += line.effective_cost_usd
    theirs: defaultdict[tuple[object, str], Decimal] = defaultdict(Decimal)
    for line in story.world.ledger.bill().lines:
        if line.cluster_id == cluster_id and line.hour < closed:
            theirs[line.hour, line.component] += line.usd
    for key in {*theirs, *own}:
        assert own[key] == pytest.approx(theirs[key], abs=Decimal("1e-6")), key
