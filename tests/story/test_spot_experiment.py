"""What spot saves on long tasks: the experiment of docs/spot.md on a short workload."""

from emr_simulator.catalogue import pools_like
from emr_simulator.experiment import Setup, run_experiment, settings_of
from emr_simulator.figures import Figures
from emr_simulator.inprocess.autoscaler import AutoscalerPolicy
from emr_simulator.workloads.long_tasks import long_tasks

WORK = long_tasks(seed=1, hours=3)


def run(setup: Setup) -> Figures:
    return run_experiment(
        policy=AutoscalerPolicy(), workload=WORK, seed=1, setup=setup, settings=settings_of(setup)
    )


def test_four_spot_pools_cost_half_of_on_demand_and_keep_the_work() -> None:
    pools = pools_like("m5.xlarge", 4)
    assert pools == ("m5a.xlarge", "m6a.xlarge", "m5.xlarge", "m6i.xlarge")
    spot, on_demand = run(Setup(spot_pools=pools, spot_outage_hours=24)), run(Setup())
    work = sum(job.work_seconds for job in WORK.jobs)
    assert spot.spot_share > 0.9
    assert float(spot.cost_usd) < 0.55 * float(on_demand.cost_usd)
    assert spot.killed_container_seconds < 0.02 * work
    assert spot.bsld["p95"] < 1.1 * on_demand.bsld["p95"]
    assert spot.jobs == on_demand.jobs
