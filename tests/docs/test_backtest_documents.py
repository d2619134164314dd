"""docs/backtest.md and the README's example of it: columns, constants and figures are those of the code."""

import argparse
import json
import re

import pytest
from tests.support.template import PROJECT

from emr_autoscaler_cli.backtest import MOST_DAYS, add_arguments
from emr_autoscaler_cli.main import main
from emr_simulator.backtest.reading import read_recording
from emr_simulator.backtest.recording import NEEDED, TIME, TOLD
from emr_simulator.backtest.replay import TICK, ReplaySettings
from emr_simulator.backtest.work import ENOUGH_DRAINS

PAGE = (PROJECT / "docs/backtest.md").read_text()


def test_every_column_of_a_recording_is_documented_in_its_order() -> None:
    section = PAGE.split("## Recordings", 1)[1].split("## Method", 1)[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [TIME, *NEEDED, *TOLD]


@pytest.mark.parametrize(("kind", "suffix"), [("json", ".json"), ("", ".csv")], ids=["json", "csv"])
def test_the_recordings_that_the_page_shows_can_be_read(tmp_path, kind, suffix) -> None:
    blocks = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (shown,) = [block for block in blocks if block.startswith(("{", TIME))]
    path = tmp_path / f"shown{suffix}"
    path.write_text(shown)
    read = read_recording(path, instance_type=None if kind else "m5.xlarge")
    assert [sample.values["ContainerPending"] for sample in read.samples] == [0, 352]


def test_the_numbers_of_the_method_are_those_of_the_code() -> None:
    settings = ReplaySettings()
    assert f"In steps of {TICK.seconds} s" in PAGE
    assert f"{settings.publish_delay.seconds} s after they are taken" in PAGE
    assert f"default {settings.boot.total_seconds() / 60:g}" in PAGE
    assert f"fewer than {ENOUGH_DRAINS} are seen" in PAGE
    assert f"N days (1 to {MOST_DAYS}" in PAGE


def test_every_option_is_documented() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = {option for option in re.findall(r"--[a-z-]+", parser.format_help()) if option != "--help"}
    assert {option for option in options if f"`{option} " not in PAGE} == set()


def test_the_figures_in_the_readme_are_those_of_the_sample(monkeypatch, capsys) -> None:
    monkeypatch.chdir(PROJECT)
    command = [
        "backtest",
        "--metrics",
        "docs/samples/synthetic-day.json",
        "--policy",
        "docs/policies/production.json",
    ]
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    readme = (PROJECT / "README.md").read_text()
    for words, name in (("task nodes, USD", "cost_usd"), ("task node-hours", "node_hours")):
        shown = re.search(rf"{words} +([\d.]+) +([\d.]+)", readme)
        assert shown is not None
        expected = [float(document[side][name]) for side in ("recorded", "replayed")]
        assert [float(number) for number in shown.groups()] == pytest.approx(expected, abs=0.051)
