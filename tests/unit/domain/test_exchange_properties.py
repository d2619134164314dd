"""What holds of decisions on clusters on their way back to spot, drawn before, amid and after an exchange."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from tests.support.exchange_scenes import draw_exchange
from tests.support.scenes import NODE_MIB, NOW, minutes, ordered, task_nodes

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.decision import DecisionKind, Reason
from emr_autoscaler.domain.demand import Demand, read_demand
from emr_autoscaler.domain.leaving_nodes import master_hosts
from emr_autoscaler.domain.load import learn_load
from emr_autoscaler.domain.metrics import MetricName
from emr_autoscaler.domain.task_capacity import TaskVerdict, decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence
from emr_autoscaler.domain.want import find_want

SCENES_PER_EXAMPLE = 25

examples = settings(max_examples=20, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def any_exchange(test: Callable[[TaskEvidence], None]) -> Callable[[], None]:
    """Run a test on five hundred scenes; a failure names the number of its scene."""

    @examples
    @given(first=st.integers(0, 2**40))
    def run(first: int) -> None:
        for number in range(first, first + SCENES_PER_EXAMPLE):
            note(f"scene {number}")
            test(draw_exchange(number))

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


def busier(evidence: TaskEvidence, name: MetricName, factor: float, more: float = 0.0) -> TaskEvidence:
    """The same look with more of something."""
    points = dict(evidence.metrics.series)
    (point,) = points[name]
    points[name] = (replace(point, value=point.value * factor + more),)
    return replace(evidence, metrics=replace(evidence.metrics, series=points))


def nodes_after(evidence: TaskEvidence) -> int:
    return task_nodes(ordered(evidence.groups, decide_task_capacity(evidence).decision.targets))


@any_exchange
def test_more_waiting_work_never_gives_fewer_nodes_amid_an_exchange(evidence: TaskEvidence) -> None:
    waiting = (busier(evidence, MetricName.CONTAINER_PENDING, 1, more) for more in (0, 3, 30, 300, 3000))
    counts = [nodes_after(each) for each in waiting]
    assert counts == sorted(counts)


@any_exchange
def test_more_running_work_never_gives_fewer_nodes_amid_an_exchange(evidence: TaskEvidence) -> None:
    counts = []
    for part in (0.25, 0.5, 0.75, 1.0):
        less = busier(evidence, MetricName.MEMORY_ALLOCATED_MIB, part)
        counts.append(nodes_after(busier(less, MetricName.CONTAINER_ALLOCATED, part)))
    assert counts == sorted(counts)


def after(evidence: TaskEvidence, verdict: TaskVerdict) -> TaskEvidence:
    """The next look, with the orders given and nothing else changed."""
    pools = {health.key: health for health in verdict.pools}
    return replace(
        evidence,
        groups=ordered(evidence.groups, verdict.decision.targets),
        memory=verdict.memory,
        groups_are_fresh=False,
        pools={i: pools.get(health.key, health) for i, health in evidence.pools.items()},
    )


def exchanged(evidence: TaskEvidence) -> TaskVerdict | None:
    """The verdict where it is a step back to spot."""
    verdict = decide_task_capacity(evidence)
    is_step = verdict.decision.reason is Reason.BACK_TO_SPOT and verdict.decision.targets
    return verdict if is_step else None


def mib(groups: Iterable[InstanceGroup]) -> float:
    task = (g for g in groups if g.role is Role.TASK)
    return sum((yarn_mib_per_node(g.instance_type, learned=None) or 0) * g.requested_count for g in task)


@any_exchange
def test_after_a_step_back_to_spot_the_next_look_holds(evidence: TaskEvidence) -> None:
    verdict = exchanged(evidence)
    if verdict is not None:
        policy = replace(evidence.policy, scale_in_cooldown=max(minutes(1), evidence.policy.scale_in_cooldown))
        again = replace(after(evidence, verdict), policy=policy)
        assert decide_task_capacity(again).decision.targets == ()


@any_exchange
def test_no_group_reverses_within_its_cooldown_after_a_step_back_to_spot(evidence: TaskEvidence) -> None:
    verdict = exchanged(evidence)
    if verdict is None:
        return
    ways = {t.group_id: t.count > t.previous_count for t in verdict.decision.targets}
    cooldown = min(evidence.policy.scale_in_cooldown, evidence.policy.scale_out_cooldown)
    later = replace(after(evidence, verdict), now=NOW + cooldown * 0.9)
    for other in (later, busier(later, MetricName.CONTAINER_PENDING, 1, 5000)):
        for target in decide_task_capacity(other).decision.targets:
            grows = target.count > target.previous_count
            assert ways.get(target.group_id, grows) is grows


def given_up_mib(evidence: TaskEvidence, verdict: TaskVerdict) -> float:
    """What of the requests for spot never came, and is given up or ordered in another pool."""
    groups = {g.group_id: g for g in evidence.groups}
    lowered = [t for t in verdict.decision.targets if groups[t.group_id].market is Market.SPOT]
    return sum(
        (yarn_mib_per_node(groups[t.group_id].instance_type, learned=None) or 0)
        * max(0, t.previous_count - t.count)
        for t in lowered
    )


@any_exchange
def test_a_step_back_to_spot_keeps_what_runs_and_waits_or_the_capacity_before_it(evidence: TaskEvidence) -> None:
    verdict = exchanged(evidence)
    if verdict is None or verdict.memory.owed_mib:
        return  # a single node that spot takes the place of as soon as it can be paid
    demand = read_demand(evidence.metrics, now=NOW, max_age=evidence.policy.metrics_max_age, container_mib=None)
    assert isinstance(demand, Demand)
    needed = demand.allocated_mib + demand.pending_mib - 2 * NODE_MIB
    before = mib(evidence.groups) - evidence.memory.returning_mib - given_up_mib(evidence, verdict)
    assert mib(after(evidence, verdict).groups) >= min(needed, before) - 1e-6


@any_exchange
def test_a_step_back_to_spot_keeps_what_is_wanted(evidence: TaskEvidence) -> None:
    verdict = exchanged(evidence)
    if verdict is None or verdict.memory.owed_mib:
        return
    demand = read_demand(evidence.metrics, now=NOW, max_age=evidence.policy.metrics_max_age, container_mib=None)
    assert isinstance(demand, Demand)
    load = learn_load(evidence.memory.load, demand, expected_seconds=evidence.policy.expected_task_seconds)
    want = find_want(demand, load, evidence.policy, elsewhere_mib=2 * NODE_MIB, now=NOW)
    before = mib(evidence.groups) - given_up_mib(evidence, verdict)
    assert mib(after(evidence, verdict).groups) >= min(want.wanted_mib, before) - 1e-6


@any_exchange
def test_a_step_back_to_spot_never_adds_on_demand_and_takes_no_spot(evidence: TaskEvidence) -> None:
    verdict = exchanged(evidence)
    if verdict is None or evidence.memory.lost:
        return  # the count of a group that lost an instance is settled with any order
    groups = {g.group_id: g for g in evidence.groups}
    for target in verdict.decision.targets:
        group = groups[target.group_id]
        if group.market is Market.SPOT:  # what never came is no spot node yet
            assert target.count > min(target.previous_count, group.running_count - 1)
        else:
            assert target.count < target.previous_count


@any_exchange
def test_at_most_a_tenth_is_given_up_before_spot_has_come(evidence: TaskEvidence) -> None:
    verdict = exchanged(evidence)
    if verdict is None or (evidence.memory.returning_mib and "go for as many" not in verdict.decision.detail):
        return
    fewer = sum(max(0, t.previous_count - t.count) for t in verdict.decision.targets)
    assert fewer <= max(1, task_nodes(evidence.groups) // 10)


@any_exchange
def test_bounds_and_caps_hold_amid_an_exchange(evidence: TaskEvidence) -> None:
    verdict, policy = decide_task_capacity(evidence), evidence.policy
    groups = after(evidence, verdict).groups
    assert task_nodes(groups) <= max(task_nodes(evidence.groups), policy.max_nodes)
    if policy.max_units is not None:
        assert mib(groups) <= max(mib(evidence.groups), policy.max_units)
    if policy.max_usd_per_hour is None or not any(t.count > t.previous_count for t in verdict.decision.targets):
        return
    paid = [
        (price.usd_per_hour * max(g.requested_count, g.running_count), price.usd_per_hour * before.running_count)
        for g, before in zip(groups, evidence.groups, strict=True)
        if g.role is Role.TASK and (price := evidence.prices.of(g, NOW)) is not None
    ]
    assert sum(now for now, _ in paid) <= max(policy.max_usd_per_hour, sum(then for _, then in paid))


@any_exchange
def test_hosts_of_application_masters_stay_amid_an_exchange(evidence: TaskEvidence) -> None:
    verdict = exchanged(evidence)
    hosts = master_hosts(evidence.nodes, evidence.node_groups)
    for target in verdict.decision.targets if verdict else ():
        assert target.count >= min(hosts.get(target.group_id, 0), target.previous_count)


@any_exchange
def test_a_stored_exchange_can_be_replayed(evidence: TaskEvidence) -> None:
    replayed = load_evidence(DecisionKind.TASK, dump_evidence(DecisionKind.TASK, evidence))
    assert isinstance(replayed, TaskEvidence)
    assert decide_task_capacity(replayed) == decide_task_capacity(evidence)
