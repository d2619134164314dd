"""The six AWS ports on both faces of one World: every contract test runs on each of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest
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
from emr_simulator.world import World

from tests.support.aws_clients import aws_client
from tests.support.worlds import calm_world


@dataclass(frozen=True, slots=True, kw_only=True)
class Aws:
    """One World and the ports on it."""

    world: World
    reader: ClusterReader
    actuator: ClusterActuator
    metrics: MetricsReader
    alarms: Alarms
    compute: Compute
    prices: PriceList


def in_process(world: World, _: ExitStack) -> Aws:
    return Aws(
        world=world,
        reader=WorldClusterReader(world),
        actuator=WorldActuator(world),
        metrics=WorldMetrics(world),
        alarms=WorldAlarms(world),
        compute=WorldCompute(world),
        prices=WorldPriceList(world),
    )


def on_the_wire(world: World, stack: ExitStack) -> Aws:
    server = stack.enter_context(WireServer(world))

    def no_faults() -> None:
        assert server.faults == ()

    stack.callback(no_faults)
    emr, ec2, cloudwatch, pricing = (
        stack.enter_context(closing(aws_client(service, server.endpoint)))
        for service in ("emr", "ec2", "cloudwatch", "pricing")
    )
    return Aws(
        world=world,
        reader=EmrClusterReader(emr),
        actuator=LiveActuator(emr),
        metrics=CloudWatchMetrics(cloudwatch),
        alarms=CloudWatchAlarms(cloudwatch),
        compute=Ec2Compute(ec2),
        prices=AwsPriceList(pricing),
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
