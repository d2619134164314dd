"""emr-autoscaler costs trace: one cluster-hour down to its instances, seconds, prices, sources and revisions."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from emr_autoscaler.domain.cost_history import HourRevision, InstanceCharges
from emr_autoscaler.domain.costs import BilledInstance, CostLine, HourRecord
from emr_autoscaler_cli.cost_savings import savings_document, savings_facts
from emr_autoscaler_cli.failures import DONE, FailedError
from emr_autoscaler_cli.installation import Installation
from emr_autoscaler_cli.output import moment, print_facts, print_json, print_line, print_table


def trace(installation: Installation, cluster_id: str, hour: datetime, *, as_json: bool) -> int:
    """Print where every figure of a cluster-hour comes from.

    Raises:
        FailedError: The hour is not recorded.
    """
    stack, costs = installation.account.stack, installation.ports.costs
    revisions = costs.revisions(stack.account_id, stack.region, cluster_id, hour)
    if not revisions:
        msg = f"{cluster_id} has no recorded hour {hour:%Y-%m-%dT%HZ}; emr-autoscaler costs --cluster {cluster_id}"
        raise FailedError(msg)
    if as_json:
        print_json(document(revisions))
    else:
        _print(revisions)
    return DONE


def document(revisions: tuple[HourRevision, ...]) -> dict[str, Any]:
    """Return the trace as JSON; amounts are exact and strings."""
    latest = revisions[-1]
    record = latest.record
    return {
        "cluster_id": record.cluster_id,
        "cluster_name": record.cluster_name,
        "account_id": record.account_id,
        "region": record.region,
        "hour": record.hour,
        "time_zone": "UTC",
        "cost_centre": record.cost_centre,
        "status": record.status,
        "assumptions": record.assumptions,
        **_amounts(record),
        "idle": None
        if record.idle is None
        else {"share": record.idle.share, "cost_usd": record.idle.cost_usd, "basis": record.idle.basis},
        "savings": savings_document(record),
        "lines": [_line(line) for line in record.lines],
        "instances": [_instance(part, record) for part in latest.instances],
        "revisions": [
            {"revision": r.record.revision, "recorded_at": r.record.recorded_at, "status": r.record.status}
            | _amounts(r.record)
            for r in revisions
        ],
    }


def _amounts(record: HourRecord) -> dict[str, Decimal]:
    return {
        "effective_cost_usd": record.effective_cost_usd,
        "contracted_cost_usd": record.contracted_cost_usd,
        "list_cost_usd": record.list_cost_usd,
        "spot_saving_usd": record.spot_saving_usd,
        "scaling_saving_usd": record.scaling_saving_usd,
        "reaping_saving_usd": record.reaping_saving_usd,
    }


def _line(line: CostLine) -> dict[str, Any]:
    return {
        "group_id": line.group_id,
        "role": line.role,
        "market": line.market,
        "component": line.component,
        "item": line.item,
        "instances": line.instances,
        "quantity": line.quantity,
        "measured_quantity": line.measured_quantity,
        "unit": line.unit,
        "unit_price_usd": line.unit_price_usd,
        "effective_unit_price_usd": line.effective_unit_price_usd,
        "effective_cost_usd": line.effective_cost_usd,
        "contracted_cost_usd": line.contracted_cost_usd,
        "list_cost_usd": line.list_cost_usd,
        "price_source": line.price_source,
    }


def _instance(part: InstanceCharges, record: HourRecord) -> dict[str, Any]:
    instance = part.instance
    return {
        "ec2_instance_id": instance.ec2_instance_id,
        "group_id": instance.group_id,
        "instance_type": instance.instance_type,
        "market": instance.market,
        "availability_zone": instance.availability_zone,
        "started_at": instance.started_at,
        "start_source": instance.start_source,
        "ended_at": instance.ended_at,
        "end_source": None if instance.ended_at is None else instance.end_source,
        "volume_ids": instance.volume_ids,
        "interrupted": instance.interrupted,
        "charges": [
            {
                "line": charge.line,
                "component": record.lines[charge.line].component,
                "item": record.lines[charge.line].item,
                "seconds": charge.seconds,
                "units": charge.units,
                "volume": charge.volume,
            }
            for charge in part.charges
        ],
    }


def _print(revisions: tuple[HourRevision, ...]) -> None:
    latest = revisions[-1]
    record = latest.record
    idle = "not known: the metrics do not carry it"
    if record.idle is not None:
        idle = f"{record.idle.cost_usd:.6f} USD ({record.idle.share:.1%}; {record.idle.basis})"
    print_facts(
        {
            "cluster": f"{record.cluster_id} {record.cluster_name}",
            "hour": f"{moment(record.hour)} and the hour that follows (UTC)",
            "account, region": f"{record.account_id}, {record.region}",
            "cost centre": record.cost_centre,
            "status": record.status.value,
            "effective": f"{record.effective_cost_usd:f} USD",
            "contracted": f"{record.contracted_cost_usd:f} USD",
            "list": f"{record.list_cost_usd:f} USD",
            "spot saving": f"{record.spot_saving_usd:f} USD",
            "idle": idle,
            **savings_facts(record),
            "assumptions": "; ".join(record.assumptions) or "none",
        }
    )
    print_table(
        ["#", "group", "component", "item", "quantity", "unit", "x USD", "= USD"],
        [
            [
                str(number),
                line.group_id or "-",
                line.component.value,
                line.item,
                f"{line.quantity:f}",
                line.unit,
                f"{line.effective_unit_price_usd.normalize():f}",
                f"{line.effective_cost_usd:.12f}",
            ]
            for number, line in enumerate(record.lines)
        ],
        title="lines",
        right=["#", "quantity", "x USD", "= USD"],
    )
    for number, line in enumerate(record.lines):
        print_line(f"price {number}: {line.price_source}")
    print_table(
        ["instance", "type", "billed from", "until", "seconds (line)"],
        [
            [p.instance.ec2_instance_id, p.instance.instance_type, *_life(p.instance), _charges(p)]
            for p in latest.instances
        ],
        title="instances",
    )
    print_table(
        ["revision", "recorded at", "status", "effective USD"],
        [
            [
                str(r.record.revision),
                moment(r.record.recorded_at),
                r.record.status.value,
                f"{r.record.effective_cost_usd:f}",
            ]
            for r in revisions
        ],
        title="revisions",
        right=["revision", "effective USD"],
    )


def _life(instance: BilledInstance) -> tuple[str, str]:
    source = instance.start_source.value.partition("_")[0]
    end = "running" if instance.ended_at is None else moment(instance.ended_at)
    return f"{moment(instance.started_at)} ({source})", f"{end}, taken by AWS" if instance.interrupted else end


def _charges(part: InstanceCharges) -> str:
    return ", ".join(
        f"{c.seconds} ({c.line})" if c.units == 1 else f"{c.seconds} x {c.units:f} ({c.line})"
        for c in part.charges
    )
