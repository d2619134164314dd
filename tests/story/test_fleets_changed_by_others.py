"""Stories of fleets that somebody else creates, orders, suspends, or of which events are lost."""

from datetime import timedelta

from tests.support.fleet_scenes import busy, cluster, in_units, inside, targets, task_fleet
from tests.support.stories import Story, live
from tests.support.worlds import calm_world

from emr_autoscaler.domain.policy import IdlePolicy
from emr_simulator.fleet_descriptions import FleetResize
from emr_simulator.words import GroupState, Role


def test_what_events_missed_of_a_fleet_is_seen_by_the_sweep() -> None:
    def without_emr(events: list[dict[str, object]]) -> list[dict[str, object]]:
        return [event for event in events if event["source"] != "aws.emr"]

    story = Story(calm_world(), live(task=in_units()), mangle=without_emr)
    cluster_id = story.start(cluster(task_fleet()))
    story.world.submit_job(cluster_id, busy(seconds=3600))
    story.run(timedelta(minutes=40))
    assert targets(story, cluster_id) == (0, 12)
    (known,) = (f for f in story.ports.registry.get(cluster_id).fleets if f.role == Role.TASK)
    assert (known.target_spot_units, known.provisioned_spot_units) == (12, 12)


def test_an_operators_task_fleet_is_found_when_its_event_comes() -> None:
    story = Story(calm_world(), live(task=in_units()))
    cluster_id = story.start(cluster(None))
    story.world.emr.add_instance_fleet(cluster_id, task_fleet(spot=3))
    story.run(timedelta(minutes=1))
    assert Role.TASK in {f.role for f in story.ports.registry.get(cluster_id).fleets}


def test_units_that_an_operator_ordered_stand_for_their_time() -> None:
    world = calm_world()
    story = Story(world, live(task=in_units(), idle=IdlePolicy(enabled=False)))
    cluster_id = story.start(cluster(task_fleet()))
    story.run(timedelta(minutes=15))
    fleet_id = inside(story, cluster_id).group_id
    world.emr.modify_instance_fleet(cluster_id, FleetResize(fleet_id=fleet_id, on_demand_units=2, spot_units=5))
    story.run(timedelta(minutes=25))
    assert targets(story, cluster_id) == (2, 5)
    assert any(f"fleet {fleet_id} to 7" in note.body for note in story.ports.notifier.sent)
    story.run(timedelta(hours=1))
    assert targets(story, cluster_id) == (0, 0)


def test_a_suspended_fleet_is_told_of_once_with_the_command_that_resumes_it() -> None:
    story = Story(calm_world(), live(task=in_units()))
    cluster_id = story.start(cluster(task_fleet(spot=3)))
    fleet_id = inside(story, cluster_id).group_id
    story.world.set_group_state(cluster_id, fleet_id, GroupState.SUSPENDED)
    story.run(timedelta(minutes=20))
    told = [note.body for note in story.ports.notifier.sent if "modify-instance-fleet" in note.body]
    assert len(told) == 1
    assert f"fleet {fleet_id}" in told[0]
