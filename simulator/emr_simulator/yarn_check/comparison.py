"""How far two outcomes of the same slice are apart, and the table that says so; who made them is elsewhere."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from emr_simulator.yarn_check.outcomes import METRICS, Outcome

MEAN_RESPONSE_LIMIT = 0.10
P95_RESPONSE_LIMIT = 0.15
ALLOCATED_LIMIT = 0.05
PERIOD_SECONDS = 300
"""CloudWatch's period: values over time are compared as means of five minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of both sides.

    Attributes:
        difference: (simulator - YARN) / YARN for a figure; for one over time, the mean distance of the
            five-minute means over YARN's mean. A fraction; None where there is nothing to divide by.
        limit: The largest difference that counts as agreement; None where it is only shown.
    """

    figure: str
    simulator: float
    yarn: float
    difference: float | None
    limit: float | None = None

    @property
    def agrees(self) -> bool:
        """Whether the difference keeps its limit, where there is one."""
        return self.limit is None or self.difference is None or abs(self.difference) <= self.limit


def compare(simulator: Outcome, yarn: Outcome) -> tuple[Row, ...]:
    """Return the rows of the table.

    Raises:
        ValueError: The two did not run the same jobs.
    """
    if simulator.jobs.keys() != yarn.jobs.keys():
        msg = f"different jobs: {sorted(simulator.jobs.keys() ^ yarn.jobs.keys())[:5]}"
        raise ValueError(msg)
    return (*_responses(simulator, yarn), *_over_time(simulator, yarn), *_leaves(simulator, yarn))


def _responses(simulator: Outcome, yarn: Outcome) -> Iterable[Row]:
    one = sorted(job.response for job in simulator.jobs.values())
    other = sorted(job.response for job in yarn.jobs.values())
    yield _figure("job response, mean (s)", _mean(one), _mean(other), MEAN_RESPONSE_LIMIT)
    yield _figure("job response, p50 (s)", quantile(one, 0.50), quantile(other, 0.50))
    yield _figure("job response, p95 (s)", quantile(one, 0.95), quantile(other, 0.95), P95_RESPONSE_LIMIT)
    ends = [max(job.ended for job in each.jobs.values()) for each in (simulator, yarn)]
    yield _figure("end of the last job (s)", *ends)
    later = [yarn.jobs[name].response - job.response for name, job in simulator.jobs.items()]
    # What a job waits longer on YARN, whatever its length: the heartbeats that the simulator does not have.
    yield Row(
        figure="median job is later by (s)", simulator=0.0, yarn=quantile(sorted(later), 0.5), difference=None
    )
    lost = [sum(job.lost_seconds for job in each.jobs.values()) for each in (simulator, yarn)]
    yield _figure("lost container-seconds", *lost)


def _over_time(simulator: Outcome, yarn: Outcome) -> Iterable[Row]:
    for metric in METRICS:
        one, other = simulator.samples[metric], yarn.samples[metric]
        limit = ALLOCATED_LIMIT if metric == "MemoryAllocatedMB" else None
        mean = _mean(other)
        apart = distance(one, other) / mean if mean else None
        yield Row(figure=metric, simulator=_mean(one), yarn=mean, difference=apart, limit=limit)


def _leaves(simulator: Outcome, yarn: Outcome) -> Iterable[Row]:
    if not simulator.leaves:
        return
    both = (simulator.leaves, yarn.leaves)
    yield _figure("nodes that left", *(float(len(leaves)) for leaves in both))
    yield _figure("request to empty, mean (s)", *(_mean([n.empty - n.asked for n in each]) for each in both))
    yield _figure("request to gone, mean (s)", *(_mean([n.left - n.asked for n in each]) for each in both))
    yield _figure("taken by the timeout", *(float(sum(n.forced for n in each)) for each in both))


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the mean distance of the five-minute means of two series; the shorter one goes on as 0."""
    pairs = list(zip_longest(_periods(one), _periods(other), fillvalue=0.0))
    return _mean([abs(a - b) for a, b in pairs])


def quantile(ordered: Sequence[float], fraction: float) -> float:
    """Return a quantile of ordered values, interpolated."""
    place = fraction * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _periods(values: Sequence[float]) -> list[float]:
    """Means of periods; seconds that a last period lacks count as 0."""
    return [
        sum(values[start : start + PERIOD_SECONDS]) / PERIOD_SECONDS
        for start in range(0, len(values), PERIOD_SECONDS)
    ]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _figure(figure: str, simulator: float, yarn: float, limit: float | None = None) -> Row:
    difference = (simulator - yarn) / yarn if yarn else None
    return Row(figure=figure, simulator=simulator, yarn=yarn, difference=difference, limit=limit)


def table(title: str, rows: Sequence[Row], *, held_to_limits: bool) -> str:
    """Return a Markdown table: it reads the same in a terminal and in docs/yarn-validation.md."""
    lines = [f"### {title}", "", "| figure | simulator | YARN | difference | limit |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        limit = "" if row.limit is None or not held_to_limits else f"{row.limit:.0%}"
        verdict = "" if row.agrees or not held_to_limits else " **over**"
        difference = "" if row.difference is None else f"{row.difference:+.1%}"
        lines.append(
            f"| {row.figure} | {row.simulator:,.1f} | {row.yarn:,.1f} | {difference}{verdict} | {limit} |"
        )
    return "\n".join(lines)
