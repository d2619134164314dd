"""The picture of a benchmark: task cost against the p95 slowdown; the curves are report/scatter.py's."""

from collections.abc import Mapping
from typing import Any

from emr_simulator.report.entries import Entry, knob_of
from emr_simulator.report.labels import Box
from emr_simulator.report.scatter import Naming, scatter
from emr_simulator.report.standalone import WIDTH, standalone

_HEIGHT = 640.0
_A_DAY_HOURS = 24
_NAMES = {
    "emr-autoscaler": "emr-autoscaler, 5 min",
    "emr-autoscaler@push": "emr-autoscaler, push",
    "drain-time": "drain-time",
    "dataproc": "dataproc",
    "managed-scaling": "managed-scaling",
    "emr-default-rules": "emr-default-rules",
    "twenty-percent": "twenty-percent",
    "step-rules": "step-rules",
    "clairvoyant": "clairvoyant",
}
"""The families shown, the most important first: their names are placed first."""


def frontier_picture(document: Mapping[str, Any], *, work: str = "") -> str:
    """Return the picture of a benchmark's first trace.

    Args:
        document: As benchmark.json holds it.
        work: What the title says of the work.
    """
    trace = document["traces"][0]
    order = list(_NAMES)
    shown = [entry for entry in trace["policies"] if entry["family"] in _NAMES]
    shown.sort(key=lambda entry: order.index(entry["family"]))
    least = min(point["cost_usd"] for point in trace["optimum"]["frontier"])
    day = " a day" if round(trace["hours"]) == _A_DAY_HOURS else ""
    parts = scatter(
        trace,
        "bsld_p95",
        Box(x=76, y=64, width=WIDTH - 76 - 20, height=_HEIGHT - 64 - 56),
        units=(f"task nodes, USD{day} (logarithmic)", "slowdown, 95th percentile of jobs (logarithmic)"),
        entries=shown,
        naming=Naming(family=_NAMES.__getitem__, knob=_knob, edge=f"optimum: {least:.1f} USD"),
    )
    seeds = document["seeds"]
    runs = "one run of each policy" if seeds == 1 else f"medians of {seeds} seeds"
    note = (
        f"{trace['jobs']:,} jobs in {trace['hours']:g} h, {runs}. A line is a policy with its knob turned; "
        "no plan costs less than the upright line."
    )
    return standalone(_HEIGHT, parts, title=f"What waiting costs{work}: task nodes against slowdown", note=note)


def _knob(entry: Entry) -> str:
    """Return an entry's setting; that of the default objective is not in its name."""
    return knob_of(entry) or ("balanced" if entry["family"].startswith("emr-autoscaler") else "")
