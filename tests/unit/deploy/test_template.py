"""What every deployment may rely on: bounded parameters, kept money, no lost event, least privilege."""

import importlib
import json
import pkgutil
import re
from typing import Any

import pytest
from tests.support.template import (
    PROJECT,
    functions,
    resources,
    statements,
    template,
    text_of,
    triggers,
)

from emr_autoscaler import adapters

VERBS = sorted(functions())
BOUNDS = {"AllowedValues", "AllowedPattern", "MinValue", "MaxValue", "MaxLength"}

NO_RESOURCES_KNOWN = {
    "cloudwatch:GetMetricData",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstances",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
    "elasticmapreduce:ListClusters",
    "elasticmapreduce:ListSupportedInstanceTypes",
    "pricing:GetProducts",
}
"""Actions for which AWS knows no resource, so that * cannot be avoided (Service Authorization Reference)."""

EMR_WRITES = {
    "elasticmapreduce:AddInstanceFleet",
    "elasticmapreduce:AddInstanceGroups",
    "elasticmapreduce:ModifyInstanceFleet",
    "elasticmapreduce:ModifyInstanceGroups",
    "elasticmapreduce:TerminateJobFlows",
}


@pytest.mark.parametrize("name", sorted(template()["Parameters"]))
def test_every_parameter_is_described_bounded_and_defaulted(name: str) -> None:
    parameter = template()["Parameters"][name]
    assert len(parameter["Description"]) > 20
    assert "Default" in parameter
    assert BOUNDS & set(parameter)
    if parameter["Type"] == "Number":
        assert "AllowedValues" in parameter or {"MinValue", "MaxValue"} <= set(parameter)


def test_every_parameter_stands_in_a_group_of_the_console() -> None:
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(template()["Parameters"])


def test_every_output_is_described() -> None:
    assert all(output["Description"] for output in template()["Outputs"].values())


def test_the_default_is_a_current_runtime_on_arm64() -> None:
    parameters = template()["Parameters"]
    assert parameters["Architecture"]["Default"] == "arm64"
    assert parameters["PythonRuntime"]["Default"] == "python3.13"
    makefile = (PROJECT / "layers/Makefile").read_text()
    assert "LAYER_PLATFORM ?= manylinux2014_aarch64" in makefile
    assert "LAYER_PYTHON_VERSION ?= 3.13" in makefile


def test_only_the_function_that_reads_the_bill_carries_its_reader() -> None:
    layers = {verb: function.get("Layers") for verb, function in functions().items()}
    assert {verb for verb, own in layers.items() if own} == {"publish_statements"}
    assert layers["publish_statements"] == [{"Ref": "ParquetLayer"}]
    assert "build-ParquetLayer:" in (PROJECT / "layers/Makefile").read_text()


