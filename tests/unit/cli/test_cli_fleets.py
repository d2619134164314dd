"""The command line on a cluster with instance fleets: fleets and units in status, explain, doctor, the trace."""

from datetime import timedelta

import pytest
from tests.support.installations import Rehearsal
from tests.support.worlds import fleet

from emr_autoscaler.domain.policy import IdlePolicy, Mode, Policy, TaskPolicy
from emr_simulator.words import Role

TYPES = {"m5.xlarge": 1, "m5.2xlarge": 2}
POLICY = Policy(
    name="default", mode=Mode.LIVE, task=TaskPolicy(min_nodes=3, max_nodes=8), idle=IdlePolicy(enabled=False)
)


def a_fleet_rehearsal(**options):
    task = fleet(Role.TASK, spot=1, types=TYPES)
    return Rehearsal(
        policy=POLICY, groups=(), fleets=(fleet(Role.MASTER, 1), fleet(Role.CORE, 3), task), **options
    )


@pytest.fixture(scope="module")
def fleets() -> Rehearsal:
    return a_fleet_rehearsal()


def test_status_counts_units(run, fleets) -> None:
    (shown,) = run("status", "--json", on=fleets).json["clusters"]
    assert shown["counted_in"] == "units"
    assert shown["nodes"]["TASK"] == {"running": 3, "requested": 3}
    (task,) = (f for f in shown["fleets"] if f["role"] == "TASK")
    assert (task["target_spot_units"], task["provisioned_spot_units"], task["types"]) == (3, 3, TYPES)
    assert "3/3 u" in run("status", on=fleets).out


def test_explain_names_fleet_and_units_and_agrees(run, fleets) -> None:
    result = run("explain", fleets.cluster_id, "--last", "100", "--json", on=fleets)
    assert {d["replay"]["agrees"] for d in result.json["decisions"]} == {True}
    (order,) = (t for d in result.json["decisions"] for t in d["targets"])
    assert order["fleet_id"].startswith("if-")
    assert (order["previous_spot_units"], order["spot_units"], order["count"]) == (1, 3, 3)
    shown = run("explain", fleets.cluster_id, "--last", "100", on=fleets).out
    assert "spot 1 -> 3 units" in shown
    assert "m5.2xlarge x2" in shown
    assert "3-8 units" in shown


def test_the_trace_of_an_hour_stands_by_fleet_and_market(run, fleets) -> None:
    fleets.run(timedelta(hours=1))
    record = fleets.ports.costs.hours_of_account("123456789012", "2026-10")[-1]
    document = run("costs", "trace", record.cluster_id, f"{record.hour:%Y-%m-%dT%H}", "--json", on=fleets).json
    owners = {line["group_id"] for line in document["lines"]}
    assert all(owner.startswith("if-") for owner in owners)
    assert {i["market"] for i in document["instances"]} == {"SPOT", "ON_DEMAND"}
    (task,) = (f for f in fleets.ports.registry.get(fleets.cluster_id).fleets if f.role == Role.TASK)
    components = {line["component"] for line in document["lines"] if line["group_id"] == task.fleet_id}
    assert components == {"EMR_FEE", "EC2_SPOT", "EBS"}


def test_doctor_knows_what_a_fleet_lacks(run) -> None:
    poor = Rehearsal(policy=POLICY, groups=(), fleets=(fleet(Role.MASTER, 1), fleet(Role.CORE, 3, types=TYPES)))
    found = " ".join(c["detail"] for c in run("doctor", "--json", on=poor).json["checks"])
    assert "no task fleet" in found
    assert "only grows" in found
