import json
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from tests.support.aws_clients import aws_client
from tests.support.worlds import START, calm_world, cluster, run_cluster

from emr_simulator.wire import WireServer


@pytest.fixture
def world(socket_enabled):
    return calm_world()


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def test_the_clock_tells_virtual_time(world):
    with WireServer(world) as server:
        assert get(f"{server.endpoint}/clock") == {"now": "2026-10-05T12:00:00+00:00"}
        with server.lock:
            world.run_until(START + timedelta(hours=1))
        assert get(f"{server.endpoint}/clock") == {"now": "2026-10-05T13:00:00+00:00"}


def test_other_pages_are_not_found(world):
    with WireServer(world) as server, pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{server.endpoint}/")
    refused.value.close()
    assert refused.value.code == 404


def test_the_environment_points_boto3_at_the_server(world, monkeypatch):
    cluster_id = run_cluster(world)
    with WireServer(world) as server:
        assert server.endpoint.startswith("http://127.0.0.1:")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        with closing(aws_client("emr")) as emr, closing(aws_client("ec2")) as ec2:
            assert emr.describe_cluster(ClusterId=cluster_id)["Cluster"]["Id"] == cluster_id
            assert len(ec2.describe_instances()["Reservations"]) == 4
        with closing(aws_client("cloudwatch")) as cloudwatch, closing(aws_client("pricing")) as pricing:
            assert cloudwatch.describe_alarms()["MetricAlarms"] == []
            assert pricing.get_products(ServiceCode="AmazonEC2")["PriceList"]


def test_the_server_has_no_endpoint_outside_its_block(world):
    server = WireServer(world)
    with pytest.raises(RuntimeError):
        _ = server.endpoint


def test_no_thread_outlives_the_server(world):
    before = threading.active_count()
    with WireServer(world) as server, closing(aws_client("emr", server.endpoint)) as emr:
        emr.list_clusters()
        server.__exit__(None, None, None)  # while the client keeps its connection open
    assert threading.active_count() == before


def test_two_callers_at_once_both_see_their_own_answers(world):
    ids = [run_cluster(world, cluster(name=f"c{number}")) for number in range(2)]
    with WireServer(world) as server, closing(aws_client("emr", server.endpoint)) as emr:

        def name_of(cluster_id):
            return [emr.describe_cluster(ClusterId=cluster_id)["Cluster"]["Name"] for _ in range(10)]

        with ThreadPoolExecutor(max_workers=4) as pool:
            names = list(pool.map(name_of, ids * 2))

        assert names == [["c0"] * 10, ["c1"] * 10] * 2
        assert world.calls["DescribeCluster"] == 40
        assert server.faults == ()


def test_calls_wait_while_the_world_is_moved_on(world):
    with WireServer(world) as server, ThreadPoolExecutor(max_workers=1) as pool:
        with server.lock:
            waiting = pool.submit(get, f"{server.endpoint}/clock")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.1)
            world.run_for(timedelta(minutes=5))
        assert waiting.result(timeout=5) == {"now": "2026-10-05T12:05:00+00:00"}


def test_a_wrong_request_is_refused_as_aws_refuses_it(world):
    with (
        WireServer(world) as server,
        closing(aws_client("emr", server.endpoint, parameter_validation=False)) as emr,
    ):
        with pytest.raises(ClientError) as refused:
            emr.describe_cluster(ClusterId=5)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert server.faults == ()


def test_a_throttled_call_succeeds_once_boto3_tries_again(socket_enabled):
    world = calm_world(enforce_quotas=True)
    cluster_id = run_cluster(world)
    for _ in range(10):
        world.emr.describe_cluster(cluster_id)
    with (
        WireServer(world) as server,
        closing(aws_client("emr", server.endpoint, attempts=6)) as emr,
        ThreadPoolExecutor(max_workers=1) as pool,
    ):
        answer = pool.submit(emr.describe_cluster, ClusterId=cluster_id)
        while world.calls["DescribeCluster"] < 11:  # time stands still until the first refusal
            time.sleep(0.01)
        with server.lock:
            world.run_for(timedelta(minutes=1))
        assert answer.result()["Cluster"]["Id"] == cluster_id
        assert world.calls["DescribeCluster"] > 11
