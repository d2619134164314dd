"""One deployed stack with a simulated EMR behind it, as end-to-end tests use it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.support.sample_events import load
from tests.support.worlds import calm_world, cluster, run_cluster

from emr_autoscaler.adapters.decision_store import DynamoDecisions
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.adapters.evaluation_queue import SqsEvaluationQueue
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.record import DecisionRecord
from emr_simulator.local_aws import Delivery, EventDriver, LocalAws, Stack, deploy, hurry_redelivery
from emr_simulator.wire import WireServer
from emr_simulator.workloads.model import Job, Stage
from emr_simulator.world import World

SAMPLE_CLUSTER = "j-1YONHTCP3YZKC"
LIVE_POLICY = {
    "mode": "live",
    "task": {"min_nodes": 0, "max_nodes": 10},
}


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """The deployed stack and the world it acts on.

    Attributes:
        world: EMR, EC2 and CloudWatch as the functions see them.
        server: The world on the wire; hold its lock while the world moves.
        stack: What is deployed.
        driver: Hands events to it.
    """

    world: World
    server: WireServer
    stack: Stack
    driver: EventDriver

    def run_cluster(self, *, enrolled: bool = True, policy: str = "live", **options: Any) -> str:
        """Run a ready cluster with spot and on-demand task groups, opted in; return its id."""
        with self.server.lock:
            spec = cluster(tags={"emr-autoscaler:policy": policy, "cost-centre": "research"}, **options)
            cluster_id = run_cluster(self.world, spec)
            self.world.take_events()
        if enrolled:
            self.driver.deliver(self.sample("emr-cluster-state-change", cluster_id))
        return cluster_id

    def keep_busy(self, cluster_id: str, *, tasks: int = 200) -> None:
        """Give a cluster more work than it has room for, and let a metric show it."""
        job = Job(name="busy", stages=(Stage(tasks=tasks, seconds=3600, container_mib=3072),))
        with self.server.lock:
            self.world.submit_job(cluster_id, job)
        self.pass_time(timedelta(minutes=12))

    def pass_time(self, duration: timedelta) -> None:
        """Let the world go on; its events reach nobody."""
        with self.server.lock:
            self.world.run_for(duration)
            self.world.take_events()

    def sample(self, name: str, cluster_id: str = SAMPLE_CLUSTER, **changes: Any) -> dict[str, Any]:
        """Return a sample event about ``cluster_id`` that happens now, never seen before."""
        event: dict[str, Any] = json.loads(json.dumps(load(name)).replace(SAMPLE_CLUSTER, cluster_id))
        with self.server.lock:
            now = self.world.now
        event["id"] = f"{name}/{cluster_id}/{now.isoformat()}"
        event["time"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        if "at" in event.get("detail", {}):
            event["detail"]["at"] = event["time"]
        return event | changes

    def decisions(self, cluster_id: str, kind: DecisionKind) -> list[DecisionRecord]:
        """Return what was decided on a cluster, newest first."""
        table = Table(self.stack.aws.client("dynamodb"), self.stack.outputs["StateTableName"])
        return [r for r in DynamoDecisions(table).of_cluster(cluster_id) if r.decision.kind is kind]

    def request_evaluation(self, cluster_id: str, kind: DecisionKind, *, cause: str) -> None:
        """Queue an evaluation as the functions do."""
        queues = {
            DecisionKind.TASK: self.stack.outputs["TaskEvaluationQueueUrl"],
            DecisionKind.CORE: self.stack.outputs["CoreEvaluationQueueUrl"],
        }
        queue = SqsEvaluationQueue(self.stack.aws.client("sqs"), queues)
        queue.request(cluster_id, kind, now=self.world.now, cause=cause)

    def emr_calls(self, operation: str) -> int:
        """Return how often the functions called an operation so far."""
        with self.server.lock:
            return self.world.calls[operation]

    def reached(self, deliveries: tuple[Delivery, ...]) -> set[str]:
        """Return the folders of the functions that took an event and knew what to do with it."""
        prefix = f"{self.stack.outputs['StackPrefix']}-"
        return {
            delivery.function.removeprefix(prefix).replace("-", "_")
            for delivery in deliveries
            if delivery.error is None and "ignored" not in (delivery.result or {})
        }


@contextmanager
def rehearse(*, world: Callable[[], World] = calm_world, **options: Any) -> Iterator[Rehearsal]:
    """Deploy the stack to a local AWS of its own, with a live policy named ``live``."""
    virtual = world()
    with WireServer(virtual) as server:
        environment = server.environment | {"EMR_AUTOSCALER_CLOCK_URL": f"{server.endpoint}/clock"}
        with LocalAws(environment=environment, **options) as aws:
            stack = deploy(aws)
            hurry_redelivery(stack, seconds=1)
            aws.client("ssm").put_parameter(
                Name=f"{stack.outputs['PolicyPath']}/live", Value=json.dumps(LIVE_POLICY), Type="String"
            )
            yield Rehearsal(world=virtual, server=server, stack=stack, driver=EventDriver(stack))
            assert server.faults == ()
