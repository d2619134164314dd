"""All ports at once, as the use cases need them: aws.py has them on AWS, the simulator on its World."""

from collections.abc import Mapping
from typing import Protocol

from emr_autoscaler.domain.policy import Mode
from emr_autoscaler.ports import (
    Alarms,
    BillingExport,
    Budgets,
    Clock,
    ClusterActuator,
    ClusterReader,
    Compute,
    Costs,
    Decisions,
    EvaluationQueue,
    Leases,
    MetricsReader,
    Notifier,
    Policies,
    Pools,
    PriceList,
    Registry,
    Statements,
)


class Ports(Protocol):
    """Everything the use cases need of the world, and the two names the stack was deployed with."""

    @property
    def clock(self) -> Clock: ...  # noqa: D102 (the types say it)
    @property
    def reader(self) -> ClusterReader: ...  # noqa: D102
    @property
    def actuators(self) -> Mapping[Mode, ClusterActuator]: ...  # noqa: D102
    @property
    def metrics(self) -> MetricsReader: ...  # noqa: D102
    @property
    def alarms(self) -> Alarms: ...  # noqa: D102
    @property
    def compute(self) -> Compute: ...  # noqa: D102
    @property
    def price_list(self) -> PriceList: ...  # noqa: D102
    @property
    def registry(self) -> Registry: ...  # noqa: D102
    @property
    def decisions(self) -> Decisions: ...  # noqa: D102
    @property
    def pools(self) -> Pools: ...  # noqa: D102
    @property
    def leases(self) -> Leases: ...  # noqa: D102
    @property
    def policies(self) -> Policies: ...  # noqa: D102
    @property
    def costs(self) -> Costs: ...  # noqa: D102
    @property
    def notifier(self) -> Notifier: ...  # noqa: D102
    @property
    def queue(self) -> EvaluationQueue: ...  # noqa: D102
    @property
    def prefix(self) -> str: ...  # noqa: D102
    @property
    def cost_centre_tag(self) -> str: ...  # noqa: D102
    @property
    def statements(self) -> Statements: ...  # noqa: D102
    @property
    def billing_export(self) -> BillingExport: ...  # noqa: D102
    @property
    def budgets(self) -> Budgets: ...  # noqa: D102
    @property
    def account_id(self) -> str: ...  # noqa: D102
    @property
    def region(self) -> str: ...  # noqa: D102
    @property
    def own_role_names(self) -> frozenset[str]: ...  # noqa: D102
