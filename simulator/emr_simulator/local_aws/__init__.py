"""The template on a local AWS on loopback, with events, schedules and queues around it. Never deployed.

with LocalAws(environment={"AWS_ENDPOINT_URL_EMR": emr_url}) as aws:
    stack = deploy(aws)
    driver = EventDriver(stack)
    driver.deliver(event)
    drain_queues(stack)
"""

from emr_simulator.local_aws.deployment import Stack, build, deploy, find_stack
from emr_simulator.local_aws.events import Delivery, EventDriver, FunctionFailedError, Rule, deployed_rules
from emr_simulator.local_aws.logs import read_log, read_records
from emr_simulator.local_aws.process import ACCOUNT_ID, REGION, LocalAws, LocalAwsError, project_root
from emr_simulator.local_aws.queues import count_messages, drain_queues, hurry_redelivery, take_messages
from emr_simulator.local_aws.schedules import ScheduleDriver, parse_schedule, scheduled_event

__all__ = [
    "ACCOUNT_ID",
    "REGION",
    "Delivery",
    "EventDriver",
    "FunctionFailedError",
    "LocalAws",
    "LocalAwsError",
    "Rule",
    "ScheduleDriver",
    "Stack",
    "build",
    "count_messages",
    "deploy",
    "deployed_rules",
    "drain_queues",
    "find_stack",
    "hurry_redelivery",
    "parse_schedule",
    "project_root",
    "read_log",
    "read_records",
    "scheduled_event",
    "take_messages",
]
