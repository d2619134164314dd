"""How a world behaves: delays, chances, quotas, zones. Prices and instance types are in catalogue.py."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from emr_simulator.queues import ONE_QUEUE, QueueSpec, check_queues
from emr_simulator.spot_traces import Availability, SpotTrace

_Z95 = 1.6448536269514722


@dataclass(frozen=True, slots=True, kw_only=True)
class LognormalDelay:
    """A delay in seconds, given by its median and 95th percentile (facts: fitted to EMR's resizes)."""

    median_seconds: float = 330.0
    p95_seconds: float = 660.0

    def draw(self, chance: random.Random) -> int:
        """Draw whole seconds."""
        sigma = math.log(self.p95_seconds / self.median_seconds) / _Z95
        return max(1, round(self.median_seconds * math.exp(sigma * chance.gauss(0.0, 1.0))))


@dataclass(frozen=True, slots=True, kw_only=True)
class UniformDelay:
    """A delay in seconds between two bounds; equal bounds make it constant."""

    low_seconds: int
    high_seconds: int

    def draw(self, chance: random.Random) -> int:
        """Draw whole seconds."""
        return chance.randint(self.low_seconds, self.high_seconds)


Delay = LognormalDelay | UniformDelay


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotOutages:
    """Random capacity outages of every spot pool; an outage interrupts all its instances.

    Attributes:
        mean_up_seconds: Time between outages (measured: 0.75 to 5.1 h).
        median_up_seconds: Of it, where it is lognormal (measured: 16 to 25 min); exponential where None.
        median_down_seconds: Of the lognormal outage length (measured: 7 to 9 min).
        mean_down_seconds: Of the lognormal outage length (measured: 20 to 25 min).
    """

    mean_up_seconds: float = 9000.0
    median_down_seconds: float = 480.0
    mean_down_seconds: float = 1350.0
    median_up_seconds: float | None = None

    @classmethod
    def fitted_to(cls, measured: Availability) -> "SpotOutages":
        """Return the generator with the means and medians of a recording, both times lognormal."""
        return cls(
            mean_up_seconds=measured.mean_up_seconds,
            median_up_seconds=measured.median_up_seconds,
            median_down_seconds=measured.median_down_seconds,
            mean_down_seconds=measured.mean_down_seconds,
        )

    def draw_up(self, chance: random.Random) -> int:
        """Draw the seconds until the next outage."""
        if self.median_up_seconds is not None:
            return _lognormal(chance, self.median_up_seconds, self.mean_up_seconds)
        return max(1, round(chance.expovariate(1.0 / self.mean_up_seconds)))

    def draw_down(self, chance: random.Random) -> int:
        """Draw the seconds an outage lasts."""
        return _lognormal(chance, self.median_down_seconds, self.mean_down_seconds)


def _lognormal(chance: random.Random, median: float, mean: float) -> int:
    sigma = math.sqrt(2.0 * math.log(max(1.0, mean / median)))
    return max(1, round(median * math.exp(sigma * chance.gauss(0.0, 1.0))))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSettings:
    """The settings of one world.

    Attributes:
        provisioning_delay: Request to nodes running; drawn once per request.
        launch_lag_seconds: Request to EC2 launch, which is EMR's CreationDateTime and billing start.
        metric_period_seconds: Spacing of samples: 300, or 60.
        publish_delay: Sample to its visibility in CloudWatch.
        lost_metric_fraction: Chance (0-1) that all samples of one cluster and time are lost.
        lost_event_fraction: Chance (0-1) that an event of EMR is never delivered (it is best effort).
        termination_seconds: TERMINATING to TERMINATED.
        decommission_timeout_seconds: YARN's graceful timeout where a call names none.
        ready_nodes_leave_first: A lowered group drains nodes that work before it gives up those that boot; which
            EMR does it does not say. False gives up those that boot first.
        stage_gap_seconds: From the end of a stage to its children's requests: on YARN a heartbeat of the
            application master, in which jobs behind it get what its last tasks left (docs/yarn-validation.md).
        queues: Of every cluster's YARN; one is first in, first out.
        drain_waits_for_applications: A draining node stays until the applications that ran on it have ended,
            as Hadoop's watcher has it (docs/yarn-validation.md); False lets it go once it is empty.
        enforce_quotas: False counts calls and never throttles.
        re_replication_mib_per_second: Speed at which one leaving core node's blocks are copied.
        spot_discount: Fraction (0-1) of the on-demand price that spot prices move around.
        spot_prices_move: False holds every pool at spot_discount.
        spot_outages: Random outages; None has only those that are asked for.
        spot_traces: Recorded prices and outages by pool (type, zone), in place of those drawn for it; the
            world's first second is the recording's.
        probe_period_seconds: How often the probe of a cluster looks at YARN, and tells what has changed; 0 for
            no probes.
        probe_heartbeat_seconds: How long a probe is silent at most.
        probe_publish_delay: A probe's look to its event.
        subnet_addresses: Private addresses of each zone's one subnet.
        spot_quota: Most spot instances of the account at once; None for no bound.
        unsupported_types: Types that no EMR release can use here.
        types_not_offered: Types that no zone has.
        ec2_state_events: Emit EC2 Instance State-change Notification too.
        application_masters: Each application has a master on the node of its first container, which that node
            is drained for; False has none, as the validated dynamics of docs/yarn-validation.md.
        cloudtrail: A trail records management events, so that calls that change clusters are told of.
        extra_yarn_mib: YARN memory per node by type, in place of the catalogue's.
    """

    account_id: str = "123456789012"
    region: str = "us-east-1"
    zones: tuple[str, ...] = ("us-east-1a", "us-east-1b", "us-east-1c")
    provisioning_delay: Delay = field(default_factory=LognormalDelay)
    launch_lag_seconds: int = 60
    metric_period_seconds: int = 300
    publish_delay: Delay = field(default_factory=lambda: UniformDelay(low_seconds=60, high_seconds=120))
    lost_metric_fraction: float = 0.0
    lost_event_fraction: float = 0.0
    termination_seconds: int = 90
    decommission_timeout_seconds: int = 3600
    ready_nodes_leave_first: bool = False
    stage_gap_seconds: int = 0
    queues: tuple[QueueSpec, ...] = ONE_QUEUE
    drain_waits_for_applications: bool = False
    enforce_quotas: bool = True
    re_replication_mib_per_second: int = 100
    spot_discount: Decimal = Decimal("0.35")
    spot_prices_move: bool = True
    spot_outages: SpotOutages | None = None
    spot_traces: Mapping[tuple[str, str], SpotTrace] = field(default_factory=dict)
    probe_period_seconds: int = 0
    probe_heartbeat_seconds: int = 60
    probe_publish_delay: Delay = field(default_factory=lambda: UniformDelay(low_seconds=1, high_seconds=5))
    subnet_addresses: int = 4091
    spot_quota: int | None = None
    unsupported_types: tuple[str, ...] = ()
    types_not_offered: tuple[str, ...] = ()
    ec2_state_events: bool = False
    application_masters: bool = False
    cloudtrail: bool = False
    extra_yarn_mib: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        if not self.zones or not all(zone.startswith(self.region) for zone in self.zones):
            msg = f"zones: must be zones of {self.region}, got {self.zones}"
            raise ValueError(msg)
        if self.metric_period_seconds not in {60, 300}:
            msg = f"metric_period_seconds: must be 60 or 300, got {self.metric_period_seconds}"
            raise ValueError(msg)
        if self.probe_period_seconds < 0:
            msg = f"probe_period_seconds: must not be negative, got {self.probe_period_seconds}"
            raise ValueError(msg)
        for field_name in ("lost_metric_fraction", "lost_event_fraction"):
            value = getattr(self, field_name)
            if not 0.0 <= value <= 1.0:
                msg = f"{field_name}: must be 0 to 1, got {value}"
                raise ValueError(msg)
        check_queues(self.queues)
