"""The page of a backtest: self-contained, whole, and drawn from the document alone."""

import json
import re
from importlib.resources import files

import pytest
from tests.support.recordings import recording

from emr_autoscaler.domain.policy import Policy, TaskPolicy
from emr_simulator.backtest.document import backtest
from emr_simulator.report.backtest_page import backtest_page

ROWS = [(4, 12, 0)] * 3 + [(4, 36, 400), (4, 36, 300), None, (4, 36, 100)] + [(4, 12, 0)] * 12
POLICY = Policy(name="<nightly>", task=TaskPolicy(max_nodes=20))


@pytest.fixture(scope="module")
def document() -> dict:
    return json.loads(json.dumps(backtest(recording(ROWS), POLICY, task_seconds=60)))


def test_nothing_on_the_page_is_fetched(document) -> None:
    page = backtest_page(document)
    assert not re.search(r"(?:src|href)=|url\(|@import|https?://", page)


def test_names_are_escaped(document) -> None:
    page = backtest_page(document)
    assert "<nightly>" not in page
    assert "&lt;nightly&gt;" in page


def test_every_order_stands_on_the_page_with_its_arithmetic(document) -> None:
    page = backtest_page(document)
    orders = [decision for decision in document["decisions"] if decision["targets"]]
    assert orders
    for order in orders:
        assert order["detail"].replace(">", "&gt;") in page


def test_all_decisions_are_counted_in_the_list(document) -> None:
    details = re.search(r"<details>.*</details>", backtest_page(document), re.DOTALL)
    assert details is not None
    looks = re.findall(r"<tr[^>]*><td>[^<]*</td><td>[^<]*</td><td>(\d+)</td>", details[0])
    assert sum(map(int, looks)) == len(document["decisions"])


def test_a_gap_is_shaded_and_named(document) -> None:
    page = backtest_page(document)
    assert page.count('class="area gap"') == 3
    assert "in one gap: they count on neither side" in page


def test_a_dry_run_policy_is_named_as_one(document) -> None:
    assert "dry_run" in backtest_page(document)


def test_a_policy_that_never_orders_anything_is_shown_as_well() -> None:
    off = Policy(name="off", task=TaskPolicy(enabled=False))
    page = backtest_page(backtest(recording(ROWS), off))
    assert "None: every look held." in page


def test_a_week_has_legible_ticks() -> None:
    week = recording([(2, 6, 0)] * (12 * 24 * 7))
    page = backtest_page(backtest(week, POLICY))
    chart = re.search(r"<svg.*?</svg>", page, re.DOTALL)
    assert chart is not None
    assert 5 <= len(re.findall(r'class="tick middle"', chart[0])) <= 14


def test_the_styles_it_uses_exist() -> None:
    css = files("emr_simulator.report").joinpath("chart.css").read_text()
    assert all(f".{name} " in css for name in ("gap", "own", "grey", "idle", "orange", "blue"))
