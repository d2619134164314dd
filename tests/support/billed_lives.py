"""Lives of instances and prices of a day in October, for tests of what they cost."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from emr_autoscaler.domain.cluster import Market, Role, Volume
from emr_autoscaler.domain.costs import BilledInstance
from emr_autoscaler.domain.price_book import Component, Price, PriceKey

REGION, ZONE = "us-east-1", "us-east-1a"
H12 = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
H13 = H12 + timedelta(hours=1)
HOUR = timedelta(hours=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def price(component: Component, item: str, usd: str, *, since: datetime = LONG_AGO, source: str = "list") -> Price:
    spot = component is Component.EC2_SPOT
    key = PriceKey(component=component, region=REGION, item=item, availability_zone=ZONE if spot else "")
    unit = "GB-Months" if component is Component.EBS else "Hours"
    return Price(key=key, usd=Decimal(usd), unit=unit, effective_from=since, source=source)


FEE = price(Component.EMR_FEE, "m5.xlarge", "0.048")
ON_DEMAND = price(Component.EC2_ON_DEMAND, "m5.xlarge", "0.192")
SPOT = price(Component.EC2_SPOT, "m5.xlarge", "0.07")
DISKS = (
    price(Component.EBS, "gp3", "0.08"),
    price(Component.EBS, "gp3:iops", "0.005"),
    price(Component.EBS, "gp3:throughput", "0.04"),
    price(Component.EBS, "gp2", "0.10"),
    price(Component.EBS, "io1", "0.125"),
    price(Component.EBS, "io1:iops", "0.065"),
    price(Component.EBS, "st1", "0.045"),
)
BOOK = (FEE, ON_DEMAND, SPOT, *DISKS)


def instance(start: datetime, end: datetime | None = None, **changes: Any) -> BilledInstance:
    values: dict[str, Any] = {
        "ec2_instance_id": "i-1",
        "group_id": "ig-1",
        "role": Role.TASK,
        "market": Market.ON_DEMAND,
        "instance_type": "m5.xlarge",
        "availability_zone": ZONE,
    }
    return BilledInstance(started_at=start, ended_at=end, **values | changes)


def spot(start: datetime, end: datetime | None = None, **changes: Any) -> BilledInstance:
    return instance(start, end, market=Market.SPOT, **changes)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def draw_lives(number: int) -> tuple[tuple[BilledInstance, ...], tuple[Price, ...]]:
    chance = random.Random(number)
    lives = []
    for n in range(chance.randint(1, 5)):
        start = H12 + seconds(chance.randint(0, 3 * 3600))
        market = chance.choice(tuple(Market))
        length = chance.choice((chance.randint(0, 120), chance.randint(0, 5400), 3600, 3599))
        lives.append(
            instance(
                start,
                chance.choice((None, start + seconds(length), start + seconds(length))),
                ec2_instance_id=f"i-{n}",
                group_id=f"ig-{market}",
                market=market,
                interrupted=chance.random() < 0.3,
                volumes=chance.choice(((), (Volume(volume_type="gp3", size_gib=64, iops=3500),))),
            )
        )
    steps = tuple(
        price(
            Component.EC2_SPOT,
            "m5.xlarge",
            str(chance.randint(1, 40) / Decimal(100)),
            since=H12 + seconds(chance.randint(0, 5 * 3600)),
        )
        for _ in range(4)
    )
    return tuple(lives), (*BOOK, *steps)
