"""policy validate: what is wrong, where, and how to mend it."""

import io
import json
from pathlib import Path

import pytest
from tests.support.template import PROJECT


def document(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("path", sorted((PROJECT / "docs/policies").glob("*.json")), ids=lambda path: path.name)
def test_every_policy_that_ships_is_valid(run, path) -> None:
    assert run("policy", "validate", str(path)).code == 0


def test_a_valid_document_is_told_with_its_mode(run, tmp_path) -> None:
    result = run("policy", "validate", document(tmp_path / "p.json", '{"mode": "dry_run"}'))
    assert (result.code, result.err) == (0, "")
    assert "valid, mode dry_run" in result.out


def test_an_invalid_document_names_field_and_fix_in_one_line(run, tmp_path) -> None:
    result = run("policy", "validate", document(tmp_path / "p.json", '{"task": {"max_node": 5}}'))
    assert (result.code, result.out) == (1, "")
    (line,) = result.err.splitlines()
    assert line.endswith("policy 'p': task.max_node: there is no such field; did you mean max_nodes?")


def test_an_invalid_document_as_json_is_one_document(run, tmp_path) -> None:
    result = run("policy", "validate", "--json", document(tmp_path / "p.json", "{"))
    assert result.code == 1
    assert result.json["valid"] is False
    assert "not JSON" in result.json["problem"]


def test_a_file_that_is_not_there_is_wrong_usage(run, tmp_path) -> None:
    result = run("policy", "validate", str(tmp_path / "absent.json"))
    assert result.code == 2
    assert "FILE" in result.err


def test_a_file_that_is_not_text_is_wrong_usage(run, tmp_path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert run("policy", "validate", str(path)).code == 2


def test_standard_input_is_read_for_a_dash(run, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"mode": "live"}'))
    result = run("policy", "validate", "-", "--json")
    assert result.json["mode"] == "live"


@pytest.mark.parametrize(
    ("policy", "note"),
    [
        ({"mode": "live"}, "idle"),
        ({"task": {"instance_types": ["m5.xlarge"]}}, "instance_types"),
        ({"idle": {"trust_isidle": True}}, "trust_isidle"),
        ({"task": {"trust_yarn": True}}, "task.trust_yarn"),
        ({"core": {"trust_yarn": True}}, "core.trust_yarn"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_worth_a_second_look_is_noted(run, tmp_path, policy, note) -> None:
    result = run("policy", "validate", "--json", document(tmp_path / "p.json", json.dumps(policy)))
    assert [text for text in result.json["notes"] if note in text]
