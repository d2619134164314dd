"""What use cases may rely on of the decision journal, in memory and on DynamoDB."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.samples import T0, decision_record
from tests.support.strategies import of

from emr_autoscaler.adapters.evidence import EVIDENCE_TYPES
from emr_autoscaler.domain.decision import Decision, DecisionKind
from emr_autoscaler.domain.record import DecisionRecord, Outcome

MINUTE = timedelta(minutes=1)


def ids(records):
    return [record.record_id for record in records]


def test_records_come_newest_first(backend):
    for number in (2, 0, 1):
        backend.decisions.put(decision_record(f"r{number}", at=T0 + number * MINUTE))

    assert ids(backend.decisions.of_cluster("j-1")) == ["r2", "r1", "r0"]


def test_records_of_one_moment_are_all_kept(backend):
    for record_id in ("a", "b"):
        backend.decisions.put(decision_record(record_id))

    assert ids(backend.decisions.of_cluster("j-1")) == ["b", "a"]


def test_only_the_newest_are_returned_up_to_the_limit(backend):
    for number in range(5):
        backend.decisions.put(decision_record(f"r{number}", at=T0 + number * MINUTE))

    assert ids(backend.decisions.of_cluster("j-1", limit=2)) == ["r4", "r3"]
    assert backend.decisions.of_cluster("j-1", limit=0) == ()


def test_since_includes_its_own_moment(backend):
    for number in range(3):
        backend.decisions.put(decision_record(f"r{number}", at=T0 + number * MINUTE))

    assert ids(backend.decisions.of_cluster("j-1", since=T0 + MINUTE)) == ["r2", "r1"]


def test_records_of_other_clusters_stay_apart(backend):
    backend.decisions.put(decision_record("mine", cluster_id="j-1"))
    backend.decisions.put(decision_record("theirs", cluster_id="j-10"))

    assert ids(backend.decisions.of_cluster("j-1")) == ["mine"]


def test_the_outcome_replaces_the_intent(backend):
    backend.decisions.put(decision_record(outcome=Outcome.INTENDED))
    done = decision_record(outcome=Outcome.DONE)
    backend.decisions.put(done)

    assert backend.decisions.of_cluster("j-1") == (done,)
    assert backend.decisions.unfinished(T0 + MINUTE) == ()


def test_intents_without_outcome_are_found_oldest_first(backend):
    backend.decisions.put(decision_record("late", at=T0 + MINUTE, outcome=Outcome.INTENDED))
    backend.decisions.put(decision_record("early", cluster_id="j-2", outcome=Outcome.INTENDED))
    backend.decisions.put(decision_record("held", outcome=Outcome.HELD))
    backend.decisions.put(decision_record("failed", outcome=Outcome.FAILED, error="AccessDenied"))

    assert ids(backend.decisions.unfinished(T0 + 2 * MINUTE)) == ["early", "late"]


def test_an_intent_is_unfinished_only_after_the_given_time(backend):
    backend.decisions.put(decision_record(outcome=Outcome.INTENDED))

    assert backend.decisions.unfinished(T0) == ()
    assert ids(backend.decisions.unfinished(T0 + timedelta(microseconds=1))) == ["r1"]


@pytest.mark.parametrize("kind", list(EVIDENCE_TYPES))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_decision_reads_back_with_the_evidence_it_was_made_from(backend, kind, data):
    record = data.draw(
        st.builds(
            DecisionRecord,
            record_id=st.uuids().map(str),
            decision=of(Decision).map(lambda decision: replace(decision, kind=kind)),
            evidence=st.none() | of(EVIDENCE_TYPES[kind]),
            outcome=of(Outcome),
            trigger=of(str),
            error=of(str),
        )
    )
    backend.decisions.put(record)

    decision = record.decision
    found = backend.decisions.of_cluster(decision.cluster_id, since=decision.decided_at, limit=1000)
    assert record in found


def test_a_decision_on_a_policy_has_no_evidence(backend):
    plain = decision_record()
    record = replace(plain, decision=replace(plain.decision, kind=DecisionKind.POLICY))
    backend.decisions.put(record)

    assert backend.decisions.of_cluster("j-1") == (record,)


def test_how_an_outcome_is_known_and_as_what_people_were_told_read_back(backend):
    record = decision_record(outcome=Outcome.UNKNOWN, note="nobody knows", is_dry=True, told_as="message-1")
    backend.decisions.put(record)

    assert backend.decisions.of_cluster("j-1") == (record,)
