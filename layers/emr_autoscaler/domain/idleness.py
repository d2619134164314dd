"""Whether a cluster is idle or overdue and may be ended: announced first, checked again, then ended."""

import itertools
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.applications import NOT_ON_YARN
from emr_autoscaler.domain.cluster import Cluster
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.enrolment import policy_name_of
from emr_autoscaler.domain.memory import IdleMemory
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName, MetricPoint
from emr_autoscaler.domain.policy import IdlePolicy

KEEP_UNTIL_TAG = "emr-autoscaler:keep-until"

WORK_METRICS = (
    MetricName.APPS_RUNNING,
    MetricName.APPS_PENDING,
    MetricName.CONTAINER_ALLOCATED,
    MetricName.CONTAINER_PENDING,
)

GAP = 2.5
"""More than this many periods without a sample is a gap: idleness is not proven across it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """What EMR said when asked just before ending the cluster."""

    cluster: Cluster
    has_unfinished_steps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleEvidence:
    """Everything the decision sees.

    Attributes:
        now: The time of the decision.
        cluster: The cluster as last described.
        is_paused: Suspended by its tag.
        metrics: Recent metrics, at least as long as the idle time.
        policy: The idle section of the policy.
        memory: Whether it was announced already.
        recheck: Fresh facts from EMR; asked for only when everything else allows ending it.
    """

    now: datetime
    cluster: Cluster
    is_paused: bool = False
    metrics: ClusterMetrics
    policy: IdlePolicy
    memory: IdleMemory = field(default_factory=IdleMemory)
    recheck: Recheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleVerdict:
    """The decision and what to remember.

    Attributes:
        decision: HOLD, ANNOUNCE or TERMINATE.
        memory: Announced since when, or not any more.
        needs_recheck: True where only EMR's own word is missing: ask, and decide again.
    """

    decision: Decision
    memory: IdleMemory
    needs_recheck: bool = False

    def changes_nothing(self, memory: IdleMemory) -> bool:
        """Whether a cluster of this memory is left as it is, with nothing to ask, to tell or to remember."""
        return self.decision.action is Action.HOLD and not self.needs_recheck and self.memory == memory


def is_surely_busy(metrics: ClusterMetrics, now: datetime) -> bool:
    """Whether EMR's newest word is that something runs. IsIdle alone tells, so nothing else has to be read."""
    newest = metrics.latest(MetricName.IS_IDLE, now=now, max_age=GAP * metrics.period)
    return newest is not None and newest.value < 1


def decide_reaping(evidence: IdleEvidence) -> IdleVerdict:
    """Decide whether to announce, end or leave a cluster.

    Args:
        evidence: Its metrics may be IsIdle alone where ``is_surely_busy`` says so.
    """
    guard = _guard(evidence, evidence.cluster)
    if guard is not None:
        return _leave(evidence, guard)
    case = _find_case(evidence)
    if case in {Reason.BUSY, Reason.NOT_IDLE_LONG_ENOUGH, Reason.METRICS_STALE}:
        return _leave(evidence, case)
    announced_at = evidence.memory.announced_at
    if announced_at is None:
        memory = IdleMemory(announced_at=evidence.now)
        return _verdict(evidence, Action.ANNOUNCE, case, memory)
    if evidence.now < announced_at + evidence.policy.warning_period:
        return _verdict(evidence, Action.HOLD, Reason.WARNING_PERIOD, evidence.memory)
    if evidence.recheck is None:
        held = _verdict(evidence, Action.HOLD, Reason.WARNING_PERIOD, evidence.memory)
        return replace(held, needs_recheck=True)
    return _confirm(evidence, evidence.recheck, case)


def _confirm(evidence: IdleEvidence, recheck: Recheck, case: Reason) -> IdleVerdict:
    """Believe EMR's fresh word over everything remembered."""
    guard = _guard(evidence, recheck.cluster)
    if guard is not None:
        return _leave(evidence, guard)
    if not policy_name_of(recheck.cluster):
        return _leave(evidence, Reason.DISABLED)  # opted out since it was last described
    if recheck.has_unfinished_steps:
        return _leave(evidence, Reason.BUSY)
    reason = Reason.LIFETIME_EXCEEDED if case is Reason.LIFETIME_ANNOUNCED else Reason.IDLE_CONFIRMED
    return _verdict(evidence, Action.TERMINATE, reason, evidence.memory)


