"""The EventBridge envelope that every event shares; the details are modelled where they are read."""

from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Word = Annotated[str, StringConstraints(min_length=1)]
ClusterId = Annotated[str, StringConstraints(pattern=r"^j-[A-Z0-9]+$")]
InstanceId = Annotated[str, StringConstraints(pattern=r"^i-[0-9a-f]+$")]


class Envelope(BaseModel):
    """What EventBridge puts around every event. Unknown fields are AWS's to add."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Word
    source: Word
    detail_type: Word = Field(alias="detail-type")
    account: str = ""
    region: str = ""
    time: AwareDatetime
    resources: tuple[str, ...] = ()
    detail: dict[str, Any]


class Detail(BaseModel):
    """Base of all details.

    Attributes:
        answered_once: Whether a second delivery is answered with what the first led to. False for events
            that tell themselves whether they come too late: remembering each costs two writes.
    """

    answered_once: ClassVar[bool] = True

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)
