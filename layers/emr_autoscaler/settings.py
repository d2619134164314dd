"""What the deployed functions are told by their environment (template.yaml, Globals)."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emr_autoscaler.domain.errors import InvalidInputError


class Settings(BaseModel):
    """One field for each environment variable; docs/settings.md describes them.

    Attributes:
        stack_prefix: Begins the names of alarms this system creates.
        state_table: Name of the state table.
        cost_table: Name of the cost table.
        task_evaluation_queue_url: FIFO queue of task evaluations.
        core_evaluation_queue_url: FIFO queue of core evaluations.
        notification_topic_arn: Where people are told.
        policy_path: Path of the policy documents in Parameter Store.
        cost_centre_tag_key: The cluster tag that names the cost centre.
        statements_bucket: Where exports and statements go; empty for the command line, which writes none.
        billing_export_bucket: Where AWS's billing export lies; empty where there is none.
        billing_export_prefix: How its keys begin.
        own_role_names: Names of the roles of the functions that call EMR, separated by commas; empty for the
            command line, which judges no calls.
        clock_url: Set only in rehearsals, by the local AWS: where virtual time is read from.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    stack_prefix: str = Field(alias="STACK_PREFIX", min_length=1)
    state_table: str = Field(alias="STATE_TABLE", min_length=1)
    cost_table: str = Field(alias="COST_TABLE", min_length=1)
    task_evaluation_queue_url: str = Field(alias="TASK_EVALUATION_QUEUE_URL", min_length=1)
    core_evaluation_queue_url: str = Field(alias="CORE_EVALUATION_QUEUE_URL", min_length=1)
    notification_topic_arn: str = Field(alias="NOTIFICATION_TOPIC_ARN", min_length=1)
    policy_path: str = Field(alias="POLICY_PATH", pattern=r"^/.+/policies$")
    cost_centre_tag_key: str = Field(alias="COST_CENTRE_TAG_KEY", min_length=1)
    statements_bucket: str = Field(default="", alias="STATEMENTS_BUCKET")
    billing_export_bucket: str = Field(default="", alias="BILLING_EXPORT_BUCKET")
    billing_export_prefix: str = Field(default="", alias="BILLING_EXPORT_PREFIX")
    own_role_names: str = Field(default="", alias="OWN_ROLE_NAMES")
    clock_url: str | None = Field(default=None, alias="EMR_AUTOSCALER_CLOCK_URL")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        InvalidInputError: One is missing or wrong; names it.
    """
    try:
        return Settings.model_validate(dict(environment))
    except ValidationError as error:
        problems = "; ".join(f"{p['loc'][0]}: {p['msg']}" for p in error.errors())
        msg = f"the function's environment is incomplete: {problems}"
        raise InvalidInputError(msg) from error
