"""Axes, labels and pieces of pages; the whole page is looked at in tests/browser."""

import random
import re

import pytest

from emr_simulator.report.axes import Axis
from emr_simulator.report.drawing import mark, stair, text
from emr_simulator.report.families import look_of
from emr_simulator.report.labels import Box, place
from emr_simulator.report.page import page, table


def test_a_linear_axis_begins_at_nothing_and_ends_at_a_round_number():
    axis = Axis.linear(87, start=0, end=100)
    assert axis.ticks == (0, 20, 40, 60, 80, 100)
    assert (axis.at(0), axis.at(50), axis.at(100)) == (0, 50, 100)


@pytest.mark.parametrize(("highest", "step"), [(5, 1), (5.5, 2), (15, 5), (35, 10), (0.15, 0.05), (2100, 500)])
def test_the_ticks_of_a_linear_axis_are_round_and_reach_above_the_highest_value(highest, step):
    axis = Axis.linear(highest, start=0, end=100)
    assert axis.ticks[1] == pytest.approx(step)
    assert axis.high >= highest * (1 - 1e-9)


def test_an_axis_over_nothing_still_stands():
    assert len(Axis.linear(0, start=110, end=10).ticks) > 1


def test_a_stair_holds_each_value_until_the_next_other_one():
    assert stair([(0, 1), (1, 1), (2, 2), (3, 2)]) == [(0, 1), (2, 1), (2, 2), (3, 2)]


def test_an_upright_axis_runs_upwards():
    axis = Axis.linear_to(102, start=100, end=0)
    assert axis.at(0) == 100
    assert axis.at(102) == 0
    assert axis.ticks[-1] == 100


@pytest.mark.parametrize("values", [[50, 500], [9, 120], [300, 2000], [42], [0, 5], [0.0]])
def test_a_logarithmic_axis_labels_a_handful_of_values_that_lie_on_it(values):
    axis = Axis.log(values, start=0, end=100)
    assert 1 <= len(axis.ticks) <= 12
    assert all(0 <= axis.at(tick) <= 100 for tick in axis.ticks)
    assert axis.at(max(values)) < 100


def test_equal_factors_are_equal_distances_on_a_logarithmic_axis():
    axis = Axis.log([10, 1000], start=0, end=100)
    assert axis.at(100) - axis.at(10) == pytest.approx(axis.at(1000) - axis.at(100))


def test_labels_lie_neither_on_each_other_nor_on_marks_nor_outside():
    chance = random.Random(3)
    room = Box(x=0, y=0, width=560, height=400)
    marks = [(chance.uniform(200, 400), chance.uniform(150, 300)) for _ in range(30)]
    wanted = [(f"policy-{number}", [point]) for number, point in enumerate(marks[:11])]
    labels = place(wanted, marks, room)
    boxes = [label.box for label in labels]
    assert len(labels) == 11
    assert all(box.lies_within(room) for box in boxes)
    assert not any(a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[n + 1 :])
    assert not any(box.overlaps(Box(x=x - 5, y=y - 5, width=10, height=10)) for box in boxes for x, y in marks)


def test_labels_keep_off_lines_where_there_is_room():
    room = Box(x=0, y=0, width=560, height=400)
    line = [(0.0, 200.0), (560.0, 200.0)]
    (label,) = place([("policy", [(280, 200)])], [(280, 200)], room, [line])
    assert label.box.y > 200 or label.box.y + label.box.height < 200


def test_what_names_contain_is_shown_and_never_understood_as_markup():
    hostile = '<script>"&'
    for piece in (text(0, 0, hostile, "x"), mark(0, 0, "circle", "own", hostile), page(hostile, [])):
        assert "<script>&quot;" not in piece
        assert hostile not in piece
    assert "&lt;script&gt;" in text(0, 0, hostile, "x")


def test_numbers_stand_to_the_right_and_words_to_the_left():
    row = table(["policy", "USD"], [("mine", ["a", "1"])])
    assert re.search(r'<td>a</td><td class="num">1</td>', row)


def test_every_family_has_a_look_and_variants_look_like_their_family():
    assert look_of("emr-autoscaler@push").colour != look_of("emr-autoscaler").colour
    assert look_of("drain-time@push") == look_of("drain-time")
    assert look_of("something-new").shape