@pytest.mark.parametrize("verb", VERBS)
def test_every_function_logs_json_to_a_group_of_its_own_with_retention(verb: str) -> None:
    logging = functions()[verb]["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    group = resources("AWS::Logs::LogGroup")[logging["LogGroup"]["Ref"]]
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_functions_are_traced() -> None:
    assert template()["Globals"]["Function"]["Tracing"] == "Active"


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_function_gives_up_on_is_kept_whole(verb: str) -> None:
    config = functions()[verb]["EventInvokeConfig"]
    destination = config["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == {"Fn::GetAtt": ["FailedEventsQueue", "Arn"]}
    assert config["MaximumRetryAttempts"] == 2


@pytest.mark.parametrize("verb", VERBS)
def test_what_cannot_be_delivered_to_a_function_is_kept(verb: str) -> None:
    for kind in ("EventBridgeRule", "Schedule"):
        for name, properties in triggers(verb, kind).items():
            assert properties["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["UndeliveredEventsQueue", "Arn"]}}, (
                name
            )


def test_rules_may_write_to_the_queue_of_what_they_could_not_deliver() -> None:
    (policy,) = resources("AWS::SQS::QueuePolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert policy["Properties"]["Queues"] == [{"Ref": "UndeliveredEventsQueue"}]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert "${StackPrefix}" in text_of(statement["Condition"])


def test_evaluation_queues_are_fifo_with_dead_letters_and_partial_failures() -> None:
    queues = resources("AWS::SQS::Queue")
    for verb, kind in (("scale_task_groups", "Task"), ("resize_core_group", "Core")):
        queue = queues[f"{kind}EvaluationQueue"]["Properties"]
        dead = queues[queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]
        (trigger,) = triggers(verb, "SQS").values()
        assert queue["FifoQueue"] is dead["Properties"]["FifoQueue"] is True
        assert trigger["Queue"] == {"Fn::GetAtt": [f"{kind}EvaluationQueue", "Arn"]}
        assert trigger["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        timeout = functions()[verb].get("Timeout", template()["Globals"]["Function"]["Timeout"])
        assert queue["VisibilityTimeout"] > timeout


def dead_letter_queues() -> list[str]:
    return sorted(name for name in resources("AWS::SQS::Queue") if not name.endswith("EvaluationQueue"))


@pytest.mark.parametrize("name", dead_letter_queues())
def test_dead_letters_outlive_the_stack_and_raise_an_alarm(name: str) -> None:
    queue = resources("AWS::SQS::Queue")[name]
    assert queue["DeletionPolicy"] == queue["UpdateReplacePolicy"] == "Retain"
    assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    alarm = resources("AWS::CloudWatch::Alarm")[f"{name}Alarm"]["Properties"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [name, "QueueName"]}}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert alarm["AlarmActions"] == [{"Ref": "NotificationTopic"}]


@pytest.mark.parametrize("verb", VERBS)
def test_errors_of_every_function_raise_an_alarm(verb: str) -> None:
    logical = "".join(word.title() for word in verb.split("_"))
    alarm = resources("AWS::CloudWatch::Alarm")[f"{logical}ErrorsAlarm"]["Properties"]
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": f"{logical}Function"}}]
    assert alarm["AlarmActions"] == [{"Ref": "NotificationTopic"}]


def test_the_cost_table_is_retained_restorable_and_protected() -> None:
    table = resources("AWS::DynamoDB::Table")["CostTable"]
    properties = table["Properties"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["CostTableIsProtected", True, False]}
    assert template()["Parameters"]["ProtectCostTable"]["Default"] == "true"


def test_the_bucket_of_statements_is_retained_encrypted_and_private() -> None:
    bucket = resources("AWS::S3::Bucket")["StatementsBucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
    assert "AES256" in text_of(bucket["Properties"]["BucketEncryption"])
    (policy,) = resources("AWS::S3::BucketPolicy").values()
    assert "aws:SecureTransport" in text_of(policy)


def test_both_tables_are_billed_on_demand_and_state_expires() -> None:
    tables = resources("AWS::DynamoDB::Table")
    assert {t["Properties"]["BillingMode"] for t in tables.values()} == {"PAY_PER_REQUEST"}
    ttl = tables["StateTable"]["Properties"]["TimeToLiveSpecification"]
    assert ttl == {"AttributeName": "expires_at", "Enabled": True}


def test_no_arn_names_a_partition_region_or_account() -> None:
    text = (PROJECT / "template.yaml").read_text()
    assert not re.findall(r"arn:(?!\$\{AWS::Partition\}:)", text)
    assert not re.findall(r"\b\d{12}\b", text)
    assert not re.findall(r"\b(us|eu|ap)-(east|west|central|south)-\d\b", text)


@pytest.mark.parametrize("verb", VERBS)
def test_a_star_resource_stands_only_where_aws_knows_no_resource(verb: str) -> None:
    for statement in statements(verb):
        if statement["Resource"] == "*":
            assert set(statement["Action"]) <= NO_RESOURCES_KNOWN, statement["Sid"]


@pytest.mark.parametrize("verb", VERBS)
def test_no_action_is_a_wildcard(verb: str) -> None:
    assert not [action for s in statements(verb) for action in s["Action"] if "*" in action]


@pytest.mark.parametrize("verb", VERBS)
def test_emr_is_written_to_on_opted_in_clusters_only(verb: str) -> None:
    for statement in statements(verb):
        if EMR_WRITES & set(statement["Action"]):
            assert set(statement["Action"]) <= EMR_WRITES
            assert statement["Condition"] == {
                "StringLike": {"elasticmapreduce:ResourceTag/emr-autoscaler:policy": "*"}
            }


def test_each_emr_write_belongs_to_the_functions_that_decide_it() -> None:
    granted = {
        action: {verb for verb in VERBS for s in statements(verb) if action in s["Action"]}
        for action in EMR_WRITES
    }
    assert granted == {
        "elasticmapreduce:AddInstanceFleet": {"enroll_cluster", "sweep_fleet"},
        "elasticmapreduce:AddInstanceGroups": {"enroll_cluster", "sweep_fleet"},
        "elasticmapreduce:ModifyInstanceFleet": {"scale_task_groups", "resize_core_group"},
        "elasticmapreduce:ModifyInstanceGroups": {
            "scale_task_groups",
            "resize_core_group",
            "handle_interruption",
        },
        "elasticmapreduce:TerminateJobFlows": {"reap_idle_clusters"},
    }


def test_the_roles_of_all_functions_that_write_to_emr_are_known_as_our_own() -> None:
    separator, roles = template()["Globals"]["Function"]["Environment"]["Variables"]["OWN_ROLE_NAMES"]["Fn::Join"]
    writers = {verb for verb in VERBS for s in statements(verb) if EMR_WRITES & set(s["Action"])}
    assert separator == ","
    assert [role["Ref"] for role in roles] == sorted(
        f"{''.join(word.title() for word in verb.split('_'))}FunctionRole" for verb in writers
    )


def test_only_money_functions_touch_the_cost_table() -> None:
    touching = {verb for verb in VERBS if "CostTable" in text_of(statements(verb))}
    assert touching == {"record_costs", "refresh_prices", "publish_statements"}


def test_every_statement_says_why() -> None:
    lines = (PROJECT / "template.yaml").read_text().splitlines()
    sids = [number for number, line in enumerate(lines) if re.match(r"\s+- Sid: ", line)]
    assert sids
    assert [lines[n] for n in sids if not lines[n - 1].strip().startswith("# ")] == []


def declared_actions() -> set[str]:
    """Return the actions that the adapters declare beside their code."""
    found: set[str] = set()
    for module_info in pkgutil.iter_modules(adapters.__path__):
        module = importlib.import_module(f"{adapters.__name__}.{module_info.name}")
        for permission in getattr(module, "PERMISSIONS", ()):
            found.update(permission.actions)
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                for permission in getattr(value, "permissions", ()):
                    found.update(permission.actions)
    return found


def test_the_template_grants_what_the_adapters_declare_and_nothing_else() -> None:
    granted = {action for verb in VERBS for statement in statements(verb) for action in statement["Action"]}
    assert granted == declared_actions()


def test_environment_names_are_those_the_settings_read() -> None:
    assert set(template()["Globals"]["Function"]["Environment"]["Variables"]) == {
        "STACK_PREFIX",
        "STATE_TABLE",
        "COST_TABLE",
        "TASK_EVALUATION_QUEUE_URL",
        "CORE_EVALUATION_QUEUE_URL",
        "NOTIFICATION_TOPIC_ARN",
        "POLICY_PATH",
        "COST_CENTRE_TAG_KEY",
        "STATEMENTS_BUCKET",
        "BILLING_EXPORT_BUCKET",
        "BILLING_EXPORT_PREFIX",
        "OWN_ROLE_NAMES",
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_METRICS_NAMESPACE",
        "LOG_LEVEL",
    }


def test_the_shipped_policy_is_the_documented_one_and_runs_dry() -> None:
    parameter = resources("AWS::SSM::Parameter")["DefaultPolicy"]["Properties"]
    shipped: dict[str, Any] = json.loads(parameter["Value"])
    assert shipped["mode"] == "dry_run"
    assert len(parameter["Value"]) < 4096
    assert shipped == json.loads((PROJECT / "docs/policies/default.json").read_text())


def test_every_folder_of_functions_is_deployed_and_every_deployed_function_has_a_folder() -> None:
    folders = {path.parent.name for path in (PROJECT / "functions").glob("*/app.py")}
    assert folders == set(VERBS)
