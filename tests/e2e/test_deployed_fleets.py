"""A cluster with instance fleets, scaled by the deployed functions through ModifyInstanceFleet."""

from tests.support.rehearsal import Rehearsal
from tests.support.worlds import fleet

from emr_autoscaler.domain.decision import Action, DecisionKind
from emr_autoscaler.domain.fleets import FleetTarget
from emr_simulator.local_aws import drain_queues
from emr_simulator.words import Role

TYPES = {"m5.xlarge": 1, "m5.2xlarge": 2}


def test_demand_on_a_fleet_cluster_is_answered_in_units_by_the_deployed_functions(rehearsal: Rehearsal) -> None:
    task = fleet(Role.TASK, spot=2, types=TYPES)
    fleets = (fleet(Role.MASTER, 1), fleet(Role.CORE, 3), task)
    cluster_id = rehearsal.run_cluster(groups=(), fleets=fleets)
    drain_queues(rehearsal.stack)
    rehearsal.keep_busy(cluster_id)
    orders = rehearsal.emr_calls("ModifyInstanceFleet")
    rehearsal.driver.deliver(rehearsal.sample("task-alarm", cluster_id))
    drain_queues(rehearsal.stack)
    newest = rehearsal.decisions(cluster_id, DecisionKind.TASK)[0].decision
    assert newest.action is Action.SCALE_OUT
    (order,) = newest.targets
    assert isinstance(order, FleetTarget)
    assert 2 < order.spot_units <= 10
    assert rehearsal.emr_calls("ModifyInstanceFleet") == orders + 1
    with rehearsal.server.lock:
        seen = {f.role: f.target_spot_units for f in rehearsal.world.emr.list_instance_fleets(cluster_id)}
    assert seen[Role.TASK] == order.spot_units
