"""The snapshot as it is published: the sample is read, and the document says what the model asks for."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel
from tests.support.sample_events import load
from tests.support.template import PROJECT

from emr_autoscaler.domain.errors import InvalidEventError
from emr_autoscaler.domain.snapshot import NodeLoad, NodeState, Snapshot
from emr_autoscaler.messages.events import read_event
from emr_autoscaler.messages.probe_events import MOST_NODES, ProbedNode, YarnSnapshot

OPTIONAL = ("coreNodes", "taskNodes", "containersCompleted", "nodes")


def snapshot_of(**changes: Any) -> Snapshot:
    """Read the sample with fields of its detail changed; None takes one away."""
    event = load("yarn-snapshot")
    detail = {name: value for name, value in {**event["detail"], **changes}.items() if value is not None}
    found = read_event({**event, "detail": detail})
    assert found is not None
    assert isinstance(found.detail, YarnSnapshot)
    return found.detail.to_snapshot()


def test_the_published_sample_is_read_whole() -> None:
    told = snapshot_of()
    assert told.at == datetime(2026, 10, 5, 12, 0, 10, tzinfo=UTC)
    assert (told.active_nodes, told.core_nodes, told.task_nodes) == (4, 2, 2)
    assert (told.total_mib, told.allocated_mib, told.available_mib) == (53_248, 47_104, 6144)
    assert (told.pending_mib, told.containers_pending, told.containers_allocated) == (245_760, 120, 23)
    assert (told.containers_completed, told.apps_running, told.apps_pending) == (18_211, 3, 1)
    assert len(told.nodes) == 5
    assert told.nodes[-1] == NodeLoad(
        ec2_instance_id="i-0e5544332211009fc", state=NodeState.DECOMMISSIONING, containers=2, used_mib=4096
    )


def test_the_sample_adds_up() -> None:
    told = snapshot_of()
    assert told.allocated_mib + told.available_mib == told.total_mib
    assert sum(node.used_mib for node in told.nodes) == told.allocated_mib
    assert sum(node.containers for node in told.nodes) == told.containers_allocated
    assert sum(node.application_masters for node in told.nodes) == told.apps_running


def test_times_become_utc() -> None:
    assert snapshot_of(at="2026-10-05T14:00:10+02:00").at == datetime(2026, 10, 5, 12, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_a_probe_may_leave_out_may_be_missing(name: str) -> None:
    snapshot_of(**{name: None})


def test_unknown_fields_are_ignored() -> None:
    assert snapshot_of(decommissionedNodes=3, probe={"version": 2}) == snapshot_of()


def test_negative_figures_of_yarn_are_read_and_judged_elsewhere() -> None:
    assert snapshot_of(pendingMB=-2048).pending_mib == -2048


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((str(f.alias or n), None) for n, f in YarnSnapshot.model_fields.items() if f.is_required()),
        ("clusterId", "ours"),
        ("at", "2026-10-05T12:00:10"),
        ("totalMB", "much"),
        ("pendingMB", float("nan")),
        ("nodes", [{"instanceId": "ip-10-0-0-1", "state": "RUNNING", "containers": 0, "usedMB": 0}]),
        ("nodes", [{"instanceId": "i-0a", "state": "LOST", "containers": 0, "usedMB": 0}]),
        ("nodes", [{"instanceId": "i-0a", "state": "RUNNING", "containers": 0, "usedMB": 0}] * (MOST_NODES + 1)),
    ],
)
def test_a_malformed_snapshot_names_its_field(field: str, value: Any) -> None:
    with pytest.raises(InvalidEventError, match=field):
        snapshot_of(**{field: value})


@pytest.mark.parametrize(("model", "heading"), [(YarnSnapshot, "`detail`"), (ProbedNode, "`nodes`")])
def test_the_document_lists_every_field_and_whether_it_is_required(model: type[BaseModel], heading: str) -> None:
    page = (PROJECT / "docs/probe.md").read_text()
    table = page.split(f"{heading}:\n\n", 1)[1].split("\n\n", 1)[0]
    documented = {
        name: required
        for names, required in re.findall(r"^\| (`[^|]+`) \| (yes|no) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    fields = model.model_fields.items()
    assert documented == {str(f.alias or name): "yes" if f.is_required() else "no" for name, f in fields}
