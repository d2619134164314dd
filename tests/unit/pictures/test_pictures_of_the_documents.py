"""The documents' pictures: the same each time, legible, and true to what is said in them."""

import itertools
import json
from xml.etree import ElementTree as ET

import pytest

from emr_autoscaler.domain.policy import Objective
from emr_autoscaler.domain.tuning import LEAST_GROWTH
from emr_simulator.pictures.__main__ import PICTURES, main
from emr_simulator.pictures.burst import OTHER, OWN, burst_picture, bursts
from emr_simulator.pictures.experiments import play
from emr_simulator.pictures.frontier import frontier_picture
from emr_simulator.pictures.hold import course
from emr_simulator.pictures.want import TASK_NODES, done_in_time, ordered_nodes, wanted_nodes
from emr_simulator.report.labels import Box

SVG = "{http://www.w3.org/2000/svg}"
POLICIES = {
    "emr-autoscaler:cost": (89.6, 21.9),
    "emr-autoscaler": (116.3, 17.2),
    "emr-autoscaler:speed": (206.7, 11.6),
    "emr-autoscaler:cost@push": (81.2, 17.3),
    "emr-autoscaler@push": (103.1, 13.6),
    "emr-autoscaler:speed@push": (196.7, 10.5),
    "emr-autoscaler@1min": (110.6, 14.8),
    "emr-default-rules": (132.8, 57.1),
    "managed-scaling": (164.7, 11.7),
    "managed-scaling:300": (236.3, 10.7),
    "dataproc:0.05": (102.8, 19.2),
    "dataproc:0.25": (138.8, 13.5),
    "dataproc:1": (174.1, 19.1),
    "twenty-percent": (313.8, 40.3),
    "step-rules": (181.2, 27.5),
    "drain-time:480,60": (78.1, 16.9),
    "drain-time:240,180": (105.3, 12.6),
    "drain-time:60,420": (217.6, 10.3),
    "clairvoyant:1800": (60.9, 194.4),
    "clairvoyant:450": (71.1, 21.8),
    "clairvoyant:300": (121.5, 10.9),
    "static:12": (69.2, 337.0),
    "static:100": (576.4, 8.8),
}


def document(policies=POLICIES, **trace):
    def entry(name, cost, p95):
        kind, _, metrics = name.partition("@")
        family = kind.partition(":")[0] + (f"@{metrics}" if metrics else "")
        others = {"bsld_p50": p95 / 5, "bsld_p99": 2 * p95, "delay_seconds": 500}
        figures = {"cost_usd": cost, "bsld_p95": p95, **others}
        return {
            "policy": name,
            "family": family,
            "figures": {figure: {"value": value} for figure, value in figures.items()},
            "over_optimum": None,
        }

    frontier = [{"delay_seconds": 300, "cost_usd": 105.9}, {"delay_seconds": 3600, "cost_usd": 55.6}]
    played = {
        "trace": "day",
        "jobs": 5894,
        "hours": 24.0,
        "optimum": {"frontier": frontier},
        "policies": [entry(name, *point) for name, point in policies.items()],
        **trace,
    }
    return {"seeds": 10, "traces": [played]}


DRAWN = {**PICTURES, "frontier.svg": lambda: frontier_picture(document())}


@pytest.fixture(scope="module")
def pictures():
    return {name: draw() for name, draw in DRAWN.items()}


def text_boxes(svg: str) -> list[tuple[str, Box]]:
    """Return the room that each text takes, in a font that is rather wide."""
    boxes = []
    for text in ET.fromstring(svg).iter(f"{SVG}text"):
        said, style = text.text or "", (text.get("class") or "").split()
        size = 15 if "title" in style else 12
        width, ascent = len(said) * size * (0.6 if {"name", "strong", "title"} & set(style) else 0.55), size * 0.8
        if "transform" in text.attrib:
            place = text.get("transform", "").removeprefix("translate(").partition(")")[0]
            x, y = (float(number) for number in place.split())
            boxes.append((said, Box(x=x - ascent, y=y - width / 2, width=size, height=width)))
            continue
        x, y = float(text.get("x", "")), float(text.get("y", ""))
        left = x - width if "end" in style else x - width / 2 if "middle" in style else x
        boxes.append((said, Box(x=left, y=y - ascent, width=width, height=size)))
    return boxes


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_the_same_bytes_each_time(pictures, name):
    assert DRAWN[name]() == pictures[name]


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_small_and_valid_and_stands_alone(pictures, name):
    svg = pictures[name]
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert len(svg) < 60_000
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    assert "prefers-color-scheme: dark" in svg
    assert not any(word in svg for word in ("<script", "@import", "href", "url("))


