"""Reaping: announced, checked again, ended; and everything that holds it off."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.samples import cluster as any_cluster
from tests.support.scenes import CLUSTER, NOW, minutes, series

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import Cluster, ClusterState
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.idleness import WORK_METRICS, IdleEvidence, IdleVerdict, Recheck, decide_reaping
from emr_autoscaler.domain.memory import IdleMemory
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.policy import IdlePolicy

EVERY_FIVE = tuple(NOW - minutes(2 + 5 * n) for n in range(15))[::-1]
"""Sample times of the last 72 minutes."""


def quiet(times: Sequence[datetime] = EVERY_FIVE, **changed: dict[datetime, float]) -> ClusterMetrics:
    """Idle samples without work at these times, but for the values changed."""
    idle = {"IS_IDLE": 1.0} | dict.fromkeys((metric.name for metric in WORK_METRICS), 0.0)
    return series(
        **{name: [(at, changed.get(name, {}).get(at, value)) for at in times] for name, value in idle.items()}
    )


def cluster(**changes: Any) -> Cluster:
    tags = {"emr-autoscaler:policy": "default", **changes.pop("tags", {})}
    values = {"state": ClusterState.WAITING, "created_at": NOW - minutes(300), "tags": tags}
    return any_cluster(CLUSTER, **values | changes)


def idle(
    *, metrics: ClusterMetrics | None = None, announced_minutes_ago: float | None = None, **changes: Any
) -> IdleEvidence:
    policy = {name: changes.pop(name) for name in tuple(changes) if name in IdlePolicy.__dataclass_fields__}
    own = changes.pop("of", cluster())
    memory = IdleMemory()
    if announced_minutes_ago is not None:
        memory = IdleMemory(announced_at=NOW - minutes(announced_minutes_ago))
    values: dict[str, Any] = {
        "now": NOW,
        "cluster": own,
        "metrics": metrics or quiet(),
        "policy": IdlePolicy(**policy),
        "memory": memory,
    }
    return IdleEvidence(**values | changes)


def outcome(verdict: IdleVerdict) -> tuple[Action, Reason]:
    return verdict.decision.action, verdict.decision.reason


def recheck(*, steps: bool = False, **changes: Any) -> Recheck:
    return Recheck(cluster=cluster(**changes), has_unfinished_steps=steps)


def test_an_idle_cluster_is_announced_first() -> None:
    verdict = decide_reaping(idle())
    assert outcome(verdict) == (Action.ANNOUNCE, Reason.IDLE_ANNOUNCED)
    assert verdict.memory == IdleMemory(announced_at=NOW)


def test_the_warning_period_is_waited_for() -> None:
    verdict = decide_reaping(idle(announced_minutes_ago=14))
    assert (outcome(verdict), verdict.needs_recheck) == ((Action.HOLD, Reason.WARNING_PERIOD), False)


def test_after_the_warning_period_only_emrs_own_word_is_missing() -> None:
    verdict = decide_reaping(idle(announced_minutes_ago=15))
    assert (verdict.decision.action, verdict.needs_recheck) == (Action.HOLD, True)


def test_an_idle_cluster_is_ended_once_emr_confirms_it() -> None:
    verdict = decide_reaping(idle(announced_minutes_ago=15, recheck=recheck()))
    assert outcome(verdict) == (Action.TERMINATE, Reason.IDLE_CONFIRMED)


@pytest.mark.parametrize(
    ("fresh", "reason"),
    [
        (recheck(steps=True), Reason.BUSY),
        (recheck(termination_protected=True), Reason.PROTECTED),
        (recheck(tags={"emr-autoscaler:keep-until": "2026-10-06T00:00:00Z"}), Reason.KEPT_BY_TAG),
        (recheck(tags={"emr-autoscaler:paused": "true"}), Reason.PAUSED),
        (recheck(tags={"emr-autoscaler:policy": ""}), Reason.DISABLED),
        (recheck(state=ClusterState.TERMINATING), Reason.CLUSTER_NOT_READY),
        (recheck(applications=("trino",)), Reason.WORK_NOT_VISIBLE_TO_YARN),
    ],
)
def test_emrs_fresh_word_wins_and_takes_the_announcement_back(fresh: Recheck, reason: Reason) -> None:
    verdict = decide_reaping(idle(announced_minutes_ago=30, recheck=fresh))
    assert (outcome(verdict), verdict.memory) == ((Action.HOLD, reason), IdleMemory())


@pytest.mark.parametrize("name", ["APPS_RUNNING", "APPS_PENDING", "CONTAINER_ALLOCATED", "CONTAINER_PENDING"])
def test_work_in_the_last_sample_takes_the_announcement_back(name: str) -> None:
    metrics = quiet(**{name: {EVERY_FIVE[-1]: 1.0}})
    verdict = decide_reaping(idle(metrics=metrics, announced_minutes_ago=30, recheck=recheck()))
    assert (outcome(verdict), verdict.memory) == ((Action.HOLD, Reason.BUSY), IdleMemory())


def test_a_cluster_that_emr_does_not_call_idle_is_busy() -> None:
    assert decide_reaping(idle(metrics=quiet(IS_IDLE={EVERY_FIVE[-1]: 0.0}))).decision.reason is Reason.BUSY


def test_work_within_the_idle_time_is_too_recent() -> None:
    metrics = quiet(CONTAINER_ALLOCATED={EVERY_FIVE[7]: 4.0})
    assert decide_reaping(idle(metrics=metrics)).decision.reason is Reason.NOT_IDLE_LONG_ENOUGH


def test_values_that_are_not_a_number_prove_nothing() -> None:
    for name in ("IS_IDLE", "APPS_RUNNING"):
        metrics = quiet(**{name: {EVERY_FIVE[7]: float("nan")}})
        assert decide_reaping(idle(metrics=metrics)).decision.action is Action.HOLD


@pytest.mark.parametrize(
    "times",
    [(), EVERY_FIVE[8:], EVERY_FIVE[:5] + EVERY_FIVE[8:], EVERY_FIVE[:-3]],
    ids=["none", "too short", "a gap", "ended"],
)
def test_idleness_is_not_proven_across_missing_samples(times: Sequence[datetime]) -> None:
    verdict = decide_reaping(idle(metrics=quiet(times), announced_minutes_ago=60, recheck=recheck()))
    assert outcome(verdict) == (Action.HOLD, Reason.METRICS_STALE)


def test_samples_from_the_future_prove_nothing() -> None:
    ahead = tuple(at + minutes(90) for at in EVERY_FIVE)
    verdict = decide_reaping(idle(metrics=quiet((EVERY_FIVE[0], *ahead)), announced_minutes_ago=60))
    assert outcome(verdict) == (Action.HOLD, Reason.METRICS_STALE)


@pytest.mark.parametrize("name", [metric.name for metric in WORK_METRICS])
def test_a_work_metric_known_only_of_the_future_is_not_taken_for_no_work(name: str) -> None:
    whole = quiet()
    ahead = series(**{name: [(NOW + minutes(1), 0.0)]})
    metrics = replace(whole, series={**whole.series, **ahead.series})
    assert decide_reaping(idle(metrics=metrics)).decision.reason is Reason.METRICS_STALE


@pytest.mark.parametrize("name", [metric.name for metric in WORK_METRICS])
def test_a_work_metric_that_is_missing_is_not_taken_for_no_work(name: str) -> None:
    whole = quiet()
    metrics = replace(whole, series={k: v for k, v in whole.series.items() if k.name != name})
    assert decide_reaping(idle(metrics=metrics)).decision.reason is Reason.METRICS_STALE


def test_the_newest_isidle_alone_proves_work_and_takes_the_announcement_back() -> None:
    metrics = series(IS_IDLE=[(EVERY_FIVE[-1], 0.0)])
    verdict = decide_reaping(idle(metrics=metrics, announced_minutes_ago=30))
    assert (outcome(verdict), verdict.memory) == ((Action.HOLD, Reason.BUSY), IdleMemory())


def test_an_isidle_that_is_too_old_proves_no_work() -> None:
    evidence = idle(metrics=series(IS_IDLE=[(NOW - minutes(13), 0.0)]), announced_minutes_ago=30)
    verdict = decide_reaping(evidence)
    assert (outcome(verdict), verdict.memory) == ((Action.HOLD, Reason.METRICS_STALE), evidence.memory)


def test_a_short_gap_in_the_data_keeps_the_announcement() -> None:
    evidence = idle(metrics=quiet(EVERY_FIVE[:-3]), announced_minutes_ago=10)
    assert decide_reaping(evidence).memory == evidence.memory


@pytest.mark.parametrize(
    "until",
    ["2026-10-05T12:00:01Z", "2026-10-05T15:00:00+02:00", "2026-10-05", "tomorrow", "", " 2026-10-06T00:00:00Z "],
)
def test_the_tag_keeps_a_cluster_even_where_nobody_can_read_it(until: str) -> None:
    kept = cluster(tags={"emr-autoscaler:keep-until": until})
    verdict = decide_reaping(idle(of=kept, announced_minutes_ago=30, recheck=recheck()))
    assert outcome(verdict) == (Action.HOLD, Reason.KEPT_BY_TAG)


def test_a_tag_that_has_run_out_keeps_nothing() -> None:
    past = cluster(tags={"emr-autoscaler:keep-until": "2026-10-05T12:00:00Z"})
    assert decide_reaping(idle(of=past)).decision.action is Action.ANNOUNCE


@pytest.mark.parametrize(
    ("of", "changes", "reason"),
    [
        (cluster(termination_protected=True), {}, Reason.PROTECTED),
        (cluster(created_at=NOW - minutes(59)), {}, Reason.TOO_YOUNG),
        (cluster(state=ClusterState.STARTING), {}, Reason.CLUSTER_NOT_READY),
        (cluster(), {"is_paused": True}, Reason.PAUSED),
        (cluster(), {"enabled": False}, Reason.DISABLED),
    ],
)
def test_guards_hold_and_take_the_announcement_back(of: Cluster, changes: dict[str, Any], reason: Reason) -> None:
    verdict = decide_reaping(idle(of=of, announced_minutes_ago=30, recheck=recheck(), **changes))
    assert (outcome(verdict), verdict.memory) == ((Action.HOLD, reason), IdleMemory())


@pytest.mark.parametrize("name", ["presto", "Trino", "hbase", "Flink", "JupyterEnterpriseGateway", "zeppelin"])
def test_applications_that_yarn_does_not_see_hold_the_reaper_off(name: str) -> None:
    busy_elsewhere = cluster(applications=("hadoop", name))
    assert decide_reaping(idle(of=busy_elsewhere)).decision.reason is Reason.WORK_NOT_VISIBLE_TO_YARN


def test_the_operator_may_trust_isidle_all_the_same() -> None:
    trusted = idle(of=cluster(applications=("presto",)), trust_isidle=True)
    assert decide_reaping(trusted).decision.action is Action.ANNOUNCE


def test_an_overdue_cluster_is_announced_and_ended_as_soon_as_no_work_runs() -> None:
    busy_lately = quiet(CONTAINER_ALLOCATED={EVERY_FIVE[-3]: 9.0})
    first = decide_reaping(idle(metrics=busy_lately, max_lifetime=timedelta(hours=5)))
    assert outcome(first) == (Action.ANNOUNCE, Reason.LIFETIME_ANNOUNCED)
    later = idle(metrics=busy_lately, max_lifetime=timedelta(hours=5), announced_minutes_ago=15, recheck=recheck())
    assert outcome(decide_reaping(later)) == (Action.TERMINATE, Reason.LIFETIME_EXCEEDED)


def test_an_overdue_cluster_that_works_is_left_alone() -> None:
    busy = quiet(CONTAINER_ALLOCATED={EVERY_FIVE[-1]: 9.0})
    verdict = decide_reaping(idle(metrics=busy, max_lifetime=timedelta(hours=5), announced_minutes_ago=15))
    assert outcome(verdict) == (Action.HOLD, Reason.BUSY)


@settings(max_examples=150)
@given(
    spoilt=st.dictionaries(st.sampled_from(EVERY_FIVE[3:]), st.sampled_from([0.0, 1.0, float("nan")]), max_size=3),
    missing=st.sets(st.integers(0, 14), max_size=14),
    name=st.sampled_from(["IS_IDLE", *(metric.name for metric in WORK_METRICS)]),
    announced=st.none() | st.integers(0, 60),
    steps=st.booleans(),
    protected=st.booleans(),
)
def test_nothing_is_ended_that_is_not_proven_idle(
    spoilt: dict[datetime, float],
    missing: set[int],
    name: str,
    announced: int | None,
    *,
    steps: bool,
    protected: bool,
) -> None:
    times = [at for number, at in enumerate(EVERY_FIVE) if number not in missing]
    fresh = recheck(steps=steps, termination_protected=protected)
    evidence = idle(metrics=quiet(times, **{name: spoilt}), announced_minutes_ago=announced, recheck=fresh)
    verdict = decide_reaping(evidence)
    replayed = load_evidence(DecisionKind.IDLE, dump_evidence(DecisionKind.IDLE, evidence))
    assert isinstance(replayed, IdleEvidence)
    assert decide_reaping(replayed) == verdict
    if verdict.decision.action is not Action.TERMINATE:
        return
    assert announced is not None
    assert announced >= 15
    assert not steps
    assert not protected
    wanted = 1.0 if name == "IS_IDLE" else 0.0
    assert all(value == wanted for at, value in spoilt.items() if at in times and at >= NOW - minutes(60))
    gaps = [b - a for a, b in zip([NOW - minutes(60), *times], [*times, NOW], strict=True) if b > a]
    assert max(gaps) <= minutes(12.5)
