"""A rehearsal counts only when all of it was seen."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.rehearsed import ENROLLED, LEDGER, decisions, failed, moments, record, summary, without

from emr_autoscaler.domain.decision import Action, DecisionKind, Reason
from emr_simulator.rehearsal.checks import missing


def missed(shown=None, *, seen=None, enrolled=ENROLLED, maximum=10, trouble=()):
    seen = seen or moments()
    return missing(
        shown or summary(moments=seen),
        first=moments()[0].clusters,
        moments=seen,
        enrolled=enrolled,
        scaled="etl",
        forgotten="forgotten",
        busy="busy",
        foreign="adhoc",
        maximum=maximum,
        trouble=trouble,
    )


def test_nothing_is_missing_when_all_was_seen():
    assert missed() == ()


@pytest.mark.parametrize(
    ("cluster", "action", "line"),
    [
        ("etl", Action.SCALE_IN, "etl: no task group was scaled in"),
        ("etl", Action.REPLACE, "no spot warning was answered with a replacement"),
        ("forgotten", Action.TERMINATE, "forgotten: idle, and neither announced nor reaped"),
        ("forgotten", Action.ANNOUNCE, "forgotten: idle, and neither announced nor reaped"),
    ],
)
def test_what_was_not_decided_is_missing(cluster, action, line):
    assert missed(summary(decisions=without(decisions(), cluster, action))) == (line,)


def test_without_scale_outs_tasks_and_core_are_missing():
    lines = missed(summary(decisions=without(decisions(), "etl", Action.SCALE_OUT)))
    assert lines == ("etl: no task group was scaled out", "etl: the core group was not resized")


def test_what_emr_refused_was_not_seen():
    assert missed(summary(decisions=failed(decisions(), "etl", Action.REPLACE))) == (
        "no spot warning was answered with a replacement",
    )


def test_orders_without_nodes_are_not_enough():
    still = [replace(moment, clusters=moments()[0].clusters) for moment in moments()]
    assert "etl: no task group was scaled out" in missed(seen=still)


def test_a_busy_cluster_that_ended_was_not_kept():
    seen = moments()
    ended = replace(seen[-1].clusters["busy"], state="TERMINATED")
    seen[-1] = replace(seen[-1], clusters={**seen[-1].clusters, "busy": ended})
    assert missed(seen=seen) == ("busy: busy, and not kept",)


def test_a_cluster_that_is_not_opted_in_must_not_change():
    seen = moments()
    adhoc = seen[-1].clusters["adhoc"]
    grown = replace(adhoc, groups=tuple(replace(group, wanted=2) for group in adhoc.groups))
    seen[-1] = replace(seen[-1], clusters={**seen[-1].clusters, "adhoc": grown})
    assert missed(seen=seen) == ("adhoc: not opted in, and written to",)


def test_a_decision_on_a_cluster_that_is_not_opted_in_is_told():
    reaped = record(DecisionKind.IDLE, Action.ANNOUNCE, Reason.IDLE_ANNOUNCED, minutes=70, cluster="adhoc")
    lines = missed(summary(decisions={**decisions(), "adhoc": (reaped,)}))
    assert lines == ("adhoc: not opted in, and written to",)


def test_an_enrolment_without_opting_in_is_told():
    assert "adhoc: not opted in, and written to" in missed(enrolled=ENROLLED | {"adhoc"})


def test_no_costs_are_told_with_every_bill():
    lines = missed(summary(hours={}))
    assert lines[0] == "no cost was recorded"
    assert len(lines) == 1 + len(ENROLLED)


def test_a_bill_that_differs_names_both_amounts():
    shown = summary(ledger_usd={**LEDGER, "etl": Decimal("0.99")})
    assert missed(shown) == ("etl: 0.98 USD recorded, 0.99 USD on the bill",)


def test_orders_above_the_maximum_are_told():
    assert missed(maximum=4) == ("etl: more than 4 task nodes ordered",)


def test_trouble_is_passed_on():
    assert missed(trouble=("an event was given up: x",)) == ("an event was given up: x",)
