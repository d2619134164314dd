"""The compared policies against their reference values: resizes, delays and late metrics together.

One seed each, to stay quick; docs/benchmark.md has the medians of more, and says why some differ.
"""

import os
from functools import cache
from pathlib import Path

import pytest

from emr_simulator.experiment import run_experiment
from emr_simulator.policies.registry import policy_of
from emr_simulator.workloads.swim import read_swim

DATA = Path(os.environ.get("EMR_AUTOSCALER_DATA", "../shared/data"))
REFERENCE = {
    "emr-default-rules": (133.4, 1716, 259, 134),
    "managed-scaling": (167.8, 595, 2029, 6833),
    "dataproc:0.05": (107.0, 822, 177, 1118),
    "dataproc:1": (175.8, 597, 194, 3457),
    "twenty-percent": (316.9, 1053, 98, 258),
    "step-rules": (200.5, 974, 439, 333),
    "drain-time:480,60": (80.1, 745, 502, None),
    "drain-time:240,180": (107.8, 584, 447, None),
    "drain-time:60,420": (219.7, 437, None, None),
}
"""Task USD, delay in seconds, resizes and starts of the reference implementation (docs/benchmark.md)."""


@cache
def facebook_day():
    return read_swim(DATA / "traces" / "swim_fb-2009_0.tsv")


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="no real traces: set EMR_AUTOSCALER_DATA to their folder")
@pytest.mark.parametrize("name", REFERENCE)
def test_a_policy_comes_out_as_the_reference_has_it(name):
    usd, delay_seconds, resizes, starts = REFERENCE[name]
    work = facebook_day()
    figures = run_experiment(policy=policy_of(name, work), workload=work, seed=1)
    assert float(figures.cost_usd) == pytest.approx(usd, rel=0.1)
    assert figures.work_weighted_delay_seconds == pytest.approx(delay_seconds, rel=0.15)
    if resizes is not None:
        assert figures.resize_requests == pytest.approx(resizes, rel=0.1)
    if starts is not None:
        assert figures.nodes_started == pytest.approx(starts, rel=0.1)


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="no real traces: set EMR_AUTOSCALER_DATA to their folder")
def test_the_default_rules_of_emr_keep_the_reference_slowdowns():
    work = facebook_day()
    figures = run_experiment(policy=policy_of("emr-default-rules", work), workload=work, seed=1)
    assert figures.bsld["p95"] == pytest.approx(56.6, rel=0.1)
    assert figures.bsld["p99"] == pytest.approx(104.6, rel=0.1)
