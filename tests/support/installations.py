"""A deployed system without AWS, as the command line uses it: in-process ports on a World, and a fake account."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tests.support.worlds import calm_world, cluster, run_cluster

from emr_autoscaler.domain.policy import IdlePolicy, Mode, Policy
from emr_autoscaler_cli.account import PolicyBook, Stack, TableState
from emr_autoscaler_cli.installation import Installation
from emr_autoscaler_cli.trails import Trail
from emr_simulator.inprocess.deployment import InProcessDeployment
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts
from emr_simulator.world import World

OUTPUTS = {
    "StackPrefix": "emr-autoscaler",
    "StateTableName": "state",
    "CostTableName": "costs",
    "TaskEvaluationQueueUrl": "https://queue/task",
    "CoreEvaluationQueueUrl": "https://queue/core",
    "TaskEvaluationDeadLetterQueueUrl": "https://queue/task-dead",
    "CoreEvaluationDeadLetterQueueUrl": "https://queue/core-dead",
    "FailedEventsQueueUrl": "https://queue/failed",
    "UndeliveredEventsQueueUrl": "https://queue/undelivered",
    "NotificationTopicArn": "arn:aws:sns:us-east-1:123456789012:emr-autoscaler-notifications",
    "PolicyPath": "/emr-autoscaler/policies",
}


@dataclass
class FakeAccount:
    """Implements ``Account``: healthy until a test says otherwise."""

    stack: Stack = field(
        default_factory=lambda: Stack(
            arn="arn:aws:cloudformation:us-east-1:123456789012:stack/emr-autoscaler/1",
            status="CREATE_COMPLETE",
            outputs=OUTPUTS,
            parameters={},
        )
    )
    book: dict[str, object] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    table_state: TableState = field(
        default_factory=lambda: TableState(status="ACTIVE", is_protected=True, is_recoverable=True)
    )
    messages: dict[str, int] = field(default_factory=dict)
    rule_states: dict[str, str | None] = field(default_factory=lambda: {"emr-autoscaler-sweep": "ENABLED"})
    ringing: tuple[str, ...] = ()
    subscribers: int = 1
    labels: bool = True
    trail_book: tuple[Trail, ...] = (Trail(name="all-regions", is_logging=True, records_calls=True),)
    nowhere: frozenset[str] = frozenset()

    def policies(self) -> PolicyBook:
        return self.book  # type: ignore[return-value]  # tests put in what they need

    def set_tag(self, cluster_id: str, key: str, value: str) -> None:
        self.tags[cluster_id, key] = value

    def remove_tag(self, cluster_id: str, key: str) -> None:
        self.tags.pop((cluster_id, key), None)

    def table(self, name: str) -> TableState:
        del name
        return self.table_state

    def messages_in(self, queue_url: str) -> int:
        return self.messages.get(queue_url, 0)

    def rules(self) -> Mapping[str, str | None]:
        return self.rule_states

    def ringing_alarms(self) -> tuple[str, ...]:
        return self.ringing

    def subscriptions(self) -> int:
        return self.subscribers

    def keeps_masters_off_spot(self, cluster_id: str) -> bool:
        del cluster_id
        return self.labels

    def trails(self) -> Sequence[Trail]:
        return self.trail_book

    def zones_with(self, instance_types: Sequence[str]) -> Mapping[str, frozenset[str]]:
        return {t: frozenset({"us-east-1a"}) for t in instance_types if t not in self.nowhere}


class Rehearsal:
    """One World with the system deployed into it and one enrolled cluster, looked at and paid for."""

    def __init__(self, *, mode: Mode = Mode.LIVE, policy: Policy | None = None, **options: object) -> None:
        self.world: World = calm_world()
        policy = policy or Policy(name="default", mode=mode, idle=IdlePolicy(enabled=False))
        self.ports = WorldPorts(self.world, MemoryPolicies(policy))
        self.system = InProcessDeployment(self.ports)
        self.account = FakeAccount(book={policy.name: policy})
        tags = {"emr-autoscaler:policy": "default", "cost-centre": "research"}
        self.cluster_id = run_cluster(self.world, cluster(**{"task": 1, "tags": tags, **options}))
        self.run(timedelta(hours=1))

    def run(self, length: timedelta) -> None:
        """Let time pass with the system awake."""
        end = self.world.now + length
        while self.world.now < end:
            self.world.run_until(min(end, self.system.next_at()), stop_at_events=True)
            for event in self.world.take_events():
                self.system.deliver(event)
            self.system.run_due()

    def connect(self, arguments: argparse.Namespace) -> Installation:
        """Stand in for ``connect_to_aws``."""
        return Installation(prefix=arguments.stack_prefix, ports=self.ports, account=self.account)
