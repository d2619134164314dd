"""CloudWatch's alarm changes, and the scheduled ticks."""

from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from emr_autoscaler.messages.envelope import ClusterId, Detail, Word


class AlarmState(StrEnum):
    """The three states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class AlarmStateChange(Detail):
    """CloudWatch Alarm State Change of an alarm on one cluster (dimension JobFlowId)."""

    alarm_name: Word = Field(alias="alarmName")
    state: AlarmState
    cluster_id: ClusterId = Field(alias="JobFlowId")

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, data: Any) -> Any:  # noqa: ANN401 (pydantic hands over what arrived)
        """Lift the state and the cluster out of the nesting CloudWatch wraps them in."""
        if not isinstance(data, dict):
            return data
        state = data.get("state")
        flat = {**data, "state": state.get("value") if isinstance(state, dict) else state}
        found = _job_flow_id(data.get("configuration"))
        return {**flat, "JobFlowId": found} if found else flat


class ScheduledTick(Detail):
    """Scheduled Event: its time says all."""


def _job_flow_id(configuration: object) -> str | None:
    metrics = configuration.get("metrics") if isinstance(configuration, dict) else None
    for metric in metrics if isinstance(metrics, list) else ():
        try:
            value = metric["metricStat"]["metric"]["dimensions"]["JobFlowId"]
        except (KeyError, TypeError):
            continue
        return str(value)
    return None
