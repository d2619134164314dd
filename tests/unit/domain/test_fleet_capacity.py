"""The task decision on instance fleets: demand in units, whole instances, guards; by example."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.support.fleet_evidence import CALM, TASK, core_fleet, evidence, fleet, units
from tests.support.scenes import CLUSTER, decide, yarn

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import GroupState
from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_autoscaler.domain.fleet_steps import sides_of, unit_mib
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.policy import CapacityUnit
from emr_autoscaler.domain.task_capacity import decide_task_capacity
from emr_autoscaler.domain.task_scene import TaskEvidence


def test_demand_is_ordered_in_spot_units_up_to_the_maximum() -> None:
    decision = decide(evidence(fleet(spot=2)))
    assert (decision.action, decision.reason) == (Action.SCALE_OUT, Reason.DEMAND_ABOVE_CAPACITY)
    assert units(decision) == (0, 16)
    assert TASK in decision.detail


def test_no_demand_gives_every_unit_back() -> None:
    decision = decide(evidence(fleet(spot=6), CALM))
    assert (decision.action, units(decision)) == (Action.SCALE_IN, (0, 0))


def test_the_on_demand_floor_is_filled_first_and_kept_last() -> None:
    assert units(decide(evidence(fleet(), on_demand_min_nodes=3))) == (3, 13)
    assert units(decide(evidence(fleet(3, 13), CALM, on_demand_min_nodes=3, min_nodes=3))) == (3, 0)


@pytest.mark.parametrize("weight", [2, 4])
def test_bounds_are_units_and_orders_are_whole_instances(weight: int) -> None:
    task = fleet(types={"m5.xlarge": weight})
    assert units(decide(evidence(task, max_nodes=15))) == (0, 15 // weight * weight)
    assert units(decide(evidence(task, CALM, min_nodes=5))) == (0, -(-5 // weight) * weight)


def test_units_of_types_of_different_size_count_as_the_least_memory_they_may_bring() -> None:
    mixed = fleet(types={"m5.xlarge": 1, "r5.xlarge": 1, "m5.4xlarge": 4})
    assert unit_mib(mixed, learned=None) == 12288
    assert unit_mib(fleet(types={"x9.odd": 1, "r5.xlarge": 2}), learned=None) == 12288


def test_memory_of_unknown_types_is_learned_where_all_count_the_same() -> None:
    assert unit_mib(fleet(types={"x9.odd": 2}), learned=8000.0) == 4000.0
    assert unit_mib(fleet(types={"x9.odd": 2, "y9.odd": 3}), learned=8000.0) is None
    assert unit_mib(fleet(types={"x9.odd": 2}), learned=None) is None
    assert decide(evidence(fleet(types={"x9.odd": 1}))).reason is Reason.NO_CAPACITY_KNOWN


def test_units_a_settled_fleet_has_above_its_target_count_as_there() -> None:
    more = fleet(spot=5, there=(0, 8), types={"m5.xlarge": 1, "m5.4xlarge": 4})
    assert [side.requested_count for side in sides_of(more, learned=None)] == [8, 0]
    settled = evidence(more, yarn(allocated_mib=8 * 12288 + 24576, containers=60), expected_task_seconds=1)
    assert decide(settled).targets == ()


def test_a_surplus_smaller_than_an_instance_is_held_and_starts_no_cooldown() -> None:
    more = fleet(spot=5, there=(0, 8), types={"m5.xlarge": 1, "m5.4xlarge": 4})
    verdict = decide_task_capacity(evidence(more, CALM, min_nodes=6))
    assert (verdict.decision.action, verdict.decision.reason) == (Action.HOLD, Reason.WHOLE_INSTANCES)
    assert verdict.decision.targets == ()
    assert verdict.memory.last_scale_in_at is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_paused": True}, Reason.PAUSED),
        ({"has_managed_scaling": True}, Reason.MANAGED_ELSEWHERE),
        ({"fleets": ()}, Reason.USES_FLEETS),
        ({"fleets": (core_fleet(),)}, Reason.GROUPS_UNAVAILABLE),
        ({"fleets": (core_fleet(), fleet(spot=2, state=GroupState.SUSPENDED))}, Reason.GROUPS_UNAVAILABLE),
        ({"metrics": ClusterMetrics(cluster_id=CLUSTER)}, Reason.METRICS_STALE),
    ],
    ids=["paused", "managed", "not listed yet", "no task fleet", "suspended", "no metrics"],
)
def test_what_guards_groups_guards_fleets(change: Mapping[str, Any], reason: Reason) -> None:
    decision = decide(replace(evidence(fleet(spot=2)), **change))
    assert (decision.action, decision.reason, decision.targets) == (Action.HOLD, reason, ())


def test_an_old_record_of_a_cluster_with_fleets_is_decided_as_it_was() -> None:
    stored = dump_evidence(DecisionKind.TASK, evidence(None, fleets=()))
    del stored["fleets"]
    del stored["memory"]["on_demand_since"]
    loaded = load_evidence(DecisionKind.TASK, stored)
    assert isinstance(loaded, TaskEvidence)
    assert decide(loaded).reason is Reason.USES_FLEETS


def test_a_unit_of_the_bounds_is_a_unit_of_the_fleet() -> None:
    steps_of_four = fleet(spot=0, types={"m5.xlarge": 4})
    bounded = evidence(steps_of_four, unit=CapacityUnit.UNITS, max_units=8)
    assert units(decide(bounded)) == (0, 8)
