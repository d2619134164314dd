"""Reads back what the deployed stack recorded: decisions from the state table, costs from the cost table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from emr_autoscaler.adapters.cost_store import DynamoCosts
from emr_autoscaler.adapters.decision_store import DynamoDecisions
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.adapters.registry_store import DynamoRegistry
from emr_autoscaler.domain.costs import HourRecord
from emr_autoscaler.domain.decision import Action
from emr_autoscaler.domain.record import DecisionRecord
from emr_simulator.local_aws import ACCOUNT_ID, REGION, Stack, count_messages

_MOST_DECISIONS = 100_000
_DEAD_LETTERS = (
    "FailedEventsQueueUrl",
    "UndeliveredEventsQueueUrl",
    "TaskEvaluationDeadLetterQueueUrl",
    "CoreEvaluationDeadLetterQueueUrl",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What the stack recorded.

    Attributes:
        decisions: Of every cluster by name, oldest first; empty for one that is not enrolled.
        hours: Cost records of every cluster by name, oldest first, up to the end of the last whole hour.
        enrolled: Names of the clusters in the registry.
        dead_letters: Messages by queue, queues without any left out.
    """

    decisions: Mapping[str, tuple[DecisionRecord, ...]]
    hours: Mapping[str, tuple[HourRecord, ...]]
    enrolled: frozenset[str]
    dead_letters: Mapping[str, int]


class JournalReader:
    """Reads new decisions from the state table while a rehearsal goes on."""

    def __init__(self, stack: Stack) -> None:
        self._decisions = DynamoDecisions(Table(stack.aws.client("dynamodb"), stack.outputs["StateTableName"]))
        self._seen: dict[str, datetime] = {}

    def since_last_look(self, cluster_ids: Mapping[str, str]) -> tuple[DecisionRecord, ...]:
        """Return the decisions since the last call that are more than a hold, oldest first."""
        found = []
        for cluster_id in cluster_ids.values():
            since = self._seen.get(cluster_id)
            records = self._decisions.of_cluster(cluster_id, since=since, limit=_MOST_DECISIONS)
            if records:
                self._seen[cluster_id] = records[0].decision.decided_at + timedelta(microseconds=1)
            found += [record for record in records if record.decision.action is not Action.HOLD]
        return tuple(sorted(found, key=lambda record: record.decision.decided_at))


def told(record: DecisionRecord) -> str:
    """Return a decision in one short line."""
    decision = record.decision
    before = sum(target.previous_count for target in decision.targets)
    after = sum(target.count for target in decision.targets)
    groups = "1 group" if len(decision.targets) == 1 else f"{len(decision.targets)} groups"
    change = f" ({before} -> {after} nodes in {groups})" if decision.targets else ""
    return f"{decision.kind} {decision.action}, {decision.reason}{change}"


def gather(stack: Stack, cluster_ids: Mapping[str, str], *, until: datetime) -> Harvest:
    """Query everything recorded about some clusters.

    Args:
        stack: The deployed stack.
        cluster_ids: By name.
        until: Cost hours from then on are left out.
    """
    dynamodb = stack.aws.client("dynamodb")
    state, costs = (
        Table(dynamodb, stack.outputs["StateTableName"]),
        Table(dynamodb, stack.outputs["CostTableName"]),
    )
    decisions, registry, money = DynamoDecisions(state), DynamoRegistry(state), DynamoCosts(costs)
    counts = {queue.removesuffix("Url"): count_messages(stack, queue) for queue in _DEAD_LETTERS}
    return Harvest(
        decisions={
            name: decisions.of_cluster(cluster_id, limit=_MOST_DECISIONS)[::-1]
            for name, cluster_id in cluster_ids.items()
        },
        hours={
            name: money.hours_of_cluster(ACCOUNT_ID, REGION, cluster_id, end=until)
            for name, cluster_id in cluster_ids.items()
        },
        enrolled=frozenset(
            name for name, cluster_id in cluster_ids.items() if registry.get(cluster_id) is not None
        ),
        dead_letters={queue: count for queue, count in counts.items() if count},
    )
