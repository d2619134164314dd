"""template.yaml as tests read it: parsed, its parts found by type. Nothing is deployed here."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).resolve().parents[2]
PREFIX = "emr-autoscaler"
"""Default of the parameter StackPrefix."""


@cache
def template() -> dict[str, Any]:
    """Return the parsed template; intrinsic functions in their long form."""
    parsed: dict[str, Any] = yaml_parse((PROJECT / "template.yaml").read_text())
    return parsed


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Return the resources of one type by logical id, each with its Properties and policies."""
    return {name: res for name, res in template()["Resources"].items() if res["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """Return the properties of every function by the name of its folder."""
    found = resources("AWS::Serverless::Function").values()
    return {res["Properties"]["CodeUri"].strip("/").rpartition("/")[2]: res["Properties"] for res in found}


def statements(verb: str) -> list[dict[str, Any]]:
    """Return the policy statements of one function."""
    return [statement for policy in functions()[verb]["Policies"] for statement in policy["Statement"]]


def triggers(verb: str, kind: str) -> dict[str, dict[str, Any]]:
    """Return the triggers of one type (EventBridgeRule, Schedule, SQS) of one function by name."""
    return {
        name: event["Properties"] for name, event in functions()[verb]["Events"].items() if event["Type"] == kind
    }


def patterns() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield function folder, rule name and event pattern of every rule, the prefix filled in."""
    for verb in functions():
        for properties in triggers(verb, "EventBridgeRule").values():
            yield verb, resolve(properties["RuleName"]), resolve(properties["Pattern"])


def resolve(value: Any) -> Any:
    """Return a value with the stack prefix filled in, as the default parameters would."""
    if isinstance(value, dict) and set(value) == {"Fn::Sub"}:
        return value["Fn::Sub"].replace("${StackPrefix}", PREFIX)
    if isinstance(value, dict):
        return {key: resolve(part) for key, part in value.items()}
    if isinstance(value, list):
        return [resolve(part) for part in value]
    return value


def text_of(value: Any) -> str:
    """Return a value as text, to look for words in it."""
    return json.dumps(value, sort_keys=True)
