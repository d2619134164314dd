"""Core fleets: the rules that protect HDFS hold for whole instances, and what cannot be known only grows."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.scenes import CLUSTER, NOW, SAMPLED, minutes, series

from emr_autoscaler.adapters.evidence import dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import ClusterState, GroupState, Role
from emr_autoscaler.domain.core_capacity import decide_core_capacity
from emr_autoscaler.domain.core_scene import BLOCK_METRICS, CoreEvidence
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.fleets import FleetTarget, FleetType, InstanceFleet
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.policy import CorePolicy


def hdfs(percent: float) -> ClusterMetrics:
    """Three samples of HDFS use, nothing at risk, YARN quiet."""
    times = [SAMPLED - minutes(10), SAMPLED - minutes(5), SAMPLED]
    values = {"HDFS_UTILIZATION_PERCENT": percent, "CONTAINER_PENDING": 0, "YARN_MEMORY_AVAILABLE_PERCENTAGE": 90}
    values |= {name.name: 0.0 for name in BLOCK_METRICS}
    return series(**{name: [(at, value) for at in times] for name, value in values.items()})


def core(on_demand: int, spot: int = 0, *, types: dict[str, int] | None = None, **changes: Any) -> InstanceFleet:
    values: dict[str, Any] = {
        "fleet_id": "if-core",
        "role": Role.CORE,
        "state": GroupState.RUNNING,
        "target_on_demand_units": on_demand,
        "target_spot_units": spot,
        "provisioned_on_demand_units": on_demand,
        "provisioned_spot_units": spot,
        "types": tuple(FleetType(instance_type=t, units=u) for t, u in (types or {"m5.xlarge": 4}).items()),
    }
    return InstanceFleet(**values | changes)


def evidence(fleet: InstanceFleet | None, percent: float = 10, **policy: Any) -> CoreEvidence:
    return CoreEvidence(
        now=NOW,
        cluster_id=CLUSTER,
        state=ClusterState.WAITING,
        uses_fleets=True,
        groups=(),
        fleets=() if fleet is None else (fleet,),
        dfs_replication=2,
        metrics=hdfs(percent),
        policy=CorePolicy(**{"min_nodes": 8, "max_nodes": 80, **policy}),
    )


def decide(seen: CoreEvidence) -> Decision:
    return decide_core_capacity(seen).decision


def units(decision: Decision) -> tuple[int, int]:
    (target,) = decision.targets
    assert isinstance(target, FleetTarget)
    return target.on_demand_units, target.spot_units


def test_a_full_hdfs_gets_whole_instances_on_demand_even_where_the_fleet_stands_on_spot() -> None:
    decision = decide(evidence(core(8, 8), 80))
    assert (decision.action, decision.reason) == (Action.SCALE_OUT, Reason.HDFS_ABOVE_HIGH)
    assert units(decision) == (16, 8)


def test_a_shrink_takes_the_units_of_one_instance_from_spot_first() -> None:
    assert units(decide(evidence(core(16, 4)))) == (16, 0)
    assert units(decide(evidence(core(20)))) == (16, 0)


def test_the_replication_floor_counts_instances_and_not_units() -> None:
    assert decide(evidence(core(8), min_nodes=1)).reason is Reason.REPLICATION_FLOOR
    assert units(decide(evidence(core(12), min_nodes=1))) == (8, 0)


def test_bounds_are_units() -> None:
    assert decide(evidence(core(12), min_nodes=12)).reason is Reason.AT_MINIMUM
    assert decide(evidence(core(12), 90, max_nodes=13)).reason is Reason.AT_MAXIMUM
    assert units(decide(evidence(core(8), 50, min_nodes=10))) == (12, 0)


def test_a_fleet_of_mixed_sizes_grows_and_is_never_shrunk() -> None:
    mixed = core(20, types={"m5.xlarge": 4, "m5.2xlarge": 8})
    decision = decide(evidence(mixed))
    assert (decision.action, decision.reason, decision.targets) == (Action.HOLD, Reason.FLEET_ONLY_GROWS, ())
    assert units(decide(evidence(mixed, 90)))[0] > 20


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (evidence(core(20, state=GroupState.RESIZING)), Reason.RESIZING),
        (evidence(core(20, state=GroupState.SUSPENDED)), Reason.GROUPS_UNAVAILABLE),
        (replace(evidence(core(20)), has_managed_scaling=True), Reason.MANAGED_ELSEWHERE),
        (evidence(None), Reason.USES_FLEETS),
    ],
    ids=["resizing", "suspended", "managed", "not listed yet"],
)
def test_what_guards_a_core_group_guards_a_core_fleet(seen: CoreEvidence, reason: Reason) -> None:
    decision = decide(seen)
    assert (decision.reason, decision.targets) == (reason, ())


def test_a_core_fleet_decision_is_the_same_from_its_stored_evidence() -> None:
    seen = evidence(core(8), 80)
    again = load_evidence(DecisionKind.CORE, dump_evidence(DecisionKind.CORE, seen))
    assert isinstance(again, CoreEvidence)
    assert decide_core_capacity(again) == decide_core_capacity(seen)
