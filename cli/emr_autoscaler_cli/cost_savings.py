"""How costs trace tells what an hour saved: each figure with its baseline and the decision it rests on."""

from dataclasses import asdict
from typing import Any

from emr_autoscaler.domain.costs import HourRecord
from emr_autoscaler.domain.savings import Savings
from emr_autoscaler_cli.output import moment


def savings_document(record: HourRecord) -> dict[str, Any]:
    """Return what an hour saved as JSON; null where nothing was."""
    saved = record.savings or Savings()
    return {
        "scaling": None if saved.scaling is None else asdict(saved.scaling),
        "reaping": None if saved.reaping is None else asdict(saved.reaping),
        "replacements": None if saved.replacements is None else asdict(saved.replacements),
    }


def savings_facts(record: HourRecord) -> dict[str, str]:
    """Return what an hour saved in words; nothing where nothing was."""
    saved, facts = record.savings or Savings(), {}
    if (scaling := saved.scaling) is not None:
        facts["scaling saving"] = (
            f"{scaling.saved_usd:.6f} USD, an estimate: task nodes of {scaling.reference_hour:%Y-%m-%dT%HZ} cost "
            f"{scaling.baseline_list_usd:.6f} at list, these paid {scaling.paid_share:.1%} of list; scaled in "
            f"by the decision of {moment(scaling.scaled_in_at)}"
        )
    if (reaping := saved.reaping) is not None:
        facts["reaping saving"] = (
            f"{reaping.saved_usd:.6f} USD, an estimate: {reaping.seconds / 3600:.2f} more hours, as long as it "
            f"had been idle, at the {reaping.usd_per_hour:.6f} USD of {reaping.reference_hour:%Y-%m-%dT%HZ}; "
            f"decision {reaping.decision_id}"
        )
    if (told := saved.replacements) is not None:
        facts["replaced"] = (
            f"{told.replaced} of {told.lost} task instances that AWS took back, {told.replaced_seconds} of "
            f"{told.lost_seconds} node-seconds of this hour; decisions: {', '.join(told.decision_ids) or 'none'}"
        )
    return facts
