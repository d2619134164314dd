"""The document of a backtest: what was recorded beside what would have been; the page is drawn from it alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.decision import Action
from emr_autoscaler.domain.errors import PriceMissingError
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.domain.pool_selection import types_in_question
from emr_autoscaler.domain.tuning import tuning_of
from emr_simulator.backtest.prices import NodePrice, PriceBook, price_of
from emr_simulator.backtest.recording import Recording, iso
from emr_simulator.backtest.replay import Look, Replay, ReplaySettings, replay_policy
from emr_simulator.backtest.replayed_cluster import ReplayedCluster
from emr_simulator.backtest.sizes import recorded_sizes
from emr_simulator.backtest.work import Interval, Work, estimate_task_seconds, reconstruct_work

HOUR = 3600
_CENT = Decimal("0.01")


def backtest(
    recording: Recording,
    policy: Policy,
    *,
    task_seconds: float | None = None,
    settings: ReplaySettings | None = None,
    prices: Mapping[str, Decimal] | None = None,
) -> dict[str, Any]:
    """Replay a recording under a policy and return the document.

    Args:
        recording: Of a real cluster.
        policy: Its task section is replayed, whatever its mode.
        task_seconds: How long a container runs; None takes what draining backlogs of the recording
            show, or else the policy's expected_task_seconds.
        settings: What the recording does not say.
        prices: USD per node-hour by type, or under ANY_TYPE; others are from the built-in list.

    Raises:
        RecordingError: The recording holds too little.
        PriceMissingError: A type has no price.
    """
    settings = settings or ReplaySettings()
    seconds, source = _task_seconds(recording, policy, task_seconds)
    work = reconstruct_work(recording, task_seconds=seconds)
    settings = replace(settings, usd_per_node_hour=_known_prices(recording, policy, prices or {}))
    replay = replay_policy(recording, work, policy.task, settings)
    sizes = recorded_sizes(recording, work)
    book = PriceBook(by_type={name: price_of(name, prices or {}) for name in _types(recording, replay.cluster)})
    return {
        "cluster_id": recording.cluster_id,
        "source": recording.source,
        "counted_in": "nodes" if replay.cluster.fleet is None else "units",
        "from": iso(work.readings[0].at),
        "to": iso(work.readings[-1].at),
        "period_seconds": int(recording.period.total_seconds()),
        "samples": len(work.readings),
        "samples_left_out": {reason.value: count for reason, count in work.rejected.items()},
        "gaps": [{"from": iso(gap.first.at), "to": iso(gap.end)} for gap in work.gaps],
        "hours": _hours(i.seconds for i in work.intervals if not i.is_gap),
        "gap_hours": _hours(i.seconds for i in work.gaps),
        "policy": {
            "name": policy.name,
            "mode": policy.mode.value,
            "objective": None if policy.task.drain_within else policy.task.objective.value,
            "drain_within_seconds": tuning_of(policy.task).drain_within.total_seconds(),
            "min_nodes": policy.task.min_nodes,
            "max_nodes": policy.task.max_nodes,
            "expected_task_seconds": policy.task.expected_task_seconds,
        },
        "model": {
            "task_seconds": seconds,
            "task_seconds_from": source,
            "provisioning_seconds": settings.boot.total_seconds(),
            "publish_delay_seconds": settings.publish_delay.total_seconds(),
        },
        "prices": [_price(price) for price in book.by_type.values()],
        "work": {
            "offered_mib_hours": round(work.offered_mib_seconds / HOUR, 3),
            "recorded_served_mib_hours": round(work.served_mib_seconds / HOUR, 3),
            "recorded_remaining_mib_hours": round(work.remaining_mib_seconds / HOUR, 3),
            "replayed_served_mib_hours": round(replay.served_mib_seconds / HOUR, 3),
            "replayed_remaining_mib_hours": round(replay.remaining_mib_seconds / HOUR, 3),
        },
        "core": _core(recording, work, book),
        "recorded": _recorded(recording, work, sizes, book),
        "replayed": _replayed(work, replay, book),
        "series": _series(work, sizes, replay),
        "reasons": dict(Counter(look.decision.reason.value for look in replay.looks).most_common()),
        "decisions": [_decision(look) for look in replay.looks],
    }


def _known_prices(recording: Recording, policy: Policy, given: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return USD per node-hour by type, as far as it is known: what the policy's cap is kept with."""
    known = {}
    for name in recording.types | set(types_in_question(policy.task)):
        with suppress(PriceMissingError):
            known[name] = price_of(name, given).usd_per_hour
    return known


def _task_seconds(recording: Recording, policy: Policy, given: float | None) -> tuple[float, str]:
    if given is not None:
        return given, "given"
    shown = estimate_task_seconds(recording)
    return (shown, "recording") if shown is not None else (float(policy.task.expected_task_seconds), "policy")


def _types(recording: Recording, cluster: ReplayedCluster) -> Iterable[str]:
    """Return every type that was there or could have been ordered, each once."""
    of_fleets = [kind.instance_type for fleet in recording.fleets for kind in fleet.types]
    ordered = [kind.instance_type for kind in cluster.fleet.types] if cluster.fleet else []
    ordered += [group.instance_type for group in cluster.groups if group.instance_type]
    return dict.fromkeys([*(group.instance_type for group in recording.groups), *of_fleets, *ordered])


def _core(recording: Recording, work: Work, book: PriceBook) -> dict[str, Any]:
    seconds = sum((Decimal(str(i.first.core_nodes)) * _seconds(i.seconds) for i in _known(work)), Decimal(0))
    return _money(seconds, book.node_usd(recording.core_types) * seconds)


