"""Recordings: what is read is what was written, and everything wrong is named by file, row and field."""

import csv
import json
from pathlib import Path

import pytest
from tests.support.recordings import recording
from tests.support.template import PROJECT

from emr_simulator.backtest.reading import read_recording
from emr_simulator.backtest.recording import NEEDED, Recording
from emr_simulator.backtest.sample import sample_recording
from emr_simulator.errors import RecordingError

SAMPLE = PROJECT / "docs/samples/synthetic-day.json"
ROWS = [(4, 10, 0), (4, 20, 5), None, (4, 36, 100), (3, 12, 0)]


def as_json(tmp_path: Path, change=lambda document: None) -> Path:
    document = recording(ROWS).to_json()
    change(document)
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps(document))
    return path


def as_csv(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    document = recording(ROWS).to_json()
    path = tmp_path / "recorded.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([document["columns"], *document["rows"]])
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path


def what_it_holds(read: Recording) -> tuple:
    return read.period, read.groups, read.samples


def test_json_is_read_as_it_was_written(tmp_path) -> None:
    path = tmp_path / "recorded.json"
    path.write_text(recording(ROWS).to_text())
    assert what_it_holds(read_recording(path)) == what_it_holds(recording(ROWS))


def test_csv_holds_the_same_once_the_type_of_the_nodes_is_named(tmp_path) -> None:
    read = read_recording(as_csv(tmp_path), instance_type="m5.xlarge")
    assert what_it_holds(read) == what_it_holds(recording(ROWS))


def test_csv_alone_does_not_say_what_the_nodes_are(tmp_path) -> None:
    with pytest.raises(RecordingError, match="--instance-type"):
        read_recording(as_csv(tmp_path))


def test_an_empty_cell_is_a_metric_that_was_not_published(tmp_path) -> None:
    path = as_csv(tmp_path, ("73728,20480,10,0,2,4", "73728,20480,10,,2,4"))
    first = read_recording(path, instance_type="m5.xlarge").samples[0]
    assert set(NEEDED) - set(first.values) == {"ContainerPending"}


def test_other_metrics_of_the_namespace_may_stand_beside_the_needed_ones(tmp_path) -> None:
    def add(document) -> None:
        document["columns"].append("HDFSUtilization")
        document["rows"] = [[*row, 12.5] for row in document["rows"]]

    assert read_recording(as_json(tmp_path, add)).samples[0].values["HDFSUtilization"] == 12.5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ContainerPending", "ContainersPending", "line 1: 'ContainersPending': there is no such column; did you"),
        (",ContainerPending", "", "line 1: ContainerPending: this column is missing"),
        ("MemoryAllocatedMB", "MemoryTotalMB", "line 1: MemoryTotalMB: stands twice"),
        ("00:05:00Z", "00:00:00Z", "line 3: time: 2026-10-05T00:00:00Z is not after the row above"),
        ("00:15:00Z", "00:16:00Z", "line 4: time: 2026-10-05T00:16:00Z is not on the grid of 0:05:00"),
        ("2026-10-05T00:05:00Z", "noon", "line 3: time: 'noon' is not a time like"),
        ("73728,40960", "73728,-1", "line 3: MemoryAllocatedMB: a number of at least 0 is expected, '-1' found"),
        ("73728,40960", "73728,nan", "line 3: MemoryAllocatedMB: a number of at least 0 is expected, 'nan' found"),
        ("73728,40960", "many,40960", "line 3: MemoryTotalMB: a number of at least 0 is expected, 'many' found"),
        ("73728,40960,", "73728,", "line 3: 7 values expected, 6 found"),
    ],
    ids=lambda value: value[:24],
)
def test_what_is_wrong_in_a_csv_is_named_with_file_line_and_field(tmp_path, old, new, said) -> None:
    path = as_csv(tmp_path, (old, new))
    with pytest.raises(RecordingError) as problem:
        read_recording(path, instance_type="m5.xlarge")
    assert str(problem.value).startswith(f"{path}: {said}")


def put(*path_and_value):
    *path, last, value = path_and_value

    def change(document) -> None:
        for step in path:
            document = document[step]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("format", "mine"), "format: 'emr-autoscaler recording 1' is expected"),
        (put("period", 300), "period: there is no such key"),
        (put("groups", None), "groups: a list of groups is expected"),
        (put("groups", 0, "role", "WORKER"), "groups[0]: role: 'WORKER' is not one of MASTER, CORE, TASK"),
        (put("groups", 1, "market", "FREE"), "groups[1]: market: 'FREE' is not one of"),
        (put("groups", 1, "instance_type", ""), "groups[1]: instance_type: a type like m5.xlarge"),
        (put("groups", 1, {"role": "TASK"}), "groups[1]: an object of role, market, instance_type"),
        (put("columns", 7), "columns: a list of names"),
        (put("rows", {}), "rows: a list of rows"),
        (put("rows", 2, 5), "rows[2]: a list of values"),
        (put("rows", 1, 3, -4), "rows[1]: ContainerAllocated: a number of at least 0 is expected, -4 found"),
        (put("rows", 1, 3, True), "rows[1]: ContainerAllocated: a number of at least 0 is expected, True found"),
        (put("rows", 1, 0, 12), "rows[1]: time: 12 is not a time like"),
        (put("rows", []), "at least 2 samples are needed, 0 found"),
        (put("cluster_id", 3), "cluster_id: a text is expected"),
    ],
)
def test_what_is_wrong_in_a_json_is_named_with_file_row_and_field(tmp_path, change, said) -> None:
    path = as_json(tmp_path, change)
    with pytest.raises(RecordingError) as problem:
        read_recording(path)
    assert str(problem.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[]", "a JSON object is expected"),
        ("a.json", b"\xff\xfe\xfd", "not UTF-8 text"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b'"time', "not CSV"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path, name, content, said) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=said):
        read_recording(path, instance_type="m5.xlarge")


def test_a_type_cannot_be_named_twice(tmp_path) -> None:
    with pytest.raises(RecordingError, match="groups: says what the nodes are"):
        read_recording(as_json(tmp_path), instance_type="m5.xlarge")


def test_the_sample_that_ships_is_what_its_command_writes() -> None:
    assert sample_recording().to_text() == SAMPLE.read_text()
