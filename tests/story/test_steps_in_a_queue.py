"""Nodes are kept between two steps, and go after the last one."""

from datetime import timedelta

from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, Objective, TaskPolicy
from emr_simulator.descriptions import StepSpec


def step(name: str, *, tasks: int, seconds: int) -> StepSpec:
    return StepSpec(name=name, job=job(tasks=tasks, seconds=seconds))


def reasons(told: Story, cluster_id: str) -> list[Reason]:
    return [record.decision.reason for record in told.decisions(cluster_id, DecisionKind.TASK)]


def test_nodes_wait_for_the_step_that_is_queued_and_go_after_the_last_one() -> None:
    policy = live(
        task=TaskPolicy(max_nodes=10, objective=Objective.COST),
        idle=IdlePolicy(enabled=False),
        core=CorePolicy(enabled=False),
    )
    told = Story(calm_world(), policy)
    cluster_id = told.start(cluster(task=1, tags=OPTED_IN))
    not_on_yarn = StepSpec(name="copy", seconds=480)
    for spec in (step("wide", tasks=6000, seconds=60), not_on_yarn, step("next", tasks=1000, seconds=60)):
        told.world.emr.add_job_flow_steps(cluster_id, [spec])
    told.run(timedelta(hours=2))
    seen = reasons(told, cluster_id)
    bought = seen[seen.index(Reason.DEMAND_ABOVE_CAPACITY) :]
    assert Reason.STEP_EXPECTED in bought
    assert bought.index(Reason.STEP_EXPECTED) < bought.index(Reason.DEMAND_BELOW_CAPACITY)
    assert told.ordered(cluster_id, Role.TASK) == 0
