"""The backtest's page as a browser shows it: both schemes, wide and narrow."""

import pytest
from tests.support.browser import find_browser, probe
from tests.support.template import PROJECT

from emr_autoscaler.messages.policy import parse_policy
from emr_simulator.backtest.document import backtest
from emr_simulator.backtest.reading import read_recording
from emr_simulator.report.backtest_page import backtest_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium: install chromium to look at the pages"),
]


@pytest.fixture(scope="module", params=["synthetic-day", "fleet-day"])
def page(request, tmp_path_factory):
    recording = read_recording(PROJECT / f"docs/samples/{request.param}.json")
    policy = parse_policy("production", (PROJECT / "docs/policies/production.json").read_text())
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(backtest_page(backtest(recording, policy)))
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_labels_neither_overlap_nor_leave_their_charts(page, dark):
    seen = probe(page, dark=dark)
    assert seen["charts"] == 3
    assert seen["overlaps"] == []
    assert seen["outside"] == []


@pytest.mark.parametrize("width", [1280, 800])
def test_the_page_is_no_wider_than_its_window_and_fetches_nothing(page, width):
    seen = probe(page, width=width)
    assert not seen["wide"]
    assert seen["fetched"] == 0
