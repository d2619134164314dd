"""What each Reason means and what to do about it, in words; docs/reasons.md is made from it (python -m)."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from emr_autoscaler.domain.decision import Reason

NOTHING = "Nothing."


@dataclass(frozen=True, slots=True)
class Explanation:
    """One reason in words.

    Attributes:
        meaning: What was seen.
        advice: What an operator does about it.
    """

    meaning: str
    advice: str = NOTHING


_GUARDS = {
    Reason.CLUSTER_NOT_READY: Explanation("The cluster is starting or ending."),
    Reason.PAUSED: Explanation(
        "The tag emr-autoscaler:paused is true.", "emr-autoscaler resume CLUSTER when it may be scaled again."
    ),
    Reason.MANAGED_ELSEWHERE: Explanation(
        "EMR's managed scaling, or an automatic scaling policy of the group itself, is on.",
        "Remove that one, or opt the cluster out: two scalers on one cluster fight.",
    ),
    Reason.USES_FLEETS: Explanation(
        "The cluster has instance fleets, and EMR has not shown them yet.",
        "Nothing if it passes with the next full sweep; else see that sweep-fleet may call ListInstanceFleets.",
    ),
    Reason.GROUPS_UNAVAILABLE: Explanation(
        "No group may be resized: there is none, or each is being reconfigured, suspended or not up yet.",
        "Look at the group's state in EMR. SUSPENDED follows failed launches or bootstrap actions.",
    ),
    Reason.RESIZING: Explanation("A resize is under way, and what is decided here waits for it."),
    Reason.METRICS_STALE: Explanation(
        "A needed metric is missing or too old. Missing data never scales in and never reaps.",
        "If it lasts, look whether CloudWatch shows the cluster's metrics; else see metrics_max_age_minutes.",
    ),
    Reason.METRICS_ABSURD: Explanation(
        "A metric has a value that cannot be true, such as far more memory in use than there is.",
        "If it lasts, look at YARN on the primary node.",
    ),
    Reason.COOLDOWN: Explanation(
        "A resize is wanted and the last one was too recent.", "Shorten the policy's cooldown if this costs time."
    ),
    Reason.AT_MAXIMUM: Explanation(
        "More nodes are wanted than the policy allows.",
        "Raise max_nodes, bounds.max or on_demand_max_nodes if the work may cost more.",
    ),
    Reason.AT_MONEY_CAP: Explanation(
        "More nodes are wanted, and one more would cost more an hour than max_usd_per_hour at current prices.",
        "Raise max_usd_per_hour if the work may cost more.",
    ),
    Reason.PRICES_MISSING: Explanation(
        "More nodes are wanted under max_usd_per_hour, and the price of a group is not known or was not confirmed "
        "for two hours: nothing is added on a guess.",
        "If it lasts, look at the log of refresh-prices: it looks prices up every five minutes.",
    ),
    Reason.NO_FREE_ADDRESSES: Explanation(
        "More nodes are wanted than the cluster's subnet has free addresses.",
        "Free addresses in the subnet, or name larger types: they need fewer addresses for the same memory.",
    ),
    Reason.AT_MINIMUM: Explanation("Fewer nodes would do, and the policy keeps these."),
    Reason.DISABLED: Explanation("This section of the policy has enabled: false."),
    Reason.OPERATOR_RESIZED: Explanation(
        "Somebody else set a group's count lately. It stands for operator_hold_minutes, even outside min_nodes "
        "and max_nodes; only instances that EC2 takes back are replaced.",
        "Nothing: this system decides again by itself. To keep the count longer, emr-autoscaler pause CLUSTER.",
    ),
    Reason.POLICY_INVALID: Explanation(
        "The policy cannot be read, or there is none of this name. The last good version stays in force; where "
        "there never was one, nothing is done.",
        "Mend the document; emr-autoscaler policy validate FILE names field and fix.",
    ),
    Reason.NO_CAPACITY_KNOWN: Explanation(
        "The YARN memory of the group's instance type is neither in the table nor measured on the cluster yet.",
        "It is learned from the first complete metrics; with no node running, start one by hand.",
    ),
}

_TASK = {
    Reason.DEMAND_MET: Explanation("The nodes are in use and nothing waits."),
    Reason.DEMAND_ABOVE_CAPACITY: Explanation("The work would take longer to drain than the objective allows."),
    Reason.DEMAND_BELOW_CAPACITY: Explanation("Memory is free, and no recent look wanted it."),
    Reason.DRAINS_BEFORE_HELP: Explanation("Containers wait, and the present nodes drain them in time."),
    Reason.CONTAINERS_LARGER_THAN_NODES: Explanation(
        "Containers wait that are larger than a task node of any group: more of them would not help.",
        "Let groups of a larger type be created (task.pools), or ask for smaller containers.",
    ),
    Reason.RECENT_DEMAND: Explanation("Fewer nodes would do now; a recent look needed these."),
    Reason.STEP_EXPECTED: Explanation(
        "Fewer nodes would do now, but a step is queued or has just begun: its work is about to come.",
    ),
    Reason.CHANGE_TOO_SMALL: Explanation("A few more nodes would be better, too few to be worth a resize."),
    Reason.HOSTS_APPLICATION_MASTERS: Explanation(
        "Fewer nodes would do, but those that could go host application masters: taking one would end its "
        "application. They go once their applications have ended.",
    ),
    Reason.BELOW_MINIMUM: Explanation("There are fewer nodes than min_nodes."),
    Reason.ABOVE_MAXIMUM: Explanation("There is more than max_nodes or bounds.max allow."),
    Reason.ABOVE_MONEY_CAP: Explanation(
        "At current prices the nodes cost more an hour than max_usd_per_hour: the costliest are given back, "
        "gracefully, until they do not.",
        "Raise max_usd_per_hour if the work may cost more.",
    ),
    Reason.SCHEDULED_MINIMUM: Explanation(
        "A schedule of the policy asks for more nodes at this time of the week."
    ),
    Reason.POOL_DRY: Explanation(
        "Capacity is wanted and every pool that could give it is cooling or stuck, or an unmet request was moved "
        "to another group.",
        "If it happens often, name more instance_types, or give the cluster an on-demand task group.",
    ),
    Reason.BACK_TO_SPOT: Explanation(
        "On-demand nodes, or units of a fleet, stood in for spot for half an hour, and a healthy pool "
        "saves at least 20 %: spot is ordered first; once it runs, what stands on demand drains. Where a limit "
        "leaves no room for both, one node in ten is exchanged at a time."
    ),
    Reason.LOST_CAPACITY_SETTLED: Explanation(
        "Warned instances are gone; their groups' counts are lowered, because the replacement stands elsewhere."
    ),
    Reason.WHOLE_INSTANCES: Explanation(
        "A fleet could give back units, but fewer than one of its instances counts.",
        "Name instance types of smaller weight in the fleet if the rest is large.",
    ),
}

_CORE = {
    Reason.HDFS_ABOVE_HIGH: Explanation(
        "HDFS is fuller than hdfs_high; nodes are added to come back to hdfs_target."
    ),
    Reason.HDFS_BELOW_LOW: Explanation(
        "HDFS has been emptier than hdfs_low for three samples; one core node goes."
    ),
    Reason.HDFS_IN_RANGE: Explanation(
        "HDFS is between the marks, or has not been below hdfs_low for long enough."
    ),
    Reason.HDFS_UNHEALTHY: Explanation(
        "Blocks are missing, corrupt or under-replicated: core never shrinks then.",
        "hdfs fsck / on the primary node. Under-replicated blocks heal by themselves.",
    ),
    Reason.REPLICATION_FLOOR: Explanation(
        "One node fewer would be below dfs.replication (3 where none is configured)."
    ),
    Reason.HDFS_WOULD_FILL: Explanation("With one node fewer HDFS would be at or above hdfs_target."),
    Reason.FLEET_ONLY_GROWS: Explanation(
        "The core fleet has instance types of different weight: a smaller target might take several instances at "
        "once, so it is never shrunk.",
        "Give the core fleet types of one weight if it shall shrink.",
    ),
    Reason.YARN_BUSY: Explanation(
        "HDFS would do with one core node fewer, but core nodes run containers, too: some wait for memory, or "
        "less memory is free than yarn_free_percent."
    ),
}

_GROUPS = {
    Reason.TASK_GROUPS_MISSING: Explanation(
        "The cluster has no task group for some of the policy's instance_types: they are created, empty. A dry "
        "run decides as if they were there; their ids begin with planned-."
    ),
    Reason.GROUP_SUSPENDED: Explanation(
        "EMR gave up on a group after failed launches or bootstrap actions, and adds no nodes to it. It is left "
        "alone until it runs again; the others are scaled.",
        "Look at the group's message in EMR and at the bootstrap action's log; mend the cause, then send the "
        "group a count (aws emr modify-instance-groups), which resumes it.",
    ),
    Reason.GROUP_ARRESTED: Explanation(
        "Instances of a group fail again and again, and EMR has stopped it. It is left alone until it runs again.",
        "Look at the group's message in EMR; mend the cause, then send the group a count "
        "(aws emr modify-instance-groups).",
    ),
    Reason.GROUP_RECONFIGURING: Explanation(
        "Somebody changes a group's configuration: EMR refuses resizes until that has ended.",
        "Nothing: it is scaled again once EMR has finished. If it does not end, look at it in EMR's console.",
    ),
}

_INTERRUPTIONS = {
    Reason.TASK_INTERRUPTED: Explanation(
        "EC2 takes a task instance back; its capacity is ordered in another group."
    ),
    Reason.NO_ROOM_FOR_REPLACEMENT: Explanation(
        "EC2 takes a task instance back, and the cluster is at max_nodes.", "Raise max_nodes if that hurts."
    ),
    Reason.CORE_INTERRUPTED: Explanation(
        "EC2 takes a core instance back. EMR replaces it; HDFS blocks on it are copied from replicas.",
        "Watch missing blocks. Core nodes on spot are for work that may be lost.",
    ),
    Reason.MASTER_INTERRUPTED: Explanation(
        "EC2 takes the primary node back: the cluster ends within two minutes.", "Start another cluster."
    ),
    Reason.ALREADY_REPLACED: Explanation("This instance's warning was answered before."),
    Reason.FLEET_REPLACES: Explanation(
        "EC2 takes an instance of the task fleet back; EMR buys its units anew among all types of the fleet."
    ),
    Reason.MAINTENANCE_SCHEDULED: Explanation(
        "AWS Health announces a scheduled change of an instance of the cluster.",
        "Read the AWS Health Dashboard for the date. Nothing is replaced for it.",
    ),
}

_IDLE = {
    Reason.BUSY: Explanation("Work runs or waits, or a step is unfinished."),
    Reason.TOO_YOUNG: Explanation("The cluster is younger than min_age_minutes."),
    Reason.NOT_IDLE_LONG_ENOUGH: Explanation("Nothing runs now; something did within idle_for_minutes."),
    Reason.IDLE_ANNOUNCED: Explanation(
        "Idle for idle_for_minutes without a gap: it will be ended after warning_period_minutes.",
        "To keep it: the tag emr-autoscaler:keep-until with a time such as 2026-10-06T08:00Z.",
    ),
    Reason.LIFETIME_ANNOUNCED: Explanation(
        "Older than max_lifetime_minutes and without work: it will be ended after warning_period_minutes.",
        "To keep it: the tag emr-autoscaler:keep-until.",
    ),
    Reason.WARNING_PERIOD: Explanation("It is announced, and the warning period has not passed."),
    Reason.IDLE_CONFIRMED: Explanation("Still idle after the warning period, and EMR confirms it: it is ended."),
    Reason.LIFETIME_EXCEEDED: Explanation("Still overdue and without work, and EMR confirms it: it is ended."),
    Reason.KEPT_BY_TAG: Explanation(
        "The tag emr-autoscaler:keep-until holds the reaper off. A tag that is no time with a zone holds it off "
        "for good.",
        "Remove the tag when the cluster may go.",
    ),
    Reason.PROTECTED: Explanation("Termination protection is on.", "Take it off if the cluster may go."),
    Reason.WORK_NOT_VISIBLE_TO_YARN: Explanation(
        "YARN does not see all work of the cluster, and so neither nodes nor the cluster go for what YARN says: "
        "Presto, Trino and HBase work on nodes by themselves; for a whole cluster Flink and notebooks count too.",
        "Where YARN may be believed: task.trust_yarn, core.trust_yarn or idle.trust_isidle.",
    ),
}

TITLES: Mapping[str, Mapping[Reason, Explanation]] = {
    "Guards": _GUARDS,
    "Task capacity": _TASK,
    "Core capacity": _CORE,
    "Groups": _GROUPS,
    "Interruptions": _INTERRUPTIONS,
    "Idle clusters": _IDLE,
}

EXPLANATIONS: Mapping[Reason, Explanation] = {
    reason: explanation for part in TITLES.values() for reason, explanation in part.items()
}
"""Every reason there is."""

_INTRODUCTION = """\
# Reasons

Every decision carries exactly one reason: the same word stands in the log, in the metric's dimension, in the
stored record, in the notification and here. `emr-autoscaler explain CLUSTER` shows it with the evidence it was
made from.

This page is generated from `cli/emr_autoscaler_cli/reasons.py` by `make docs`.
"""


def reasons_page() -> str:
    """Return docs/reasons.md."""
    parts = [_INTRODUCTION]
    for title, reasons in TITLES.items():
        rows = [f"| `{reason}` | {words.meaning} | {words.advice} |" for reason, words in reasons.items()]
        parts.append("\n".join([f"## {title}\n", "| reason | meaning | what to do |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(reasons_page())
