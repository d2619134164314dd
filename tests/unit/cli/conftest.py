"""Runs the command line in this process on a rehearsed system."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.installations import Rehearsal

from emr_autoscaler_cli.main import main


class Result:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def rehearsal() -> Rehearsal:
    return Rehearsal()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command: run("status", on=rehearsal)."""

    def _run(*arguments: str, on: Rehearsal | None = None) -> Result:
        try:
            code = main(arguments) if on is None else main(arguments, connect=on.connect)
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return _run
