"""The compared policies against their reference values: resizes, delays and late metrics together.

One seed each, to stay quick; docs/benchmark.md has the medians of more, and says why some differ.
"""

import os
from functools import cache
from pathlib import Path

import pytest

from emr_simulator.benchmark.reference import REFERENCE_VALUES
from emr_simulator.experiment import run_experiment
from emr_simulator.policies.registry import policy_of
from emr_simulator.workloads.swim import read_swim

DATA = Path(os.environ.get("EMR_AUTOSCALER_DATA", "../shared/data"))


@cache
def facebook_day():
    return read_swim(DATA / "traces" / "swim_fb-2009_0.tsv")


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="no real traces: set EMR_AUTOSCALER_DATA to their folder")
@pytest.mark.parametrize("name", [name for name in REFERENCE_VALUES if not name.startswith("static")])
def test_a_policy_comes_out_as_the_reference_has_it(name):
    reference, work = REFERENCE_VALUES[name], facebook_day()
    figures = run_experiment(policy=policy_of(name, work), workload=work, seed=1)
    assert float(figures.cost_usd) == pytest.approx(reference.cost_usd, rel=0.1)
    assert figures.work_weighted_delay_seconds == pytest.approx(reference.delay_seconds, rel=0.15)
    assert figures.resize_requests == pytest.approx(reference.resize_requests, rel=0.1)
    if reference.nodes_started is not None:
        assert figures.nodes_started == pytest.approx(reference.nodes_started, rel=0.1)


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason="no real traces: set EMR_AUTOSCALER_DATA to their folder")
def test_the_default_rules_of_emr_keep_the_reference_slowdowns():
    work = facebook_day()
    figures = run_experiment(policy=policy_of("emr-default-rules", work), workload=work, seed=1)
    assert figures.bsld["p95"] == pytest.approx(56.6, rel=0.1)
    assert figures.bsld["p99"] == pytest.approx(104.6, rel=0.1)
