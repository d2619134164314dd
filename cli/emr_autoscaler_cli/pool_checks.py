"""What doctor looks for in pool types: whether releases support them and zones offer them, as enrolment asks."""

from collections.abc import Iterable, Iterator, Sequence

from emr_autoscaler.domain.cluster import Role
from emr_autoscaler.domain.fleet_steps import fleet_of
from emr_autoscaler.domain.memory import RegistryEntry
from emr_autoscaler.domain.policy import Policy, TaskPolicy
from emr_autoscaler.domain.pool_selection import Availability, select_pools, types_in_question
from emr_autoscaler.usecases.pool_availability import availability_of
from emr_autoscaler_cli.account import PolicyBook
from emr_autoscaler_cli.findings import Finding, careful, failed, ok, warning
from emr_autoscaler_cli.installation import Installation


def check_pools(installation: Installation) -> Iterator[Finding]:
    """Yield what is found of the pool types of every policy and of every enrolled cluster.

    EMR is asked once for each release, EC2 once for each zone with a release, and once for the region.
    """
    policies = installation.account.policies()
    entries = [entry for entry in installation.ports.registry.all() if entry.is_active]
    asked = _Asked(installation, policies, entries)
    for name, policy in policies.items():
        if isinstance(policy, Policy):
            what = f"pools of policy {name}"
            yield from careful(what, lambda p=policy, w=what: _check_policy(p, entries, asked, w))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    for entry in entries:
        what = f"pools of cluster {entry.cluster_id}"
        named = policies.get(entry.policy_name)
        task = named.task if isinstance(named, Policy) else TaskPolicy()
        yield from careful(what, lambda e=entry, t=task, w=what: _check_cluster(e, t, asked, w))  # type: ignore[misc]  # mypy cannot infer a lambda with a default


def _check_policy(
    policy: Policy, entries: Sequence[RegistryEntry], asked: "_Asked", what: str
) -> Iterator[Finding]:
    """Judge a policy by the region, and by the releases of its clusters; by those of all where it has none."""
    if types_in_question(policy.task):
        own = [entry for entry in entries if entry.policy_name == policy.name]
        yield from _judge(policy.task, asked.in_region({e.cluster.release_label for e in own or entries}), what)


def _check_cluster(entry: RegistryEntry, task: TaskPolicy, asked: "_Asked", what: str) -> Iterator[Finding]:
    there = _types_there(entry)
    if entry.cluster.has_managed_scaling or not (there or types_in_question(task)):
        return
    availability = asked.of_cluster(entry)
    for kind in there:
        if why := availability.why_not(kind):
            yield warning(
                what,
                f"its {kind} gets no nodes: {why}",
                "it is passed over while nothing comes; name another type of its class in the policy's task.pools",
            )
    if types_in_question(task):
        yield from _judge(task, availability, what)
    elif all(not availability.why_not(kind) for kind in there):
        yield ok(what, _can_be_had(there, availability))


def _judge(task: TaskPolicy, availability: Availability, what: str) -> Iterator[Finding]:
    """Yield what enrolment would say of these pools, and what to do about it."""
    selected = select_pools((), task, availability)
    if not selected.groups:
        yield failed(what, f"no type can be had: {'; '.join(selected.warnings)}", OTHER_TYPES)
        return
    for line in selected.warnings:
        yield warning(what, line, OTHER_TYPES)
    types = tuple(dict.fromkeys(group.instance_type for group in selected.groups))
    yield ok(what, _can_be_had(types, availability))


OTHER_TYPES = (
    "change task.pools of the policy; aws emr list-supported-instance-types and "
    "aws ec2 describe-instance-type-offerings list what can be had"
)


def _can_be_had(types: Sequence[str], availability: Availability) -> str:
    supported = "supported by" if availability.knows_release else "EMR does not tell of"
    return f"{', '.join(types)}: offered in {availability.place}, {supported} {availability.release}"


def _types_there(entry: RegistryEntry) -> tuple[str, ...]:
    """Return the types of a cluster's task groups or task fleet."""
    fleet = fleet_of(entry.fleets, Role.TASK)
    grouped = (group.instance_type for group in entry.groups if group.role is Role.TASK)
    return tuple(dict.fromkeys((*grouped, *(kind.instance_type for kind in (fleet.types if fleet else ())))))


class _Asked:
    """What EMR and EC2 answered, each asked once for all clusters alike."""

    def __init__(self, installation: Installation, policies: PolicyBook, entries: Iterable[RegistryEntry]) -> None:
        self._installation = installation
        in_policies = (
            kind
            for policy in policies.values()
            if isinstance(policy, Policy)
            for kind in types_in_question(policy.task)
        )
        there = (kind for entry in entries for kind in _types_there(entry))
        self._types = tuple(dict.fromkeys((*in_policies, *there)))
        self._known: dict[tuple[str, str], Availability] = {}

    def of_cluster(self, entry: RegistryEntry) -> Availability:
        """Return what a cluster's release supports and its zone offers."""
        return self._ask(entry.cluster.release_label, entry.cluster.availability_zone)

    def in_region(self, releases: Iterable[str]) -> Availability:
        """Return what any of these releases supports and any zone of the region offers."""
        answers = [self._ask(release, "") for release in sorted(releases)]
        zones = self._installation.account.zones_with(self._types)
        return Availability(
            supported=frozenset(self._types).intersection(
                frozenset().union(*(a.supported for a in answers)) if answers else self._types
            ),
            offered=frozenset(kind for kind in self._types if zones.get(kind)),
            release=", ".join(answer.release for answer in answers) or "a release before a cluster runs",
            place=self._installation.account.stack.region,
            knows_release=bool(answers) and all(answer.knows_release for answer in answers),
        )

    def _ask(self, release: str, zone: str) -> Availability:
        if (release, zone) not in self._known:
            ports = self._installation.ports
            self._known[release, zone] = availability_of(
                self._types, release_label=release, zone=zone, reader=ports.reader, compute=ports.compute
            )
        return self._known[release, zone]
