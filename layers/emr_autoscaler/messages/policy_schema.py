"""The JSON Schema of policy documents, for editors and for docs/; ``python -m`` prints it."""

import json
import sys
from typing import Any

from emr_autoscaler.messages.policy import PolicyDocument


def policy_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12). Relations between fields are checked when a document is read."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PolicyDocument.model_json_schema(by_alias=True),
    }


def policy_schema_text() -> str:
    """Return the schema as docs/policy.schema.json holds it."""
    return json.dumps(policy_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(policy_schema_text())
