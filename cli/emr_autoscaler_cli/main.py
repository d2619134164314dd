"""The command line's front door: which command is meant, and how its end becomes an exit code."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from botocore.exceptions import BotoCoreError

from emr_autoscaler.domain.errors import AutoscalerError
from emr_autoscaler_cli import backtest, benchmark, costs, doctor, explain, pausing, policy_files, simulate, status
from emr_autoscaler_cli.arguments import OneLineParser, json_argument, stack_arguments
from emr_autoscaler_cli.failures import DONE, FAILED, CommandError
from emr_autoscaler_cli.installation import Connect, Installation, connect_to_aws

EPILOG = """\
start here:
  emr-autoscaler doctor                    is the installation healthy?
  emr-autoscaler status                    what does it look after, and what did it decide last?
  emr-autoscaler explain j-2AXXXXXXGAPLF   why?

exit codes: 0 done, 1 it could not be done (one line on stderr says why), 2 wrong usage
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    Attributes:
        name: As it is typed.
        summary: One clause for the list of commands.
        examples: Below its help.
        add_arguments: Adds what it takes beyond the shared arguments.
        alone: Runs it, where it needs no deployed system.
        on_system: Runs it, where it does.
        with_connect: Runs it, where only some of its arguments need one: it connects itself.
    """

    name: str
    summary: str
    examples: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    alone: Callable[[argparse.Namespace], int] | None = None
    on_system: Callable[[argparse.Namespace, Installation], int] | None = None
    with_connect: Callable[[argparse.Namespace, Connect], int] | None = None


COMMANDS = (
    Command(
        name="simulate",
        summary="run a policy on a trace",
        examples=simulate.EXAMPLES,
        add_arguments=simulate.add_arguments,
        alone=simulate.run,
    ),
    Command(
        name="benchmark",
        summary="compare all policies with each other and the optimum",
        examples=benchmark.EXAMPLES,
        add_arguments=benchmark.add_arguments,
        alone=benchmark.run,
    ),
    Command(
        name="backtest",
        summary="what a policy would have done on recorded metrics",
        examples=backtest.EXAMPLES,
        add_arguments=backtest.add_arguments,
        with_connect=backtest.run,
    ),
    Command(
        name="status",
        summary="every enrolled cluster",
        examples=status.EXAMPLES,
        add_arguments=status.add_arguments,
        on_system=status.run,
    ),
    Command(
        name="explain",
        summary="why something was decided",
        examples=explain.EXAMPLES,
        add_arguments=explain.add_arguments,
        on_system=explain.run,
    ),
    Command(
        name="pause",
        summary="leave a cluster alone",
        examples=pausing.PAUSE_EXAMPLES,
        add_arguments=pausing.add_arguments,
        on_system=pausing.pause,
    ),
    Command(
        name="resume",
        summary="take a paused cluster up again",
        examples=pausing.RESUME_EXAMPLES,
        add_arguments=pausing.add_arguments,
        on_system=pausing.resume,
    ),
    Command(
        name="policy validate",
        summary="check a policy document",
        examples=policy_files.EXAMPLES,
        add_arguments=policy_files.add_arguments,
        alone=policy_files.validate,
    ),
    Command(
        name="doctor",
        summary="check an installation",
        examples=doctor.EXAMPLES,
        add_arguments=doctor.add_arguments,
        on_system=doctor.run,
    ),
    Command(
        name="costs",
        summary="what clusters cost",
        examples=costs.EXAMPLES,
        add_arguments=costs.add_arguments,
        on_system=costs.run,
    ),
)


def main(argv: Sequence[str] | None = None, *, connect: Connect = connect_to_aws) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; None takes the process's.
        connect: Finds the deployed system; tests hand in one of their own.

    Returns:
        The exit code.
    """
    arguments = build_parser().parse_args(argv)
    command: Command = arguments.command
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


def _run(command: Command, arguments: argparse.Namespace, connect: Connect) -> int:
    if command.on_system is not None:
        return command.on_system(arguments, connect(arguments))
    if command.with_connect is not None:
        return command.with_connect(arguments, connect)
    return command.alone(arguments) if command.alone is not None else DONE


def build_parser() -> OneLineParser:
    """Return the parser of all commands; the documents' tests read it as well."""
    parser = OneLineParser(
        prog="emr-autoscaler",
        description="Operate a deployed EMR Autoscaler, read its costs, and simulate its policies.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("emr-autoscaler"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    policy = commands.add_parser("policy", help="policy documents", description="Policy documents.")
    verbs = policy.add_subparsers(title="commands", metavar="COMMAND", required=True)
    groups = {"": commands, "policy": verbs}
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        added = groups[group].add_parser(
            name,
            parents=[json_argument()] if command.alone else [stack_arguments(), json_argument()],
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            epilog=command.examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(added)
        added.set_defaults(command=command)
    return parser


def _complain(command: str, problem: object, exit_code: int) -> int:
    line = " ".join(str(problem).split()) or type(problem).__name__
    print(f"emr-autoscaler {command}: {line}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
