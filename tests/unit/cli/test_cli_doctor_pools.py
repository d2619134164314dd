"""doctor on pool types: what enrolment would say of them, for each policy and each enrolled cluster."""

from dataclasses import replace

import pytest
from tests.support.installations import FakeAccount, Rehearsal

from emr_autoscaler.domain.errors import RefusedError, UnavailableError
from emr_autoscaler.domain.policy import IdlePolicy, Mode, Policy, TaskPolicy, WorkloadProfile

TYPES = ("m5.xlarge", "m5a.xlarge", "m6i.xlarge", "m6a.xlarge")


def policy(name: str = "default", **task) -> Policy:
    return Policy(name=name, mode=Mode.LIVE, task=TaskPolicy(**task), idle=IdlePolicy(enabled=False))


@pytest.fixture
def pools() -> Rehearsal:
    """A cluster whose policy names four types, all of which can be had."""
    return Rehearsal(policy=policy(instance_types=TYPES))


def of(run, rehearsal: Rehearsal, what: str):
    checks = run("doctor", "--json", on=rehearsal).json["checks"]
    return [c for c in checks if c["check"].startswith(f"pools of {what}")]


def verdicts(checks) -> list[str]:
    return [c["verdict"] for c in checks]


def test_pools_that_can_be_had_are_listed_with_release_and_zone(run, pools) -> None:
    (cluster,) = of(run, pools, "cluster")
    entry = pools.ports.registry.get(pools.cluster_id).cluster
    assert cluster["verdict"] == "ok"
    assert all(kind in cluster["detail"] for kind in (*TYPES, entry.release_label, entry.availability_zone))
    (of_policy,) = of(run, pools, "policy default")
    assert of_policy["verdict"] == "ok"
    assert "us-east-1" in of_policy["detail"]


def test_a_type_that_the_release_or_the_zone_lacks_is_named_with_the_fix(run, pools, monkeypatch) -> None:
    monkeypatch.setattr(pools.ports.reader, "supported_types", lambda release: frozenset(TYPES[1:]))
    monkeypatch.setattr(pools.ports.compute, "offered_types", lambda types, zone: frozenset(types) - {TYPES[1]})
    checks = of(run, pools, "cluster")
    said = "\n".join(c["detail"] for c in checks if c["verdict"] == "warning")
    assert "m5.xlarge has no pool: not supported by emr-" in said
    assert "m5a.xlarge has no pool: not offered in us-east-1" in said
    assert "its m5.xlarge gets no nodes" in said
    assert "2 spot pools are left" in said
    assert all(c["advice"] for c in checks if c["verdict"] != "ok")


def test_a_policy_of_which_nothing_can_be_had_fails(run, pools) -> None:
    pools.account.book["odd"] = policy("odd", instance_types=("m9.huge",))
    (check,) = of(run, pools, "policy odd")
    assert check["verdict"] == "failed"
    assert "m9.huge has no pool" in check["detail"]
    assert "task.pools" in check["advice"]


def test_a_policy_without_clusters_is_judged_by_the_whole_region(run, pools) -> None:
    pools.account = FakeAccount(book=dict(pools.account.book), nowhere=frozenset({"r5a.xlarge"}))
    pools.account.book["nightly"] = policy("nightly", profile=WorkloadProfile.MEMORY)
    pools.account.book["named"] = policy("named", instance_types=("r5.xlarge", "r5a.xlarge", "r6i.xlarge"))
    (nightly,) = of(run, pools, "policy nightly")
    assert nightly["verdict"] == "ok"
    assert "r5a.xlarge" not in nightly["detail"]
    warned = [c["detail"] for c in of(run, pools, "policy named") if c["verdict"] == "warning"]
    assert warned[0] == "r5a.xlarge has no pool: not offered in us-east-1"


def test_an_on_demand_type_alone_needs_no_spot_pools(run, pools) -> None:
    pools.account.book["steady"] = policy("steady", on_demand_type="m5.xlarge")
    assert verdicts(of(run, pools, "policy steady")) == ["ok"]


def test_a_release_that_emr_does_not_tell_of_is_held_against_no_type(run, pools, monkeypatch) -> None:
    def refused(release: str) -> frozenset[str]:
        raise RefusedError(f"ListSupportedInstanceTypes: ValidationException: {release}")

    monkeypatch.setattr(pools.ports.reader, "supported_types", refused)
    (check,) = of(run, pools, "cluster")
    assert check["verdict"] == "ok"
    assert "EMR does not tell of emr-" in check["detail"]


def test_an_answer_that_does_not_come_fails_the_check_and_no_other(run, pools, monkeypatch) -> None:
    def silent(types, zone) -> frozenset[str]:
        raise UnavailableError("DescribeInstanceTypeOfferings: RequestLimitExceeded")

    monkeypatch.setattr(pools.ports.compute, "offered_types", silent)
    assert verdicts(of(run, pools, "cluster")) == ["failed"]
    assert verdicts(of(run, pools, "policy default")) == ["ok"]


def test_releases_and_zones_are_asked_once_for_all_clusters_alike(run, pools, monkeypatch) -> None:
    entry = pools.ports.registry.get(pools.cluster_id)
    twin = replace(entry.cluster, cluster_id="j-TWIN")
    pools.ports.registry.put(replace(entry, cluster=twin, version=0))
    asked: list[str] = []
    answer = pools.ports.compute.offered_types
    monkeypatch.setattr(
        pools.ports.compute, "offered_types", lambda types, zone: asked.append(zone) or answer(types, zone)
    )
    assert len(of(run, pools, "cluster")) == 2
    assert len(asked) == 1


def test_a_cluster_that_others_scale_and_one_without_pools_are_left_out(run) -> None:
    plain = Rehearsal(task=0)
    entry = plain.ports.registry.get(plain.cluster_id)
    plain.ports.registry.put(replace(entry, cluster=replace(entry.cluster, has_managed_scaling=True)))
    assert of(run, plain, "cluster") == []
    assert of(run, plain, "policy") == []
