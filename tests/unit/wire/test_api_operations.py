from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.worlds import START, calm_world, cluster, run_cluster

from emr_simulator.apis import services_of
from emr_simulator.errors import ApiError
from emr_simulator.wire.checking import problems
from emr_simulator.wire.routing import service_model

HOUR = timedelta(hours=1)


@pytest.fixture
def world():
    return calm_world()


@pytest.fixture
def call(world):
    services = services_of(world)

    def run(service, operation, **parameters):
        model = service_model(service).operation_model(operation)
        assert list(problems(model.input_shape, parameters)) == []
        result = services[service].call(operation, parameters)
        assert list(problems(model.output_shape, result)) == []
        return result

    return run


def query(cluster_id, query_id="m0", **changes):
    stat = {
        "Metric": {
            "Namespace": "AWS/ElasticMapReduce",
            "MetricName": "IsIdle",
            "Dimensions": [{"Name": "JobFlowId", "Value": cluster_id}],
        },
        "Period": 300,
        "Stat": "Average",
    }
    return {"Id": query_id, "MetricStat": stat, **changes}


def test_every_simulated_operation_exists_in_botocores_model(world):
    for service, table in services_of(world).items():
        known = [name for name in service_model(service).operation_names if table.knows(name)]
        assert len(known) == len(table.names)


def test_metric_data_goes_on_over_pages(world, call):
    cluster_id = run_cluster(world)
    world.run_for(2 * HOUR)
    asked = {
        "MetricDataQueries": [query(cluster_id), query("j-NONE", "none"), query(cluster_id, "again")],
        "StartTime": START,
        "EndTime": world.now,
        "ScanBy": "TimestampAscending",
    }
    whole = {r["Id"]: r for r in call("cloudwatch", "GetMetricData", **asked)["MetricDataResults"]}
    assert whole["none"]["Values"] == []

    pages, token = [], {}
    while token is not None:
        page = call("cloudwatch", "GetMetricData", **asked, MaxDatapoints=7, **token)
        pages.append(page)
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None

    collected = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            collected.setdefault(result["Id"], []).extend(result["Timestamps"])
    assert collected == {name: result["Timestamps"] for name, result in whole.items()}
    assert len(pages) > 3
    assert all(sum(len(r["Values"]) for r in page["MetricDataResults"]) <= 7 for page in pages)
    assert pages[0]["MetricDataResults"][0]["StatusCode"] == "PartialData"


def test_metric_data_comes_newest_first_unless_asked_otherwise(world, call):
    cluster_id = run_cluster(world)
    (result,) = call(
        "cloudwatch",
        "GetMetricData",
        MetricDataQueries=[query(cluster_id)],
        StartTime=START,
        EndTime=world.now,
    )["MetricDataResults"]
    assert result["Timestamps"] == sorted(result["Timestamps"], reverse=True)
    assert len(result["Timestamps"]) > 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"MetricDataQueries": [query("j-1"), query("j-2")]}, "ValidationError"),
        ({"MetricDataQueries": [query("j-1", "Upper")]}, "ValidationError"),
        ({"MetricDataQueries": [query("j-1", f"m{n}") for n in range(501)]}, "ValidationError"),
        ({"MetricDataQueries": [{"Id": "e1", "Expression": "m0 * 2"}]}, "UnsupportedOperation"),
        ({"EndTime": START}, "ValidationError"),
        ({"NextToken": "nonsense"}, "InvalidNextToken"),
    ],
)
def test_metric_queries_that_cannot_be_are_refused(call, changes, code):
    asked = {"MetricDataQueries": [query("j-1")], "StartTime": START, "EndTime": START + HOUR, **changes}
    with pytest.raises(ApiError) as refused:
        call("cloudwatch", "GetMetricData", **asked)
    assert refused.value.code == code


def test_spot_prices_go_on_over_pages_and_end_with_an_empty_token(world, call):
    for price in range(1, 8):
        world.set_spot_price("m5.xlarge", "us-east-1a", Decimal(price) / 100)
        world.run_for(HOUR)
    seen, token = [], ""
    for _ in range(4):
        page = call(
            "ec2",
            "DescribeSpotPriceHistory",
            InstanceTypes=["m5.xlarge"],
            AvailabilityZone="us-east-1a",
            ProductDescriptions=["Linux/UNIX"],
            StartTime=START,
            MaxResults=2,
            **({"NextToken": token} if token else {}),
        )
        seen += [Decimal(step["SpotPrice"]) for step in page["SpotPriceHistory"]]
        token = page["NextToken"]
    assert seen == [Decimal(price) / 100 for price in range(7, 0, -1)]
    assert token == ""


def test_other_products_have_no_spot_prices_here(world, call):
    answer = call("ec2", "DescribeSpotPriceHistory", InstanceTypes=["m5.xlarge"], ProductDescriptions=["Windows"])
    assert answer["SpotPriceHistory"] == []


def test_instances_are_found_by_the_filters_of_ec2(world, call):
    cluster_id = run_cluster(world, cluster(core=2, spot=1))

    def found(**conditions):
        filters = [{"Name": name.replace("_", "-"), "Values": values} for name, values in conditions.items()]
        answer = call("ec2", "DescribeInstances", Filters=filters)
        return sum(len(r["Instances"]) for r in answer["Reservations"])

    assert found(instance_state_name=["running"]) == 4
    assert found(instance_lifecycle=["spot"]) == 1
    assert found(tag_key=["aws:elasticmapreduce:job-flow-id"]) == 4
    assert found(instance_type=["r5.xlarge"]) == 0
    assert found(**{"tag:aws:elasticmapreduce:job-flow-id": [cluster_id]}) == 4
    with pytest.raises(ApiError, match="colour"):
        found(colour=["blue"])


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("emr", "ListClusters", {"Marker": "nonsense"}),
        ("ec2", "DescribeInstances", {"NextToken": "nonsense"}),
        ("cloudwatch", "DescribeAlarms", {"NextToken": "nonsense"}),
        ("pricing", "GetProducts", {"ServiceCode": "AmazonEC2", "NextToken": "nonsense"}),
    ],
)
def test_a_token_that_nobody_gave_out_is_refused(call, service, operation, parameters):
    with pytest.raises(ApiError, match="nonsense"):
        call(service, operation, **parameters)


