"""The documents about policies say what the code does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.tables import resource

from emr_autoscaler.domain.policy import Mode, Policy
from emr_autoscaler.messages.policy import parse_policy
from emr_autoscaler.messages.policy_schema import policy_schema, policy_schema_text

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA = policy_schema()
ROWS = {
    name: [cell.strip() for cell in cells.split(" | ")]
    for name, cells in re.findall(
        r"^\| `([\w.\[\]]+)` \|(.*)\|$", (DOCS / "policies.md").read_text(), re.MULTILINE
    )
}
"""Field to unit, default, values and meaning."""


def documented_fields() -> dict[str, dict[str, Any]]:
    definitions = SCHEMA["$defs"]
    found = {"mode": SCHEMA["properties"]["mode"]}
    for section, part in (("task", "Task"), ("core", "Core"), ("idle", "Idle"), ("cost", "Cost")):
        for name, field in definitions[f"{part}Document"]["properties"].items():
            found[f"{section}.{name}"] = field
    for prefix, part in (("task.schedules[]", "Schedule"), ("task.pools", "Pools"), ("task.bounds", "Bounds")):
        for name, field in definitions[f"{part}Document"]["properties"].items():
            found[f"{prefix}.{name}"] = field
    return found


FIELDS = documented_fields()


def bounds(field: dict[str, Any]) -> str:
    field = next((option for option in field.get("anyOf", ()) if option.get("type") != "null"), field)
    if "$ref" in field:
        names = SCHEMA["$defs"][field["$ref"].rpartition("/")[2]].get("enum")
        return ", ".join(f"`{name}`" for name in names) if names else "see below"
    if "exclusiveMinimum" in field:
        return f"above {field['exclusiveMinimum']}, below {field['exclusiveMaximum']}"
    if "minimum" in field:
        return f"{field['minimum']:.10g} to {field['maximum']:.10g}"
    for word, keys in (("at most", ("maxItems", "maxProperties")), ("at least", ("minItems",))):
        for key in keys:
            if key in field:
                return f"{word} {field[key]}"
    return "`true`, `false`" if field["type"] == "boolean" else ""


def unit(name: str) -> str:
    for suffix in ("minutes", "seconds", "nodes", "percent"):
        if name.endswith(f"_{suffix}"):
            return suffix
    if name.endswith("_usd_per_hour"):
        return "USD an hour"
    return "fraction" if "hdfs_" in name or name.endswith("_share") else ""


def test_every_field_is_documented_and_nothing_else():
    assert set(ROWS) == set(FIELDS)


@pytest.mark.parametrize("name", list(FIELDS))
def test_the_documented_unit_default_and_bounds_are_the_real_ones(name):
    field = FIELDS[name]
    told_unit, told_default, told_bounds, meaning = ROWS[name]

    default = f"`{json.dumps(field['default'])}`" if "default" in field else "needed"
    assert told_default == default.replace(".0`", "`").replace('"0"', "0")  # exact numbers are texts in the schema
    assert told_bounds == bounds(field) or '"type": "string"' in json.dumps(field)
    assert told_unit == unit(name) or told_unit == "HH:MM"
    assert len(meaning) > 10


def test_the_schema_file_is_current():
    assert (DOCS / "policy.schema.json").read_text() == policy_schema_text(), "run `make docs`"


@pytest.mark.parametrize("path", sorted((DOCS / "policies").glob("*.json")), ids=lambda path: path.stem)
def test_every_example_can_be_used(path):
    assert parse_policy(path.stem, path.read_text()).name == path.stem


def test_the_example_in_the_page_is_the_production_policy():
    (example,) = re.findall(r"```json\n(.*?)```", (DOCS / "policies.md").read_text(), re.DOTALL)

    assert example == (DOCS / "policies" / "production.json").read_text()


def test_the_production_policy_writes_out_every_field():
    document = json.loads((DOCS / "policies" / "production.json").read_text())
    written = {f"{section}.{name}" for section in ("task", "core", "idle", "cost") for name in document[section]}
    written |= {f"task.schedules[].{name}" for name in document["task"]["schedules"][0]} | {"mode"}
    written |= {f"task.{part}.{name}" for part in ("pools", "bounds") for name in document["task"][part]}

    assert written == set(FIELDS)


def test_the_default_policy_only_watches_and_is_the_one_that_ships():
    default = parse_policy("default", (DOCS / "policies" / "default.json").read_text())

    assert default == Policy(name="default", mode=Mode.DRY_RUN)
    assert parse_policy("default", resource("DefaultPolicy")["Value"]) == default
