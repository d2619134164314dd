"""The tables as template.yaml defines them, so that tests never run on tables that are not deployed."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "template.yaml"

_CREATED = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (!Sub, !If) as their plain content: keys need none of them."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


_TemplateLoader.add_multi_constructor("!", _plain)


@cache
def resource(name: str) -> dict[str, Any]:
    """The properties of one resource of the template."""
    document = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_TemplateLoader)
    return document["Resources"][name]["Properties"]


def table_definition(name: str) -> dict[str, Any]:
    """What CreateTable needs of StateTable or CostTable."""
    properties = resource(name)
    return {key: properties[key] for key in _CREATED}
