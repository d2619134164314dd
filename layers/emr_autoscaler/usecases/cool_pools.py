"""Cool the pools that EMR could not buy from, and look again; handle_interruption.py has what EC2 takes back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emr_autoscaler.domain.cluster import Market, Role
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.memory import PoolKey, RegistryEntry
from emr_autoscaler.domain.pools import cool_pool
from emr_autoscaler.ports import Clock, EvaluationQueue, Pools, Registry
from emr_autoscaler.usecases.pool_updates import fleet_pool_of, pool_of, update_pool


@dataclass(frozen=True, slots=True, kw_only=True)
class CoolPools:
    """Answers to capacity that could not be had."""

    clock: Clock
    registry: Registry
    pools: Pools
    queue: EvaluationQueue

    def note_insufficient_capacity(self, cluster_id: str, group_id: str | None, *, trigger: str) -> bool:
        """Cool the pools that EMR could not buy from, and look at the cluster again.

        Args:
            cluster_id: j-...
            group_id: The group, where the event named one; else every spot group short of nodes.
            trigger: What caused the look.

        Returns:
            Whether the cluster is one of ours.
        """

        def dry(entry: RegistryEntry) -> Iterable[PoolKey]:
            return (
                pool_of(entry, g)
                for g in entry.groups
                if g.market is Market.SPOT
                and (g.group_id == group_id if group_id else g.requested_count > g.running_count)
            )

        return self._cool_and_look(cluster_id, dry, trigger)

    def note_spot_quota(self, cluster_id: str, *, trigger: str) -> bool:
        """Cool every pool of a cluster that reached the account's quota of spot instances, and look again.

        No other pool would help: with all of them cooling the fallback is on-demand.

        Returns:
            Whether the cluster is one of ours.
        """

        def spot(entry: RegistryEntry) -> Iterable[PoolKey]:
            groups = (g for g in entry.groups if g.market is Market.SPOT and g.role is Role.TASK)
            yield from (pool_of(entry, g) for g in groups)
            yield from (fleet_pool_of(entry, fleet) for fleet in entry.fleets if fleet.role is Role.TASK)

        return self._cool_and_look(cluster_id, spot, trigger)

    def note_fleet_shortage(self, cluster_id: str, fleet_id: str | None, *, trigger: str) -> bool:
        """Cool the spot side of a fleet that EMR could not fill from any type, and look at the cluster again.

        Args:
            cluster_id: j-...
            fleet_id: The fleet, where the event named one; else every fleet short of spot units.
            trigger: What caused the look.

        Returns:
            Whether the cluster is one of ours.
        """

        def short(entry: RegistryEntry) -> Iterable[PoolKey]:
            return (
                fleet_pool_of(entry, fleet)
                for fleet in entry.fleets
                if fleet_id in {None, fleet.fleet_id} and fleet.target_spot_units > fleet.provisioned_spot_units
            )

        return self._cool_and_look(cluster_id, short, trigger)

    def _cool_and_look(
        self, cluster_id: str, pools_of: Callable[[RegistryEntry], Iterable[PoolKey]], trigger: str
    ) -> bool:
        """Cool these pools of a cluster of ours, and have it looked at again."""
        entry = self.registry.get(cluster_id)
        if entry is None or not entry.is_active:
            return False
        now = self.clock.now()
        for key in sorted(set(pools_of(entry)), key=lambda k: k.instance_type):
            update_pool(self.pools, key, lambda health: cool_pool(health, now))
        self.queue.request(cluster_id, DecisionKind.TASK, now=now, cause=trigger)
        return True
