"""Entries of a benchmark's document, one for each policy: what is read of them in charts and tables."""

from collections.abc import Mapping
from typing import Any

Entry = Mapping[str, Any]


def value(entry: Entry, name: str) -> float:
    """Return the median of a figure."""
    return float(entry["figures"][name]["value"])


def tip_of(entry: Entry) -> str:
    """Return what is said of a policy's mark."""
    return (
        f"{entry['policy']}\n"
        f"{value(entry, 'cost_usd'):.1f} USD, {over(entry)} the optimum\n"
        f"slowdown p50 {value(entry, 'bsld_p50'):.1f}, p95 {value(entry, 'bsld_p95'):.1f}, "
        f"p99 {value(entry, 'bsld_p99'):.1f}\ndelay {value(entry, 'delay_seconds'):.0f} s"
    )


def over(entry: Entry) -> str:
    """Return how many times the optimum's cost a policy costs, or a dash."""
    ratio = entry["over_optimum"]
    return f"{ratio['value']:.2f} x" if ratio else "-"


def knob_of(entry: Entry) -> str:
    """Return the knob of a policy's name; empty where it has none."""
    return str(entry["policy"]).partition("@")[0].partition(":")[2]
