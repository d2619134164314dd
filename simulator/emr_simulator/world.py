"""The World: one account and region in virtual time, and what a story may do to it.

Its faces (emr, ec2, cloudwatch, pricing) answer calls as AWS does; the rest is the story's: work,
interruptions, dry pools, full disks. It runs only inside ``run_until``.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from emr_simulator import announcements
from emr_simulator.alarms import CloudWatchApi
from emr_simulator.catalogue import instance_type as known_type
from emr_simulator.clusters import Cluster, ForeignInstance, Group
from emr_simulator.descriptions import GroupResize, StepSpec
from emr_simulator.ec2 import Ec2Api
from emr_simulator.emr import EmrApi
from emr_simulator.engine import to_moment, to_seconds
from emr_simulator.errors import unknown_cluster
from emr_simulator.kernel import Kernel
from emr_simulator.ledger import Ledger
from emr_simulator.lifecycle import Lifecycle
from emr_simulator.metrics import Metrics
from emr_simulator.prices import PricingApi
from emr_simulator.probe import Probes
from emr_simulator.quotas import Quotas
from emr_simulator.refusals import unknown_group
from emr_simulator.settings import WorldSettings
from emr_simulator.words import GroupState, Market
from emr_simulator.workloads.model import Job
from emr_simulator.yarn import Yarn


class World:
    """One simulated account and region.

    The same seed, start, settings and calls give the same world, to the byte.

    Attributes:
        settings: As given.
        emr, ec2, cloudwatch, pricing: The faces; a refused call raises ApiError.
        ledger: AWS's own bill.
        calls: Calls so far by operation name, refused ones included.
    """

    def __init__(self, *, seed: int, start: datetime, settings: WorldSettings | None = None) -> None:
        self.settings = settings or WorldSettings()
        self._kernel = Kernel(seed=seed, now=to_seconds(start), settings=self.settings)
        self._lifecycle = Lifecycle(self._kernel)
        self._resizer = self._lifecycle.resizer
        metrics = Metrics(self._kernel, self._lifecycle.clusters)
        Probes(self._kernel, self._lifecycle.clusters)
        self.emr = EmrApi(self._kernel, self._lifecycle, Quotas(self._kernel))
        self.ec2 = Ec2Api(self._kernel, self._resizer.instances)
        self.cloudwatch = CloudWatchApi(self._kernel, metrics)
        self.pricing = PricingApi(self._kernel)
        self.ledger = Ledger(self._kernel, self._lifecycle.clusters, self._resizer.instances.pools)

    # ------------------------------------------------------------------ time

    @property
    def now(self) -> datetime:
        """Virtual time, aware UTC, whole seconds."""
        return to_moment(self._kernel.now)

    @property
    def calls(self) -> Counter[str]:
        """Calls so far by operation name."""
        return self._kernel.calls

    def run_until(self, moment: datetime, *, stop_at_events: bool = False) -> datetime:
        """Let time pass up to ``moment`` and return the time reached.

        Args:
            moment: An earlier one than now lets only what is due now happen.
            stop_at_events: Stop after the first second in which events were emitted.
        """
        kernel = self._kernel
        kernel.engine.run_until(to_seconds(moment), lambda: stop_at_events and kernel.has_events)
        return self.now

    def run_for(self, duration: timedelta) -> datetime:
        """Let ``duration`` pass and return the time reached."""
        return self.run_until(self.now + duration)

    def take_events(self) -> list[dict[str, Any]]:
        """Return the events of the account's default bus since the last call, oldest first."""
        return self._kernel.take_events()

    def emit(
        self, detail_type: str, source: str, detail: dict[str, Any], resources: list[str] | None = None
    ) -> None:
        """Put any other event of the account on the bus."""
        self._kernel.emit(detail_type, source, detail, resources)

    # ------------------------------------------------------------------ work

    def submit_job(self, cluster_id: str, job: Job, *, at: datetime | None = None) -> None:
        """Submit a job to a cluster's YARN, now or later; a cluster that has ended ignores it."""
        submit = partial(self._lifecycle.submit, self._cluster(cluster_id), job)
        self._kernel.engine.at(self._kernel.now if at is None else to_seconds(at), submit)

    def add_step(self, cluster_id: str, step: StepSpec) -> str:
        """Queue a step without taking a call's quota; return its id."""
        return self._lifecycle.add_step(self._cluster(cluster_id), step)

    def inside(self, cluster_id: str) -> Cluster:
        """Return the inside of a cluster (YARN, HDFS, nodes) to look at without a call; never change it."""
        return self._cluster(cluster_id)

    def yarn(self, cluster_id: str) -> Yarn:
        """Return a cluster's resource manager, to be looked at (what its REST API would show)."""
        return self._cluster(cluster_id).yarn

    # ------------------------------------------------------------------ spot market

    def warn_spot_interruption(self, instance_id: str) -> None:
        """Warn an instance (EC2 id): no more containers at once, gone in 120 s; foreign ones too."""
        foreign = self.ec2.foreign.get(instance_id)
        if foreign is not None:
            announcements.spot_warning(self._kernel, foreign.zone, instance_id)
            return
        self._resizer.warn(self._resizer.instances.by_ec2_id[instance_id])

    def recommend_rebalance(self, instance_id: str) -> None:
        """Send a rebalance recommendation for an instance (EC2 id); nothing happens to it."""
        foreign = self.ec2.foreign.get(instance_id)
        zone = foreign.zone if foreign else self._resizer.instances.by_ec2_id[instance_id].group.cluster.zone
        announcements.rebalance(self._kernel, zone, instance_id)

    def dry_pool(self, instance_type: str, zone: str, until: datetime, *, market: Market = Market.SPOT) -> None:
        """Let no instance of a pool be launched before ``until``; those that run keep running."""
        self._resizer.instances.pools.dry(instance_type, zone, market, to_seconds(until))

    def set_spot_price(self, instance_type: str, zone: str, usd_per_hour: Decimal) -> None:
        """Set a pool's price from now on; it does not move by itself any more."""
        self._resizer.instances.pools.steps(instance_type, zone).fix(self._kernel.now, usd_per_hour)

    def announce_maintenance(self, instance_ids: Sequence[str]) -> None:
        """Send an AWS Health Event: a scheduled change of EC2 instances; nothing happens to them."""
        announcements.maintenance(self._kernel, instance_ids)

    def add_foreign_instance(self, instance_type: str, zone: str, *, market: Market = Market.SPOT) -> str:
        """Add an instance that belongs to no cluster; return its EC2 id."""
        known_type(instance_type)
        ec2_id = self._kernel.new_ec2_id("i")
        self.ec2.foreign[ec2_id] = ForeignInstance(
            ec2_id=ec2_id,
            instance_type=instance_type,
            zone=zone,
            market=market,
            launched_at=self._kernel.now,
        )
        return ec2_id

    # ------------------------------------------------------------------ trouble

    def set_hdfs_used_gib(self, cluster_id: str, gib: float) -> None:
        """Set how much of its HDFS a cluster uses, replicas included."""
        self._cluster(cluster_id).hdfs.used_gib = gib

    def set_hdfs_blocks(
        self, cluster_id: str, *, missing: int = 0, corrupt: int = 0, under_replicated: int = 0
    ) -> None:
        """Set the blocks at risk; under-replicated ones add to those that the world itself copies."""
        hdfs = self._cluster(cluster_id).hdfs
        hdfs.missing, hdfs.corrupt, hdfs.told_under_replicated = missing, corrupt, under_replicated

    def set_group_state(self, cluster_id: str, group_id: str, state: GroupState) -> None:
        """Hold a group in a state (RECONFIGURING, SUSPENDED, ARRESTED ...); RUNNING lets it go again."""
        group = self._group(cluster_id, group_id)
        group.state = state
        group.held = state is not GroupState.RUNNING
        announcements.group_changed(self._kernel, group, f"The {{group}} is {state.value}.")
        self._resizer.refill(group)

    def resize_by_managed_scaling(self, cluster_id: str, group_id: str, count: int) -> None:
        """Resize a group as EMR's managed scaling does: by no call, and with an event of its own."""
        group = self._group(cluster_id, group_id)
        order = GroupResize(group_id=group_id, count=count)
        self._resizer.resize(group, order, self._resizer.draw_boot_seconds())
        announcements.managed_scaling_acted(self._kernel, group.cluster)

    def refuse_resizes(self, cluster_id: str, *, until: datetime, message: str) -> None:
        """Let EMR refuse every resize of a cluster before ``until``, with a ValidationException."""
        cluster = self._cluster(cluster_id)
        cluster.resizes_refused_until, cluster.refusal = to_seconds(until), message

    def hold_metrics(self, cluster_id: str, *, until: datetime) -> None:
        """Sample nothing of a cluster before ``until``."""
        self._cluster(cluster_id).metrics_held_until = to_seconds(until)

    def hold_probe(self, cluster_id: str, *, until: datetime) -> None:
        """Let a cluster's probe be silent before ``until``."""
        self._cluster(cluster_id).probe_held_until = to_seconds(until)

    # ------------------------------------------------------------------ inside

    def _cluster(self, cluster_id: str) -> Cluster:
        if cluster_id not in self._lifecycle.clusters:
            raise unknown_cluster(cluster_id)
        return self._lifecycle.clusters[cluster_id]

    def _group(self, cluster_id: str, group_id: str) -> Group:
        groups = self._cluster(cluster_id).groups
        if group_id not in groups:
            raise unknown_group(group_id)
        return groups[group_id]
