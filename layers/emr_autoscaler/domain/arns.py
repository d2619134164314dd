"""What an ARN says of the thing it names: its region and its account, where it has them."""


def region_of(arn: str) -> str:
    """Return the AWS region."""
    return arn.split(":")[3]


def account_of(arn: str) -> str:
    """Return the AWS account."""
    return arn.split(":")[4]
