"""The two ways a command ends badly, and their exit codes. AWS's and the domain's errors become one of them.

CommandError
├── FailedError    exit 1: it could not be done; one line says why
└── UsageError     exit 2: it was asked wrongly; names the argument
"""

DONE, FAILED, WRONG_USAGE = 0, 1, 2


class CommandError(Exception):
    """A command that ends without what was asked for."""

    exit_code = FAILED


class FailedError(CommandError):
    """It could not be done."""


class UsageError(CommandError):
    """It was asked wrongly; the message names the argument."""

    exit_code = WRONG_USAGE
