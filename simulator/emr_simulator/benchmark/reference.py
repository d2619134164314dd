"""Figures of an independent implementation of the protocol on the Facebook day; docs/benchmark.md compares them.

Set-up: that of ``experiment.Setup``; medians of three to five seeds.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One policy there; None where a figure was not given.

    Attributes:
        cost_usd: Of task nodes.
        bsld_p50, bsld_p95, bsld_p99: Bounded slowdown.
        delay_seconds: Work-weighted.
    """

    cost_usd: float
    bsld_p50: float
    bsld_p95: float
    bsld_p99: float
    delay_seconds: float
    resize_requests: int
    nodes_started: int | None = None

    def __getitem__(self, name: str) -> float | None:
        """Return a figure by its name in the benchmark's document."""
        value: float | None = getattr(self, name)
        return value


_TABLE = """
emr-default-rules 133.4 1.0 56.6 104.6 1716 259 134
managed-scaling 167.8 1.2 13.7 28.1 595 2029 6833
dataproc:0.05 107.0 2.4 18.8 30.9 822 177 1118
dataproc:1 175.8 1.0 12.9 25.7 597 194 3457
twenty-percent 316.9 1.0 43.8 55.3 1053 98 258
step-rules 200.5 1.0 24.3 57.0 974 439 333
static:36 207.5 1.0 56.2 69.9 1064 0 -
drain-time:480,60 80.1 4.3 16.4 28.4 745 502 -
drain-time:240,180 107.8 1.3 11.7 25.2 584 447 -
drain-time:60,420 219.7 1.0 9.0 23.2 437 417 -
"""
"""Policy, USD, slowdown p50, p95 and p99, delay, resizes, starts."""


def _read_table() -> dict[str, Reference]:
    rows = {}
    for line in _TABLE.split("\n"):
        if line:
            policy, usd, p50, p95, p99, delay, resizes, starts = line.split()
            rows[policy] = Reference(
                cost_usd=float(usd),
                bsld_p50=float(p50),
                bsld_p95=float(p95),
                bsld_p99=float(p99),
                delay_seconds=float(delay),
                resize_requests=int(resizes),
                nodes_started=None if starts == "-" else int(starts),
            )
    return rows


REFERENCE_VALUES = _read_table()
"""By policy."""

JOBS = 5894
"""Of that day: the values are of no other work."""

FAR = 0.10
"""A difference of more than this fraction wants an explanation."""
