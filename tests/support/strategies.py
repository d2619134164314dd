"""Hypothesis strategies for the domain's values: anything a dataclass's field types and checks allow."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from emr_autoscaler.domain.decision import GroupTarget
from emr_autoscaler.domain.fleets import FleetType
from emr_autoscaler.domain.policy import CorePolicy, TaskPolicy

_FEW = 2

_FROM, _TO = datetime(2020, 1, 1), datetime(2035, 1, 1)  # noqa: DTZ001  hypothesis adds the zone
moments = st.datetimes(_FROM, _TO, timezones=st.just(UTC))
durations = st.timedeltas(timedelta(0), timedelta(days=400))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)

amounts = st.builds(
    lambda digits, scale: Decimal(digits).scaleb(-scale), st.integers(0, 10**28), st.integers(0, 40)
)
"""Decimals as ratios computed to 28 digits leave them, at any magnitude."""


@cache
def of(hint: Any) -> st.SearchStrategy:  # noqa: PLR0911  one return a kind of type
    """Values of a type as the domain's annotations write it."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint in _CHECKED:
        return _CHECKED[hint]()
    if is_dataclass(hint):
        return st.builds(hint, **_fields(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of([of(argument) for argument in arguments])
    if origin is tuple:
        return st.lists(of(arguments[0]), max_size=_FEW).map(tuple)
    if origin is frozenset:
        return st.frozensets(of(arguments[0]), max_size=_FEW)
    if origin is Mapping:
        return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=_FEW)
    raise TypeError(hint)


def _fields(kind: type) -> dict[str, st.SearchStrategy]:
    hints = get_type_hints(kind)
    return {field.name: of(hints[field.name]) for field in fields(kind)}


def _targets() -> st.SearchStrategy:
    return st.builds(
        lambda group_id, counts, timeout: GroupTarget(
            group_id=group_id,
            count=counts[0],
            previous_count=counts[1],
            decommission_timeout=timeout if timeout or counts[0] >= counts[1] else timedelta(hours=1),
        ),
        texts,
        st.tuples(st.integers(0, 99), st.integers(0, 99)),
        st.none() | durations,
    )


def _task_policies() -> st.SearchStrategy:
    nodes = st.integers(0, 99)
    return st.tuples(st.fixed_dictionaries(_fields(TaskPolicy)), nodes, nodes, nodes).map(
        lambda drawn: TaskPolicy(
            **drawn[0]
            | dict(zip(("min_nodes", "on_demand_min_nodes", "max_nodes"), sorted(drawn[1:]), strict=True))
            | {"on_demand_max_nodes": None, "spot_share": 0.5, "min_units": 0, "max_units": drawn[1]}
            | {"max_usd_per_hour": abs(drawn[0]["max_usd_per_hour"] or 0) or None}
            | {"drain_within": drawn[0]["drain_within"] or None}
        )
    )


def _core_policies() -> st.SearchStrategy:
    marks = st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3, unique=True).map(sorted)
    counts = st.lists(st.integers(1, 99), min_size=2, max_size=2).map(sorted)
    return st.tuples(st.fixed_dictionaries(_fields(CorePolicy)), marks, counts).map(
        lambda drawn: CorePolicy(
            **drawn[0]
            | dict(zip(("hdfs_low", "hdfs_target", "hdfs_high"), drawn[1], strict=True))
            | dict(zip(("min_nodes", "max_nodes"), drawn[2], strict=True))
        )
    )


_PLAIN: dict[Any, st.SearchStrategy] = {
    str: texts,
    int: st.integers(0, 10**9),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    type(None): st.none(),
    datetime: moments,
    timedelta: durations,
    Decimal: amounts,
}


def _fleet_types() -> st.SearchStrategy:
    return st.builds(FleetType, **{**_fields(FleetType), "units": st.integers(1, 10**6)})


_CHECKED = {GroupTarget: _targets, FleetType: _fleet_types, TaskPolicy: _task_policies, CorePolicy: _core_policies}
