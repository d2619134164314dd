"""explain, as people read it at night: what was done, why, what else was seen, and what comes next."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, Mode, TaskPolicy
from emr_autoscaler.domain.record import DecisionRecord
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler_cli.explain import document, show
from emr_autoscaler_cli.output import moment
from emr_autoscaler_cli.replay import replay
from emr_simulator.descriptions import GroupResize
from emr_simulator.words import GroupState
from emr_simulator.workloads.model import Job, Stage

MINUTE = timedelta(minutes=1)
WITHOUT_IDLE = IdlePolicy(enabled=False)


def begun(
    mode: Mode = Mode.LIVE, *, core: CorePolicy | None = None, task: TaskPolicy | None = None, **world: object
) -> tuple[Story, str]:
    task, core = task or TaskPolicy(max_nodes=8), core or CorePolicy(min_nodes=2)
    policy = live(mode=mode, task=task, core=core, idle=WITHOUT_IDLE)
    story = Story(calm_world(**world), policy)
    return story, story.start(cluster(core=4, task=1, tags=OPTED_IN, dfs_replication=2))


def last(story: Story, cluster_id: str, wanted: Callable[[DecisionRecord], bool]) -> DecisionRecord:
    return [record for record in story.decisions(cluster_id) if wanted(record)][-1]


def because(reason: Reason) -> Callable[[DecisionRecord], bool]:
    return lambda record: record.decision.reason is reason


def shown(record: DecisionRecord, capsys: pytest.CaptureFixture[str]) -> str:
    show(record, replay(record))
    return " ".join(capsys.readouterr().out.split())


def test_an_order_is_told_with_groups_and_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    story, cluster_id = begun()
    story.world.submit_job(cluster_id, job(tasks=20_000))
    story.run(8 * MINUTE)
    out = shown(last(story, cluster_id, lambda r: r.decision.action is Action.SCALE_OUT), capsys)
    group_id = story.groups(cluster_id)["task"].group_id
    assert "more task nodes were ordered (TASK SCALE_OUT)" in out
    assert f"TASK on demand m5.xlarge ({group_id}): 0 -> 8 nodes" in out
    assert "DONE: EMR took the order" in out
    assert "later, or with the next alarm or event" in out
    assert "containers that wait for memory" in out


def test_the_drain_time_of_a_policy_is_told_whether_it_has_a_name_or_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for task, told in (
        (TaskPolicy(max_nodes=8), "objective balanced: waiting work may take 200 s, or 1.5 times"),
        (
            TaskPolicy(max_nodes=8, drain_within=20 * MINUTE),
            "a drain time of its own: waiting work may take 1200 s",
        ),
    ):
        story, cluster_id = begun(task=task)
        story.world.submit_job(cluster_id, job(tasks=20_000))
        story.run(8 * MINUTE)
        assert told in shown(last(story, cluster_id, lambda r: r.decision.action is Action.SCALE_OUT), capsys)


def test_it_tells_which_applications_work_unseen_by_yarn(capsys: pytest.CaptureFixture[str]) -> None:
    story, cluster_id = begun()
    (record,) = story.decisions(cluster_id, DecisionKind.TASK)[-1:]
    unseen = replace(record, evidence=replace(record.evidence, unseen=("presto", "trino")))
    assert "presto, trino" in shown(unseen, capsys)


def test_it_tells_since_when_on_demand_stands_in_for_spot(capsys: pytest.CaptureFixture[str]) -> None:
    story, cluster_id = begun()
    story.world.submit_job(cluster_id, job(tasks=20_000))
    story.run(8 * MINUTE)
    record = last(story, cluster_id, lambda r: r.decision.action is Action.SCALE_OUT)
    assert isinstance(record.evidence, TaskEvidence)
    since = record.decision.decided_at - 40 * MINUTE
    memory = replace(record.evidence.memory, on_demand_since=since)
    out = shown(replace(record, evidence=replace(record.evidence, memory=memory)), capsys)
    assert f"on demand stands in for spot since {moment(since)}" in out


def test_a_rehearsed_order_says_that_nothing_was_ordered(capsys: pytest.CaptureFixture[str]) -> None:
    story, cluster_id = begun(Mode.DRY_RUN)
    story.world.submit_job(cluster_id, job(tasks=20_000))
    story.run(8 * MINUTE)
    out = shown(last(story, cluster_id, lambda r: r.decision.action is Action.SCALE_OUT), capsys)
    assert "more task nodes were ordered (dry run: not really)" in out
    assert "this is what would have been" in out


def test_a_refused_order_shows_emrs_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    story, cluster_id = begun()
    story.run(10 * MINUTE)
    story.world.refuse_resizes(cluster_id, until=story.world.now + 60 * MINUTE, message="Quota exceeded.")
    story.world.submit_job(cluster_id, job(tasks=20_000))
    story.run(10 * MINUTE)
    out = shown(last(story, cluster_id, lambda r: bool(r.error)), capsys)
    assert "more task nodes were ordered (refused by EMR)" in out
    assert "nothing was changed, and it is tried again: ModifyInstanceGroups: ValidationException: Quota" in out


def test_missing_metrics_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    story, cluster_id = begun()
    out = shown(next(r for r in story.decisions(cluster_id) if because(Reason.METRICS_STALE)(r)), capsys)
    assert "metrics missing" in out
    assert "HDFSUtilization" in out
    assert "none younger than 12 min" in out


def test_an_operators_hold_says_who_what_when_and_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    story, cluster_id = begun(cloudtrail=True)
    group_id = story.groups(cluster_id)["task"].group_id
    at = story.world.now
    story.world.emr.modify_instance_groups(cluster_id, [GroupResize(group_id=group_id, count=6)])
    story.run(5 * MINUTE)
    out = shown(last(story, cluster_id, because(Reason.OPERATOR_RESIZED)), capsys)
    assert f"anna (DataPlatformOps) set group {group_id} to 6 at {at:%H:%M} UTC" in out
    assert f"it stands until {at + timedelta(minutes=30):%H:%M} UTC" in out
    assert "emr-autoscaler pause CLUSTER" in out


def test_a_group_that_stopped_is_told_with_its_fix_and_is_no_decision_to_replay(
    capsys: pytest.CaptureFixture[str],
) -> None:
    story, cluster_id = begun()
    story.world.set_group_state(cluster_id, story.groups(cluster_id)["task"].group_id, GroupState.SUSPENDED)
    story.run(2 * MINUTE)
    out = shown(last(story, cluster_id, because(Reason.GROUP_SUSPENDED)), capsys)
    assert "people were told" in out
    assert "aws emr modify-instance-groups" in out
    assert "decided again" not in out


def test_a_young_and_a_busy_cluster_say_with_numbers_why_core_stays(capsys: pytest.CaptureFixture[str]) -> None:
    young, cluster_id = begun()
    out = shown(last(young, cluster_id, because(Reason.TOO_YOUNG)), capsys)
    assert "h old and keeps its core nodes for 2.0 h" in out
    busy, cluster_id = begun(core=CorePolicy(min_nodes=2, min_age=timedelta(0), cooldown=90 * MINUTE))
    busy.world.submit_job(cluster_id, job(tasks=5000, seconds=300))
    busy.run(120 * MINUTE)
    out = shown(last(busy, cluster_id, because(Reason.YARN_BUSY)), capsys)
    assert "containers waited" in out
    assert "(50 % has to be)" in out


def test_named_and_protected_nodes_are_shown_to_people_and_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    world = calm_world(probe_period_seconds=10, application_masters=True, stage_gap_seconds=3600)
    tasks = TaskPolicy(min_nodes=3, max_nodes=3, scale_in_cooldown=MINUTE)
    story = Story(world, live(task=tasks, idle=WITHOUT_IDLE))
    cluster_id = story.start(
        cluster(core=2, task=3, tags=OPTED_IN),
        prepare=lambda new: world.submit_job(new, job(tasks=12, seconds=20_000)),
    )
    first, second = (Stage(tasks=1, seconds=60, container_mib=2048, parents=p) for p in ((), (0,)))
    world.submit_job(cluster_id, Job(name="session", submit_after_seconds=0, stages=(first, second)))
    story.run(3 * MINUTE)
    story.policies.put(live(task=TaskPolicy(max_nodes=3, scale_in_cooldown=MINUTE), idle=WITHOUT_IDLE))
    story.run(10 * MINUTE)
    record = last(story, cluster_id, lambda r: r.decision.action is Action.SCALE_IN)
    (target,) = record.decision.targets
    out = shown(record, capsys)
    assert f"emptiest first: {', '.join(target.leave_first)}" in out
    assert f"not touched, for they host application masters: {target.protected[0]}" in out
    assert f"host application masters {target.protected[0]}" in out
    (told,) = document(record, replay(record))["targets"]
    assert (told["leave_first"], told["protected"]) == (list(target.leave_first), list(target.protected))
