"""The cap in money on a fleet, of which EMR chooses the instances; by example."""

from dataclasses import replace
from decimal import Decimal

from tests.support.fleet_evidence import core_fleet, evidence, fleet, priced, units
from tests.support.scenes import decide

from emr_autoscaler.domain.decision import Action, Reason
from emr_autoscaler.domain.fleet_steps import step_price
from emr_autoscaler.domain.node_prices import NodePrice


def test_a_cap_in_money_bounds_the_units_ordered() -> None:
    seen = evidence(fleet(spot=0), max_usd_per_hour=Decimal("0.50"))
    assert units(decide(replace(seen, prices=priced("0.10", "0.20")))) == (0, 5)


def test_the_cap_holds_even_where_emr_buys_the_largest_instance_for_the_last_unit() -> None:
    mixed = {"m5.xlarge": 1, "m5.4xlarge": 4}
    capped = evidence(fleet(types=mixed), max_usd_per_hour=Decimal("0.80"), prices=priced("0.10", "0.20"))
    assert units(decide(capped)) == (0, 5)
    standing = replace(capped, fleets=(core_fleet(), fleet(spot=5, there=(0, 7), types=mixed)))
    decision = decide(standing)
    assert (decision.action, decision.reason, decision.targets) == (Action.HOLD, Reason.AT_MONEY_CAP, ())


def test_under_a_cap_the_floor_on_demand_is_bought_before_spot() -> None:
    mixed = {"m5.xlarge": 1, "m5.2xlarge": 2}
    capped = evidence(fleet(types=mixed), max_usd_per_hour=Decimal("1.00"), on_demand_min_nodes=3)
    # Three on demand and the fourth EMR may add are 0.80, which leaves 0.20 for one on spot and one beyond.
    assert units(decide(replace(capped, prices=priced("0.10", "0.20")))) == (3, 1)


def test_under_a_cap_nothing_is_ordered_while_prices_are_not_known() -> None:
    decision = decide(evidence(fleet(spot=0), max_usd_per_hour=Decimal("0.50")))
    assert (decision.reason, decision.targets) == (Reason.PRICES_MISSING, ())


def test_a_unit_costs_what_the_dearest_type_costs_for_it() -> None:
    mixed = fleet(types={"m5.xlarge": 1, "m5.2xlarge": 2})
    of_types = [NodePrice(ec2_usd=Decimal(usd), emr_usd=Decimal("0.02")) for usd in ("0.10", "0.30")]
    price = step_price(mixed, of_types)
    assert price is not None
    assert price.usd_per_hour == Decimal("0.16")
    assert step_price(mixed, [of_types[0], None]) is None
