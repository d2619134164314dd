from datetime import timedelta

from tests.support.worlds import START, calm_world

from emr_simulator.inprocess import WorldClock


def test_the_clock_of_the_world_tells_virtual_time():
    world = calm_world()
    clock = WorldClock(world)
    assert clock.now() == START
    world.run_for(timedelta(hours=3))
    assert clock.now() == START + timedelta(hours=3)
