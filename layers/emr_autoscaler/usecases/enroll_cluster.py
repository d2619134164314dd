"""Take a cluster in, keep what is known of it, and let it go: its registry entry and its alarms.

The task groups or the fleet it is given are in equip_pools.py.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from emr_autoscaler.domain.cluster import Cluster, ClusterState, InstanceGroup
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.enrolment import (
    WatchedMetric,
    cost_centre_of,
    fingerprint,
    policy_name_of,
    wanted_alarms,
)
from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.ports import (
    Alarms,
    AlarmSpec,
    Clock,
    ClusterReader,
    EvaluationQueue,
    Registry,
)
from emr_autoscaler.usecases.equip_pools import EquipPools, groups_or_none
from emr_autoscaler.usecases.follow_groups import FollowGroups
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.registry_updates import update_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollCluster:
    """Keeps the registry true to EMR, and each opted-in cluster's alarms and groups to its policy."""

    clock: Clock
    reader: ClusterReader
    alarms: Alarms
    registry: Registry
    queue: EvaluationQueue
    policy_in_force: PolicyInForce
    follow_groups: FollowGroups
    equip_pools: EquipPools
    prefix: str
    cost_centre_tag: str

    def __call__(self, cluster_id: str) -> RegistryEntry | None:
        """Bring everything up to date with one cluster.

        One that ended before anybody looked is taken in all the same: its cost is recorded, nothing else.

        Returns:
            Its entry; None for a cluster that never opted in.

        Raises:
            NotFoundError: There is no such cluster.
        """
        cluster = self.reader.describe_cluster(cluster_id)
        entry = self.registry.get(cluster_id)
        if entry is None and not policy_name_of(cluster):
            return None
        asked_at = self.clock.now()
        groups = () if cluster.uses_fleets else groups_or_none(self.reader, cluster_id)
        fleets = self._fleets(cluster_id, entry) if cluster.uses_fleets else ()
        if entry is None:
            entry = self.registry.put(self._new_entry(cluster, groups, fleets))
        else:
            entry = self._refreshed(cluster, groups, fleets, asked_at) or entry
        if not entry.is_active:
            return self._let_go(entry)
        policy = self.policy_in_force(entry)
        if policy is None or not cluster.state.is_ready:
            return entry
        return self._equip(entry, policy)

    def _fleets(self, cluster_id: str, entry: RegistryEntry | None) -> tuple[InstanceFleet, ...]:
        """Return the fleets; those known where EMR throttles: its quota for this call is the smallest of all."""
        try:
            return self.reader.list_instance_fleets(cluster_id)
        except UnavailableError:
            if entry is None or not entry.fleets:
                raise
            return entry.fleets

    def _new_entry(
        self, cluster: Cluster, groups: tuple[InstanceGroup, ...], fleets: tuple[InstanceFleet, ...]
    ) -> RegistryEntry:
        now = self.clock.now()
        return RegistryEntry(
            cluster=cluster,
            groups=groups,
            fleets=fleets,
            groups_seen_at=now,
            policy_name=policy_name_of(cluster),
            cost_centre=cost_centre_of(cluster, self.cost_centre_tag),
            enrolled_at=now,
        )

    def _refreshed(
        self,
        cluster: Cluster,
        groups: tuple[InstanceGroup, ...],
        fleets: tuple[InstanceFleet, ...],
        asked_at: datetime,
    ) -> RegistryEntry | None:
        def change(entry: RegistryEntry) -> RegistryEntry:
            return replace(
                entry,
                cluster=cluster,
                policy_name=policy_name_of(cluster),
                cost_centre=cost_centre_of(cluster, self.cost_centre_tag),
            )

        entry = update_entry(self.registry, cluster.cluster_id, change)
        self.follow_groups.note_listing(cluster.cluster_id, groups, fleets, at=asked_at)
        return self.registry.get(cluster.cluster_id) or entry

    def _let_go(self, entry: RegistryEntry) -> RegistryEntry:
        """Remove the alarms of a cluster that ended or was opted out, and stop looking at it."""
        self.alarms.delete_alarms(entry.alarms)

        def change(current: RegistryEntry) -> RegistryEntry:
            return replace(
                current,
                alarms=(),
                alarms_made_from="",
                task=replace(current.task, next_evaluation_at=None),
                core=replace(current.core, next_evaluation_at=None),
            )

        return update_entry(self.registry, entry.cluster_id, change) or entry

    def _equip(self, entry: RegistryEntry, policy: Policy) -> RegistryEntry:
        """Give a ready cluster the alarms and task groups its policy wants.

        The alarms come first: a group that EMR refuses must not leave the cluster unwatched.
        """
        return self.equip_pools(self._with_alarms(entry, policy), policy)

    def _with_alarms(self, entry: RegistryEntry, policy: Policy) -> RegistryEntry:
        watched = wanted_alarms(entry.cluster, policy)
        # No event tells of a policy that changed, or of a pause that ended: they are seen here.
        digest = fingerprint(watched, policy.mode, policy.task, policy.core, entry.is_paused)
        if digest == entry.alarms_made_from:
            return entry
        names = tuple(w.name(self.prefix, entry.cluster_id) for w in watched)
        self.alarms.put_alarms([self._spec(w, entry.cluster_id) for w in watched])
        self.alarms.delete_alarms([name for name in entry.alarms if name not in names])
        for kind in (DecisionKind.TASK, DecisionKind.CORE):
            self.queue.request(entry.cluster_id, kind, now=self.clock.now(), cause="enrolled")

        def change(current: RegistryEntry) -> RegistryEntry:
            return replace(current, alarms=names, alarms_made_from=digest)

        return update_entry(self.registry, entry.cluster_id, change) or entry

    def _spec(self, watched: WatchedMetric, cluster_id: str) -> AlarmSpec:
        return AlarmSpec(
            name=watched.name(self.prefix, cluster_id),
            cluster_id=cluster_id,
            metric=watched.metric,
            comparison="GreaterThanThreshold" if watched.above else "LessThanThreshold",
            threshold=watched.threshold,
            periods=watched.periods,
            description=watched.why,
        )


def active_states() -> tuple[ClusterState, ...]:
    """Return the states of clusters that have not ended."""
    return tuple(state for state in ClusterState if not state.has_ended)


def ended_states() -> tuple[ClusterState, ...]:
    """Return the states of clusters that are gone."""
    return (ClusterState.TERMINATED, ClusterState.TERMINATED_WITH_ERRORS)
