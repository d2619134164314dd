"""A cluster that wants more nodes, and an EMR that refuses them."""

from datetime import timedelta
from typing import Any

from tests.support.stories import OPTED_IN, Story, job, live
from tests.support.worlds import calm_world, cluster

from emr_autoscaler.domain.errors import RefusedError
from emr_autoscaler.domain.policy import IdlePolicy

NO_IDLE = IdlePolicy(enabled=False)


def busy_story(**policy: Any) -> tuple[Story, str]:
    """A cluster whose next look wants more nodes; nobody has looked yet."""
    story = Story(calm_world(), live(**{"idle": NO_IDLE, **policy}))
    cluster_id = story.start(cluster(core=2, spot=1, tags=OPTED_IN))
    story.run(timedelta(minutes=30))
    story.world.submit_job(cluster_id, job(tasks=40_000))
    story.world.run_for(timedelta(minutes=7))
    story.world.take_events()
    return story, cluster_id


class Refusing:
    """An actuator that EMR refuses everything."""

    is_dry = False

    def resize_groups(self, *_: Any) -> None:
        raise RefusedError("the group may not be resized")

    terminate_cluster = add_task_groups = resize_groups
