"""Every use case, put together from ports. Which adapters these are is nobody's business here."""

from functools import cached_property

from emr_autoscaler.bootstrap.ports import Ports
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.usecases.answer_snapshot import AnswerSnapshot
from emr_autoscaler.usecases.check_budgets import CheckBudgets
from emr_autoscaler.usecases.close_lost_intents import CloseLostIntents
from emr_autoscaler.usecases.cool_pools import CoolPools
from emr_autoscaler.usecases.enroll_cluster import EnrollCluster
from emr_autoscaler.usecases.equip_pools import EquipPools
from emr_autoscaler.usecases.follow_groups import FollowGroups
from emr_autoscaler.usecases.follow_steps import FollowSteps
from emr_autoscaler.usecases.group_reports import GroupReports
from emr_autoscaler.usecases.handle_interruption import HandleInterruption
from emr_autoscaler.usecases.journal import Journal
from emr_autoscaler.usecases.policy_in_force import PolicyInForce
from emr_autoscaler.usecases.publish_statements import PublishStatements
from emr_autoscaler.usecases.reap_idle_clusters import ReapIdleClusters
from emr_autoscaler.usecases.reconcile_costs import ReconcileCosts
from emr_autoscaler.usecases.record_costs import RecordCosts
from emr_autoscaler.usecases.refresh_prices import RefreshPrices
from emr_autoscaler.usecases.resize_core_group import ResizeCoreGroup
from emr_autoscaler.usecases.scale_task_groups import ScaleTaskGroups
from emr_autoscaler.usecases.sweep_fleet import SweepFleet
from emr_autoscaler.usecases.watch_market import WatchMarket


