"""What a look at idleness costs: CloudWatch charges by the metric, DynamoDB by the write."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricName
from emr_autoscaler.domain.policy import IdlePolicy
from emr_autoscaler.ports import Leases, MetricsReader
from emr_autoscaler.usecases.reap_idle_clusters import METRICS


class _Counted:
    """Metrics and leases that tell what was asked of them."""

    def __init__(self, metrics: MetricsReader, leases: Leases) -> None:
        self._metrics = metrics
        self._leases = leases
        self.read: list[tuple[str, MetricName]] = []
        self.held: list[str] = []

    def read_metrics(
        self, cluster_ids: Sequence[str], names: Sequence[MetricName], *, start: datetime, end: datetime
    ) -> Mapping[str, ClusterMetrics]:
        self.read += [(cluster_id, name) for cluster_id in cluster_ids for name in names]
        return self._metrics.read_metrics(cluster_ids, names, start=start, end=end)

    def hold(self, cluster_id: str, *, owner: str, wait: timedelta = timedelta(0)) -> AbstractContextManager[None]:
        self.held.append(cluster_id)
        return self._leases.hold(cluster_id, owner=owner, wait=wait)


def test_of_a_cluster_that_works_one_metric_is_read_and_no_lease_is_taken() -> None:
    story = Story(calm_world(), live(idle=IdlePolicy(idle_for=timedelta(hours=1))))
    busy = story.start(cluster(core=2, tags=OPTED_IN))
    idle = story.start(cluster(core=2, tags=OPTED_IN))
    story.run(timedelta(minutes=15))
    story.world.submit_job(busy, job(tasks=40_000))
    story.world.run_for(timedelta(minutes=45))
    counted = _Counted(story.ports.metrics, story.ports.leases)
    story.ports.metrics = story.ports.leases = counted

    announced = UseCases(story.ports).reap_idle_clusters(trigger="schedule")

    assert [record.decision.cluster_id for record in announced] == [idle]
    assert counted.held == [idle]
    expected = [(busy, MetricName.IS_IDLE), (idle, MetricName.IS_IDLE), *((idle, name) for name in METRICS)]
    assert counted.read == expected
