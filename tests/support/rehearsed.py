"""A small rehearsal as it is after the last curtain: decisions, cost hours and moments to summarise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.costs import CostLine, HourRecord
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, GroupTarget, Reason
from emr_autoscaler.domain.interruption import InterruptionEvidence
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, TaskMemory
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.price_book import Component
from emr_autoscaler.domain.record import DecisionRecord, Outcome
from emr_simulator.rehearsal.summary import Summary, summarise
from emr_simulator.rehearsal.timeline import ClusterMoment, GroupMoment, Mark, Moment

START = datetime(2026, 10, 5, 3, tzinfo=UTC)
WARNED = "i-0aaaaaaaaaaaaaaaa"
MARKS = (Mark(at=START + timedelta(minutes=40), kind="interruption", text="EC2 takes <it> back"),)


def group(group_id, role, *, wanted, running, market="ON_DEMAND", instance_type="m5.xlarge"):
    return GroupMoment(
        group_id=group_id, role=role, market=market, instance_type=instance_type, wanted=wanted, running=running
    )


def cluster_moment(*groups, state="WAITING", **figures):
    values = {"allocated_gib": 10.0, "pending_gib": 5.0, "total_gib": 36.0, "pending_containers": 3}
    return ClusterMoment(state=state, groups=groups, **{**values, "hdfs_used_percent": 50.0, **figures})


def moments():
    """Three moments of four clusters: task nodes come and go, core grows, one cluster ends."""

    def moment(minutes, *, core, spot, forgotten):
        etl = cluster_moment(
            group("ig-master", "MASTER", wanted=1, running=1),
            group("ig-core", "CORE", wanted=core, running=core),
            group("ig-spot", "TASK", wanted=spot, running=spot, market="SPOT"),
            group("ig-od", "TASK", wanted=0, running=0),
        )
        nodes = 2 if forgotten == "WAITING" else 0
        return Moment(
            at=START + timedelta(minutes=minutes),
            clusters={
                "etl": etl,
                "forgotten": cluster_moment(group("ig-f", "MASTER", wanted=nodes, running=nodes), state=forgotten),
                "busy": cluster_moment(group("ig-b", "MASTER", wanted=1, running=1)),
                "adhoc": cluster_moment(group("ig-a", "MASTER", wanted=1, running=1)),
            },
            spent_usd=Decimal(1),
        )

    return [
        moment(12, core=3, spot=0, forgotten="WAITING"),
        moment(40, core=3, spot=5, forgotten="WAITING"),
        moment(120, core=4, spot=0, forgotten="TERMINATED"),
    ]


def record(kind, action, reason, *, minutes, cluster="etl", targets=(), evidence=None, outcome=Outcome.DONE):
    decision = Decision(
        kind=kind,
        cluster_id=cluster,
        decided_at=START + timedelta(minutes=minutes),
        action=action,
        reason=reason,
        targets=targets,
        detail=f"<{reason}>",
    )
    return DecisionRecord(
        record_id=f"{minutes}-{kind}", decision=decision, evidence=evidence, outcome=outcome, trigger="test"
    )


def target(group_id, before, after):
    timeout = timedelta(hours=1) if after < before else None
    return GroupTarget(group_id=group_id, count=after, previous_count=before, decommission_timeout=timeout)


def warning(instance_id=WARNED):
    key = PoolKey(instance_type="m5.xlarge", availability_zone="us-east-1a")
    return InterruptionEvidence(
        now=START + timedelta(minutes=40),
        warned_at=START + timedelta(minutes=40),
        cluster_id="etl",
        ec2_instance_id=instance_id,
        role=Role.TASK,
        group_id="ig-spot",
        groups=(),
        policy=TaskPolicy(),
        memory=TaskMemory(),
        pool=PoolHealth(key=key),
    )


def decisions():
    """Everything a rehearsal has to see."""
    task, core = DecisionKind.TASK, DecisionKind.CORE
    return {
        "etl": (
            record(task, Action.HOLD, Reason.DEMAND_MET, minutes=13, outcome=Outcome.HELD),
            record(
                task,
                Action.SCALE_OUT,
                Reason.DEMAND_ABOVE_CAPACITY,
                minutes=17,
                targets=(target("ig-spot", 0, 5),),
            ),
            record(
                DecisionKind.INTERRUPTION,
                Action.REPLACE,
                Reason.TASK_INTERRUPTED,
                minutes=40,
                targets=(target("ig-od", 0, 1),),
                evidence=warning(),
            ),
            record(core, Action.SCALE_OUT, Reason.HDFS_ABOVE_HIGH, minutes=60, targets=(target("ig-core", 3, 4),)),
            record(
                task, Action.SCALE_IN, Reason.DEMAND_BELOW_CAPACITY, minutes=80, targets=(target("ig-spot", 5, 0),)
            ),
        ),
        "forgotten": (
            record(
                DecisionKind.IDLE,
                Action.ANNOUNCE,
                Reason.IDLE_ANNOUNCED,
                minutes=50,
                cluster="forgotten",
                outcome=Outcome.HELD,
            ),
            record(DecisionKind.IDLE, Action.TERMINATE, Reason.IDLE_CONFIRMED, minutes=60, cluster="forgotten"),
        ),
        "busy": (),
        "adhoc": (),
    }


def line(group_id, role, component, *, hours, price, market=Market.ON_DEMAND):
    quantity, unit_price = Decimal(hours), Decimal(price)
    return CostLine(
        group_id=group_id,
        role=role,
        market=market,
        component=component,
        item="m5.xlarge",
        quantity=quantity,
        measured_quantity=quantity,
        unit="Hours",
        unit_price_usd=unit_price,
        list_unit_price_usd=unit_price,
        contracted_unit_price_usd=unit_price,
        effective_unit_price_usd=unit_price,
        list_cost_usd=quantity * unit_price,
        contracted_cost_usd=quantity * unit_price,
        effective_cost_usd=quantity * unit_price,
        price_source="test",
        instances=1,
    )


def hour(cluster, number, *lines):
    return HourRecord(
        account_id="123456789012",
        region="us-east-1",
        cluster_id=cluster,
        cluster_name=cluster,
        hour=START + timedelta(hours=number),
        cost_centre="analytics",
        lines=lines,
        recorded_at=START + timedelta(hours=number + 1, minutes=5),
    )


def hours():
    """Two hours of one master at 0.25 USD, one of spot task nodes, and one of the forgotten cluster."""
    fee, od, spot = Component.EMR_FEE, Component.EC2_ON_DEMAND, Component.EC2_SPOT
    master = (
        line("ig-master", Role.MASTER, fee, hours="1", price="0.05"),
        line("ig-master", Role.MASTER, od, hours="1", price="0.20"),
    )
    return {
        "etl": (
            hour(
                "etl",
                0,
                *master,
                line("ig-spot", Role.TASK, fee, hours="4", price="0.05", market=Market.SPOT),
                line("ig-spot", Role.TASK, spot, hours="4", price="0.07", market=Market.SPOT),
            ),
            hour("etl", 1, *master),
        ),
        "forgotten": (
            hour(
                "forgotten",
                0,
                line("ig-f", Role.MASTER, fee, hours="1.5", price="0.05"),
                line("ig-f", Role.MASTER, od, hours="1.5", price="0.20"),
            ),
        ),
        "busy": (hour("busy", 0, line("ig-b", Role.MASTER, fee, hours="1", price="0.05")),),
        "adhoc": (),
    }


LEDGER = {
    "etl": Decimal("0.98"),
    "forgotten": Decimal("0.375"),
    "busy": Decimal("0.05"),
    "adhoc": Decimal("1.50"),
}
ENROLLED = frozenset({"etl", "forgotten", "busy"})


def summary(**changes) -> Summary:
    given = {
        "decisions": decisions(),
        "hours": hours(),
        "enrolled": ENROLLED,
        "ledger_usd": LEDGER,
        "moments": moments(),
        "warned": {WARNED: START + timedelta(minutes=40)},
        "free": frozenset({WARNED}),
        "marks": MARKS,
        "scaled": "etl",
        "maximum_task_nodes": 10,
    }
    return summarise(**{**given, **changes})


def without(kept, cluster, action):
    """Return the decisions without those of one action on one cluster."""
    left = tuple(r for r in kept[cluster] if r.decision.action is not action)
    return {**kept, cluster: left}


def failed(kept, cluster, action):
    """Return the decisions with those of one action refused by EMR."""
    changed = tuple(
        replace(r, outcome=Outcome.FAILED) if r.decision.action is action else r for r in kept[cluster]
    )
    return {**kept, cluster: changed}
