"""What the nodes of a cluster's groups cost now, as decisions see it; the price book is finance's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from emr_autoscaler.domain.cluster import InstanceGroup

PRICES_KEPT_FOR = timedelta(hours=2)
"""A price nobody confirmed for longer is no price any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePrice:
    """What one node of a group costs an hour, and where that is known from.

    Attributes:
        ec2_usd: EC2, on demand or at the pool's spot price.
        emr_usd: EMR's fee.
        volumes_usd: EBS volumes, the root volume included; None where their price is not known.
        source: Of the EC2 price: enough to find it again.
        effective_from: Since when the EC2 price is in force.
    """

    ec2_usd: Decimal
    emr_usd: Decimal
    volumes_usd: Decimal | None = None
    source: str = ""
    effective_from: datetime | None = None

    @property
    def usd_per_hour(self) -> Decimal:
        """All of it."""
        return self.ec2_usd + self.emr_usd + (self.volumes_usd or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPrices:
    """The prices of a cluster's groups, as last confirmed.

    Attributes:
        by_group: Group id to the price of one node; a group without a price is left out.
        confirmed_at: When they were last looked up; None where they never were.
    """

    by_group: Mapping[str, NodePrice]
    confirmed_at: datetime | None = None

    def of(self, group: InstanceGroup, now: datetime) -> NodePrice | None:
        """Return the price of one node of a group; None where it is unknown or too old to be believed."""
        if self.confirmed_at is None or now - self.confirmed_at > PRICES_KEPT_FOR:
            return None
        return self.by_group.get(group.group_id)


NO_PRICES = MarketPrices(by_group={})
