"""The benchmark's page as a browser shows it: both schemes, wide and narrow."""

import random

import pytest
from tests.support.browser import find_browser, picture, probe

from emr_simulator.benchmark.command import Plan, run_benchmark
from emr_simulator.benchmark.spot_market import SpotMarket
from emr_simulator.benchmark.sweep import chosen
from emr_simulator.experiment import Setup

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),  # every policy is played before the first look; a busy machine needs minutes
    pytest.mark.skipif(find_browser() is None, reason="no Chromium: install chromium to look at the pages"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    chance = random.Random(11)
    rows, at = [], 0
    for number in range(120):
        gap = chance.randint(5, 90)
        at += gap
        mib = round(chance.lognormvariate(8, 1.6))
        rows.append(f"job{number}\t{at}\t{gap}\t{mib << 20}\t{(mib // 4) << 20}\t0")
    trace = folder / "small.tsv"
    trace.write_text("\n".join(rows) + "\n")
    setup = Setup(maximum_task_count=30)
    plan = Plan(
        traces=(trace,), variants=chosen([], setup), seeds=2, setup=setup, out=folder / "out", processes=1,
        markets=(SpotMarket(pools=("m5.xlarge", "m5a.xlarge", "m6i.xlarge")),),
    )  # fmt: skip
    run_benchmark(plan, when_done=lambda cell, kept: None)
    return plan.out / "report.html"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_labels_neither_overlap_nor_leave_their_charts(page, dark):
    seen = probe(page, dark=dark)
    assert seen["charts"] > 10
    assert seen["overlaps"] == []
    assert seen["outside"] == []


@pytest.mark.parametrize("width", [1280, 800])
def test_the_page_is_no_wider_than_its_window(page, width):
    assert not probe(page, width=width)["wide"]


def test_light_and_dark_have_papers_of_their_own(page):
    light, dark = probe(page), probe(page, dark=True)
    assert light["paper"] != dark["paper"]
    assert light["ink"] != dark["ink"]


def test_nothing_is_fetched(page):
    assert probe(page)["fetched"] == 0


def test_a_picture_can_be_taken(page, tmp_path):
    target = tmp_path / "page.png"
    picture(page, target)
    assert target.stat().st_size > 100_000
