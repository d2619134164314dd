"""The layer's ports implemented directly on the World: the first, fast face. No dicts, no HTTP."""

from emr_simulator.inprocess.clock import WorldClock
from emr_simulator.inprocess.cloudwatch import WorldAlarms, WorldMetrics
from emr_simulator.inprocess.ec2 import WorldCompute
from emr_simulator.inprocess.emr import WorldActuator, WorldClusterReader
from emr_simulator.inprocess.prices import WorldPriceList

__all__ = [
    "WorldActuator",
    "WorldAlarms",
    "WorldClock",
    "WorldClusterReader",
    "WorldCompute",
    "WorldMetrics",
    "WorldPriceList",
]
