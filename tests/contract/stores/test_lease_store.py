"""What use cases may rely on of leases, in memory and on DynamoDB."""

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emr_autoscaler.domain.errors import BusyError

LENGTH = timedelta(seconds=60)


def is_free(backend, cluster_id="j-1"):
    try:
        with backend.leases.hold(cluster_id, owner="probe"):
            return True
    except BusyError:
        return False


def test_a_held_cluster_is_busy_for_others(backend):
    with (
        backend.leases.hold("j-1", owner="a"),
        pytest.raises(BusyError),
        backend.leases.hold("j-1", owner="b"),
    ):
        pass


def test_a_held_cluster_is_busy_for_the_same_owner_too(backend):
    with (
        backend.leases.hold("j-1", owner="a"),
        pytest.raises(BusyError),
        backend.leases.hold("j-1", owner="a"),
    ):
        pass


def test_clusters_are_held_apart(backend):
    with backend.leases.hold("j-1", owner="a"):
        assert is_free(backend, "j-2")


def test_a_lease_ends_with_its_block(backend):
    with backend.leases.hold("j-1", owner="a"):
        pass

    assert is_free(backend)


def test_a_lease_ends_with_a_block_that_fails(backend):
    with pytest.raises(ZeroDivisionError), backend.leases.hold("j-1", owner="a"):
        raise ZeroDivisionError

    assert is_free(backend)


def test_nothing_is_held_before_the_block_is_entered(backend):
    backend.leases.hold("j-1", owner="a")

    assert is_free(backend)


def test_the_lease_of_a_crashed_holder_runs_out(backend):
    crashed = backend.leases.hold("j-1", owner="a")
    crashed.__enter__()

    backend.clock.advance(LENGTH - timedelta(microseconds=1))
    assert not is_free(backend)
    backend.clock.advance(timedelta(microseconds=1))
    assert is_free(backend)
    crashed.__exit__(None, None, None)


def test_a_slow_holder_does_not_release_the_lease_of_the_next(backend):
    slow = backend.leases.hold("j-1", owner="a")
    slow.__enter__()
    backend.clock.advance(LENGTH)
    with backend.leases.hold("j-1", owner="a"):
        slow.__exit__(None, None, None)

        assert not is_free(backend)


steps = st.lists(
    st.tuples(
        st.sampled_from(["enter", "leave", "crash", "wait"]),
        st.integers(0, 2),
        st.sampled_from([1, 29, 31, 60]),
    ),
    max_size=20,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=steps)
def test_at_most_one_holder_at_any_time(backend, steps):
    inside: dict[int, AbstractContextManager[None]] = {}
    crashed: list[AbstractContextManager[None]] = []
    holder, until = None, None  # what must be true, kept by other means
    for step, worker, seconds in steps:
        now = backend.clock.now()
        if step == "wait":
            backend.clock.advance(timedelta(seconds=seconds))
        elif step == "enter" and worker not in inside:
            block = backend.leases.hold("j-1", owner=f"worker-{worker}")
            if holder is not None and now < until:
                with pytest.raises(BusyError):
                    block.__enter__()
            else:
                block.__enter__()
                inside[worker] = block
                holder, until = block, now + LENGTH
        elif step == "leave" and worker in inside:
            block = inside.pop(worker)
            block.__exit__(None, None, None)
            holder = None if holder is block else holder
        elif step == "crash" and worker in inside:
            crashed.append(inside.pop(worker))
    for block in [*inside.values(), *crashed]:
        block.__exit__(None, None, None)
    assert is_free(backend)
