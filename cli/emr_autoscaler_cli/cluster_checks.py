"""What doctor looks for in each enrolled cluster: set-ups that do not scale, stalls, missing prices and costs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from emr_autoscaler.adapters.emr_volumes import release_of
from emr_autoscaler.domain.applications import working_on_nodes
from emr_autoscaler.domain.cluster import InstanceGroup, Market, Role
from emr_autoscaler.domain.fleet_steps import fleet_of
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.policy import Policy
from emr_autoscaler.domain.price_book import Component
from emr_autoscaler.domain.rates import needed_prices
from emr_autoscaler.domain.snapshot import is_pushing
from emr_autoscaler.usecases.billed_instances import planned_instances
from emr_autoscaler_cli.account import PolicyBook
from emr_autoscaler_cli.findings import Finding, careful, failed, ok, warning
from emr_autoscaler_cli.fleet_checks import check_fleets
from emr_autoscaler_cli.installation import Installation

FEWEST_POOLS = 3
"""Facts on spot: three to five pools, or one interruption takes most of the capacity."""

MASTERS_ROAM_SINCE = (6, 0)
"""From this release on YARN's node labels are off, and application masters run on any node."""

OVERDUE_AFTER = timedelta(minutes=15)
COSTS_LATE_AFTER = timedelta(hours=3)
"""Costs are recorded at five past each hour, for the hour before."""

LABELS = (
    "at the next cluster, in yarn-site: yarn.node-labels.enabled=true, "
    "yarn.node-labels.am.default-node-label-expression=CORE"
)


def check_clusters(installation: Installation) -> Iterator[Finding]:
    """Yield the findings of every enrolled cluster."""
    entries = [entry for entry in installation.ports.registry.all() if entry.is_active]
    if not entries:
        yield warning("clusters", "none is enrolled", "tag a cluster emr-autoscaler:policy=default")
        return
    policies = installation.account.policies()
    now = installation.ports.clock.now()
    alarms = frozenset(
        name
        for topic in ("task", "core", "idle")
        for name in installation.ports.alarms.list_alarms(f"{installation.prefix}-{topic}-j-")
    )
    for entry in entries:
        what = f"cluster {entry.cluster_id}"
        found = careful(what, lambda entry=entry: _check(entry, installation, policies, alarms, now))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        yield from found or [ok(what, f"{entry.cluster.name}: nothing to mend")]


def _check(
    entry: RegistryEntry, installation: Installation, policies: PolicyBook, alarms: frozenset[str], now: datetime
) -> Iterator[Finding]:
    what = f"cluster {entry.cluster_id}"
    if entry.policy_name not in policies:
        yield failed(
            what, f"its policy {entry.policy_name!r} does not exist", "write it, or change the cluster's tag"
        )
    if entry.is_paused:
        yield warning(what, "is paused", f"emr-autoscaler resume {entry.cluster_id}")
    if entry.cluster.has_managed_scaling:
        yield warning(what, "has managed scaling, so it is not scaled here", "remove it, or opt the cluster out")
    elif entry.cluster.uses_fleets:
        yield from check_fleets(entry, what)
        yield from _check_masters(entry, installation, what)
    else:
        yield from _check_groups(entry, what)
        yield from _check_masters(entry, installation, what)
    yield from _check_applications(entry, policies, what)
    gone = [name for name in entry.alarms if name not in alarms]
    if gone:
        yield failed(what, f"its alarm {gone[0]} is gone", "remove its policy tag, wait ten minutes, set it again")
    due = entry.next_evaluation_at
    if due is not None and now - due > OVERDUE_AFTER:
        yield failed(
            what, f"has been due since {due.isoformat()}", "see that sweep-fleet runs and its queue is read"
        )
    yield from _check_probe(entry, installation, what, now)
    yield from _check_costs(entry, installation, what, now)


