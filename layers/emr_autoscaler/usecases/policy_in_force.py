"""Which policy holds for a cluster: its own, or the last good version of it, or none."""

from dataclasses import dataclass
from datetime import timedelta

from emr_autoscaler.domain.decision import Action, Decision, DecisionKind, Reason
from emr_autoscaler.domain.errors import InvalidPolicyError, NotFoundError
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.ports import Clock, Policies
from emr_autoscaler.usecases.journal import Journal

COMPLAIN_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyInForce:
    """Finds the policy of a cluster, and complains where it cannot be used."""

    policies: Policies
    journal: Journal
    clock: Clock

    def __call__(self, entry: RegistryEntry) -> Policy | None:
        """Return the policy; None where there is none that could be used: then nothing acts."""
        try:
            return self.policies.get(entry.policy_name)
        except (InvalidPolicyError, NotFoundError) as error:
            last_good = self.policies.last_good(entry.policy_name)
            self._complain(entry, str(error), has_last_good=last_good is not None)
            return last_good

    def _complain(self, entry: RegistryEntry, problem: str, *, has_last_good: bool) -> None:
        """Record and announce POLICY_INVALID, once an hour for each cluster."""
        now = self.clock.now()
        recent = self.journal.decisions.of_cluster(entry.cluster_id, since=now - COMPLAIN_EVERY)
        if any(record.decision.kind is DecisionKind.POLICY for record in recent):
            return
        stays = "the last good version stays in force" if has_last_good else "nothing is done until it is mended"
        decision = Decision(
            kind=DecisionKind.POLICY,
            cluster_id=entry.cluster_id,
            decided_at=now,
            action=Action.ALERT,
            reason=Reason.POLICY_INVALID,
            detail=f"policy {entry.policy_name}: {problem}; {stays}",
        )
        self.journal.report(decision, entry, trigger="policy", severity="warning")
