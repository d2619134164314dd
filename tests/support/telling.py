"""A cluster with something to tell, and invocations that die while they tell it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.support.faults import Fault, FaultyPorts
from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.bootstrap import UseCases
from emr_autoscaler.domain.decision import Reason
from emr_autoscaler.domain.errors import UnavailableError
from emr_autoscaler.domain.policy import IdlePolicy, Mode

NO_IDLE = IdlePolicy(enabled=False)
MINUTE = timedelta(minutes=1)

Invoke = Callable[[UseCases], object]


def busy(mode: Mode = Mode.LIVE, **world: Any) -> tuple[Story, str]:
    """A cluster whose next look wants more nodes; nobody has looked yet."""
    story = Story(calm_world(**world), live(idle=NO_IDLE))
    cluster_id = story.start(cluster(core=2, spot=1, tags=OPTED_IN))
    story.run(30 * MINUTE)
    story.policies.put(live(idle=NO_IDLE, mode=mode))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.world.run_for(7 * MINUTE)
    story.world.take_events()
    return story, cluster_id


def told(story: Story, cluster_id: str, *reasons: Reason) -> int:
    sent = [n.attributes for n in story.ports.notifier.sent if n.attributes.get("cluster_id") == cluster_id]
    return sum(not reasons or attributes["reason"] in reasons for attributes in sent)


def fail_at(story: Story, invoke: Invoke, name: str, *, after_effect: bool = False, which: int = 0) -> None:
    """Invoke once, failing one of the calls of a name; nothing happens where it is not called."""
    fault = Fault()
    use_cases = UseCases(FaultyPorts(story.ports, fault))
    run = fault.run
    seen = 0

    def counting(called: str, *rest: Any) -> Any:
        nonlocal seen
        if called == name:
            if seen == which:
                fault.armed_at, fault.after_effect = len(fault.calls) + 1, after_effect
            seen += 1
        return run(called, *rest)

    fault.run = counting  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        invoke(use_cases)


def scale(cluster_id: str) -> Invoke:
    return lambda use_cases: use_cases.scale_task_groups(cluster_id, trigger="message-1")
