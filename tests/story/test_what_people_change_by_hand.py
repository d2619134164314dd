"""Tags taken off and alarms deleted by hand are noticed, and put right."""

from datetime import timedelta

from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.decision import Action, DecisionKind
from emr_autoscaler.domain.policy import IdlePolicy


def story() -> tuple[Story, str]:
    told = Story(calm_world(), live(idle=IdlePolicy(enabled=False)))
    return told, told.start(cluster(task=1, tags=OPTED_IN))


def test_a_cluster_whose_pause_is_taken_off_by_hand_is_looked_at_again() -> None:
    told, cluster_id = story()
    told.world.emr.add_tags(cluster_id, {"emr-autoscaler:paused": "true"})
    told.run(timedelta(minutes=10))
    told.world.submit_job(cluster_id, job(tasks=2000, seconds=300))
    told.run(timedelta(minutes=20))
    assert Action.SCALE_OUT not in told.actions(cluster_id, DecisionKind.TASK)
    told.world.emr.remove_tags(cluster_id, ["emr-autoscaler:paused"])
    told.run(timedelta(minutes=15))
    assert Action.SCALE_OUT in told.actions(cluster_id, DecisionKind.TASK)


def test_alarms_deleted_by_hand_are_made_again() -> None:
    told, cluster_id = story()
    names = told.ports.registry.get(cluster_id).alarms
    told.ports.alarms.delete_alarms(names[:2])
    told.run(timedelta(minutes=10))
    assert set(told.ports.alarms.list_alarms("emr-autoscaler-")) >= set(names)
