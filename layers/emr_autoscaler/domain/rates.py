"""Which prices an instance is charged by, and what a discount or a commitment leaves of them.

How long each is charged for is in billing.py.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from emr_autoscaler.domain.cluster import Market, Volume
from emr_autoscaler.domain.costs import BilledInstance
from emr_autoscaler.domain.policy import CostPolicy
from emr_autoscaler.domain.price_book import Component, PriceKey

GP3_FREE_IOPS = 3000
GP3_FREE_MIBPS = 125
_WHOLE = Decimal(100)


def needed_prices(instances: Iterable[BilledInstance], region: str) -> tuple[PriceKey, ...]:
    """Return every price these instances need, sorted; spot ones need the on-demand price as well."""
    keys: set[PriceKey] = set()
    kinds = {(i.instance_type, i.market, i.availability_zone, i.volumes): i for i in instances}
    for instance in kinds.values():
        keys.add(PriceKey(component=Component.EMR_FEE, region=region, item=instance.instance_type))
        keys.add(on_demand_key(instance, region))
        if instance.market is Market.SPOT:
            keys.add(spot_key(instance, region))
        for volume in instance.volumes:
            keys.update(key for key, _units in volume_units(volume, region))
    return tuple(sorted(keys, key=lambda k: (k.component, k.item, k.availability_zone)))


def volume_units(volume: Volume, region: str) -> Iterator[tuple[PriceKey, Decimal]]:
    """Yield what is charged per month for one volume: its GiB, and what it has beyond the free part."""
    kind = volume.volume_type
    yield PriceKey(component=Component.EBS, region=region, item=kind), Decimal(volume.size_gib)
    free_iops = GP3_FREE_IOPS if kind == "gp3" else 0
    if kind in {"gp3", "io1", "io2"} and (volume.iops or 0) > free_iops:
        extra = Decimal((volume.iops or 0) - free_iops)
        yield PriceKey(component=Component.EBS, region=region, item=f"{kind}:iops"), extra
    if kind == "gp3" and (volume.throughput_mibps or 0) > GP3_FREE_MIBPS:
        extra = Decimal((volume.throughput_mibps or 0) - GP3_FREE_MIBPS)
        yield PriceKey(component=Component.EBS, region=region, item="gp3:throughput"), extra


def on_demand_key(instance: BilledInstance, region: str) -> PriceKey:
    """Return the key of the type's on-demand price."""
    return PriceKey(component=Component.EC2_ON_DEMAND, region=region, item=instance.instance_type)


def spot_key(instance: BilledInstance, region: str) -> PriceKey:
    """Return the key of the pool's spot price."""
    return PriceKey(
        component=Component.EC2_SPOT,
        region=region,
        item=instance.instance_type,
        availability_zone=instance.availability_zone,
    )


def rates_of(component: Component, price: Decimal, policy: CostPolicy) -> tuple[Decimal, Decimal]:
    """Return the contracted and the effective unit price, USD, of what is published at ``price``."""
    match component:
        case Component.EC2_SPOT:  # the market sets it; neither discount nor commitment does
            return price, price
        case Component.EMR_FEE:
            contracted = _less(price, policy.emr_discount_percent)
            return contracted, contracted
        case Component.EBS:
            contracted = _less(price, policy.ebs_discount_percent)
            return contracted, contracted
        case Component.EC2_ON_DEMAND:
            contracted = _less(price, policy.ec2_discount_percent)
            # The covered part at the commitment's rate, which is a discount on list, the rest as contracted.
            committed = _less(price, policy.ec2_covered_discount_percent)
            covered = policy.ec2_covered_percent
            return contracted, (committed * covered + contracted * (_WHOLE - covered)) / _WHOLE


def _less(price: Decimal, percent: Decimal) -> Decimal:
    return price * (_WHOLE - percent) / _WHOLE