class UseCases:
    """The use cases on one set of ports, each made when it is first needed."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports

    @cached_property
    def journal(self) -> Journal:
        """The journal of decisions."""
        return Journal(decisions=self.ports.decisions, notifier=self.ports.notifier)

    @cached_property
    def policy_in_force(self) -> PolicyInForce:
        """Finds a cluster's policy."""
        return PolicyInForce(policies=self.ports.policies, journal=self.journal, clock=self.ports.clock)

    @cached_property
    def follow_groups(self) -> FollowGroups:
        """Follows what others do to groups."""
        ports = self.ports
        return FollowGroups(
            clock=ports.clock,
            registry=ports.registry,
            queue=ports.queue,
            journal=self.journal,
            reports=GroupReports(clock=ports.clock, journal=self.journal, policy_in_force=self.policy_in_force),
        )

    @cached_property
    def follow_steps(self) -> FollowSteps:
        """Follows which steps wait."""
        return FollowSteps(registry=self.ports.registry)

    @cached_property
    def enroll_cluster(self) -> EnrollCluster:
        """Takes clusters in and lets them go."""
        ports = self.ports
        return EnrollCluster(
            clock=ports.clock,
            reader=ports.reader,
            alarms=ports.alarms,
            registry=ports.registry,
            queue=ports.queue,
            policy_in_force=self.policy_in_force,
            follow_groups=self.follow_groups,
            equip_pools=EquipPools(
                clock=ports.clock,
                reader=ports.reader,
                actuators=ports.actuators,
                registry=ports.registry,
                compute=ports.compute,
                notifier=ports.notifier,
                journal=self.journal,
            ),
            prefix=ports.prefix,
            cost_centre_tag=ports.cost_centre_tag,
        )

    @cached_property
    def scale_task_groups(self) -> ScaleTaskGroups:
        """Scales task groups."""
        ports = self.ports
        return ScaleTaskGroups(
            clock=ports.clock,
            reader=ports.reader,
            actuators=ports.actuators,
            metrics=ports.metrics,
            registry=ports.registry,
            pools=ports.pools,
            compute=ports.compute,
            leases=ports.leases,
            queue=ports.queue,
            policy_in_force=self.policy_in_force,
            journal=self.journal,
            follow_groups=self.follow_groups,
        )

    @cached_property
    def answer_snapshot(self) -> AnswerSnapshot:
        """Answers what a probe pushes."""
        return AnswerSnapshot(
            clock=self.ports.clock,
            registry=self.ports.registry,
            policy_in_force=self.policy_in_force,
            journal=self.journal,
            scale_task_groups=self.scale_task_groups,
        )

    @cached_property
    def resize_core_group(self) -> ResizeCoreGroup:
        """Resizes core groups."""
        ports = self.ports
        return ResizeCoreGroup(
            clock=ports.clock,
            reader=ports.reader,
            actuators=ports.actuators,
            metrics=ports.metrics,
            registry=ports.registry,
            leases=ports.leases,
            queue=ports.queue,
            policy_in_force=self.policy_in_force,
            journal=self.journal,
            follow_groups=self.follow_groups,
        )

    @cached_property
    def handle_interruption(self) -> HandleInterruption:
        """Answers interruptions and dry pools."""
        ports = self.ports
        return HandleInterruption(
            clock=ports.clock,
            reader=ports.reader,
            compute=ports.compute,
            actuators=ports.actuators,
            registry=ports.registry,
            pools=ports.pools,
            leases=ports.leases,
            queue=ports.queue,
            policy_in_force=self.policy_in_force,
            journal=self.journal,
            scale_task_groups=self.scale_task_groups,
        )

    @cached_property
    def cool_pools(self) -> CoolPools:
        """Answers capacity that could not be had."""
        ports = self.ports
        return CoolPools(clock=ports.clock, registry=ports.registry, pools=ports.pools, queue=ports.queue)

    @cached_property
    def reap_idle_clusters(self) -> ReapIdleClusters:
        """Ends idle clusters."""
        ports = self.ports
        return ReapIdleClusters(
            clock=ports.clock,
            reader=ports.reader,
            actuators=ports.actuators,
            metrics=ports.metrics,
            registry=ports.registry,
            leases=ports.leases,
            policy_in_force=self.policy_in_force,
            journal=self.journal,
        )

    @cached_property
    def refresh_prices(self) -> RefreshPrices:
        """Keeps the price book."""
        ports = self.ports
        return RefreshPrices(
            clock=ports.clock, registry=ports.registry, costs=ports.costs, price_list=ports.price_list
        )

    @cached_property
    def watch_market(self) -> WatchMarket:
        """Keeps what placement knows of prices and pools."""
        ports = self.ports
        return WatchMarket(
            clock=ports.clock,
            registry=ports.registry,
            pools=ports.pools,
            compute=ports.compute,
            costs=ports.costs,
            refresh_prices=self.refresh_prices,
        )

    @cached_property
    def record_costs(self) -> RecordCosts:
        """Records cluster-hours."""
        ports = self.ports
        return RecordCosts(
            clock=ports.clock,
            reader=ports.reader,
            compute=ports.compute,
            metrics=ports.metrics,
            registry=ports.registry,
            costs=ports.costs,
            decisions=ports.decisions,
            refresh_prices=self.refresh_prices,
            policy_in_force=self.policy_in_force,
        )

    @cached_property
    def check_budgets(self) -> CheckBudgets:
        """Compares cost centres with their budgets."""
        ports = self.ports
        return CheckBudgets(clock=ports.clock, costs=ports.costs, budgets=ports.budgets, notifier=ports.notifier)

    @cached_property
    def reconcile_costs(self) -> ReconcileCosts:
        """Compares recorded hours with the billing export."""
        ports = self.ports
        return ReconcileCosts(
            clock=ports.clock,
            costs=ports.costs,
            export=ports.billing_export,
            notifier=ports.notifier,
            account_id=ports.account_id,
        )

    @cached_property
    def publish_statements(self) -> PublishStatements:
        """Writes exports and statements."""
        ports = self.ports
        return PublishStatements(
            clock=ports.clock,
            costs=ports.costs,
            statements=ports.statements,
            notifier=ports.notifier,
            account_id=ports.account_id,
            region=ports.region,
        )

    @cached_property
    def close_lost_intents(self) -> CloseLostIntents:
        """Says what became of orders whose invocation died."""
        ports = self.ports
        return CloseLostIntents(
            clock=ports.clock,
            registry=ports.registry,
            leases=ports.leases,
            queue=ports.queue,
            journal=self.journal,
            looks={DecisionKind.TASK: self.scale_task_groups, DecisionKind.CORE: self.resize_core_group},
        )

    @cached_property
    def sweep_fleet(self) -> SweepFleet:
        """Catches what events missed."""
        ports = self.ports
        return SweepFleet(
            clock=ports.clock,
            reader=ports.reader,
            compute=ports.compute,
            alarms=ports.alarms,
            registry=ports.registry,
            queue=ports.queue,
            enroll_cluster=self.enroll_cluster,
            close_lost_intents=self.close_lost_intents,
            prefix=ports.prefix,
        )