def test_a_cluster_can_be_run_and_looked_at_over_the_api(world, call):
    cluster_id = call(
        "emr",
        "RunJobFlow",
        Name="over the wire",
        ReleaseLabel="emr-7.2.0",
        Applications=[{"Name": "Spark"}],
        Tags=[{"Key": "emr-autoscaler:policy", "Value": "default"}],
        Configurations=[{"Classification": "hdfs-site", "Properties": {"dfs.replication": "2"}}],
        Steps=[{"Name": "s", "HadoopJarStep": {"Jar": "command-runner.jar"}}],
        ManagedScalingPolicy={
            "ComputeLimits": {"UnitType": "Instances", "MinimumCapacityUnits": 1, "MaximumCapacityUnits": 9}
        },
        Instances={
            "KeepJobFlowAliveWhenNoSteps": True,
            "TerminationProtected": True,
            "Placement": {"AvailabilityZone": "us-east-1b"},
            "InstanceGroups": [
                {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1},
                {
                    "InstanceRole": "CORE",
                    "InstanceType": "m5.xlarge",
                    "InstanceCount": 2,
                    "EbsConfiguration": {
                        "EbsBlockDeviceConfigs": [
                            {
                                "VolumeSpecification": {"VolumeType": "gp3", "SizeInGB": 50},
                                "VolumesPerInstance": 2,
                            }
                        ]
                    },
                },
            ],
        },
    )["JobFlowId"]
    world.run_for(HOUR)

    shown = call("emr", "DescribeCluster", ClusterId=cluster_id)["Cluster"]
    assert shown["Name"] == "over the wire"
    assert shown["Configurations"][0]["Properties"] == {"dfs.replication": "2"}
    assert shown["Ec2InstanceAttributes"]["Ec2AvailabilityZone"] == "us-east-1b"
    assert call("emr", "GetManagedScalingPolicy", ClusterId=cluster_id)["ManagedScalingPolicy"]
    groups = call("emr", "ListInstanceGroups", ClusterId=cluster_id)["InstanceGroups"]
    assert [len(g["EbsBlockDevices"]) for g in groups if g["InstanceGroupType"] == "CORE"] == [2]
    (step,) = call("emr", "ListSteps", ClusterId=cluster_id)["Steps"]
    assert step["Status"]["State"] == "COMPLETED"

    call("emr", "AddTags", ResourceId=cluster_id, Tags=[{"Key": "a", "Value": "b"}])
    call("emr", "RemoveTags", ResourceId=cluster_id, TagKeys=["emr-autoscaler:policy"])
    call("emr", "SetTerminationProtection", JobFlowIds=[cluster_id], TerminationProtected=False)
    assert call("emr", "DescribeCluster", ClusterId=cluster_id)["Cluster"]["Tags"] == [{"Key": "a", "Value": "b"}]
    added = call(
        "emr",
        "AddJobFlowSteps",
        JobFlowId=cluster_id,
        Steps=[{"Name": "t", "HadoopJarStep": {"Jar": "command-runner.jar"}}],
    )
    assert call("emr", "ListSteps", ClusterId=cluster_id, StepIds=added["StepIds"])["Steps"][0]["Name"] == "t"
    call("emr", "TerminateJobFlows", JobFlowIds=[cluster_id])


def test_killing_instances_reaches_the_world_as_what_it_is(world, call):
    cluster_id = run_cluster(world, cluster(task=2))
    groups = call("emr", "ListInstanceGroups", ClusterId=cluster_id)["InstanceGroups"]
    (group,) = (g for g in groups if g["Name"] == "task")
    instances = call("emr", "ListInstances", ClusterId=cluster_id, InstanceGroupId=group["Id"])["Instances"]
    victim = instances[0]["Ec2InstanceId"]
    call(
        "emr",
        "ModifyInstanceGroups",
        ClusterId=cluster_id,
        InstanceGroups=[{"InstanceGroupId": group["Id"], "EC2InstanceIdsToTerminate": [victim]}],
    )
    world.run_for(timedelta(minutes=1))
    left = call(
        "emr",
        "ListInstances",
        ClusterId=cluster_id,
        InstanceGroupId=group["Id"],
        InstanceStates=["RUNNING"],
    )
    assert [i["Ec2InstanceId"] for i in left["Instances"]] == [instances[1]["Ec2InstanceId"]]


def test_what_is_not_simulated_is_refused_rather_than_ignored(call):
    with pytest.raises(ApiError, match="UnsupportedOperation"):
        call(
            "emr",
            "ModifyInstanceFleet",
            ClusterId="j-1",
            InstanceFleet={"InstanceFleetId": "if-1", "Context": "x"},
        )
    with pytest.raises(ApiError, match="UnsupportedOperation"):
        call(
            "pricing",
            "GetProducts",
            ServiceCode="AmazonEC2",
            Filters=[{"Type": "CONTAINS", "Field": "instanceType", "Value": "m5"}],
        )
    with pytest.raises(ApiError, match="UnsupportedOperation"):
        call(
            "cloudwatch",
            "PutMetricAlarm",
            AlarmName="queue",
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            Statistic="Sum",
            ComparisonOperator="GreaterThanThreshold",
        )
