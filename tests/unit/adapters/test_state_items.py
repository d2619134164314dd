"""What stands in the state table: index attributes, expiry, and names that Powertools may share it with."""

import json
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.backends import open_backend
from tests.support.samples import T0, cluster, decision_record, registry_entry

from emr_autoscaler.domain.cluster import ClusterState
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.idleness import WORK_METRICS, IdleEvidence
from emr_autoscaler.domain.memory import PoolHealth, PoolKey, TaskMemory
from emr_autoscaler.domain.metrics import ClusterMetrics, MetricPoint
from emr_autoscaler.domain.policy import IdlePolicy
from emr_autoscaler.domain.record import Outcome

POWERTOOLS = {"status", "data", "in_progress_expiration", "validation"}
NINETY_DAYS = timedelta(days=90)


@pytest.fixture
def backend():
    with open_backend("moto") as opened:
        yield opened


def only_item(backend, pk):
    (item,) = backend.state_table.query("PK = :pk", {":pk": pk})
    assert not POWERTOOLS & set(item)
    return item


def test_a_settled_cluster_stands_in_no_due_index(backend):
    backend.registry.put(registry_entry())

    assert not {"due_shard", "next_evaluation_at"} & set(only_item(backend, "CLUSTER#j-1"))


def test_an_unsettled_cluster_is_due_at_its_time(backend):
    backend.registry.put(registry_entry(task=TaskMemory(next_evaluation_at=T0)))

    item = only_item(backend, "CLUSTER#j-1")
    assert (item["due_shard"], item["next_evaluation_at"]) == ("DUE", "2026-10-05T13:00:00.000000Z")


def test_an_open_entry_never_expires(backend):
    backend.registry.put(registry_entry())

    assert "expires_at" not in only_item(backend, "CLUSTER#j-1")


def test_a_closed_entry_expires_90_days_after_its_cluster_ended(backend):
    ended = cluster(state=ClusterState.TERMINATED, ended_at=T0)
    backend.registry.put(registry_entry(cluster=ended, cost_closed=True))

    item = only_item(backend, "CLUSTER#j-1")
    assert item["expires_at"] == int((T0 + NINETY_DAYS).timestamp())
    assert "open_kind" not in item


def test_a_decision_expires_after_90_days(backend):
    backend.decisions.put(decision_record(outcome=Outcome.INTENDED))

    item = only_item(backend, "CLUSTER#j-1")
    assert item["expires_at"] == int((T0 + NINETY_DAYS).timestamp())
    assert item["SK"] == "DECISION#2026-10-05T13:00:00.000000Z#r1"
    assert (item["open_kind"], item["open_since"]) == ("INTENT", "2026-10-05T13:00:00.000000Z")


def test_a_decision_with_outcome_stands_in_no_open_index(backend):
    backend.decisions.put(decision_record(outcome=Outcome.DONE))

    assert not {"open_kind", "open_since"} & set(only_item(backend, "CLUSTER#j-1"))


def test_pool_health_expires_90_days_after_the_last_trouble(backend):
    key = PoolKey(instance_type="m5.xlarge", availability_zone="eu-central-1a")
    backend.pools.put(PoolHealth(key=key, last_trouble_at=T0 - NINETY_DAYS, rebalance_at=T0))

    item = only_item(backend, "POOL#m5.xlarge#eu-central-1a#SPOT")
    assert item["expires_at"] == int((T0 + NINETY_DAYS).timestamp())


def test_evidence_of_another_release_is_left_out_and_the_decision_stands(backend):
    record = decision_record()
    backend.decisions.put(record)
    item = only_item(backend, "CLUSTER#j-1")
    backend.state_table.put({**item, "evidence": zlib.compress(b'{"seen": "in a form of long ago"}')})

    assert backend.decisions.of_cluster("j-1") == (record,)


def test_a_week_of_samples_a_minute_apart_fits_into_one_item(backend):
    minutes = [MetricPoint(at=T0 + timedelta(minutes=minute), value=0.0) for minute in range(7 * 24 * 60)]
    metrics = ClusterMetrics(cluster_id="j-1", series={name: tuple(minutes) for name in WORK_METRICS})
    evidence = IdleEvidence(now=T0, cluster=cluster(), metrics=metrics, policy=IdlePolicy())
    plain = decision_record()
    record = replace(plain, decision=replace(plain.decision, kind=DecisionKind.IDLE), evidence=evidence)

    backend.decisions.put(record)

    assert backend.decisions.of_cluster("j-1") == (record,)


def test_an_intent_whose_outcome_the_index_has_not_seen_is_not_unfinished(backend):
    backend.decisions.put(decision_record(outcome=Outcome.INTENDED))
    item = only_item(backend, "CLUSTER#j-1")
    backend.decisions.put(decision_record(outcome=Outcome.DONE))
    done = only_item(backend, "CLUSTER#j-1")
    # The index still shows the intent: the attributes linger for a moment.
    backend.state_table.put({**done, "open_kind": item["open_kind"], "open_since": item["open_since"]})

    assert backend.decisions.unfinished(T0 + timedelta(minutes=1)) == ()


def test_leases_and_entries_of_a_cluster_do_not_touch(backend):
    entry = backend.registry.put(registry_entry())
    with backend.leases.hold("j-1", owner="a"):
        assert backend.registry.get("j-1") == entry
        entry = backend.registry.put(replace(entry, policy_name="other"))
    assert backend.registry.get("j-1") == entry


def test_a_decision_that_an_older_release_wrote_reads_as_not_known_to_be_told(backend):
    backend.decisions.put(decision_record(outcome=Outcome.DONE))
    item = only_item(backend, "CLUSTER#j-1")
    document = json.loads(item["document"])
    new = {name: document.pop(name) for name in ("note", "is_dry", "told_as")}
    backend.state_table.put({**item, "document": json.dumps(document)})

    assert new == {"note": "", "is_dry": False, "told_as": ""}
    assert backend.decisions.of_cluster("j-1") == (decision_record(outcome=Outcome.DONE),)
