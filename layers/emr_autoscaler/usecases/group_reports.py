"""What people are told of groups that somebody else resized, and of groups that EMR has stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_autoscaler.domain.cluster import GroupState, InstanceGroup, Role, owner_in_words
from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.operator_change import OperatorChange, is_same
from emr_autoscaler.ports import Clock
from emr_autoscaler.usecases.journal import Journal
from emr_autoscaler.usecases.policy_in_force import PolicyInForce

KINDS: Mapping[Role, DecisionKind] = {Role.TASK: DecisionKind.TASK, Role.CORE: DecisionKind.CORE}
"""Which kind of decision is about the groups of a role."""

STOPPED: Mapping[GroupState, Reason] = {
    GroupState.SUSPENDED: Reason.GROUP_SUSPENDED,
    GroupState.ARRESTED: Reason.GROUP_ARRESTED,
    GroupState.RECONFIGURING: Reason.GROUP_RECONFIGURING,
}
"""States in which nobody may resize a group, and how they are reported."""

FIXES: Mapping[GroupState, str] = {
    GroupState.SUSPENDED: "its launches or bootstrap actions failed: mend the cause, then resume it with a count "
    "({command})",
    GroupState.ARRESTED: "its instances fail again and again: mend the cause, then set its count anew ({command})",
    GroupState.RECONFIGURING: "somebody changed its configuration: EMR ends this by itself; if it does not, look "
    "at the reconfiguration in EMR's console",
}


TELLING_TAKES_AT_MOST = timedelta(seconds=45)
"""News that stand untold for longer were left by an invocation that died; its first retry comes after a minute."""


def news_to_tell(before: RegistryEntry, after: RegistryEntry, now: datetime) -> Mapping[str, datetime]:
    """Return what is to be told of groups: what is new in ``after``, and what a died invocation left untold.

    A name that CloudTrail adds later is worth a record, and no second notification.
    """
    known = before.operator_changes
    resized = [c for c in after.operator_changes if not any(c == k or is_same(c, k) for k in known)]
    stopped = [item for item in after.reported_states.items() if item not in before.reported_states.items()]
    left = [news for news, at in after.untold.items() if now - at > TELLING_TAKES_AT_MOST]
    return dict.fromkeys([*map(news_of_resize, resized), *(news_of_stop(*item) for item in stopped), *left], now)


def news_of_resize(change: OperatorChange) -> str:
    """Return how a resize by somebody else stands among what is untold."""
    return f"{change.group_id} resized"


def news_of_stop(group_id: str, state: GroupState) -> str:
    """Return how a group that stopped stands among what is untold."""
    return f"{group_id} {state}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReports:
    """Records and notifications about groups."""

    clock: Clock
    journal: Journal
    policy_in_force: PolicyInForce

    def announce_resizes(self, entry: RegistryEntry, changes: Sequence[OperatorChange]) -> None:
        """Say who resized what, and until when it stands; nothing where the policy does not wait for it."""
        policy = self.policy_in_force(entry) if changes else None
        if policy is None:
            return
        for change in changes:
            section = policy.core if change.role is Role.CORE else policy.task
            until = change.at + section.operator_hold
            if not section.enabled or until <= self.clock.now():
                continue
            decision = Decision(
                kind=KINDS.get(change.role or Role.TASK, DecisionKind.TASK),
                cluster_id=entry.cluster_id,
                decided_at=self.clock.now(),
                action=Action.HOLD,
                reason=Reason.OPERATOR_RESIZED,
                detail=f"{change.told()}; it stands until {until:%H:%M} UTC, then this system decides again. "
                "To keep it longer: emr-autoscaler pause, or operator_hold_minutes in the policy",
            )
            self.journal.announce(decision, entry, severity="info")

    def report_stop(self, entry: RegistryEntry, group: InstanceGroup, state: GroupState) -> None:
        """Record and announce a group that stopped, once for each episode."""
        now = self.clock.now()
        fix = FIXES[state].format(command=_resume_command(entry.cluster_id, group))
        name = f" ({group.name})" if group.name else ""
        decision = Decision(
            kind=KINDS[group.role],
            cluster_id=entry.cluster_id,
            decided_at=now,
            action=Action.ALERT,
            reason=STOPPED[state],
            detail=f"{group.role} {owner_in_words(group.group_id)}{name} is {state} and is not resized: {fix}",
        )
        severity = "info" if state is GroupState.RECONFIGURING else "warning"
        self.journal.report(decision, entry, trigger=f"{group.group_id} {state}", severity=severity)


def _resume_command(cluster_id: str, group: InstanceGroup) -> str:
    count = max(group.requested_count, 0)
    if group.fleet_id:
        fleet = f"InstanceFleetId={group.group_id},TargetOnDemandCapacity=UNITS,TargetSpotCapacity=UNITS"
        return f"aws emr modify-instance-fleet --cluster-id {cluster_id} --instance-fleet {fleet}; {count} in all"
    named = f"InstanceGroupId={group.group_id},InstanceCount={count}"
    return f"aws emr modify-instance-groups --instance-groups {named}"
