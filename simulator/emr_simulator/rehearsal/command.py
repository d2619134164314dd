"""The command line of a rehearsal: options, and what each way of failing exits with. Playing is stage.py's."""

import argparse
import math
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from emr_autoscaler.domain.errors import AutoscalerError
from emr_simulator.errors import TraceError
from emr_simulator.local_aws import LocalAwsError, project_root
from emr_simulator.rehearsal.scenario import Scenario, synthetic_scenario, trace_scenario
from emr_simulator.rehearsal.stage import rehearse

DONE, FAILED, WRONG_USAGE = 0, 1, 2
DAY_HOURS = 6
TRACE_HOURS = 1.0
_LEAST_DAY_HOURS, _MOST_HOURS = 3, 24
_WIDTH = 132


class StoppedError(Exception):
    """Somebody asked the rehearsal to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a rehearsal; return the exit code.

    Returns:
        0 where everything was seen, 1 where it was not or could not be, 2 for wrong usage and for a
        trace that cannot be read.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    options = _parser().parse_args(arguments)
    before = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        scenario = _scenario(options)
        out = options.out or project_root() / ".demo"
        return DONE if rehearse(scenario, console=console, out=out, keep=options.keep) else FAILED
    except TraceError as error:
        return _say(str(error), WRONG_USAGE)
    except OSError as error:
        code = WRONG_USAGE if _names_trace(error, options) else FAILED
        return _say(f"{error.filename or ''}: {error.strerror or error}", code)
    except (LocalAwsError, AutoscalerError, BotoCoreError, ClientError) as error:
        return _say(str(error), FAILED)
    except (KeyboardInterrupt, StoppedError):
        return _say("stopped; everything that was started has been ended", FAILED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emr_simulator.rehearsal",
        description="Deploy the template to a local AWS on loopback and play a day through it.",
        allow_abbrev=False,
    )
    parser.add_argument("--trace", type=Path, metavar="FILE", help="play a busy part of this SWIM trace")
    parser.add_argument(
        "--hours",
        type=_hours,
        metavar="H",
        help=f"virtual hours the day is squeezed into ({DAY_HOURS}), or hours of the trace ({TRACE_HOURS:g})",
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of everything that is left to chance (1)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the HTML page goes (.demo)")
    parser.add_argument("--keep", action="store_true", help="leave the local AWS up until Ctrl-C, to look around")
    return parser


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= _MOST_HOURS:
        msg = f"more than 0 and at most {_MOST_HOURS} expected, {text!r} found"
        raise argparse.ArgumentTypeError(msg)
    return hours


def _scenario(options: argparse.Namespace) -> Scenario:
    if options.trace is not None:
        hours = TRACE_HOURS if options.hours is None else options.hours
        return trace_scenario(options.trace, hours=hours, seed=options.seed)
    hours = DAY_HOURS if options.hours is None else options.hours
    if hours < _LEAST_DAY_HOURS or hours != int(hours):
        _parser().error(f"argument --hours: without a trace, whole hours from {_LEAST_DAY_HOURS} to {_MOST_HOURS}")
    return synthetic_scenario(hours=int(hours), seed=options.seed)


def _names_trace(error: OSError, options: argparse.Namespace) -> bool:
    return options.trace is not None and error.filename == str(options.trace)


def _say(line: str, code: int) -> int:
    sys.stderr.write(f"{line}\n")
    return code


def _stop(_number: int, _frame: FrameType | None) -> None:
    """End as with Ctrl-C: every context manager on the way out ends what it started."""
    raise StoppedError
