"""What the cost table itself costs, counted by DynamoDB's rules: a cluster-hour, and reading a month."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.backends import aws_client, open_backend
from tests.support.dynamodb_meter import READ_STEP, MeteredDynamoDB
from tests.support.samples import cost_line, hour_record
from tests.support.tables import table_definition
from tests.support.worlds import START, calm_world, group, run_cluster

from emr_autoscaler.adapters.cost_items import hour_item, rollup_item
from emr_autoscaler.adapters.cost_store import DynamoCosts
from emr_autoscaler.adapters.dynamodb_table import Table
from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.costs import MonthTotal, exact_sum
from emr_autoscaler.domain.policy import Policy
from emr_simulator.descriptions import ClusterSpec
from emr_simulator.inprocess.policies import MemoryPolicies
from emr_simulator.inprocess.ports import WorldPorts
from emr_simulator.words import Market, Role

LOG = logging.getLogger(__name__)
HOUR = timedelta(hours=1)
HOURS_OF_A_MONTH = 730
WRITE_USD, READ_USD, STORED_GIB_USD = 0.625e-6, 0.125e-6, 0.25
MEASURED = 6
TAGS = {"emr-autoscaler:policy": "default", "cost-centre": "analytics"}
THIRTY_NODES = ClusterSpec(
    name="nightly etl",
    groups=(
        group(Role.MASTER, 1, name="master"),
        group(Role.CORE, 9, name="core"),
        group(Role.TASK, 4, name="task"),
        group(Role.TASK, 16, name="spot", market=Market.SPOT),
    ),
    tags=TAGS,
)


@pytest.fixture
def meter():
    with open_backend("moto") as backend:
        name = backend.cost_table.name
        yield MeteredDynamoDB(aws_client("dynamodb"), table_definition("CostTable")), name


def test_a_cluster_month_costs_cents(meter) -> None:
    metered, name = meter
    world = calm_world(spot_prices_move=True)
    ports = WorldPorts(world, MemoryPolicies(Policy(name="default")))
    ports.costs = DynamoCosts(Table(metered, name))
    cluster_id = run_cluster(world, THIRTY_NODES)
    cases = UseCases(ports)
    cases.enroll_cluster(cluster_id)
    for hour in range(1, MEASURED + 2):
        world.run_until(START + hour * HOUR + timedelta(minutes=5))
        if hour == 2:
            metered.reset()  # the first hour looks prices up
        cases.record_costs()

    per_hour = {
        "write units": metered.write_units / MEASURED,
        "index write units": metered.index_units / MEASURED,
        "read units": metered.read_units / MEASURED,
        "bytes": metered.stored_bytes / MEASURED,
    }
    writes = (metered.write_units + metered.index_units) / MEASURED * WRITE_USD
    usd = (writes + metered.read_units / MEASURED * READ_USD) * HOURS_OF_A_MONTH
    stored_gib = 3 * metered.stored_bytes / MEASURED * HOURS_OF_A_MONTH / 2**30
    LOG.info("an hour: %s; calls %s", per_hour, {name: n / MEASURED for name, n in metered.calls.items()})
    LOG.info(
        "a month of %d hours: %.4f USD of requests, %.1f MiB stored (%.4f USD a month); largest item %d bytes",
        HOURS_OF_A_MONTH,
        usd,
        stored_gib * 1024,
        stored_gib * STORED_GIB_USD,
        metered.largest_item_bytes,
    )
    assert usd < 0.05
    assert metered.largest_item_bytes < 40_000
    assert "scan" not in metered.calls


def test_a_month_of_a_thousand_clusters_is_one_read_and_its_detail_is_no_scan(meter) -> None:
    metered, name = meter
    table = Table(metered, name)
    first = datetime(2026, 10, 5, 12, tzinfo=UTC)
    records = [
        hour_record(f"j-{number:04d}", first, cost_centre="research", lines=(cost_line("1.25"),))
        for number in range(1000)
    ]
    table.put_many([hour_item(record) for record in records])
    stored_bytes = metered.stored_bytes
    total = exact_sum(record.effective_cost_usd for record in records)
    rollup = MonthTotal(
        cost_centre="research", month="2026-10", effective_cost_usd=total, list_cost_usd=total, hours=1000
    )
    table.put_many([rollup_item(rollup, revision=1)])
    costs = DynamoCosts(table)

    metered.reset()
    assert costs.month_total("research", "2026-10").total_usd == total
    assert metered.calls == {"get_item": 1}
    assert metered.read_units == 1

    metered.reset()
    found = costs.hours_of_cost_centre("research", "2026-10", start=first, end=first + HOUR)
    assert exact_sum(record.effective_cost_usd for record in found) == total
    assert set(metered.calls) == {"query"}
    assert metered.read_units <= stored_bytes / READ_STEP / 2 + metered.calls["query"]
