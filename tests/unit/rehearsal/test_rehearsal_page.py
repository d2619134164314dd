"""The page stands for itself and draws what was seen."""

import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from tests.support.rehearsed import moments, summary

from emr_simulator.rehearsal.page import Story, render_page
from emr_simulator.rehearsal.timed_chart import LEFT, RIGHT, WIDTH, time_axis

START = datetime(2026, 10, 5, 3, tzinfo=UTC)


def rendered(missing=()):
    story = Story(title="a day <b>", scaled="etl", hdfs_high=0.75, hdfs_low=0.3, missing=missing)
    return render_page(story, summary(), moments())


class _Balanced(HTMLParser):
    VOID = frozenset({"meta", "br", "link"})

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_element_is_closed():
    parser = _Balanced()
    parser.feed(rendered())
    assert parser.open == []


def test_nothing_is_fetched():
    assert not re.search(r"""(src|href)=|url\(|@import|fetch\(|https?://""", rendered())


def test_texts_are_escaped():
    page = rendered()
    assert "a day &lt;b&gt;" in page
    assert "EC2 takes &lt;it&gt; back" in page
    assert "<DEMAND_ABOVE_CAPACITY>" not in page


def test_every_decision_is_a_mark_and_a_row():
    page = rendered()
    for deed in summary().deeds:
        assert f"{deed.at:%H:%M} {deed.cluster}: {deed.action}, {deed.reason}." in page
        assert f"<code>{deed.reason}</code>" in page


def test_what_was_missing_stands_on_top():
    page = rendered(missing=("core <never> resized",))
    assert "<li>core &lt;never&gt; resized</li>" in page
    assert "Everything was seen" not in page


def test_both_colour_schemes_are_styled():
    assert "prefers-color-scheme: dark" in rendered()


def test_the_cursor_finds_one_number_for_each_moment():
    blocks = re.findall(r'<script type="application/json">(.*?)</script>', rendered())
    for block in blocks:
        data = json.loads(block)
        assert all(len(series["values"]) == len(data["times"]) for series in data["series"])
    assert len(blocks) == 4


def test_every_axis_names_its_unit():
    page = rendered()
    for unit in ("nodes", "GiB of memory", "% of HDFS", "USD per hour"):
        assert f">{unit}</text>" in page


def test_time_runs_from_edge_to_edge():
    axis = time_axis(START, START + timedelta(hours=6))
    assert axis.at_time(START) == LEFT
    assert axis.at_time(START + timedelta(hours=6)) == WIDTH - RIGHT


@pytest.mark.parametrize("hours", [1, 6, 13, 24, 48])
def test_hour_labels_never_crowd(hours):
    axis = time_axis(START, START + timedelta(hours=hours))
    positions = [axis.at(tick) for tick in axis.ticks]
    assert len(positions) > 1
    assert min(b - a for a, b in itertools.pairwise(positions)) > 45
