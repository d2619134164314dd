"""Notifications on an SNS topic; what they say is decided where they are made."""

from typing import TYPE_CHECKING, ClassVar

from emr_autoscaler.adapters.aws_errors import domain_errors
from emr_autoscaler.adapters.permissions import Permission
from emr_autoscaler.ports import Notification

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

SUBJECT_CHARS = 100
"""SNS refuses longer subjects, and ones with line breaks or characters beyond ASCII."""


class SnsNotifier:
    """Implements ``ports.Notifier``; the notification's attributes become message attributes."""

    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission(("sns:Publish",), "tell people what was decided and what is wrong"),
    )

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def notify(self, notification: Notification) -> str:
        """Publish a notification and return SNS's MessageId; a subject that SNS would refuse is made fit."""
        with domain_errors():
            published = self._client.publish(
                TopicArn=self._topic_arn,
                Subject=_fit(notification.subject),
                Message=notification.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in notification.attributes.items()
                    if value  # SNS refuses empty values; a filter treats absence the same
                },
            )
            return published["MessageId"]


def _fit(subject: str) -> str:
    one_line = " ".join(subject.split())
    printable = "".join(char if char.isascii() and char.isprintable() else "?" for char in one_line)
    return printable[:SUBJECT_CHARS]
