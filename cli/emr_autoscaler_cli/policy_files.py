"""emr-autoscaler policy validate: reads a policy document as the deployed system will."""

import argparse
import sys
from pathlib import Path

from emr_autoscaler.domain.errors import InvalidPolicyError
from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.messages.policy import parse_policy
from emr_autoscaler_cli.failures import DONE, FAILED, UsageError
from emr_autoscaler_cli.output import print_json, print_line, tell

EXAMPLES = """\
examples:
  emr-autoscaler policy validate nightly.json
  aws ssm get-parameter --name /emr-autoscaler/policies/default --query Parameter.Value --output text \\
    | emr-autoscaler policy validate -

A policy that is valid is put in force by
  aws ssm put-parameter --name /emr-autoscaler/policies/nightly --type String --overwrite --value file://nightly.json
and holds for every cluster tagged emr-autoscaler:policy=nightly within a minute. Exit code 1: invalid.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what policy validate takes."""
    parser.add_argument("file", metavar="FILE", help="JSON document; - reads standard input")


def validate(arguments: argparse.Namespace) -> int:
    """Say whether a document is a policy, and if not, which field is wrong and how to mend it."""
    name = "-" if arguments.file == "-" else Path(arguments.file).stem
    try:
        policy = parse_policy(name, _read(arguments.file))
    except InvalidPolicyError as error:
        if arguments.json:
            print_json({"file": arguments.file, "valid": False, "problem": str(error)})
        tell(f"emr-autoscaler policy validate: {error}")
        return FAILED
    notes = notes_on(policy)
    if arguments.json:
        print_json({"file": arguments.file, "valid": True, "mode": policy.mode, "notes": notes})
    else:
        print_line(f"{arguments.file}: valid, mode {policy.mode}")
        for note in notes:
            print_line(f"  note: {note}")
    return DONE


def notes_on(policy: Policy) -> list[str]:
    """Return what is allowed and worth a second look."""
    notes = []
    if policy.mode is Mode.LIVE and policy.idle.enabled:
        notes.append(f"idle: clusters idle for {policy.idle.idle_for} are ended; idle.enabled false keeps them")
    if policy.task.enabled and 0 < len(policy.task.instance_types) < 3:  # noqa: PLR2004 (facts on spot: 3-5 pools)
        notes.append("task.instance_types: fewer than 3 spot pools; one interruption may take all of them")
    if policy.idle.enabled and policy.idle.trust_isidle:
        notes.append("idle.trust_isidle: work that YARN does not see (Presto, HBase, ...) does not keep a cluster")
    for section, trusts in (("task", policy.task.trust_yarn), ("core", policy.core.trust_yarn)):
        if trusts:
            notes.append(f"{section}.trust_yarn: nodes go although Presto, Trino or HBase may work on them")
    return notes


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        msg = f"FILE: {file}: {reason}"
        raise UsageError(msg) from error
