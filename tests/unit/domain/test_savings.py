"""Savings by hand, and that no two of them ever claim the same dollar."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from emr_autoscaler.domain.savings import (
    LostNode,
    Reaped,
    Replacements,
    TaskCost,
    reaping_saving,
    replacements,
    scaling_saving,
)

H12 = datetime(2026, 10, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def cost(hours_ago: int, at_list: str, effective: str) -> TaskCost:
    return TaskCost(hour=H12 - hours_ago * HOUR, list_usd=Decimal(at_list), effective_usd=Decimal(effective))


def test_the_baseline_is_the_dearest_hour_of_the_last_day() -> None:
    earlier = (cost(1, "5", "5"), cost(3, "8", "8"), cost(24, "99", "99"))
    saved = scaling_saving(cost(0, "2", "2"), earlier, scaled_in_at=H12 - HOUR)
    assert saved is not None
    assert (saved.saved_usd, saved.baseline_list_usd, saved.reference_hour) == (6, 8, H12 - 3 * HOUR)


def test_nodes_that_did_not_run_count_at_the_share_that_was_paid() -> None:
    saved = scaling_saving(cost(0, "2", "0.5"), [cost(1, "10", "10")], scaled_in_at=H12)
    assert saved is not None
    assert (saved.paid_share, saved.saved_usd) == (Decimal("0.25"), 2)


def test_without_a_task_node_the_share_of_the_reference_hour_counts() -> None:
    saved = scaling_saving(cost(0, "0", "0"), [cost(1, "10", "4")], scaled_in_at=H12)
    assert saved is not None
    assert saved.saved_usd == 4


def test_spot_dearer_than_on_demand_never_values_idle_nodes_above_list() -> None:
    saved = scaling_saving(cost(0, "2", "6"), [cost(1, "10", "10")], scaled_in_at=H12)
    assert saved is not None
    assert saved.saved_usd == 8


def test_without_a_decision_of_ours_since_the_reference_hour_nothing_is_claimed() -> None:
    earlier = [cost(2, "10", "10")]
    for scaled_in_at in (None, H12 - 3 * HOUR, H12 + HOUR):
        assert scaling_saving(cost(0, "2", "2"), earlier, scaled_in_at=scaled_in_at) is None


def test_the_dearest_hour_itself_saves_nothing() -> None:
    assert scaling_saving(cost(0, "10", "10"), [cost(1, "10", "10")], scaled_in_at=H12) is None
    assert scaling_saving(cost(0, "0", "0"), [], scaled_in_at=H12) is None


def test_reaping_claims_as_long_again_as_the_cluster_was_idle_and_a_day_at_most() -> None:
    for idle_hours, claimed in ((2, 7200), (48, 86400)):
        reaped = Reaped(decision_id="d", decided_at=H12, idle_for=idle_hours * HOUR)
        saved = reaping_saving(reaped, H12 - HOUR, Decimal("1.5"))
        assert (saved.seconds, saved.saved_usd) == (claimed, Decimal("1.5") * claimed / 3600)


def test_replaced_nodes_are_counted_and_not_valued() -> None:
    lost = [LostNode(ended_at=H12 + HOUR / 2, decision_id="d"), LostNode(ended_at=H12 + HOUR / 4)]
    assert replacements(H12, lost) == Replacements(
        lost=2, lost_seconds=4500, replaced=1, replaced_seconds=1800, decision_ids=("d",)
    )
    assert replacements(H12, []) is None


dollars = st.decimals(0, 10**6, places=12)


@given(
    st.lists(st.tuples(dollars, dollars), min_size=1, max_size=30),
    dollars,
    dollars,
    st.timedeltas(timedelta(0), timedelta(days=9)),
)
def test_savings_never_exceed_the_baseline_less_what_was_paid(costs, others, per_hour, idle_for) -> None:
    *earlier, (at_list, effective) = costs
    now = TaskCost(hour=H12, list_usd=at_list, effective_usd=effective)
    before = [
        TaskCost(hour=H12 - (n + 1) * HOUR, list_usd=listed, effective_usd=paid)
        for n, (listed, paid) in enumerate(earlier)
    ]
    scaling = scaling_saving(now, before, scaled_in_at=H12)
    reaping = reaping_saving(Reaped(decision_id="d", decided_at=H12, idle_for=idle_for), H12 - HOUR, per_hour)
    spot = at_list - effective  # were every node a spot one

    highest = max(t.list_usd for t in (now, *before[:23]))
    baseline = highest + others + per_hour * reaping.seconds / 3600
    actual = effective + others
    claimed = (scaling.saved_usd if scaling else Decimal(0)) + spot + reaping.saved_usd
    assert claimed <= baseline - actual + Decimal("1e-12")
    assert scaling is None or scaling.saved_usd >= 0
