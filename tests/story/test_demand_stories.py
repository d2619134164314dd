"""What is bought for which work, and what is kept: the rules of docs/scaling.md on running clusters."""

from datetime import UTC, datetime, timedelta

from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.policy import CorePolicy, IdlePolicy, Objective, TaskPolicy

PUSHING = {"probe_period_seconds": 10}


def story(*, task: TaskPolicy, **settings: object) -> tuple[Story, str]:
    policy = live(task=task, idle=IdlePolicy(enabled=False), core=CorePolicy(enabled=False))
    told = Story(calm_world(**settings), policy)
    return told, told.start(cluster(task=1, tags=OPTED_IN, **({"has_probe": True} if settings else {})))


def bought(told: Story, cluster_id: str) -> list[int]:
    """The counts of each scale-out."""
    return [
        sum(target.count for target in record.decision.targets)
        for record in told.decisions(cluster_id, DecisionKind.TASK)
        if record.decision.action is Action.SCALE_OUT
    ]


def reasons(told: Story, cluster_id: str) -> set[Reason]:
    return {record.decision.reason for record in told.decisions(cluster_id, DecisionKind.TASK)}


def test_a_burst_that_is_over_before_a_new_node_could_help_buys_nothing() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=10), **PUSHING)
    told.world.submit_job(cluster_id, job(tasks=54, seconds=20))
    told.run(timedelta(minutes=10))
    assert bought(told, cluster_id) == []
    assert Reason.DRAINS_BEFORE_HELP in reasons(told, cluster_id)


def test_the_same_number_of_long_containers_buys_nodes_once_a_probe_has_shown_how_long_they_run() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=10, objective=Objective.COST), **PUSHING)
    few = job(tasks=54, seconds=600)
    told.world.submit_job(cluster_id, few)
    told.run(timedelta(seconds=30))
    assert bought(told, cluster_id) == []
    told.run(timedelta(minutes=90))
    told.world.submit_job(cluster_id, few)
    before = len(bought(told, cluster_id))
    told.run(timedelta(seconds=30))
    assert len(bought(told, cluster_id)) > before


def test_without_a_probe_a_backlog_that_does_not_move_shows_that_containers_are_long() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=20))
    told.world.submit_job(cluster_id, job(tasks=54, seconds=1800))
    told.run(timedelta(minutes=8))
    assert bought(told, cluster_id) == []
    told.run(timedelta(minutes=17))
    assert bought(told, cluster_id) != []
    told.run(timedelta(minutes=20))
    assert told.world.yarn(cluster_id).pending == 0


def test_without_a_probe_applications_that_keep_coming_show_that_their_containers_are_long() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=20))
    for _ in range(30):
        told.world.submit_job(cluster_id, job(tasks=6, seconds=900))
        told.run(timedelta(minutes=2))
    # 45 of these run at a time where none waits, which are eight nodes, of which three are core nodes
    assert told.ordered(cluster_id) >= 5


def test_a_job_that_never_ends_gets_all_its_containers_without_a_probe() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=20))
    told.world.submit_job(cluster_id, job(tasks=24, seconds=30 * 24 * 3600))
    told.run(timedelta(minutes=45))
    assert told.world.yarn(cluster_id).pending == 0


def test_the_same_work_buys_fewer_nodes_the_longer_it_may_take() -> None:
    most = []
    for minutes in (2, 10, 60):
        told, cluster_id = story(task=TaskPolicy(max_nodes=20, drain_within=timedelta(minutes=minutes)), **PUSHING)
        told.world.submit_job(cluster_id, job(tasks=1000, seconds=30))
        told.run(timedelta(minutes=20))
        most.append(max(bought(told, cluster_id), default=0))
    assert most[0] > most[1] > most[2] == 0


def test_nodes_are_kept_while_anything_waits_that_would_not_fit_on_fewer() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=10), **PUSHING)
    told.world.submit_job(cluster_id, job(tasks=2000, seconds=60))
    told.run(timedelta(minutes=12))
    assert told.ordered(cluster_id) == 10
    yarn = told.world.yarn(cluster_id)
    while yarn.pending > 10 * 6:
        told.run(timedelta(seconds=10))
        assert told.ordered(cluster_id) == 10


def test_a_small_surplus_is_given_back_only_once_it_has_lasted_ten_minutes() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=10), **PUSHING)
    told.world.submit_job(cluster_id, job(tasks=3000, seconds=120))
    told.run(timedelta(minutes=10))
    told.world.submit_job(cluster_id, job(tasks=60, seconds=3600))
    yarn = told.world.yarn(cluster_id)
    while yarn.running > 60 or yarn.pending:
        told.run(timedelta(seconds=10))
    began, before = told.world.now, told.ordered(cluster_id)
    while told.ordered(cluster_id) == before:
        told.run(timedelta(seconds=10))
    assert timedelta(minutes=9) <= told.world.now - began <= timedelta(minutes=13)
    assert Reason.RECENT_DEMAND in reasons(told, cluster_id)


def test_headroom_keeps_memory_free_above_what_is_in_use() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=10, headroom_percent=100), **PUSHING)
    told.world.submit_job(cluster_id, job(tasks=24, seconds=7200))
    told.run(timedelta(minutes=30))
    # 24 containers are four nodes; twice that is eight, of which three are core nodes.
    assert told.ordered(cluster_id) == 5


def test_nodes_are_ready_before_an_hour_that_was_busy_a_week_ago() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=10, objective=Objective.SPEED))
    busy_at = datetime(2026, 10, 6, 9, 0, tzinfo=UTC)
    told.run(busy_at)
    for minute in range(0, 60, 10):
        told.world.submit_job(cluster_id, job(tasks=2000, seconds=58), at=busy_at + timedelta(minutes=minute))
    a_week_later = busy_at + timedelta(days=7)
    told.run(a_week_later - timedelta(minutes=30))
    assert told.ordered(cluster_id) == 0
    told.run(a_week_later)
    assert told.ordered(cluster_id) > 0


def test_nothing_is_bought_for_a_want_that_is_hardly_larger_than_what_is_there() -> None:
    told, cluster_id = story(task=TaskPolicy(max_nodes=30, headroom_percent=5), **PUSHING)
    told.world.submit_job(cluster_id, job(tasks=132, seconds=7200))
    told.run(timedelta(minutes=40))
    stands = told.ordered(cluster_id)
    told.world.submit_job(cluster_id, job(tasks=4, seconds=7200))
    told.run(timedelta(minutes=10))
    assert told.ordered(cluster_id) == stands
