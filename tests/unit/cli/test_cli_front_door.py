"""Exit codes, one-line errors, help that teaches."""

import subprocess
import sys

import pytest

from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler_cli.main import COMMANDS


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_of_every_command_shows_examples(run, command) -> None:
    result = run(*command.name.split(), "--help")
    assert result.code == 0
    assert f"emr-autoscaler {command.name}" in result.out.split("example", 1)[1]


def test_the_list_of_commands_waits_for_no_aws_library() -> None:
    shows_help = "import sys; from emr_autoscaler_cli.main import build_parser; build_parser([]).format_help()"
    heavy = "print({'boto3', 'numpy', 'pydantic', 'rich'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", f"{shows_help}; {heavy}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["scale"],
        ["explain"],
        ["policy"],
        ["costs", "--by", "colour"],
        ["costs", "--from", "yesterday"],
        ["explain", "j-1", "--last", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two_and_one_line_that_names_the_argument(run, arguments) -> None:
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("emr-autoscaler")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--jsn"], "--jsn"),
        ([], "COMMAND"),
        (["policy", "--jsn"], "--jsn"),
        (["policy"], "emr-autoscaler policy: COMMAND"),
    ],
)
def test_what_is_wrong_before_any_command_is_named(run, arguments, named) -> None:
    assert named in run(*arguments).err


def test_what_aws_does_not_answer_ends_with_one_and_one_line(run, rehearsal, monkeypatch) -> None:
    def out_of_reach() -> None:
        raise UnavailableError("throttled\nfor now")

    monkeypatch.setattr(rehearsal.ports.registry, "all", out_of_reach)
    result = run("status", "--json", on=rehearsal)
    assert (result.code, result.out) == (1, "")
    assert result.err == "emr-autoscaler status: throttled for now\n"


def test_an_interrupted_command_ends_with_one(run, rehearsal, monkeypatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rehearsal.ports.registry, "all", interrupted)
    assert run("status", on=rehearsal).code == 1


def test_the_version_is_that_of_the_project(run) -> None:
    result = run("--version")
    assert result.code == 0
    assert result.out.strip()
