"""Follow what happens to groups that this system did not order: resizes by people, states that stop scaling.

What is seen comes from three sides: EMR's events, CloudTrail's calls, and listings. Nothing is ordered here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import InstanceGroup, Role
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.fleet_steps import in_whole_units
from emr_autoscaler.domain.fleets import InstanceFleet
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.operator_change import OperatorChange, with_changes
from emr_autoscaler.domain.record import Outcome
from emr_autoscaler.ports import Clock, EvaluationQueue, Registry
from emr_autoscaler.usecases.group_reports import (
    KINDS,
    STOPPED,
    GroupReports,
    news_of_resize,
    news_of_stop,
    news_to_tell,
)
from emr_autoscaler.usecases.journal import Journal
from emr_autoscaler.usecases.registry_updates import update_entry

OWN_ORDERS_OF = timedelta(hours=1)
"""A count that this system ordered within this time is never taken for an operator's."""

ORDERS_SETTLE_IN = timedelta(minutes=2)
"""So long after an order of ours a count that differs may be one that was seen before the order."""

RECORDS_READ = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """One group in somebody's call.

    Attributes:
        group_id: The instance group or fleet; empty where the call adds one.
        count: What it is to have; None where the call does not say.
    """

    group_id: str
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowGroups:
    """Keeps the groups of the registry true, and tells people what stops this system."""

    clock: Clock
    registry: Registry
    queue: EvaluationQueue
    journal: Journal
    reports: GroupReports

    def note_group(self, cluster_id: str, seen: InstanceGroup, *, at: datetime) -> bool:
        """Take a group's state from an event; return whether the cluster is enrolled."""

        def change(entry: RegistryEntry) -> RegistryEntry:
            if at < max(entry.groups_seen_at, entry.groups_told_at.get(seen.group_id, at)):
                return entry  # events may arrive late and out of order
            told_at = {**entry.groups_told_at, seen.group_id: at}
            return replace(self._with_seen(entry, [_as_told(entry, seen)], at), groups_told_at=told_at)

        return self._update(cluster_id, change) is not None

    def note_fleet(
        self, cluster_id: str, fleet_id: str, told: Callable[[InstanceFleet], InstanceFleet], *, at: datetime
    ) -> bool | None:
        """Take a fleet's state from an event.

        Returns:
            Whether the cluster is enrolled; None where it is and the fleet is not known: an event does not
            tell what a fleet may buy, so EMR has to be asked.
        """
        entry = self.registry.get(cluster_id)
        if entry is not None and fleet_id not in {fleet.fleet_id for fleet in entry.fleets}:
            return None

        def change(entry: RegistryEntry) -> RegistryEntry:
            if at < max(entry.groups_seen_at, entry.groups_told_at.get(fleet_id, at)):
                return entry  # events may arrive late and out of order
            seen = [told(fleet) for fleet in entry.fleets if fleet.fleet_id == fleet_id]
            told_at = {**entry.groups_told_at, fleet_id: at}
            return replace(self._with_seen_fleets(entry, seen, at), groups_told_at=told_at)

        return self._update(cluster_id, change) is not None

    def note_listing(
        self,
        cluster_id: str,
        groups: Sequence[InstanceGroup],
        fleets: Sequence[InstanceFleet] = (),
        *,
        at: datetime,
    ) -> tuple[OperatorChange, ...]:
        """Take all groups or fleets from a listing asked for at ``at``; return what others have resized."""

        def change(entry: RegistryEntry) -> RegistryEntry:
            if not (groups or fleets) or at < entry.groups_seen_at:
                return entry  # what is known is newer: an order of ours went out meanwhile
            seen = self._with_seen_fleets(self._with_seen(entry, groups, at), fleets, at)
            listed = {group.group_id for group in groups}
            return replace(seen, groups=tuple(g for g in seen.groups if g.group_id in listed), groups_seen_at=at)

        entry = self._update(cluster_id, change)
        return () if entry is None else entry.operator_changes

    def note_resizes(self, cluster_id: str, resizes: Sequence[Resize], *, by: str, at: datetime) -> bool:
        """Take somebody's resize call from CloudTrail; return whether it was of an enrolled cluster.

        Args:
            cluster_id: j-...; empty where the call named groups only.
            resizes: The groups it named.
            by: Who called.
            at: When.
        """
        cluster_id = cluster_id or self._cluster_of(resizes)

        def change(entry: RegistryEntry) -> RegistryEntry:
            roles = {group.group_id: group.role for group in _all_as_groups(entry)}
            changes = [
                OperatorChange(group_id=r.group_id, role=roles.get(r.group_id), count=r.count, at=at, by=by)
                for r in resizes
            ]
            known = with_changes(entry.operator_changes, changes, now=self.clock.now())
            return replace(entry, operator_changes=known)

        return bool(cluster_id) and self._update(cluster_id, change) is not None

    def note_own_scaling(self, cluster_id: str, group_id: str, *, attached: bool) -> bool:
        """Take from an event that a group has, or has no more, an automatic scaling policy of its own."""

        def change(entry: RegistryEntry) -> RegistryEntry:
            groups = (
                replace(group, has_own_scaling=attached) if group.group_id == group_id else group
                for group in entry.groups
            )
            return replace(entry, groups=tuple(groups))

        known = update_entry(self.registry, cluster_id, change)
        if known is not None:
            self._ask(cluster_id, tuple(KINDS.values()), cause="automatic scaling policy")
        return known is not None

    def note_managed_scaling(self, cluster_id: str) -> bool:
        """Take from an event that EMR's managed scaling resizes a cluster: nothing acts on it from now on."""

        def change(entry: RegistryEntry) -> RegistryEntry:
            return replace(entry, cluster=replace(entry.cluster, has_managed_scaling=True))

        return update_entry(self.registry, cluster_id, change) is not None

    def _update(self, cluster_id: str, change: Callable[[RegistryEntry], RegistryEntry]) -> RegistryEntry | None:
        """Apply a change and tell what is new in it: changes by others, and groups that stopped or go on."""
        before: RegistryEntry | None = None
        news: Mapping[str, datetime] = {}

        def remembering(entry: RegistryEntry) -> RegistryEntry:
            nonlocal before, news
            before, changed = entry, change(entry)
            news = news_to_tell(entry, changed, self.clock.now()) if changed.is_active else {}
            return replace(changed, untold={**changed.untold, **news}) if news else changed

        after = update_entry(self.registry, cluster_id, remembering)
        if before is not None and after is not None and after.is_active:
            self._tell(before, after, news)
        return after

    def _with_seen(self, entry: RegistryEntry, seen: Sequence[InstanceGroup], at: datetime) -> RegistryEntry:
        known = {group.group_id: group for group in entry.groups}
        changes = [
            OperatorChange(group_id=group.group_id, role=group.role, count=group.requested_count, at=at)
            for group in seen
            if self._is_by_others(entry, known.get(group.group_id), group, at)
        ]
        reported = dict(entry.reported_states)
        for group in seen:
            known[group.group_id] = group
            if group.state in STOPPED and group.role in KINDS:
                reported[group.group_id] = group.state
            elif group.state.may_be_resized:
                reported.pop(group.group_id, None)
        return replace(
            entry,
            groups=tuple(known.values()),
            operator_changes=with_changes(entry.operator_changes, changes, now=self.clock.now()),
            reported_states=reported,
        )

    def _with_seen_fleets(
        self, entry: RegistryEntry, seen: Sequence[InstanceFleet], at: datetime
    ) -> RegistryEntry:
        """Take fleets as groups are taken, their units of both markets as a count."""
        if not (entry.fleets or seen):
            return entry
        as_groups = replace(entry, groups=tuple(map(in_whole_units, entry.fleets)))
        after = self._with_seen(as_groups, [in_whole_units(fleet) for fleet in seen], at)
        known = {fleet.fleet_id: fleet for fleet in (*entry.fleets, *seen)}
        return replace(after, groups=entry.groups, fleets=tuple(known.values()))

    def _is_by_others(
        self, entry: RegistryEntry, before: InstanceGroup | None, seen: InstanceGroup, at: datetime
    ) -> bool:
        """Whether a count can only be somebody else's order.

        A group that appears with instances is one too: this system adds its groups empty. EMR itself changes
        the count it was asked for only where it scales by itself, and there nothing is concluded.
        """
        scaled_by_emr = entry.cluster.has_managed_scaling or seen.has_own_scaling
        if seen.role not in KINDS or scaled_by_emr or not entry.cluster.state.is_ready:
            return False
        if before is not None and not seen.state.may_be_resized:
            return False
        if seen.requested_count == (0 if before is None else before.requested_count):
            return False
        return not self._is_ours(entry.cluster_id, seen, at)

    def _is_ours(self, cluster_id: str, seen: InstanceGroup, at: datetime) -> bool:
        """Whether this system ordered the count, or ordered one so lately that this may be an older one.

        The intent of every order is written before the order goes out.
        """
        records = self.journal.decisions.of_cluster(cluster_id, since=at - OWN_ORDERS_OF, limit=RECORDS_READ)
        return any(
            target.group_id == seen.group_id
            and (target.count == seen.requested_count or at - record.decision.decided_at < ORDERS_SETTLE_IN)
            for record in records
            if record.outcome not in {Outcome.HELD, Outcome.DRY_RUN}
            for target in record.decision.targets
        )

    def _cluster_of(self, resizes: Sequence[Resize]) -> str:
        wanted = {resize.group_id for resize in resizes if resize.group_id}
        for entry in self.registry.all():
            if any(group.group_id in wanted for group in _all_as_groups(entry)):
                return entry.cluster_id
        return ""

    def _tell(self, before: RegistryEntry, after: RegistryEntry, news: Mapping[str, datetime]) -> None:
        """Have looked at what changed, tell the news, and only then keep that they were told."""
        resized = [change for change in after.operator_changes if news_of_resize(change) in news]
        changed = [change for change in after.operator_changes if change not in before.operator_changes]
        roles: set[Role | None] = {change.role for change in (*changed, *resized)}
        groups = _all_as_groups(after)
        again = before.reported_states.keys() - after.reported_states.keys()
        roles.update(group.role for group in groups if group.group_id in again)  # they may be scaled again
        kinds = tuple(kind for role, kind in KINDS.items() if role in roles or None in roles)
        self._ask(after.cluster_id, kinds, cause="changed by others")
        self.reports.announce_resizes(after, resized)
        for group in groups:
            state = after.reported_states.get(group.group_id)
            if state is not None and news_of_stop(group.group_id, state) in news:
                self.reports.report_stop(after, group, state)

        def without_news(entry: RegistryEntry) -> RegistryEntry:
            left = {name: at for name, at in entry.untold.items() if news.get(name) != at}
            return replace(entry, untold=left)

        if news:
            update_entry(self.registry, after.cluster_id, without_news)

    def _ask(self, cluster_id: str, kinds: Sequence[DecisionKind], *, cause: str) -> None:
        for kind in kinds:
            self.queue.request(cluster_id, kind, now=self.clock.now(), cause=cause)


def _all_as_groups(entry: RegistryEntry) -> tuple[InstanceGroup, ...]:
    return (*entry.groups, *map(in_whole_units, entry.fleets))


def _as_told(entry: RegistryEntry, seen: InstanceGroup) -> InstanceGroup:
    """Return a group as an event tells it; what events do not tell is kept as it was known."""
    before = next((group for group in entry.groups if group.group_id == seen.group_id), None)
    if before is None:
        return seen
    return replace(
        before,
        state=seen.state,
        requested_count=seen.requested_count,
        running_count=seen.running_count,
    )
