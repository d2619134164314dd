"""Two events for one cluster end in one resize; an event that comes again changes nothing."""

from concurrent.futures import ThreadPoolExecutor

from tests.support.rehearsal import Rehearsal

from emr_autoscaler.domain.decision import Action, DecisionKind
from emr_simulator.local_aws import drain_queues


def test_demand_is_answered_by_a_resize_through_the_deployed_function(rehearsal: Rehearsal) -> None:
    cluster_id = rehearsal.run_cluster(task=1, spot=1)
    drain_queues(rehearsal.stack)
    rehearsal.keep_busy(cluster_id)
    rehearsal.driver.deliver(rehearsal.sample("task-alarm", cluster_id))
    drain_queues(rehearsal.stack)
    newest = rehearsal.decisions(cluster_id, DecisionKind.TASK)[0]
    assert newest.decision.action is Action.SCALE_OUT


def test_two_alarms_of_one_cluster_at_the_same_moment_end_in_one_resize(rehearsal: Rehearsal) -> None:
    cluster_id = rehearsal.run_cluster(task=1, spot=1)
    drain_queues(rehearsal.stack)
    rehearsal.keep_busy(cluster_id)
    resizes = rehearsal.emr_calls("ModifyInstanceGroups")
    alarms = [rehearsal.sample("task-alarm", cluster_id, id=f"{cluster_id}-{n}") for n in range(2)]
    with ThreadPoolExecutor(2) as both:
        list(both.map(rehearsal.driver.deliver, alarms))
    drain_queues(rehearsal.stack)
    assert rehearsal.emr_calls("ModifyInstanceGroups") == resizes + 1


def test_a_redelivered_event_changes_nothing(rehearsal: Rehearsal) -> None:
    cluster_id = rehearsal.run_cluster(task=1, spot=1)
    drain_queues(rehearsal.stack)
    rehearsal.keep_busy(cluster_id)
    alarm = rehearsal.sample("task-alarm", cluster_id)
    first = rehearsal.driver.deliver(alarm)
    drain_queues(rehearsal.stack)
    decided = rehearsal.decisions(cluster_id, DecisionKind.TASK)
    resizes = rehearsal.emr_calls("ModifyInstanceGroups")
    again = rehearsal.driver.deliver(alarm)
    drain_queues(rehearsal.stack)
    assert [d.result for d in again] == [d.result for d in first]
    assert rehearsal.decisions(cluster_id, DecisionKind.TASK) == decided
    assert rehearsal.emr_calls("ModifyInstanceGroups") == resizes
