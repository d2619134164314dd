"""Catch what events missed: due looks every minute; clusters, alarms, intents and warnings in full."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.enrolment import TOPICS
from emr_autoscaler.domain.errors import NotFoundError
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.ports import Alarms, Clock, ClusterReader, Compute, EvaluationQueue, Registry
from emr_autoscaler.usecases.close_lost_intents import CloseLostIntents
from emr_autoscaler.usecases.enroll_cluster import EnrollCluster, active_states, ended_states
from emr_autoscaler.usecases.registry_updates import update_entry

DESCRIBED_PER_SWEEP = 10
"""DescribeCluster refills at one call a second: a sweep leaves most of its burst to the others."""

FULL_SWEEP_EVERY = timedelta(minutes=5)
WARNING_EXPIRES_AFTER = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What a sweep found.

    Attributes:
        queued: Looks that were due.
        refreshed: Clusters described again.
        orphan_alarms: Alarms deleted because their cluster is gone.
        clusters_without_alarms: Clusters whose alarms somebody had deleted; they have them again.
        lost_intents: Intents whose outcome nobody recorded.
        interruptions: Spot interruptions that EC2's state reason proved.
    """

    queued: int = 0
    refreshed: int = 0
    orphan_alarms: int = 0
    clusters_without_alarms: int = 0
    lost_intents: int = 0
    interruptions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFleet:
    """One sweep over everything enrolled, and over what should be."""

    clock: Clock
    reader: ClusterReader
    compute: Compute
    alarms: Alarms
    registry: Registry
    queue: EvaluationQueue
    enroll_cluster: EnrollCluster
    close_lost_intents: CloseLostIntents
    prefix: str

    def __call__(self, *, full: bool) -> SweepReport:
        """Queue what is due; in a ``full`` sweep compare everything known with AWS as well."""
        now = self.clock.now()
        report = SweepReport(queued=self._queue_due(now))
        if not full:
            return report
        entries = {entry.cluster_id: entry for entry in self.registry.all()}
        refreshed = self._refresh(entries, now)
        orphans, bare = self._mend_alarms()
        interruptions = self._prove_interruptions(entries, now)
        return replace(
            report,
            refreshed=refreshed,
            orphan_alarms=orphans,
            clusters_without_alarms=bare,
            lost_intents=self.close_lost_intents(),  # last: it fails where people cannot be told
            interruptions=interruptions,
        )

    def _queue_due(self, now: datetime) -> int:
        queued = 0
        for cluster_id in self.registry.due(now):
            entry = self.registry.get(cluster_id)
            if entry is None or not entry.is_active:
                continue
            due_at = {
                DecisionKind.TASK: entry.task.next_evaluation_at,
                DecisionKind.CORE: entry.core.next_evaluation_at,
            }
            for kind, at in due_at.items():
                if at is not None and at <= now:
                    self.queue.request(cluster_id, kind, now=now, cause="due")
                    queued += 1
        return queued

    def _refresh(self, entries: dict[str, RegistryEntry], now: datetime) -> int:
        """Describe clusters that events may have missed, a few each sweep, new and ended ones first."""
        listed = self.reader.list_clusters(active_states())
        active = {summary.cluster_id for summary in listed}
        # Clusters that lived for less than a sweep, and whose events were lost, are found here only.
        gone = self.reader.list_clusters(ended_states(), created_after=now - FULL_SWEEP_EVERY * 3)
        ended = [e.cluster_id for e in entries.values() if e.is_active and e.cluster_id not in active]
        fresh = [
            s.cluster_id
            for s in (*listed, *gone)
            if s.cluster_id not in entries and now - s.created_at < FULL_SWEEP_EVERY * 3
        ]
        changed = [
            s.cluster_id
            for s in listed
            if s.cluster_id in entries and entries[s.cluster_id].cluster.state is not s.state
        ]
        turn = int(now.timestamp() // FULL_SWEEP_EVERY.total_seconds()) * DESCRIBED_PER_SWEEP
        others = sorted(active)
        rotated = [others[(turn + n) % len(others)] for n in range(min(DESCRIBED_PER_SWEEP, len(others)))]
        wanted = list(dict.fromkeys([*ended, *changed, *fresh, *rotated]))[:DESCRIBED_PER_SWEEP]
        for cluster_id in wanted:
            try:
                self.enroll_cluster(cluster_id)
            except NotFoundError:
                continue  # EMR forgets ended clusters after two months
        return len(wanted)

    def _mend_alarms(self) -> tuple[int, int]:
        """Delete alarms whose cluster is not enrolled any more, make those again that somebody deleted.

        Returns:
            How many alarms were deleted, and for how many clusters they were made again.
        """
        active = [entry for entry in self.registry.all() if entry.is_active]
        keep = {name for entry in active for name in entry.alarms}
        found = {name for topic in TOPICS for name in self.alarms.list_alarms(f"{self.prefix}-{topic}-j-")}
        orphans = sorted(found - keep)
        if orphans:
            self.alarms.delete_alarms(orphans)
        bare = [entry.cluster_id for entry in active if not found.issuperset(entry.alarms)]
        for cluster_id in bare:
            update_entry(self.registry, cluster_id, lambda entry: replace(entry, alarms_made_from=""))
            self.enroll_cluster(cluster_id)
        return len(orphans), len(bare)

    def _prove_interruptions(self, entries: dict[str, RegistryEntry], now: datetime) -> int:
        """Ask EC2 what became of warned instances, before it forgets them (after about an hour)."""
        warned = {i: entry for entry in entries.values() for i in entry.warned}
        if not warned:
            return 0
        found = {i.ec2_instance_id: i for i in self.compute.find_instances(sorted(warned))}
        proven = {i for i, instance in found.items() if instance.interrupted}
        for entry in {e.cluster_id: e for e in warned.values()}.values():

            def change(current: RegistryEntry) -> RegistryEntry:
                new = {i: now for i in current.warned if i in proven}
                still = {
                    i: at for i, at in current.warned.items() if i not in new and now - at < WARNING_EXPIRES_AFTER
                }
                return replace(current, warned=still, interrupted={**current.interrupted, **new})

            update_entry(self.registry, entry.cluster_id, change)
        return len(proven)