@pytest.mark.parametrize("name", DRAWN)
def test_every_colour_and_style_that_a_picture_names_exists(pictures, name):
    style, _, drawn = pictures[name].partition("</style>")
    used = {word for part in drawn.split('class="')[1:] for word in part.partition('"')[0].split()}
    assert [word for word in used if f".{word}" not in style and word not in {"tick", "unit"}] == []


@pytest.mark.parametrize("name", DRAWN)
def test_texts_of_a_picture_lie_inside_and_never_on_each_other(pictures, name):
    boxes = text_boxes(pictures[name])
    root = ET.fromstring(pictures[name])
    room = Box(x=0, y=0, width=float(root.get("width", "")), height=float(root.get("height", "")))
    assert len(boxes) > 10
    assert [said for said, box in boxes if not box.lies_within(room)] == []
    assert [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)] == []


def test_the_frontier_shows_each_compared_family_and_what_it_is_drawn_from(pictures):
    svg = pictures["frontier.svg"]
    texts = [said for said, _box in text_boxes(svg)]
    for family in ("emr-autoscaler, 5 min", "emr-autoscaler, push", "drain-time", "dataproc", "managed-scaling"):
        assert family in texts
    assert {"emr-default-rules", "twenty-percent", "step-rules", "clairvoyant", "optimum: 55.6 USD"} <= set(texts)
    assert (texts.count("cost"), texts.count("balanced"), texts.count("speed")) == (2, 2, 2)
    assert {"0.05", "240,180", "450"} <= set(texts)
    assert "static:12" not in svg
    assert "@1min" not in svg
    assert "5,894 jobs in 24 h, medians of 10 seeds" in svg


def test_the_frontier_says_of_which_work_it_is():
    assert "What waiting costs, tasks of 5 to 30 minutes: task nodes" in frontier_picture(
        document(), work=", tasks of 5 to 30 minutes"
    )


def test_the_frontier_of_some_policies_on_part_of_a_day_is_drawn_as_well():
    some = {name: POLICIES[name] for name in ("emr-autoscaler", "drain-time:240,180")}
    svg = frontier_picture(document(some, hours=6.0))
    assert "USD a day" not in svg
    assert "clairvoyant" not in svg


def test_no_file_is_written_where_the_results_cannot_be_read(tmp_path, capsys):
    assert main([str(tmp_path / "images"), "--benchmark", str(tmp_path)]) == 1
    assert "benchmark.json" in capsys.readouterr().err
    assert not (tmp_path / "images").exists()


def test_every_picture_is_written(tmp_path):
    (tmp_path / "benchmark.json").write_text(json.dumps(document()))
    assert main([str(tmp_path / "images"), "--benchmark", str(tmp_path)]) == 0
    assert {path.name for path in (tmp_path / "images").iterdir()} == set(DRAWN)


def test_the_small_burst_buys_nothing_here_nor_there_as_the_picture_says():
    setup, workload, small, large = bursts()
    own, other = (play(policy, workload, setup) for policy in (OWN, OTHER))
    for played in (own, other):
        assert all(sample.ordered == 0 for sample in played.samples if played.minute(sample) < large)
    done = next(s for s in own.samples if own.minute(s) > small + 0.5 and s.pending == 0)
    assert own.minute(done) <= small + 2.5


def test_nodes_are_given_back_at_once_when_nothing_waits_as_the_picture_says():
    assert "nodes</text>" in burst_picture()
    said = [said for said, _box in text_boxes(burst_picture())]
    (line,) = (words for words in said if words.startswith("Nothing waits any more"))
    went, of = (int(word) for word in line.split() if word.isdigit())
    assert went == of


@pytest.mark.parametrize("objective", list(Objective))
def test_what_the_present_nodes_end_in_time_buys_nothing(objective):
    waiting = int(done_in_time())
    assert wanted_nodes(objective, waiting) == 0
    assert ordered_nodes(objective, waiting) == TASK_NODES


@pytest.mark.parametrize("objective", list(Objective))
def test_orders_follow_the_want_and_begin_with_more_than_the_least_growth(objective):
    counts = [
        (ordered_nodes(objective, waiting), wanted_nodes(objective, waiting)) for waiting in range(0, 3500, 50)
    ]
    bought = [(count, wanted) for count, wanted in counts if count > TASK_NODES]
    assert bought
    assert min(count for count, _wanted in bought) > TASK_NODES * (1 + LEAST_GROWTH)
    assert all(count >= min(wanted, 60) - 1e-9 for count, wanted in bought)


def test_a_surplus_is_held_ten_minutes_and_a_large_one_not_at_all_as_the_picture_says():
    ordered = [count for _minute, _needed, count in course()]
    assert ordered[:24] == [20] * 24
    assert ordered[24:34] == [15] * 10
    assert ordered[34:] == [4] * len(ordered[34:])
