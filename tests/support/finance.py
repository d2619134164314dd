"""A cluster whose hours are recorded in a simulated world, for tests of what finance reads."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from tests.support.worlds import calm_world, cluster, run_cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.cost_history import HourRevision
from emr_autoscaler.domain.costs import HourRecord
from emr_autoscaler.domain.focus import FocusRow, rows_of_hour
from emr_autoscaler.domain.policy import CostPolicy, Policy
from emr_autoscaler.usecases.hour_history import with_instances
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts

HOUR = timedelta(hours=1)
TAGS = {"emr-autoscaler:policy": "default", "cost-centre": "analytics"}


class RecordedWorld:
    """One opted-in cluster, recorded every hour at five past."""

    def __init__(self, *, cost: CostPolicy | None = None, hours: int = 3, **spec: object) -> None:
        self.world = calm_world()
        self.ports = WorldPorts(self.world, MemoryPolicies(Policy(name="default", cost=cost or CostPolicy())))
        self.cases = UseCases(self.ports)
        self.cluster_id = run_cluster(self.world, cluster(**{"task": 2, "spot": 2, "tags": TAGS, **spec}))
        self.cases.enroll_cluster(self.cluster_id)
        for _ in range(hours):
            self.record_next_hour()

    def record_next_hour(self) -> None:
        """Go to five past the next hour and record what has ended."""
        now = self.world.now
        self.run_until(now.replace(minute=5, second=0) + HOUR)
        self.cases.record_costs()

    def run_until(self, moment) -> None:
        self.world.run_for(moment - self.world.now)

    def records(self, month: str = "2026-10") -> tuple[HourRecord, ...]:
        return self.ports.costs.hours_of_account(self.ports.account_id, month)

    def traced(self, month: str = "2026-10") -> list[HourRevision]:
        """The hours with their instances, as exports take them."""
        return [with_instances(self.ports.costs, record) for record in self.records(month)]

    def spent(self, cost_centre: str = "analytics", month: str = "2026-10") -> Decimal:
        return self.ports.costs.month_total(cost_centre, month).total_usd


def rows_of(revisions: Iterable[HourRevision]) -> list[FocusRow]:
    """The rows of the export for many hours."""
    return [row for revision in revisions for row in rows_of_hour(revision)]
