"""What becomes of a snapshot: dropped, held on, or acted on; what each costs in calls and writes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.faults import Fault, FaultyPorts
from tests.support.stories import OPTED_IN, Story, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.errors import ConflictError, RefusedError
from emr_autoscaler.domain.policy import IdlePolicy, Mode, TaskPolicy
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.domain.snapshot import Refusal, Snapshot
from emr_autoscaler.usecases.answer_snapshot import Heed, SnapshotAnswer

SECOND = timedelta(seconds=1)
WRITES = {"registry.put", "registry.put_task_memory", "decisions.put", "leases.hold", "pools.put"}
AWS = ("reader", "metrics", "actuator", "compute")


class Pushing:
    """A settled cluster of two task nodes whose probe is ours to speak for."""

    def __init__(self, **policy: Any) -> None:
        task = TaskPolicy(**{"min_nodes": 2, "max_nodes": 10, **policy})
        self.story = Story(calm_world(probe_period_seconds=10), live(task=task, idle=IdlePolicy(enabled=False)))
        self.cluster_id = self.story.start(cluster(core=2, task=2, tags=OPTED_IN))
        self.story.run(timedelta(minutes=10))
        self.story.world.hold_probe(self.cluster_id, until=self.story.world.now + timedelta(days=1))
        self.story.run(70 * SECOND)
        self.fault = Fault()
        self.use_cases = UseCases(FaultyPorts(self.story.ports, self.fault))
        self.pushed = 0

    def snapshot(self, **changes: Any) -> Snapshot:
        values = {
            "at": self.story.world.now,
            "active_nodes": 4,
            "total_mib": 49_152,
            "allocated_mib": 0,
            "available_mib": 49_152,
            "pending_mib": 0,
            "containers_allocated": 0,
            "containers_pending": 0,
            "apps_running": 0,
            "apps_pending": 0,
        }
        return Snapshot(**values | changes)

    def push(self, **changes: Any) -> SnapshotAnswer:
        """Push a snapshot ten seconds later."""
        self.story.world.run_for(10 * SECOND)
        return self.answer(self.snapshot(**changes))

    def answer(self, told: Snapshot) -> SnapshotAnswer:
        self.pushed += 1
        self.fault.calls.clear()
        return self.use_cases.answer_snapshot(self.cluster_id, told, trigger=f"event-{self.pushed}")

    @property
    def last_known(self) -> Snapshot:
        pushed: tuple[Snapshot, ...] = self.entry.task.pushed
        return pushed[-1]

    @property
    def entry(self) -> Any:
        return self.story.ports.registry.get(self.cluster_id)

    def writes(self) -> list[str]:
        """The writes of the last answer."""
        return [call for call in self.fault.calls if call in WRITES]


@pytest.fixture
def quiet() -> Pushing:
    return Pushing()


def busy(containers: int = 20) -> dict[str, float]:
    """Some work, not enough to ask for nodes."""
    used = containers * 1024
    return {"allocated_mib": used, "available_mib": 49_152 - used, "containers_allocated": containers}


FULL = {"allocated_mib": 49_152, "available_mib": 0, "containers_allocated": 24, "apps_running": 1}
FLOOD = {**FULL, "pending_mib": 4_096_000, "containers_pending": 2000}
"""Full, and much more waits."""


def test_a_snapshot_that_changes_nothing_makes_one_small_write_and_no_call_of_aws(quiet: Pushing) -> None:
    quiet.push()
    for containers in (3, 8, 5):
        answer = quiet.push(**busy(containers))
        assert (answer.heed, answer.record) == (Heed.HELD, None)
        assert quiet.writes() == ["registry.put_task_memory"]
        assert not [call for call in quiet.fault.calls if call.startswith(AWS)]


def test_the_same_told_again_writes_nothing_until_a_heartbeat_is_due(quiet: Pushing) -> None:
    quiet.push()
    written = []
    for _ in range(12):
        quiet.push()
        written.append(bool(quiet.writes()))
    assert sum(written) == 2


def test_a_reason_that_changes_is_recorded(quiet: Pushing) -> None:
    quiet.push()
    held = quiet.push(**FULL, pending_mib=2048, containers_pending=1)
    assert held.record is not None
    assert (held.record.outcome, held.record.decision.reason) == (Outcome.HELD, Reason.DRAINS_BEFORE_HELP)
    assert quiet.push(**FULL, pending_mib=4096, containers_pending=2).record is None


def test_a_snapshot_that_asks_for_nodes_is_acted_on_with_three_calls_of_aws(quiet: Pushing) -> None:
    answer = quiet.push(**FLOOD)
    assert answer.heed is Heed.ACTED
    assert answer.record is not None
    assert answer.record.outcome is Outcome.DONE
    assert quiet.story.ordered(quiet.cluster_id) == 10
    calls = [call for call in quiet.fault.calls if call.startswith(AWS)]
    assert calls == ["reader.list_instance_groups", "compute.free_addresses", "actuator.resize_groups"]
    assert quiet.push(**FLOOD).heed is Heed.HELD


def test_a_snapshot_delivered_again_is_dropped(quiet: Pushing) -> None:
    told = quiet.snapshot(**FLOOD)
    assert quiet.answer(told).heed is Heed.ACTED
    before = quiet.story.world.calls.copy()
    assert quiet.answer(told).heed is Refusal.OVERTAKEN
    assert quiet.story.world.calls == before


def test_a_snapshot_older_than_the_last_used_is_dropped(quiet: Pushing) -> None:
    early = quiet.snapshot(**FLOOD)
    quiet.push()
    assert quiet.answer(early).heed is Refusal.OVERTAKEN
    assert quiet.story.ordered(quiet.cluster_id) == 2


def test_an_old_snapshot_and_one_of_the_future_are_dropped(quiet: Pushing) -> None:
    now = quiet.story.world.now
    old = replace(quiet.snapshot(**FLOOD), at=now - timedelta(minutes=3))
    ahead = replace(quiet.snapshot(**FLOOD), at=now + timedelta(minutes=1))
    quiet.story.ports.registry.put(replace(quiet.entry, task=replace(quiet.entry.task, pushed=())))
    assert quiet.answer(old).heed is Refusal.TOO_OLD
    assert quiet.answer(ahead).heed is Refusal.FROM_THE_FUTURE
    assert quiet.entry.task.pushed == ()


def test_a_snapshot_of_a_cluster_that_is_not_ours_is_ignored(quiet: Pushing) -> None:
    answer = quiet.use_cases.answer_snapshot("j-FOREIGN", quiet.snapshot(), trigger="t")
    assert answer.heed is Heed.NOT_ENROLLED


def test_an_absurd_snapshot_holds_and_is_not_remembered(quiet: Pushing) -> None:
    quiet.push(**busy())
    known = quiet.last_known
    answer = quiet.push(allocated_mib=-2048, containers_allocated=1)
    assert answer.record is not None
    decision = answer.record.decision
    assert (decision.action, decision.reason) == (Action.HOLD, Reason.METRICS_ABSURD)
    assert quiet.last_known == known
    assert quiet.push(allocated_mib=-1024, containers_allocated=1).record is None
    assert quiet.writes() == []


def test_a_paused_cluster_is_held_whatever_is_pushed(quiet: Pushing) -> None:
    tags = {**quiet.entry.cluster.tags, "emr-autoscaler:paused": "true"}
    quiet.story.ports.registry.put(replace(quiet.entry, cluster=replace(quiet.entry.cluster, tags=tags)))
    answer = quiet.push(**FLOOD)
    assert answer.heed is Heed.HELD
    assert answer.record is not None
    assert answer.record.decision.reason is Reason.PAUSED


def test_without_a_policy_nothing_is_decided(quiet: Pushing) -> None:
    quiet.story.ports.registry.put(replace(quiet.entry, policy_name="gone"))
    assert quiet.push(**FLOOD).heed is Heed.NO_POLICY


def test_while_somebody_else_decides_an_order_waits_for_the_next_snapshot(quiet: Pushing) -> None:
    with quiet.story.ports.leases.hold(quiet.cluster_id, owner="somebody else"):
        assert quiet.push(**FLOOD).heed is Heed.BUSY
    assert quiet.story.ordered(quiet.cluster_id) == 2
    assert quiet.push(**FLOOD).heed is Heed.ACTED


def test_what_somebody_else_wrote_meanwhile_stays(quiet: Pushing) -> None:
    quiet.push()

    def interfere(*_: Any) -> None:
        raise ConflictError("changed by somebody else")

    quiet.story.ports.registry.put_task_memory = interfere  # type: ignore[method-assign]
    known = quiet.entry
    assert quiet.push(**busy()).heed is Heed.HELD
    assert quiet.entry == known


def test_a_refusal_of_emr_is_not_provoked_by_every_snapshot(quiet: Pushing) -> None:
    class Refusing:
        is_dry = False
        asked = 0

        def resize_groups(self, *_: Any) -> None:
            self.asked += 1
            raise RefusedError("no")

    refusing = Refusing()
    quiet.story.ports.actuators = {Mode.LIVE: refusing}
    quiet.use_cases = UseCases(quiet.story.ports)
    for number in range(60):
        quiet.push(**{**FLOOD, "containers_pending": 2000 + number})
    assert refusing.asked == 2


def test_the_sweep_stays_away_from_a_cluster_that_pushes(quiet: Pushing) -> None:
    quiet.push(**FLOOD)
    for containers in range(60):
        quiet.push(**FULL, pending_mib=4_000_000, containers_pending=2000 + containers)
        due = quiet.entry.task.next_evaluation_at
        assert due > quiet.story.world.now + 2 * timedelta(minutes=1)


def test_a_look_for_another_reason_uses_the_last_snapshot_and_reads_no_metrics(quiet: Pushing) -> None:
    quiet.push(**busy(containers=7))
    quiet.fault.calls.clear()
    record = quiet.use_cases.scale_task_groups(quiet.cluster_id, trigger="alarm")
    assert record is not None
    assert record.evidence is not None
    assert record.evidence.metrics.series["ContainerAllocated"][-1].value == 7
    assert not [call for call in quiet.fault.calls if call.startswith("metrics")]


def test_a_look_after_the_probe_has_died_reads_what_is_newer_than_its_last_word(quiet: Pushing) -> None:
    quiet.push(**busy())
    last = quiet.last_known.at
    quiet.story.world.run_for(timedelta(seconds=151))
    record = quiet.use_cases.scale_task_groups(quiet.cluster_id, trigger="alarm")
    assert record is not None
    assert record.evidence is not None
    points = [p for series in record.evidence.metrics.series.values() for p in series]
    assert all(point.at > last for point in points)
    quiet.story.world.run_for(timedelta(minutes=8))
    later = quiet.use_cases.scale_task_groups(quiet.cluster_id, trigger="alarm")
    assert later is not None
    assert later.decision.reason is not Reason.METRICS_STALE
