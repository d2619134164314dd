"""The composition root: which adapter stands behind which port, and how an invocation runs."""

from emr_autoscaler.bootstrap.invocation import answer_event, answer_messages
from emr_autoscaler.bootstrap.ports import Ports
from emr_autoscaler.bootstrap.use_cases import UseCases

__all__ = ["Ports", "UseCases", "answer_event", "answer_messages"]
