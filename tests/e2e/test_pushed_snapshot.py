"""A snapshot of a probe through the deployed rule: acted on once, and cheap where it changes nothing."""

from datetime import timedelta

from tests.support.rehearsal import Rehearsal

from emr_autoscaler.domain.decision import Action, DecisionKind
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_simulator.local_aws import drain_queues

QUIET = {
    "allocatedMB": 0,
    "pendingMB": 0,
    "containersAllocated": 0,
    "containersPending": 0,
    "appsRunning": 0,
    "appsPending": 0,
    "nodes": [],
}


def test_a_deployed_function_scales_out_on_a_snapshot_once(rehearsal: Rehearsal) -> None:
    cluster_id = rehearsal.run_cluster(task=1)
    drain_queues(rehearsal.stack)  # the look that enrolment asked for, or it holds the cluster meanwhile
    rehearsal.pass_time(timedelta(minutes=20))  # whatever that look ordered has cooled down
    told = rehearsal.sample("yarn-snapshot", cluster_id)
    told["detail"] |= {"pendingMB": 4_096_000, "containersPending": 2000}
    before = rehearsal.emr_calls("ModifyInstanceGroups")
    (first,) = rehearsal.driver.deliver(told)
    (again,) = rehearsal.driver.deliver(told)
    assert (first.result["snapshot"], first.result["reason"]) == ("ACTED", "DEMAND_ABOVE_CAPACITY")
    # What comes again says what it led to; it is not ordered again, nor told where the record proves that it was.
    assert (again.result["snapshot"], again.result["reason"]) == ("ACTED", "DEMAND_ABOVE_CAPACITY")
    assert ("repeated" in first.result, again.result["repeated"]) == (False, True)
    assert rehearsal.emr_calls("ModifyInstanceGroups") - before == 1
    ordered = [r for r in rehearsal.decisions(cluster_id, DecisionKind.TASK) if r.decision.targets]
    (decided,) = [r for r in ordered if isinstance(r.evidence, TaskEvidence) and r.evidence.nodes]
    assert decided.decision.action is Action.SCALE_OUT
    assert isinstance(decided.evidence, TaskEvidence)
    assert len(decided.evidence.nodes) == len(told["detail"]["nodes"])


def test_a_deployed_function_remembers_a_quiet_snapshot_and_records_it_once(rehearsal: Rehearsal) -> None:
    cluster_id = rehearsal.run_cluster()
    drain_queues(rehearsal.stack)
    results = []
    for second in range(1, 4):
        event = rehearsal.sample("yarn-snapshot", cluster_id, id=f"quiet/{cluster_id}/{second}")
        event["detail"] |= {**QUIET, "at": event["time"].replace("Z", f".{second}Z")}
        results += [delivery.result for delivery in rehearsal.driver.deliver(event)]
    assert [result["snapshot"] for result in results] == ["HELD"] * 3
    assert [result["decided"] for result in results[1:]] == [0, 0]
