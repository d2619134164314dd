"""The probe of a simulated cluster tells what YARN shows, when it changes and once a minute."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from tests.support.stories import job
from tests.support.worlds import calm_world, cluster, run_cluster

from emr_autoscaler.messages.events import read_event
from emr_autoscaler.messages.probe_events import YarnSnapshot
from emr_simulator.descriptions import GroupResize
from emr_simulator.settings import UniformDelay, WorldSettings
from emr_simulator.world import World

SECOND = timedelta(seconds=1)


def probed_world(**changes: Any) -> World:
    return calm_world(probe_period_seconds=10, **changes)


def pushed(world: World) -> list[dict[str, Any]]:
    return [event for event in world.take_events() if event["detail-type"] == "YARN Snapshot"]


def taken_at(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["detail"]["at"])


def test_the_event_is_what_the_layer_reads() -> None:
    world = probed_world()
    cluster_id = run_cluster(world)
    for event in pushed(world):
        found = read_event(event)
        assert found is not None
        assert isinstance(found.detail, YarnSnapshot)
        assert found.detail.cluster_id == cluster_id


def test_a_quiet_cluster_is_heard_once_a_minute() -> None:
    world = probed_world()
    run_cluster(world)
    pushed(world)
    world.run_for(timedelta(minutes=10))
    times = [taken_at(event) for event in pushed(world)]
    assert {later - earlier for earlier, later in pairwise(times)} == {60 * SECOND}


def test_a_change_is_told_within_a_look_and_its_delay() -> None:
    world = probed_world()
    cluster_id = run_cluster(world)
    pushed(world)
    submitted_at = world.now
    world.submit_job(cluster_id, job(tasks=500, seconds=600))
    world.run_for(15 * SECOND)
    detail = next(e["detail"] for e in pushed(world) if e["detail"]["containersPending"])
    assert timedelta(0) < datetime.fromisoformat(detail["at"]) - submitted_at <= 10 * SECOND
    yarn = world.yarn(cluster_id)
    assert detail["pendingMB"] == yarn.pending_mib
    assert detail["containersAllocated"] == yarn.running
    assert detail["totalMB"] == detail["allocatedMB"] + detail["availableMB"] == yarn.total_mib


def test_an_event_follows_its_look_by_the_delay() -> None:
    world = probed_world(probe_publish_delay=UniformDelay(low_seconds=4, high_seconds=4))
    run_cluster(world)
    delays = {datetime.fromisoformat(event["time"]) - taken_at(event) for event in pushed(world)}
    assert delays == {4 * SECOND}


def test_ended_containers_are_counted_once_and_for_all() -> None:
    world = probed_world()
    cluster_id = run_cluster(world)
    world.submit_job(cluster_id, job(tasks=100, seconds=30))
    world.run_for(timedelta(minutes=10))
    counts = [event["detail"]["containersCompleted"] for event in pushed(world)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 100)


def test_a_draining_node_is_told_as_such_and_is_not_active() -> None:
    world = probed_world()
    cluster_id = run_cluster(world, cluster(core=2, task=2))
    world.submit_job(cluster_id, job(tasks=500, seconds=600))
    world.run_for(timedelta(minutes=1))
    task = next(g for g in world.inside(cluster_id).groups.values() if g.spec.role == "TASK")
    world.emr.modify_instance_groups(cluster_id, [GroupResize(group_id=task.group_id, count=1)])
    world.run_for(timedelta(minutes=2))
    detail = pushed(world)[-1]["detail"]
    assert (detail["coreNodes"], detail["taskNodes"], detail["activeNodes"]) == (2, 1, 3)
    states = {node["instanceId"]: node["state"] for node in detail["nodes"]}
    leaving = next(node.ec2_id for node in task.nodes if node.draining)
    assert states.pop(leaving) == "DECOMMISSIONING"
    assert set(states.values()) == {"RUNNING"}
    assert sum(node["containers"] for node in detail["nodes"]) == detail["containersAllocated"]
    assert sum(node["usedMB"] for node in detail["nodes"]) == detail["allocatedMB"]


def test_clusters_without_a_probe_and_held_ones_are_silent() -> None:
    world = probed_world()
    run_cluster(world, cluster(has_probe=False))
    assert pushed(world) == []
    cluster_id = run_cluster(world)
    world.hold_probe(cluster_id, until=world.now + timedelta(minutes=30))
    world.run_for(10 * SECOND)  # what was on its way
    pushed(world)
    world.run_for(timedelta(minutes=29))
    assert pushed(world) == []
    world.run_for(timedelta(minutes=3))
    assert pushed(world)


def test_an_ended_cluster_says_nothing_more() -> None:
    world = probed_world()
    cluster_id = run_cluster(world)
    world.emr.terminate_job_flows([cluster_id])
    world.run_for(10 * SECOND)
    pushed(world)
    world.run_for(timedelta(minutes=10))
    assert pushed(world) == []


def test_there_are_no_probes_where_nobody_asked_for_them() -> None:
    world = calm_world()
    run_cluster(world)
    assert pushed(world) == []


def test_probes_change_nothing_in_their_world() -> None:
    def ledger(world: World) -> object:
        cluster_id = run_cluster(world)
        world.submit_job(cluster_id, job(tasks=500, seconds=60))
        world.run_for(timedelta(hours=1))
        return world.yarn(cluster_id).delay_integral, world.ledger.bill(until=world.now).total_usd()

    assert ledger(probed_world()) == ledger(calm_world())


def test_a_negative_period_is_refused() -> None:
    with pytest.raises(ValueError, match="probe_period_seconds"):
        WorldSettings(probe_period_seconds=-1)
