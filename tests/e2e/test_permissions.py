"""Deployed functions run under the roles of the template: what these allow works, the rest is denied."""

from collections.abc import Iterator

import pytest
from tests.support.rehearsal import Rehearsal, rehearse

from emr_autoscaler.domain.decision import DecisionKind
from emr_simulator.local_aws import FunctionFailedError, drain_queues


@pytest.fixture(scope="module")
def guarded() -> Iterator[Rehearsal]:
    """A stack of its own, on a local AWS that evaluates policies."""
    with rehearse(name="e2e-permissions", enforce_permissions=True) as deployed:
        yield deployed


def test_a_function_does_its_work_under_its_own_role_and_nothing_without_it(guarded: Rehearsal) -> None:
    cluster_id = guarded.run_cluster(task=1, spot=1)
    drain_queues(guarded.stack)
    guarded.keep_busy(cluster_id)
    (delivery,) = guarded.driver.deliver(guarded.sample("task-alarm", cluster_id))
    assert delivery.result["decided"] == 1
    assert guarded.decisions(cluster_id, DecisionKind.TASK)

    iam = guarded.stack.aws.client("iam")
    role = guarded.stack.resources["ScaleTaskGroupsFunctionRole"]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    with pytest.raises(FunctionFailedError, match="not authorized to perform: dynamodb:"):
        guarded.driver.deliver(guarded.sample("task-alarm", cluster_id, id="without-its-policy"))


def test_every_function_knows_the_roles_whose_calls_are_not_an_operators(guarded: Rehearsal) -> None:
    functions = guarded.stack.aws.client("lambda")
    deployed = functions.get_function_configuration(FunctionName=guarded.stack.resources["EnrollClusterFunction"])
    own = deployed["Environment"]["Variables"]["OWN_ROLE_NAMES"].split(",")
    writers = ("EnrollCluster", "HandleInterruption", "ReapIdleClusters", "ResizeCoreGroup", "ScaleTaskGroups")
    for name in (*writers, "SweepFleet"):
        assert guarded.stack.resources[f"{name}FunctionRole"] in own


def test_every_schedule_finds_its_permissions(guarded: Rehearsal) -> None:
    guarded.run_cluster()
    for rule in guarded.driver.rules:
        if rule.schedule:
            (function,) = rule.functions
            event = guarded.sample("scheduled-event", id=rule.name)
            assert guarded.driver.invoke(function, event).error is None
