"""Statistics of a benchmark: medians, bootstrap intervals, Pareto fronts. No runs and no pages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 4000
CONFIDENCE = 0.95
_SEED = 20261005


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and the bootstrap interval that holds it with 95 % confidence."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """Return plain values."""
        return {"value": round(self.value, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def median_interval(values: Sequence[float]) -> Interval:
    """Return the median of independent values, and its percentile bootstrap interval."""
    return _interval(float(np.median(values)), resampled_medians(values))


def resampled_medians(values: Sequence[float]) -> NDArray[np.float64]:
    """Return the median of each bootstrap sample; the same draws for all values of one number, so they pair."""
    sample = np.asarray(values, dtype=np.float64)
    return np.asarray(np.median(sample[_draws(len(sample))], axis=1), dtype=np.float64)


def spread_of(value: float, resampled: Sequence[float]) -> Interval:
    """Return a value with the percentile interval of what bootstrap samples gave for it; at least one."""
    return _interval(value, np.asarray(resampled, dtype=np.float64))


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of independent values, and its percentile bootstrap interval."""
    sample = np.asarray(values, dtype=np.float64)
    return _interval(float(sample.mean()), sample[_draws(len(sample))].mean(axis=1))


def paired_ratio(values: Sequence[float], others: Sequence[float]) -> Interval:
    """Return the geometric mean of ``values`` over ``others``, and its paired bootstrap interval.

    Args:
        values: One for each pair (a trace and a seed); more than 0.
        others: Of the same pairs, in the same order.
    """
    logs = np.log(np.asarray(values, dtype=np.float64)) - np.log(np.asarray(others, dtype=np.float64))
    means = np.exp(logs[_draws(len(logs))].mean(axis=1))
    return _interval(float(np.exp(logs.mean())), means)


def pareto_front(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """Return the indexes of the points that no other beats in one coordinate and equals in the other."""
    best = float("inf")
    front = []
    for index in sorted(range(len(points)), key=lambda number: points[number]):
        if points[index][1] < best:
            best = points[index][1]
            front.append(index)
    return tuple(front)


def _draws(count: int) -> NDArray[np.int64]:
    # The same draws for every pair of samples of one size, so that tables agree with each other.
    return np.random.default_rng(_SEED).integers(0, count, size=(RESAMPLES, count))


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(value=value, low=float(low), high=float(high))