def _recorded(recording: Recording, work: Work, sizes: Sequence[float], book: PriceBook) -> dict[str, Any]:
    """Sum up what was there. Metrics do not tell types apart: their mean price holds for all task nodes."""
    lasting = zip(sizes, work.intervals, strict=False)
    seconds = sum((Decimal(str(size)) * _seconds(i.seconds) for size, i in lasting if not i.is_gap), Decimal(0))
    fleet = recording.task_fleet
    groups = [group.instance_type for group in recording.of_role(Role.TASK)]
    usd = book.node_usd(groups) if fleet is None else book.unit_usd(fleet.types)
    waiting = [reading.demand.pending_mib for reading in work.readings]
    return {
        **_money(seconds, usd * seconds),
        "most_nodes": max(sizes),
        **_unmet(work, waiting),
    }


def _replayed(work: Work, replay: Replay, book: PriceBook) -> dict[str, Any]:
    cluster = replay.cluster
    seconds = [Decimal(group.node_seconds) * cluster.step for group in cluster.groups]
    usd_seconds = [
        part * (book.unit_usd(cluster.fleet.types) if cluster.fleet else book.node_usd([group.instance_type]))
        for part, group in zip(seconds, cluster.groups, strict=True)
    ]
    actions = Counter(look.decision.action for look in replay.looks)
    return {
        **_money(sum(seconds, Decimal(0)), sum(usd_seconds, Decimal(0))),
        "most_nodes": max(state.task_nodes for state in replay.states),
        **_unmet(work, [state.pending_mib for state in replay.states]),
        "decisions": len(replay.looks),
        "scale_outs": actions[Action.SCALE_OUT],
        "scale_ins": actions[Action.SCALE_IN],
        "groups": [
            {
                "group_id": group.group_id,
                "market": group.market.value,
                "instance_type": group.instance_type or _in_words(cluster),
                "node_hours": round(group.node_seconds * cluster.step / HOUR, 3),
            }
            for group in cluster.groups
        ],
    }


def _in_words(cluster: ReplayedCluster) -> str:
    """Return what a fleet buys, and what each type counts."""
    kinds = cluster.fleet.types if cluster.fleet else ()
    return ", ".join(f"{kind.instance_type} x{kind.units}" for kind in kinds)


def _unmet(work: Work, waiting_mib: Sequence[float]) -> dict[str, Any]:
    """Return memory that waited beyond capacity: between samples the mean of both ends, gaps left out."""
    area, with_pending = 0.0, 0.0
    for interval, before, after in zip(work.intervals, waiting_mib, waiting_mib[1:], strict=False):
        if not interval.is_gap:
            area += (before + after) / 2 * interval.seconds
            with_pending += interval.seconds if before > 0 else 0.0
    return {
        "unmet_mib_hours": round(area / HOUR, 3),
        "hours_with_pending": round(with_pending / HOUR, 3),
        "most_pending_mib": round(max(waiting_mib), 1),
    }


def _series(work: Work, sizes: Sequence[float], replay: Replay) -> list[dict[str, Any]]:
    """Return what charts need, one entry for each reading; ``gap_follows`` breaks the lines."""
    entries = []
    for index, (reading, size, state) in enumerate(zip(work.readings, sizes, replay.states, strict=True)):
        interval = work.intervals[index] if index < len(work.intervals) else None
        known = interval is not None and not interval.is_gap
        offered = interval.offered_mib_seconds / interval.seconds if interval is not None and known else None
        entries.append(
            {
                "at": iso(reading.at),
                "gap_follows": interval is not None and interval.is_gap,
                "offered_mib": None if offered is None else round(offered, 1),
                "recorded": {
                    "task_nodes": size,
                    "total_mib": reading.demand.total_mib,
                    "allocated_mib": round(reading.demand.allocated_mib, 1),
                    "pending_mib": round(reading.demand.pending_mib, 1),
                },
                "replayed": {
                    "task_nodes": state.task_nodes,
                    "requested_nodes": state.requested_nodes,
                    "total_mib": round(state.total_mib, 1),
                    "allocated_mib": round(state.allocated_mib, 1),
                    "pending_mib": round(state.pending_mib, 1),
                },
            }
        )
    return entries


def _decision(look: Look) -> dict[str, Any]:
    decision = look.decision
    return {
        "at": iso(decision.decided_at),
        "action": decision.action.value,
        "reason": decision.reason.value,
        "nodes_before": look.nodes_before,
        "nodes_after": look.nodes_after,
        "targets": [
            {"group_id": t.group_id, "previous_count": t.previous_count, "count": t.count}
            for t in decision.targets
        ],
        "detail": decision.detail,
    }


def _known(work: Work) -> list[Interval]:
    return [interval for interval in work.intervals if not interval.is_gap]


def _seconds(seconds: float) -> Decimal:
    return Decimal(str(seconds))


def _hours(parts: Iterable[float]) -> float:
    return round(sum(parts) / HOUR, 3)


def _money(node_seconds: Decimal, usd_seconds: Decimal) -> dict[str, Any]:
    return {
        "node_hours": round(float(node_seconds / HOUR), 3),
        "cost_usd": format((usd_seconds / HOUR).quantize(_CENT), "f"),
    }


def _price(price: NodePrice) -> dict[str, str]:
    return {
        "instance_type": price.instance_type,
        "usd_per_node_hour": format(price.usd_per_hour, "f"),
        "source": price.source,
    }
