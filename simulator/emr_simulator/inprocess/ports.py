"""All ports of the layer on one World, for use cases that run in this process; stores are in memory."""

from collections.abc import Mapping

from emr_autoscaler.adapters.emr_actuator import DryRunActuator
from emr_autoscaler.domain.policy import Mode
from emr_autoscaler.ports import ClusterActuator
from emr_simulator.inprocess.billing import MemoryBillingExport, MemoryBudgets
from emr_simulator.inprocess.clock import WorldClock
from emr_simulator.inprocess.cloudwatch import WorldAlarms, WorldMetrics
from emr_simulator.inprocess.costs import MemoryCosts
from emr_simulator.inprocess.ec2 import WorldCompute
from emr_simulator.inprocess.emr import OURSELVES, WorldActuator, WorldClusterReader
from emr_simulator.inprocess.messages_out import MemoryEvaluationQueue, MemoryNotifier
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.prices import WorldPriceList
from emr_simulator.inprocess.statements import MemoryStatements
from emr_simulator.inprocess.stores import MemoryDecisions, MemoryLeases, MemoryPools, MemoryRegistry
from emr_simulator.world import World


class WorldPorts:
    """Implements ``bootstrap.Ports``.

    Args:
        world: What they look at and act on.
        policies: The policy documents.
        prefix: Begins the names of alarms.
        cost_centre_tag: The cluster tag that names the cost centre.
    """

    def __init__(
        self,
        world: World,
        policies: MemoryPolicies,
        *,
        prefix: str = "emr-autoscaler",
        cost_centre_tag: str = "cost-centre",
    ) -> None:
        self.prefix = prefix
        self.cost_centre_tag = cost_centre_tag
        self.clock = WorldClock(world)
        self.reader = WorldClusterReader(world)
        self.actuators: Mapping[Mode, ClusterActuator] = {
            Mode.LIVE: WorldActuator(world),
            Mode.DRY_RUN: DryRunActuator(),
        }
        self.metrics = WorldMetrics(world)
        self.alarms = WorldAlarms(world)
        self.compute = WorldCompute(world)
        self.price_list = WorldPriceList(world)
        self.registry = MemoryRegistry()
        self.decisions = MemoryDecisions()
        self.pools = MemoryPools()
        self.leases = MemoryLeases(self.clock)
        self.policies = policies
        self.costs = MemoryCosts()
        self.statements = MemoryStatements()
        self.billing_export = MemoryBillingExport()
        self.budgets = MemoryBudgets()
        self.account_id = world.settings.account_id
        self.region = world.settings.region
        self.own_role_names = frozenset({OURSELVES.role})
        self.notifier = MemoryNotifier()
        self.queue = MemoryEvaluationQueue()
