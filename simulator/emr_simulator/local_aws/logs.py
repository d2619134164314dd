"""Reads what deployed functions logged, for people who look for an error and for tests."""

import json
from typing import Any

from emr_simulator.local_aws.deployment import Stack


def read_log(stack: Stack, verb: str) -> tuple[str, ...]:
    """Return every line the function in functions/<verb>/ wrote, oldest invocation first."""
    logs = stack.aws.client("logs")
    group = f"/aws/lambda/{stack.function_name(verb)}"
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return tuple(event["message"] for page in pages for event in page["events"])


def read_records(stack: Stack, verb: str) -> tuple[dict[str, Any], ...]:
    """Return the structured log records of a function: those of its lines that are JSON objects."""
    found = []
    for line in read_log(stack, verb):
        if line.startswith("{"):
            record = json.loads(line)
            if isinstance(record, dict):
                found.append(record)
    return tuple(found)
