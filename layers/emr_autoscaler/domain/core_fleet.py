"""The core decision on a cluster with instance fleets: the decision on a group, asked and answered in steps.

A shrink takes one instance, and nobody can say which: where instances count differently, one order might
take several, so such a fleet only grows.
"""

from dataclasses import replace
from datetime import timedelta

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.core_scene import CoreEvidence
from emr_autoscaler.domain.decision import Action, Decision, Reason
from emr_autoscaler.domain.fleet_steps import core_order_of, core_policy_in_steps, fleet_of, in_words, whole_of
from emr_autoscaler.domain.memory import CoreMemory

LOOK_AGAIN_AFTER = timedelta(minutes=5)


def in_steps(evidence: CoreEvidence) -> CoreEvidence:
    """Return the evidence with the core fleet as a group and the policy's units as its steps."""
    fleet = fleet_of(evidence.fleets, Role.CORE)
    seen = replace(evidence, uses_fleets=False, fleets=(), groups=())
    if fleet is None:
        return seen
    policy = core_policy_in_steps(evidence.policy, fleet.step_units)
    return replace(seen, groups=(whole_of(fleet),), policy=policy)


def in_units(evidence: CoreEvidence, decision: Decision, memory: CoreMemory) -> tuple[Decision, CoreMemory]:
    """Return a decision on the evidence in steps as one on the fleet itself, and what to remember."""
    fleet = fleet_of(evidence.fleets, Role.CORE)
    if fleet is None or not decision.targets:
        return decision, memory
    if decision.action is Action.SCALE_IN and not fleet.has_one_size:
        next_at = evidence.now + LOOK_AGAIN_AFTER
        held = replace(
            decision,
            action=Action.HOLD,
            reason=Reason.FLEET_ONLY_GROWS,
            targets=(),
            next_evaluation_at=next_at,
        )
        return held, replace(evidence.memory, next_evaluation_at=next_at)
    order = core_order_of(fleet, decision.targets[0].count)
    detail = f"{decision.detail} ({in_words(fleet)})"
    return replace(decision, targets=(order,), detail=detail), memory
