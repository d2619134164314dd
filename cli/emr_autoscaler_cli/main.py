"""The command line's front door: which command is meant, and how its end becomes an exit code."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from emr_autoscaler.domain.errors import AutoscalerError
from emr_autoscaler_cli.arguments import OneLineParser, json_argument, stack_arguments
from emr_autoscaler_cli.failures import DONE, FAILED, CommandError

if TYPE_CHECKING:
    from emr_autoscaler_cli.installation import Connect

EPILOG = """\
start here:
  emr-autoscaler doctor                    is the installation healthy?
  emr-autoscaler status                    what does it look after, and what did it decide last?
  emr-autoscaler explain j-2AXXXXXXGAPLF   why?

exit codes: 0 done, 1 it could not be done (one line on stderr says why), 2 wrong usage
"""


class Needs(Enum):
    """What a command is handed beside its arguments."""

    NOTHING = auto()
    SYSTEM = auto()
    CONNECT = auto()  # only some of its arguments need a system: it connects itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command; its module is imported once the command is meant, so that help waits for nobody.

    Attributes:
        name: As it is typed.
        summary: One clause for the list of commands.
        module: Where it is, in this package: a module with ``add_arguments``.
        run: The function there that runs it.
        examples: The text there that stands below its help.
        needs: What the function is handed.
    """

    name: str
    summary: str
    module: str
    run: str = "run"
    examples: str = "EXAMPLES"
    needs: Needs = Needs.SYSTEM

    def load(self) -> ModuleType:
        """Return its module."""
        return import_module(f"emr_autoscaler_cli.{self.module}")


COMMANDS = (
    Command(name="simulate", summary="run a policy on a trace", module="simulate", needs=Needs.NOTHING),
    Command(
        name="benchmark",
        summary="compare all policies with each other and the optimum",
        module="benchmark",
        needs=Needs.NOTHING,
    ),
    Command(
        name="backtest",
        summary="what a policy would have done on recorded metrics",
        module="backtest",
        needs=Needs.CONNECT,
    ),
    Command(name="status", summary="every enrolled cluster", module="status"),
    Command(name="explain", summary="why something was decided", module="explain"),
    Command(
        name="pause", summary="leave a cluster alone", module="pausing", run="pause", examples="PAUSE_EXAMPLES"
    ),
    Command(
        name="resume",
        summary="take a paused cluster up again",
        module="pausing",
        run="resume",
        examples="RESUME_EXAMPLES",
    ),
    Command(
        name="policy validate",
        summary="check a policy document",
        module="policy_files",
        run="validate",
        needs=Needs.NOTHING,
    ),
    Command(name="doctor", summary="check an installation", module="doctor"),
    Command(name="costs", summary="what clusters cost", module="costs"),
)


def main(argv: Sequence[str] | None = None, *, connect: "Connect | None" = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; None takes the process's.
        connect: Finds the deployed system; None looks in AWS, tests hand in one of their own.

    Returns:
        The exit code.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    parser = build_parser(words)
    arguments = parser.parse_args(words)
    command: Command | None = arguments.command
    if command is None:  # only now, so that an option that does not exist is named first
        missed_by: OneLineParser = arguments.parser
        missed_by.error("COMMAND is missing")
    try:
        return _run(command, arguments, connect)
    except CommandError as error:
        return _complain(command.name, error, error.exit_code)
    except (AutoscalerError, BotoCoreError) as error:
        return _complain(command.name, error, FAILED)
    except KeyboardInterrupt:
        return _complain(command.name, "interrupted", FAILED)
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _run(command: Command, arguments: argparse.Namespace, connect: "Connect | None") -> int:
    run: Callable[..., int] = getattr(command.load(), command.run)
    if command.needs is Needs.NOTHING:
        return run(arguments)
    if connect is None:
        connect = import_module("emr_autoscaler_cli.installation").connect_to_aws
    return run(arguments, connect if command.needs is Needs.CONNECT else connect(arguments))


def build_parser(words: Sequence[str] | None = None) -> OneLineParser:
    """Return the parser of all commands; the documents' tests read it as well.

    Args:
        words: What was typed: only the command that it means gets its arguments. None gives all of them theirs.
    """
    parser = OneLineParser(
        prog="emr-autoscaler",
        description="Operate a deployed EMR Autoscaler, read its costs, and simulate its policies.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("emr-autoscaler"))
    parser.set_defaults(command=None, parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    policy = commands.add_parser("policy", help="policy documents", description="Policy documents.")
    policy.set_defaults(parser=policy)
    verbs = policy.add_subparsers(title="commands", metavar="COMMAND")
    groups = {"": commands, "policy": verbs}
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        alone = command.needs is Needs.NOTHING
        added = groups[group].add_parser(
            name,
            parents=[json_argument()] if alone else [stack_arguments(), json_argument()],
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if words is None or command.name.split() == list(words[: len(command.name.split())]):
            module = command.load()
            added.epilog = getattr(module, command.examples)
            module.add_arguments(added)
        added.set_defaults(command=command)
    return parser


def _complain(command: str, problem: object, exit_code: int) -> int:
    line = " ".join(str(problem).split()) or type(problem).__name__
    print(f"emr-autoscaler {command}: {line}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
