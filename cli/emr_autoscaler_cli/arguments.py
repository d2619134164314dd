"""How arguments are read: one-line errors, times, and those that every command on a deployed system takes."""

import argparse
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from emr_autoscaler_cli.failures import WRONG_USAGE

DEFAULT_PREFIX = "emr-autoscaler"
MOST_MINUTES = 60


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line on stderr that names the argument."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(WRONG_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def utc_time(text: str) -> datetime:
    """Read an ISO date or time; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        msg = f"{text!r} is not a date or time like 2026-10-05 or 2026-10-05T13:00Z"
        raise argparse.ArgumentTypeError(msg) from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def whole_number(least: int, most: int) -> "_WholeNumber":
    """Return a reader of whole numbers within bounds."""
    return _WholeNumber(least, most)


class _WholeNumber:
    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = self._least - 1
        if not self._least <= value <= self._most:
            msg = f"{text!r} is not a whole number from {self._least} to {self._most}"
            raise argparse.ArgumentTypeError(msg)
        return value


def hours(text: str) -> float:
    """Read a positive number of hours, fractions allowed."""
    value = start_hour(text)
    if value == 0:
        msg = "0 hours hold no job"
        raise argparse.ArgumentTypeError(msg)
    return value


def start_hour(text: str) -> float:
    """Read a number of hours from 0 on, fractions allowed."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        msg = f"{text!r} is not a number of hours"
        raise argparse.ArgumentTypeError(msg)
    return value


def fraction(text: str) -> float:
    """Read a fraction from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        msg = f"{text!r} is not a fraction from 0 to 1"
        raise argparse.ArgumentTypeError(msg)
    return value


def positive_number(text: str) -> float:
    """Read a number above 0, fractions allowed."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        msg = f"{text!r} is not a number above 0"
        raise argparse.ArgumentTypeError(msg)
    return value


def minutes(text: str) -> float:
    """Read a number of minutes above 0, an hour at most, fractions allowed."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= MOST_MINUTES:
        msg = f"{text!r} is not a number of minutes above 0 and up to {MOST_MINUTES}"
        raise argparse.ArgumentTypeError(msg)
    return value


def node_price(text: str) -> tuple[str, Decimal]:
    """Read a price in USD: 0.24 for any type (an empty name), or m5.xlarge=0.24."""
    name, _, amount = text.rpartition("=")
    try:
        usd = Decimal(amount)
    except InvalidOperation:
        usd = Decimal(-1)
    if not (usd.is_finite() and usd >= 0):
        msg = f"{text!r} is not a price like 0.24 or m5.xlarge=0.24"
        raise argparse.ArgumentTypeError(msg)
    return name, usd


def json_argument() -> OneLineParser:
    """Return the argument that turns output into one JSON document."""
    parent = OneLineParser(add_help=False)
    parent.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    return parent


def stack_arguments() -> OneLineParser:
    """Return the arguments that say which deployed system is meant."""
    parent = OneLineParser(add_help=False)
    group = parent.add_argument_group("which system")
    group.add_argument(
        "--stack-prefix",
        default=DEFAULT_PREFIX,
        metavar="PREFIX",
        help="the stack's parameter StackPrefix (default: %(default)s)",
    )
    group.add_argument("--region", help="AWS region (default: that of the environment or profile)")
    group.add_argument("--profile", help="AWS profile (default: the environment's credentials)")
    return parent
