"""Plain, valid domain values for tests that care about one field of them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from emr_autoscaler.domain.cluster import Cluster, ClusterState, Market, Role
from emr_autoscaler.domain.costs import BilledInstance, CostLine, HourRecord
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.price_book import Component, Price, PriceKey
from emr_autoscaler.domain.record import DecisionRecord, Outcome

T0 = datetime(2026, 10, 5, 13, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
REGION = "eu-central-1"


def cluster(cluster_id: str = "j-1", **changes: Any) -> Cluster:
    values: dict[str, Any] = {
        "cluster_id": cluster_id,
        "arn": f"arn:aws:elasticmapreduce:{REGION}:{ACCOUNT}:cluster/{cluster_id}",
        "name": "nightly",
        "state": ClusterState.RUNNING,
        "created_at": T0,
    }
    return Cluster(**values | changes)


def registry_entry(cluster_id: str = "j-1", **changes: Any) -> RegistryEntry:
    values: dict[str, Any] = {
        "cluster": cluster(cluster_id),
        "groups": (),
        "groups_seen_at": T0,
        "policy_name": "default",
        "cost_centre": "analytics",
        "enrolled_at": T0,
    }
    return RegistryEntry(**values | changes)


def decision_record(
    record_id: str = "r1",
    *,
    cluster_id: str = "j-1",
    at: datetime = T0,
    outcome: Outcome = Outcome.HELD,
    **changes: Any,
) -> DecisionRecord:
    decision = Decision(
        kind=DecisionKind.TASK,
        cluster_id=cluster_id,
        decided_at=at,
        action=Action.HOLD,
        reason=Reason.DEMAND_MET,
    )
    return DecisionRecord(record_id=record_id, decision=decision, outcome=outcome, **changes)


def billed_instance(ec2_instance_id: str = "i-1", **changes: Any) -> BilledInstance:
    values: dict[str, Any] = {
        "ec2_instance_id": ec2_instance_id,
        "group_id": "ig-1",
        "role": Role.TASK,
        "market": Market.ON_DEMAND,
        "instance_type": "m5.xlarge",
        "availability_zone": f"{REGION}a",
        "started_at": T0,
        "ended_at": None,
    }
    return BilledInstance(**values | changes)


def cost_line(effective_usd: str | Decimal = "1.5", **changes: Any) -> CostLine:
    values: dict[str, Any] = {
        "group_id": "ig-1",
        "role": Role.TASK,
        "market": Market.SPOT,
        "component": Component.EC2_SPOT,
        "item": "m5.xlarge",
        "quantity": Decimal(1),
        "measured_quantity": Decimal(1),
        "unit": "Hours",
        "unit_price_usd": Decimal("0.1"),
        "list_unit_price_usd": Decimal("0.2"),
        "contracted_unit_price_usd": Decimal("0.1"),
        "effective_unit_price_usd": Decimal("0.1"),
        "list_cost_usd": Decimal(effective_usd) * 2,
        "contracted_cost_usd": Decimal(effective_usd),
        "effective_cost_usd": Decimal(effective_usd),
        "price_source": "AmazonEC2 SKU1 2026-10-01",
        "instances": 1,
    }
    return CostLine(**values | changes)


def hour_record(cluster_id: str = "j-1", hour: datetime = T0, **changes: Any) -> HourRecord:
    values: dict[str, Any] = {
        "account_id": ACCOUNT,
        "region": REGION,
        "cluster_id": cluster_id,
        "cluster_name": "nightly",
        "hour": hour,
        "cost_centre": "analytics",
        "lines": (cost_line(),),
        "recorded_at": T0,
    }
    return HourRecord(**values | changes)


def price_key(item: str = "m5.xlarge", **changes: Any) -> PriceKey:
    values: dict[str, Any] = {"component": Component.EC2_SPOT, "region": REGION, "item": item}
    return PriceKey(**values | changes)


def price(key: PriceKey, usd: str, effective_from: datetime = T0) -> Price:
    return Price(key=key, usd=Decimal(usd), unit="Hours", effective_from=effective_from, source="spot history")
