"""Reference pages name everything there is, with the values that hold; commands they show are understood."""

import ast
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
from tests.support.template import PROJECT, template

from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.settings import Settings
from emr_autoscaler.usecases.sweep_fleet import SweepReport
from emr_autoscaler_cli.main import COMMANDS, build_parser
from emr_autoscaler_cli.reasons import EXPLANATIONS, reasons_page

DOCUMENTS = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
BOOTSTRAP = PROJECT / "layers/emr_autoscaler/bootstrap"


def page(name: str) -> str:
    return (PROJECT / "docs" / name).read_text()


def first_cells(text: str) -> set[str]:
    """Return every name in backticks in the first cell of a table row."""
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_reason_is_explained() -> None:
    assert set(EXPLANATIONS) == set(Reason)


def test_the_page_of_reasons_is_the_generated_one() -> None:
    assert page("reasons.md") == reasons_page()


def test_every_parameter_stands_with_its_default_and_what_is_allowed() -> None:
    shown = {
        name: (default.strip("` "), allowed.strip())
        for name, default, allowed in re.findall(
            r"^\| `([A-Z]\w+)` \| ([^|]+) \| ([^|]+) \|$", page("settings.md"), re.MULTILINE
        )
    }
    expected = {}
    for name, parameter in template()["Parameters"].items():
        if "AllowedValues" in parameter:
            allowed = ", ".join(map(str, parameter["AllowedValues"]))
        elif "MinValue" in parameter:
            allowed = f"{parameter['MinValue']} to {parameter['MaxValue']}"
        else:
            allowed = parameter["ConstraintDescription"].rstrip(".")
        expected[name] = (str(parameter["Default"]) or "empty", allowed)
    assert {name: shown.get(name) for name in expected} == expected


def test_every_variable_of_the_functions_environment_is_documented() -> None:
    deployed = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    read = {str(field.alias) for field in Settings.model_fields.values()}
    assert (deployed | read) - first_cells(page("settings.md")) == set()


def reported() -> tuple[set[str], set[str]]:
    """Return the messages and the fields of log lines, read off the code that writes them."""
    messages: set[str] = set()
    names = {field.name for field in fields(SweepReport)}
    for path in (BOOTSTRAP / "invocation.py", BOOTSTRAP / "routes.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_report":
                messages.add(ast.literal_eval(node.args[0]))
                names |= keys_of(node.args[1])
            elif isinstance(node, ast.Return) and path.name == "routes.py":
                names |= keys_of(node.value)
    return messages, names


def keys_of(node: ast.expr | None) -> set[str]:
    keys = node.keys if isinstance(node, ast.Dict) else []
    return {key.value for key in keys if isinstance(key, ast.Constant)}


def test_every_log_message_and_field_is_documented() -> None:
    messages, names = reported()
    assert {"EventAnswered", "EvaluationAnswered", "EventIgnored"} <= messages
    assert (messages | names) - first_cells(page("metrics.md")) == set()


def test_every_metric_is_documented_with_its_dimensions() -> None:
    metrics = page("metrics.md").split("## Metrics", 1)[1]
    messages, _ = reported()
    for message in messages:
        assert f"| `{message}` | `service`, `reason` |" in metrics


def test_every_outcome_is_documented() -> None:
    assert set(Outcome) <= first_cells(page("metrics.md").split("## Outcomes", 1)[1])


def test_every_function_is_documented() -> None:
    folders = {path.parent.name for path in PROJECT.glob("functions/*/app.py")}
    assert folders <= first_cells(page("architecture.md"))


def test_every_command_stands_in_the_readme() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert [c.name for c in COMMANDS if f"`emr-autoscaler {c.name}" not in readme] == []


def shown_commands(text: str) -> list[str]:
    code = re.findall(r"```.*?\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    lines = [line for block, inline in code for line in (block or inline).replace("\\\n", " ").splitlines()]
    found = (re.match(r"\s*(?:\.venv/bin/)?emr-autoscaler (?=[a-z-])(.*)", line) for line in lines)
    return [match[1] for match in found if match]


def assert_command_exists(command: str) -> None:
    words = shlex.split(command.split(" > ", maxsplit=1)[0].split(" | ", maxsplit=1)[0])
    if " ".join(words) not in {known.name for known in COMMANDS}:
        build_parser().parse_args(words)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_command_that_a_document_shows_is_understood(path: Path) -> None:
    for command in shown_commands(path.read_text()):
        assert_command_exists(command)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_example_in_the_help_is_understood(command) -> None:
    examples = re.findall(
        r"^  (?:\| )?emr-autoscaler (.*)$", getattr(command.load(), command.examples), re.MULTILINE
    )
    examples = [example for example in examples if example.startswith(command.name)]
    assert examples
    for example in examples:
        assert_command_exists(example)


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_link_to_a_heading_leads_to_one(path: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?://)([^)#\s]*)#([^)\s]+)\)", path.read_text()):
        document = path if not target else path.parent / target
        headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
        assert anchor in map(slug, headings)


def test_the_readme_shows_the_way_back() -> None:
    assert "## Undo everything" in (PROJECT / "README.md").read_text()
