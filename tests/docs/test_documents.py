"""What the documents say exists: links, make targets, parameters, sample events."""

import re
from pathlib import Path

import pytest
from tests.support.sample_events import QUEUE_SAMPLES, REACHES
from tests.support.template import PROJECT, resources, template

DOCUMENTS = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("events/*.md")],
)
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    links = LINK.findall(path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_command_of_make_that_a_document_shows_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    shown = {
        command
        for block in re.findall(r"```.*?```|`[^`]+`", path.read_text(), re.DOTALL)
        for command in re.findall(r"(?:^|[`\s])make ([a-z]+)", block)
    }
    assert shown <= targets


def test_every_parameter_is_documented_with_its_default() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \| `?([^|`]*)`? \|", (PROJECT / "docs/deployment.md").read_text(), re.MULTILINE)
    )
    defaults = {name: str(p["Default"]) or "empty" for name, p in template()["Parameters"].items()}
    assert {name: value.strip() for name, value in rows.items()} == defaults


def test_every_dead_letter_alarm_is_documented() -> None:
    text = (PROJECT / "docs/deployment.md").read_text()
    for alarm in resources("AWS::CloudWatch::Alarm").values():
        name = alarm["Properties"]["AlarmName"]["Fn::Sub"].replace("${StackPrefix}", "<prefix>")
        shown = re.sub(r"errors\.[a-z-]+$", "errors.<function>", name)
        assert f"`{shown}`" in text


def test_every_sample_event_is_documented() -> None:
    text = (PROJECT / "events/README.md").read_text()
    assert [name for name in (*REACHES, *QUEUE_SAMPLES, "scheduled-event") if name not in text] == []


def test_every_record_of_a_choice_is_listed() -> None:
    listed = (PROJECT / "docs/adr/README.md").read_text()
    records = sorted(path.name for path in (PROJECT / "docs/adr").glob("0*.md"))
    assert [name for name in records if f"]({name})" not in listed] == []
