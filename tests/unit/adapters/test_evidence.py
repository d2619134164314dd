"""Evidence as JSON types and back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.samples import T0
from tests.support.strategies import of

from emr_autoscaler.adapters.evidence import EVIDENCE_TYPES, dump_evidence, load_evidence
from emr_autoscaler.domain.cluster import ClusterState
from emr_autoscaler.domain.decision import DecisionKind
from emr_autoscaler.domain.errors import InvalidInputError
from emr_autoscaler.domain.metrics import ClusterMetrics
from emr_autoscaler.domain.policy import TaskPolicy
from emr_autoscaler.domain.task_scene import TaskEvidence

EVIDENCE = TaskEvidence(
    now=T0,
    cluster_id="j-1",
    state=ClusterState.RUNNING,
    groups=(),
    metrics=ClusterMetrics(cluster_id="j-1"),
    policy=TaskPolicy(),
)


@pytest.mark.parametrize("kind", list(EVIDENCE_TYPES))
@settings(max_examples=25)
@given(data=st.data())
def test_any_evidence_survives_json_text(kind, data):
    evidence = data.draw(of(EVIDENCE_TYPES[kind]))

    text = json.dumps(dump_evidence(kind, evidence))

    assert load_evidence(kind, json.loads(text)) == evidence


def test_evidence_stored_before_a_field_was_known_is_read_with_its_default():
    older = dump_evidence(DecisionKind.TASK, EVIDENCE)
    for name in ("operator_changes", "node_groups", "nodes", "groups_are_fresh"):
        del older[name]
    del older["policy"]["operator_hold"]
    del older["memory"]["owed_mib"]

    assert load_evidence(DecisionKind.TASK, older) == EVIDENCE


def test_evidence_from_before_there_were_probes_is_read():
    stored = dump_evidence(DecisionKind.TASK, EVIDENCE)
    del stored["nodes"]
    for name in ("pushed", "recorded"):
        del stored["memory"][name]

    assert load_evidence(DecisionKind.TASK, stored) == EVIDENCE


def test_evidence_of_another_kind_is_not_dumped():
    with pytest.raises(TypeError, match="a CORE decision is not made from TaskEvidence"):
        dump_evidence(DecisionKind.CORE, EVIDENCE)


def test_policy_decisions_keep_no_evidence():
    with pytest.raises(TypeError, match="POLICY"):
        dump_evidence(DecisionKind.POLICY, EVIDENCE)
    with pytest.raises(InvalidInputError, match="POLICY"):
        load_evidence(DecisionKind.POLICY, {})


def test_evidence_that_cannot_be_read_names_the_field():
    stored = dump_evidence(DecisionKind.TASK, EVIDENCE) | {"now": "yesterday"}

    with pytest.raises(InvalidInputError, match="stored TASK evidence: now"):
        load_evidence(DecisionKind.TASK, stored)
