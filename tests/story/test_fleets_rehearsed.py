"""Stories of dry runs on fleets: what would be ordered, of a fleet that is there or would be created."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from tests.support.fleet_scenes import SETTLE, busy, cluster, in_units, orders, targets, task_fleet
from tests.support.stories import Story, live
from tests.support.worlds import calm_world

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.policy import Mode, Policy
from emr_simulator.words import Role


def test_a_dry_run_orders_nothing_of_a_fleet_and_says_what_it_would() -> None:
    policy = replace(live(task=in_units()), mode=Mode.DRY_RUN)
    story = Story(calm_world(), policy)
    cluster_id = story.start(cluster(task_fleet()))
    story.world.submit_job(cluster_id, busy())
    story.run(SETTLE)
    assert targets(story, cluster_id) == (0, 1)
    assert orders(story.decisions(cluster_id))
    assert any("spot 1 ->" in note.body for note in story.ports.notifier.sent)
    assert not {"ModifyInstanceFleet", "AddInstanceFleet"} & set(story.world.calls)


def test_a_dry_run_decides_with_the_task_fleet_it_would_have_created() -> None:
    policy = replace(live(task=in_units(min_nodes=3, instance_types=("m5.xlarge",))), mode=Mode.DRY_RUN)
    story = Story(calm_world(), policy)
    cluster_id = story.start(cluster(None))
    story.run(timedelta(minutes=10))
    assert [(o.fleet_id, o.spot_units) for o in orders(story.decisions(cluster_id))][-1] == (
        "planned-task-fleet",
        3,
    )
    assert sum("a task fleet at" in note.body for note in story.ports.notifier.sent) == 1
    assert {f.role for f in story.ports.registry.get(cluster_id).fleets} == {Role.MASTER, Role.CORE}


def dry(**changes: object) -> Policy:
    return replace(live(task=in_units(**changes)), mode=Mode.DRY_RUN)


def test_a_dry_run_knows_what_the_fleet_it_would_have_created_costs() -> None:
    types = ("m5.xlarge", "m5.2xlarge")
    story = Story(calm_world(), dry(min_nodes=3, max_usd_per_hour=Decimal("0.50"), instance_types=types))
    cluster_id = story.start(cluster(None))
    story.run(timedelta(minutes=15))
    ordered = orders(story.decisions(cluster_id))
    assert ordered
    prices = story.ports.registry.get(cluster_id).prices.by_group
    assert 0 < ordered[-1].spot_units * prices["planned-task-fleet/SPOT"].usd_per_hour <= Decimal("0.50")


def test_a_dry_run_counts_on_no_type_that_cannot_be_had() -> None:
    world = calm_world(types_not_offered=("m5.2xlarge",))
    story = Story(world, dry(min_nodes=3, instance_types=("m5.xlarge", "m5.2xlarge")))
    cluster_id = story.start(cluster(None))
    story.run(timedelta(minutes=10))
    record = next(r for r in reversed(story.decisions(cluster_id)) if r.decision.targets)
    planned = record.evidence.fleets[-1]
    assert [kind.instance_type for kind in planned.types] == ["m5.xlarge"]


def test_a_dry_run_forgets_its_fleet_once_somebody_creates_one_or_the_policy_wants_none() -> None:
    story = Story(calm_world(), dry(min_nodes=3, instance_types=("m5.xlarge",)))
    first, second = story.start(cluster(None)), story.start(cluster(None))
    story.world.emr.add_instance_fleet(first, task_fleet(spot=3))
    story.policies.put(dry(min_nodes=0))
    story.run(timedelta(minutes=30))
    assert {f.role for f in story.ports.registry.get(first).fleets} == {Role.MASTER, Role.CORE, Role.TASK}
    for cluster_id in (first, second):
        assert story.ports.registry.get(cluster_id).planned_fleets == ()
        last = story.decisions(cluster_id, DecisionKind.TASK)[-1]
        assert not any(fleet.fleet_id.startswith("planned") for fleet in last.evidence.fleets)
