"""The composition root: which adapter stands behind which port, and how an invocation runs."""

from emr_autoscaler.bootstrap.ports import Ports
from emr_autoscaler.bootstrap.use_cases import UseCases

__all__ = ["Ports", "UseCases"]
