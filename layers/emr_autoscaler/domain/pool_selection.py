"""Which task groups a cluster should have: spot pools and an on-demand fallback, of types that can be had."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.instance_types import FEWEST_POOLS, POOLS_WANTED, candidates_of, mixed_classes
from emr_autoscaler.domain.policy import TaskPolicy

MOST_TASK_GROUPS = 48
"""EMR's own limit for a cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedGroup:
    """A task group the policy wants and the cluster lacks."""

    name: str
    market: Market
    instance_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Which of the types asked for can be had.

    Attributes:
        supported: By the cluster's release.
        offered: In the cluster's zone.
        release: The release that was asked, for people.
        place: The zone that was asked, for people.
        knows_release: Whether EMR told what the release supports; where not, every type counts as supported.
    """

    supported: frozenset[str]
    offered: frozenset[str]
    release: str = "the release"
    place: str = "the zone"
    knows_release: bool = True

    def why_not(self, instance_type: str) -> str:
        """Return why a type cannot be used; empty where it can."""
        if instance_type not in self.supported:
            return f"not supported by {self.release}, or no such type"
        return "" if instance_type in self.offered else f"not offered in {self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSelection:
    """The groups that are missing, and what is wrong with what the policy asks for.

    Attributes:
        groups: To be created at zero.
        warnings: For people, one line each; empty where all is well.
    """

    groups: tuple[WantedGroup, ...]
    warnings: tuple[str, ...] = ()


def types_in_question(policy: TaskPolicy) -> tuple[str, ...]:
    """Return every type whose availability decides which groups there are; empty where the policy wants none."""
    if not policy.enabled:
        return ()
    spot = policy.instance_types or (candidates_of(policy.profile) if policy.profile else ())
    return tuple(dict.fromkeys((*spot, *([policy.on_demand_type] if policy.on_demand_type else ()))))


def select_pools(groups: Sequence[InstanceGroup], policy: TaskPolicy, availability: Availability) -> PoolSelection:
    """Choose the task groups that the policy wants and the cluster lacks.

    A spot pool for each type that can be had (of a profile the first four), and one on-demand group as the
    fallback, unless there is one. A policy without types and profile wants none.
    """
    in_question = types_in_question(policy)
    if not in_question:
        return PoolSelection(groups=())
    refused = {name: why for name in in_question if (why := availability.why_not(name))}
    spot = spot_types(policy, availability)
    task = [g for g in groups if g.role is Role.TASK]
    have = {(g.market, g.instance_type) for g in task}
    wanted = [(Market.SPOT, name) for name in spot]
    fallback = _fallback(policy, spot, refused)
    if fallback and not any(market is Market.ON_DEMAND for market, _type in have):
        wanted.append((Market.ON_DEMAND, fallback))
    missing = [pool for pool in wanted if pool not in have][: max(0, MOST_TASK_GROUPS - len(task))]
    return PoolSelection(
        groups=tuple(
            WantedGroup(
                name=f"emr-autoscaler {market.lower().replace('_', '-')} {name}", market=market, instance_type=name
            )
            for market, name in missing
        ),
        warnings=_warnings(policy, spot, refused),
    )


def spot_types(policy: TaskPolicy, availability: Availability | None = None) -> tuple[str, ...]:
    """Return the types to buy on spot that can be had: all that were named, or the first four of a profile."""
    named = policy.instance_types or (candidates_of(policy.profile) if policy.profile else ())
    found = tuple(name for name in named if availability is None or not availability.why_not(name))
    return found if policy.instance_types else found[:POOLS_WANTED]


def pool_warnings(policy: TaskPolicy, availability: Availability) -> tuple[str, ...]:
    """Return what is wrong with the types that a policy asks for on spot; for people, one line each."""
    asked = replace(policy, on_demand_type="")
    refused = {name: why for name in types_in_question(asked) if (why := availability.why_not(name))}
    return _warnings(asked, spot_types(asked, availability), refused)


def _fallback(policy: TaskPolicy, spot: Sequence[str], refused: dict[str, str]) -> str:
    if policy.on_demand_type and policy.on_demand_type not in refused:
        return policy.on_demand_type
    return spot[0] if spot else ""


def _warnings(policy: TaskPolicy, spot: Sequence[str], refused: dict[str, str]) -> tuple[str, ...]:
    named = (*policy.instance_types, policy.on_demand_type)
    lines = [f"{name} has no pool: {why}" for name, why in refused.items() if name in named]
    wants_spot = bool(policy.instance_types or policy.profile)
    if wants_spot and len(spot) < FEWEST_POOLS:
        lines.append(
            f"{len(spot)} spot pools are left ({', '.join(spot) or 'none'}); name at least {FEWEST_POOLS} types, "
            "or one outage takes a large part of the cluster"
        )
    mixed = mixed_classes(spot)
    if mixed:
        lines.append(
            f"the types have {' and '.join(mixed)} GiB of memory for each vCPU: containers sized for one class "
            "waste the other"
        )
    return tuple(lines)
