"""Which task groups enrolment creates: of types that can be had, with what is wrong said by name."""

import pytest
from tests.support.scenes import on_demand_group, task_group

from emr_autoscaler.domain.capacity import yarn_mib_per_node
from emr_autoscaler.domain.cluster import Market
from emr_autoscaler.domain.instance_types import candidates_of, interruption_bucket, known_types, mixed_classes
from emr_autoscaler.domain.policy import TaskPolicy, WorkloadProfile
from emr_autoscaler.domain.pool_selection import Availability, PoolSelection, select_pools, types_in_question

TYPES = ("m5.xlarge", "m5a.xlarge", "m6i.xlarge")


def select(
    policy: TaskPolicy, *groups: object, unsupported: tuple[str, ...] = (), missing: tuple[str, ...] = ()
) -> PoolSelection:
    types = frozenset(types_in_question(policy))
    available = Availability(supported=types - set(unsupported), offered=types - set(missing))
    return select_pools(groups, policy, available)  # type: ignore[arg-type]


def pools(selection: PoolSelection) -> list[tuple[Market, str]]:
    return [(group.market, group.instance_type) for group in selection.groups]


def test_each_type_gets_a_spot_pool_and_the_first_the_on_demand_group() -> None:
    selection = select(TaskPolicy(instance_types=TYPES))
    assert pools(selection) == [*((Market.SPOT, name) for name in TYPES), (Market.ON_DEMAND, "m5.xlarge")]
    assert selection.warnings == ()


def test_the_on_demand_type_may_be_another() -> None:
    selection = select(TaskPolicy(instance_types=TYPES, on_demand_type="m6a.xlarge"))
    assert pools(selection)[-1] == (Market.ON_DEMAND, "m6a.xlarge")


def test_groups_that_are_there_stay_and_are_not_made_again() -> None:
    selection = select(TaskPolicy(instance_types=TYPES), task_group(), on_demand_group(instance_type="r5.xlarge"))
    assert pools(selection) == [(Market.SPOT, "m5a.xlarge"), (Market.SPOT, "m6i.xlarge")]


def test_types_that_cannot_be_had_are_left_out_and_named() -> None:
    policy = TaskPolicy(instance_types=(*TYPES, "m9.huge"))
    selection = select(policy, unsupported=("m9.huge",), missing=("m5.xlarge",))
    assert [name for _market, name in pools(selection)] == ["m5a.xlarge", "m6i.xlarge", "m5a.xlarge"]
    said = "\n".join(selection.warnings)
    assert "m9.huge has no pool: not supported by the release" in said
    assert "m5.xlarge has no pool: not offered in the zone" in said
    assert "2 spot pools are left (m5a.xlarge, m6i.xlarge)" in said


@pytest.mark.parametrize("profile", list(WorkloadProfile))
def test_a_profile_makes_four_pools_of_one_class(profile: WorkloadProfile) -> None:
    selection = select(TaskPolicy(profile=profile))
    *spot, fallback = pools(selection)
    assert [market for market, _name in spot] == [Market.SPOT] * 4
    assert fallback == (Market.ON_DEMAND, spot[0][1])
    assert selection.warnings == ()
    assert mixed_classes([name for _market, name in spot]) == ()
    assert len({yarn_mib_per_node(name, learned=None) for _market, name in spot}) == 1


def test_a_profile_passes_over_what_cannot_be_had_without_a_word() -> None:
    first, *_others = candidates_of(WorkloadProfile.EXTERNAL_WAIT)
    selection = select(TaskPolicy(profile=WorkloadProfile.EXTERNAL_WAIT), unsupported=("t3.xlarge", "t3a.xlarge"))
    assert first == "t3.xlarge"
    assert len(pools(selection)) == 5
    assert selection.warnings == ()


def test_types_of_different_classes_are_worth_a_warning() -> None:
    (warning,) = select(TaskPolicy(instance_types=("m5.xlarge", "r5.xlarge", "m5a.xlarge"))).warnings
    assert "4 and 8 GiB of memory for each vCPU" in warning


def test_a_policy_without_pools_wants_none() -> None:
    assert select(TaskPolicy()) == PoolSelection(groups=())
    assert select(TaskPolicy(enabled=False, instance_types=TYPES)) == PoolSelection(groups=())


def test_no_cluster_gets_more_task_groups_than_emr_allows() -> None:
    there = [task_group(f"ig-{n}", instance_type=f"x{n}.large") for n in range(47)]
    assert len(select(TaskPolicy(instance_types=TYPES), *there).groups) == 1


def test_every_candidate_is_known_with_its_bucket() -> None:
    for profile in WorkloadProfile:
        for name in candidates_of(profile):
            assert known_types()[name].is_x86
            assert interruption_bucket(name) in range(5)
    assert interruption_bucket("x9.odd") is None
