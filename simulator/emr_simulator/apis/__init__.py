"""AWS's operations in botocore's shapes on top of the World's typed surface; no HTTP and no protocol."""

from collections.abc import Mapping

from emr_simulator.apis.cloudwatch import CloudWatchOperations
from emr_simulator.apis.ec2 import Ec2Operations
from emr_simulator.apis.emr import EmrOperations
from emr_simulator.apis.operations import OperationTable
from emr_simulator.apis.pricing import PricingOperations
from emr_simulator.world import World

__all__ = ["CloudWatchOperations", "Ec2Operations", "EmrOperations", "PricingOperations", "services_of"]


def services_of(world: World) -> Mapping[str, OperationTable]:
    """Return the operations of every service of a World, by botocore's service names."""
    return {
        "emr": EmrOperations(world.emr),
        "ec2": Ec2Operations(world.ec2, owner_id=world.settings.account_id, now=lambda: world.now),
        "cloudwatch": CloudWatchOperations(world.cloudwatch),
        "pricing": PricingOperations(world.pricing),
    }
