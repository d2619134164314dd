"""The six AWS ports on both faces of one World: every contract test runs on each of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import cache, partial
from typing import Any

import pytest
from tests.support.aws_clients import aws_client
from tests.support.worlds import calm_world

from emr_autoscaler.adapters.cloudwatch import CloudWatchAlarms, CloudWatchMetrics
from emr_autoscaler.adapters.ec2 import Ec2Compute
from emr_autoscaler.adapters.emr import EmrClusterReader
from emr_autoscaler.adapters.emr_actuator import LiveActuator
from emr_autoscaler.adapters.price_list import AwsPriceList
from emr_autoscaler.ports import Alarms, ClusterActuator, ClusterReader, Compute, MetricsReader, PriceList
from emr_simulator.inprocess import (
    WorldActuator,
    WorldAlarms,
    WorldClusterReader,
    WorldCompute,
    WorldMetrics,
    WorldPriceList,
)
from emr_simulator.wire import WireServer
from emr_simulator.workloads.model import Job, Stage
from emr_simulator.world import World


class Aws:
    """One World and the ports on it, each made when it is first asked for."""

    reader: ClusterReader
    actuator: ClusterActuator
    metrics: MetricsReader
    alarms: Alarms
    compute: Compute
    prices: PriceList

    def __init__(self, world: World, ports: Mapping[str, Callable[[], Any]]) -> None:
        self.world = world
        self._ports = ports

    def __getattr__(self, name: str) -> Any:
        port = self._ports[name]()
        setattr(self, name, port)
        return port


def in_process(world: World, _: ExitStack) -> Aws:
    ports = {
        "reader": WorldClusterReader,
        "actuator": WorldActuator,
        "metrics": WorldMetrics,
        "alarms": WorldAlarms,
        "compute": WorldCompute,
        "prices": WorldPriceList,
    }
    return Aws(world, {name: partial(port, world) for name, port in ports.items()})


def on_the_wire(world: World, stack: ExitStack) -> Aws:
    server = stack.enter_context(WireServer(world))

    def no_faults() -> None:
        assert server.faults == ()

    @cache
    def client(service: str) -> Any:
        return stack.enter_context(closing(aws_client(service, server.endpoint)))

    stack.callback(no_faults)
    return Aws(
        world,
        {
            "reader": lambda: EmrClusterReader(client("emr")),
            "actuator": lambda: LiveActuator(client("emr")),
            "metrics": lambda: CloudWatchMetrics(client("cloudwatch")),
            "alarms": lambda: CloudWatchAlarms(client("cloudwatch")),
            "compute": lambda: Ec2Compute(client("ec2")),
            "prices": lambda: AwsPriceList(client("pricing")),
        },
    )


@pytest.fixture(params=[in_process, on_the_wire], ids=["in-process", "on-the-wire"])
def aws_of(request: pytest.FixtureRequest) -> Iterator[Callable[[World], Aws]]:
    """Put a World behind the ports."""
    if request.param is on_the_wire:
        request.getfixturevalue("socket_enabled")
    with ExitStack() as stack:
        yield lambda world: request.param(world, stack)


@pytest.fixture
def aws(aws_of: Callable[[World], Aws]) -> Aws:
    """A calm World behind the ports."""
    return aws_of(calm_world())


@pytest.fixture
def busy_job() -> Job:
    """Thirty minutes of work for every container of three m5.xlarge task nodes and one core node."""
    return Job(name="busy", stages=(Stage(tasks=16, seconds=1800, container_mib=3072),))
