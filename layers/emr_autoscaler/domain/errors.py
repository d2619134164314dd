"""The one error tree of the project. Adapters translate into it; nobody else raises AWS errors.

AutoscalerError
├── InvalidInputError          something a person or another system sent is wrong: names field and fix
│   ├── InvalidEventError      a known event that cannot be read (ends in the dead-letter queue)
│   └── InvalidPolicyError     a policy document that cannot be used (the last good one stays)
├── NotFoundError              the cluster, group or record does not exist
├── RefusedError               AWS understood the call and refuses it (protected, below replication, ...)
├── UnavailableError           throttled or failing for now: retry the whole invocation
├── ConflictError              somebody else changed the record first: read again
├── BusyError                  another invocation is deciding on this cluster
└── PriceMissingError          a price nobody can trace is never invented
"""


class AutoscalerError(Exception):
    """Anything this project raises on purpose."""


class InvalidInputError(AutoscalerError):
    """Something that came from outside is wrong."""


class InvalidEventError(InvalidInputError):
    """A known event that cannot be read."""


class InvalidPolicyError(InvalidInputError):
    """A policy document that cannot be used."""


class NotFoundError(AutoscalerError):
    """What was named does not exist."""


class RefusedError(AutoscalerError):
    """AWS understood the call and refuses it; repeating it would not help."""


class UnavailableError(AutoscalerError):
    """AWS throttles or fails for now; the whole invocation may be retried."""


class ConflictError(AutoscalerError):
    """The record was changed by somebody else since it was read."""


class BusyError(AutoscalerError):
    """Another invocation holds this cluster."""


class PriceMissingError(AutoscalerError):
    """No traceable price is known for what is being priced."""