def _guard(evidence: IdleEvidence, cluster: Cluster) -> Reason | None:
    sees_all = evidence.policy.trust_isidle or NOT_ON_YARN.isdisjoint(a.lower() for a in cluster.applications)
    paused = evidence.is_paused or cluster.tags.get("emr-autoscaler:paused", "").lower() == "true"
    checks = (
        (not evidence.policy.enabled, Reason.DISABLED),
        (paused, Reason.PAUSED),
        (not cluster.state.is_ready, Reason.CLUSTER_NOT_READY),
        (_is_kept(cluster, evidence.now), Reason.KEPT_BY_TAG),
        (cluster.termination_protected, Reason.PROTECTED),
        (evidence.now - cluster.created_at < evidence.policy.min_age, Reason.TOO_YOUNG),
        (not sees_all, Reason.WORK_NOT_VISIBLE_TO_YARN),
    )
    return next((reason for applies, reason in checks if applies), None)


def _is_kept(cluster: Cluster, now: datetime) -> bool:
    """Whether the tag holds the reaper off; a tag nobody can read does, too."""
    text = cluster.tags.get(KEEP_UNTIL_TAG)
    if text is None:
        return False
    try:
        until = datetime.fromisoformat(text.strip())
    except ValueError:
        return True
    return until.tzinfo is None or now < until


def _find_case(evidence: IdleEvidence) -> Reason:
    """Return why the cluster may be announced, or why not."""
    now, policy, period = evidence.now, evidence.policy, evidence.metrics.period
    if is_surely_busy(evidence.metrics, now):
        return Reason.BUSY
    start = now - policy.idle_for
    idle = _known(evidence, MetricName.IS_IDLE, start - GAP * period)
    if not idle or not _is_whole([p.at for p in idle], start, now, period):
        return Reason.METRICS_STALE
    work = [_known(evidence, name, start) for name in WORK_METRICS]
    if any(not points or now - points[-1].at > GAP * period for points in work):
        return Reason.METRICS_STALE
    within = [p for p in idle if p.at >= start]
    if not idle[-1].value >= 1 or any(points[-1].value != 0 for points in work):
        return Reason.BUSY
    overdue = policy.max_lifetime is not None and now - evidence.cluster.created_at >= policy.max_lifetime
    quiet = all(p.value >= 1 for p in within) and all(p.value == 0 for points in work for p in points)
    if quiet:
        return Reason.IDLE_ANNOUNCED
    return Reason.LIFETIME_ANNOUNCED if overdue else Reason.NOT_IDLE_LONG_ENOUGH


def _known(evidence: IdleEvidence, name: MetricName, start: datetime) -> tuple[MetricPoint, ...]:
    """Return the samples since ``start``; those from the future prove nothing."""
    return tuple(point for point in evidence.metrics.since(name, start) if point.at <= evidence.now)


def _is_whole(times: list[datetime], start: datetime, end: datetime, period: timedelta) -> bool:
    """Whether samples reach from ``start`` to ``end`` without a gap."""
    longest = GAP * period
    edges = [*times, end]
    return times[0] <= start + period and all(
        later - earlier <= longest for earlier, later in itertools.pairwise(edges)
    )


def _leave(evidence: IdleEvidence, reason: Reason) -> IdleVerdict:
    """Leave the cluster alone, and take an announcement back unless data is merely missing."""
    keep = reason is Reason.METRICS_STALE
    return _verdict(evidence, Action.HOLD, reason, evidence.memory if keep else IdleMemory())


def _verdict(evidence: IdleEvidence, action: Action, reason: Reason, memory: IdleMemory) -> IdleVerdict:
    decision = Decision(
        kind=DecisionKind.IDLE,
        cluster_id=evidence.cluster.cluster_id,
        decided_at=evidence.now,
        action=action,
        reason=reason,
    )
    return IdleVerdict(decision=decision, memory=memory)
