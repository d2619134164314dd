import inspect
import re

import pytest
from tests.support.aws_clients import aws_client

from emr_autoscaler.adapters import cloudwatch, ec2, emr, emr_actuator, price_list
from emr_autoscaler.adapters.permissions import Permission

ADAPTERS = [
    (emr.EmrClusterReader, "emr", "elasticmapreduce"),
    (emr_actuator.LiveActuator, "emr", "elasticmapreduce"),
    (emr_actuator.DryRunActuator, "emr", "elasticmapreduce"),
    (cloudwatch.CloudWatchMetrics, "cloudwatch", "cloudwatch"),
    (cloudwatch.CloudWatchAlarms, "cloudwatch", "cloudwatch"),
    (ec2.Ec2Compute, "ec2", "ec2"),
    (price_list.AwsPriceList, "pricing", "pricing"),
]
IMPLIED = {"cloudwatch:PutMetricAlarm": {"cloudwatch:TagResource"}}  # because alarms are put with tags


@pytest.mark.parametrize(("adapter", "service", "prefix"), ADAPTERS, ids=str)
def test_an_adapter_declares_exactly_the_calls_in_its_code(adapter, service, prefix):
    source = inspect.getsource(adapter)
    methods = set(re.findall(r"_client\.(\w+)\(", source)) - {"get_paginator"}
    methods |= set(re.findall(r'get_paginator\("(\w+)"\)', source))
    client = aws_client(service)
    called = {f"{prefix}:{client.meta.method_to_api_mapping[method]}" for method in methods}
    client.close()
    implied = {extra for action in called for extra in IMPLIED.get(action, set())}

    declared = [action for permission in adapter.permissions for action in permission.actions]

    assert sorted(declared) == sorted(called | implied)
    assert all(permission.why for permission in adapter.permissions)


@pytest.mark.parametrize("action", ["ec2:*", "elasticmapreduce:List*", "DescribeCluster", ":x", "ec2:"])
def test_a_permission_spells_its_actions_out(action):
    with pytest.raises(ValueError, match=re.escape(action)):
        Permission(actions=(action,), why="because")
