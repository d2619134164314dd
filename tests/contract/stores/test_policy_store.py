"""What use cases may rely on of policies, in memory and on Parameter Store."""

import json
from datetime import timedelta

import pytest

from emr_autoscaler.domain.errors import InvalidPolicyError, NotFoundError
from emr_autoscaler.domain.policy import Mode, Policy

GOOD = '{"mode": "live", "task": {"max_nodes": 7}}'
BAD = '{"mode": "live", "task": {"max_nodes": "many"}}'
A_MINUTE = timedelta(seconds=60)


def test_a_policy_reads_as_its_document_says(backend):
    backend.put_policy("nightly", GOOD)

    policy = backend.policies.get("nightly")

    assert (policy.name, policy.mode, policy.task.max_nodes) == ("nightly", Mode.LIVE, 7)


def test_an_empty_document_is_all_defaults_and_only_watches(backend):
    backend.put_policy("default", "{}")

    assert backend.policies.get("default") == Policy(name="default", mode=Mode.DRY_RUN)


@pytest.mark.parametrize("name", ["absent", "", "../secrets", "a/b", "with space", "ünï", "x" * 200])
def test_a_name_without_policy_is_not_found(backend, name):
    with pytest.raises(NotFoundError, match="there is no policy"):
        backend.policies.get(name)
    assert backend.policies.last_good(name) is None


def test_an_invalid_policy_is_refused_every_time_and_names_the_field(backend):
    backend.put_policy("nightly", BAD)

    for _ in range(2):
        with pytest.raises(InvalidPolicyError, match=r"nightly.*task\.max_nodes"):
            backend.policies.get("nightly")
    assert backend.policies.last_good("nightly") is None


def test_the_last_good_version_outlives_an_invalid_one(backend):
    backend.put_policy("nightly", GOOD)
    good = backend.policies.get("nightly")
    backend.put_policy("nightly", BAD)
    backend.clock.advance(A_MINUTE)

    with pytest.raises(InvalidPolicyError):
        backend.policies.get("nightly")
    assert backend.policies.last_good("nightly") == good


def test_a_change_takes_effect_within_a_minute(backend):
    backend.put_policy("nightly", GOOD)
    backend.policies.get("nightly")
    backend.put_policy("nightly", json.dumps({"task": {"max_nodes": 8}}))
    backend.clock.advance(A_MINUTE)

    policy = backend.policies.get("nightly")

    assert policy.task.max_nodes == 8
    assert backend.policies.last_good("nightly") == policy


def test_a_policy_that_was_missing_is_found_once_it_is_written(backend):
    with pytest.raises(NotFoundError):
        backend.policies.get("nightly")
    backend.put_policy("nightly", GOOD)
    backend.clock.advance(A_MINUTE)

    assert backend.policies.get("nightly").task.max_nodes == 7
