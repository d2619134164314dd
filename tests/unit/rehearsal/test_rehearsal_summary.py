"""What a rehearsal adds up to."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.rehearsed import LEDGER, START, WARNED, decisions, failed, hours, summary, without

from emr_autoscaler.domain.decision import Action, DecisionKind
from emr_simulator.rehearsal.cost_sums import usd_per_node_hour
from emr_simulator.rehearsal.summary import resizes


def test_recorded_cost_is_the_sum_of_every_line():
    assert summary().recorded_usd == Decimal("1.4050")


def test_the_ledger_counts_enrolled_clusters_only():
    assert summary().ledger_usd == LEDGER["etl"] + LEDGER["forgotten"] + LEDGER["busy"]


def test_node_hours_are_told_by_market():
    assert summary().node_hours == {"ON_DEMAND": Decimal("4.5"), "SPOT": Decimal(4)}


def test_spot_share_is_a_fraction_of_all_node_hours():
    assert summary().spot_share == pytest.approx(Decimal(4) / Decimal("8.5"))


def test_without_costs_the_spot_share_is_nothing():
    assert summary(hours={}).spot_share == 0


def test_a_static_cluster_pays_the_master_s_price_for_the_maximum_all_along():
    task, masters = Decimal("0.48"), Decimal("0.50")
    assert summary().static_usd == summary().recorded_usd - task + 10 * masters


def test_costs_are_kept_by_cluster_group_and_hour():
    assert summary().group_costs["etl", "spot m5.xlarge", START] == Decimal("0.48")
    assert summary().group_costs["etl", "master", START + timedelta(hours=1)] == Decimal("0.25")


def test_costs_are_kept_by_hour_and_component():
    assert summary().component_costs[START, "EC2_SPOT"] == Decimal("0.28")


def test_a_node_hour_costs_all_components_of_its_group():
    lines = [line for record in hours()["etl"] for line in record.lines]
    assert usd_per_node_hour(lines, "ig-spot") == Decimal("0.12")


def test_a_group_that_never_ran_costs_nothing_an_hour():
    assert usd_per_node_hour([], "ig-none") == 0


def test_reaping_saves_what_the_nodes_cost_in_an_hour():
    (reaped,) = summary().reaped
    assert reaped.usd_per_hour == 2 * Decimal("0.25")
    assert reaped.announced_at == START + timedelta(minutes=50)


def test_holds_are_no_deeds():
    assert "HOLD" not in {deed.action for deed in summary().deeds}


def test_deeds_stand_in_the_order_of_time():
    times = [deed.at for deed in summary().deeds]
    assert times == sorted(times)


def test_a_resize_names_groups_and_counts():
    (out, back) = resizes(summary().deeds, DecisionKind.TASK)
    assert (out.orders, out.change) == ("spot m5.xlarge 0 -> 5", 5)
    assert (back.orders, back.change) == ("spot m5.xlarge 5 -> 0", -5)


def test_a_resize_that_emr_refused_does_not_count():
    refused = failed(decisions(), "etl", Action.SCALE_IN)
    assert len(resizes(summary(decisions=refused).deeds, DecisionKind.TASK)) == 1


def test_an_interruption_names_what_was_ordered_for_it():
    (entry,) = summary().interruptions
    assert entry.answer == "REPLACE, TASK_INTERRUPTED"
    assert entry.replacement == "on-demand m5.xlarge 0 -> 1"
    assert entry.is_free


def test_a_warning_nobody_answered_is_shown_without_answer():
    (entry,) = summary(decisions=without(decisions(), "etl", Action.REPLACE)).interruptions
    assert (entry.ec2_instance_id, entry.answer, entry.replacement) == (WARNED, "", "")


def test_bills_agree_to_the_cent():
    assert all(bill.agrees for bill in summary().bills if bill.cluster != "adhoc")


def test_a_cent_of_difference_is_seen():
    bills = summary(ledger_usd={**LEDGER, "etl": Decimal("0.99")}).bills
    assert [bill.cluster for bill in bills if bill.recorded_usd is not None and not bill.agrees] == ["etl"]


def test_a_cluster_that_is_not_enrolled_has_no_record():
    assert next(bill for bill in summary().bills if bill.cluster == "adhoc").recorded_usd is None