def _check_applications(entry: RegistryEntry, policies: PolicyBook, what: str) -> Iterator[Finding]:
    policy, unseen = policies.get(entry.policy_name), working_on_nodes(entry.cluster.applications)
    if not unseen or not isinstance(policy, Policy):
        return
    for kind, section in (("task", policy.task), ("core", policy.core)):
        if section.enabled and not section.trust_yarn:
            yield warning(
                what,
                f"has {', '.join(unseen)}, whose work YARN does not see, so no {kind} node is given back",
                f"set {kind}.trust_yarn in a policy of its own if nobody works with it (docs/scaling.md)",
            )


def _check_groups(entry: RegistryEntry, what: str) -> Iterator[Finding]:
    task = [group for group in entry.groups if group.role is Role.TASK]
    spot = {group.instance_type for group in task if group.market is Market.SPOT}
    if not task:
        yield warning(what, "has no task group", "name task.instance_types in its policy, or add groups at 0")
    elif spot and len(spot) < FEWEST_POOLS:
        yield warning(
            what,
            f"has {len(spot)} spot pool{'s' if len(spot) > 1 else ''}",
            "name 3 to 5 task.instance_types of one class in its policy",
        )
    if spot and all(group.market is Market.SPOT for group in task):
        yield warning(what, "has no on-demand task group to fall back to", "add one at 0 instances")
    for group in entry.groups:
        yield from _check_group(group, what)


def _check_group(group: InstanceGroup, what: str) -> Iterator[Finding]:
    if group.has_own_scaling:
        yield warning(
            what, f"{group.group_id} has an automatic scaling policy of its own", "remove it from the group"
        )
    if group.state in {"SUSPENDED", "ARRESTED"}:
        yield failed(what, f"{group.group_id} is {group.state}", "read its last state change reason in EMR")
    if group.role is not Role.TASK and group.market is Market.SPOT:
        yield warning(
            what, f"its {group.role} group is on spot", "an interruption loses HDFS blocks or the cluster"
        )


def _check_masters(entry: RegistryEntry, installation: Installation, what: str) -> Iterator[Finding]:
    release = release_of(entry.cluster.release_label)
    on_spot = any(g.role is Role.TASK and g.market is Market.SPOT for g in entry.groups)
    on_spot = on_spot or fleet_of(entry.fleets, Role.TASK) is not None
    if release is None or release < MASTERS_ROAM_SINCE or not on_spot:
        return
    if not installation.account.keeps_masters_off_spot(entry.cluster_id):
        yield warning(what, "application masters may run on spot task nodes and take their job down", LABELS)


def _check_probe(entry: RegistryEntry, installation: Installation, what: str, now: datetime) -> Iterator[Finding]:
    # The list of entries may lag behind what snapshots have written since.
    known = installation.ports.registry.get(entry.cluster_id) or entry
    if known.task.pushed and not is_pushing(known.task.pushed, now):
        yield warning(
            what,
            f"its probe has been silent since {known.task.pushed[-1].at.isoformat()}",
            "see that it runs on the primary node and may put events; CloudWatch's metrics are used meanwhile",
        )


def _check_costs(entry: RegistryEntry, installation: Installation, what: str, now: datetime) -> Iterator[Finding]:
    keys = [
        key
        for key in needed_prices(planned_instances(entry), entry.cluster.region)
        if key.component is not Component.EC2_SPOT  # spot prices are read hour by hour
    ]
    known = {
        price.key for price in installation.ports.costs.prices(keys, start=now - timedelta(seconds=1), end=now)
    }
    missing = [f"{key.component} {key.item}" for key in keys if key not in known]
    if missing:
        advice = f"invoke {installation.prefix}-refresh-prices; its log says what the price list lacks"
        yield warning(what, f"no price yet of {', '.join(missing)}", advice)
    recorded_until = entry.costs_recorded_until or entry.enrolled_at
    if now - recorded_until > COSTS_LATE_AFTER:
        yield failed(what, f"costs are recorded until {recorded_until.isoformat()} only", "read record-costs' log")
