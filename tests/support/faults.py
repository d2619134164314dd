"""Ports that fail at a chosen call: before it took effect, or after it, with the answer lost."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from emr_autoscaler.domain.errors import UnavailableError
from emr_simulator.inprocess.ports import WorldPorts

STORES = ("registry", "decisions", "pools", "policies", "costs", "queue", "notifier", "leases")
AWS = ("reader", "metrics", "alarms", "compute", "price_list")


class Fault:
    """Counts port calls and fails the one that is armed."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.armed_at: int | None = None
        self.after_effect = False
        self.struck: str | None = None

    def arm(self, number: int, *, after_effect: bool) -> None:
        """Fail call ``number`` (1 is the next), once."""
        self.calls.clear()
        self.armed_at, self.after_effect, self.struck = number, after_effect, None

    def run(self, name: str, call: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        self.calls.append(name)
        strikes = self.armed_at == len(self.calls)
        if strikes:
            self.armed_at, self.struck = None, name
        if strikes and not self.after_effect:
            raise UnavailableError(f"{name} failed")
        answer = call(*arguments, **options)
        if strikes and not isinstance(answer, AbstractContextManager):
            raise UnavailableError(f"the answer of {name} was lost")
        return answer


class _Faulty:
    def __init__(self, name: str, inner: Any, fault: Fault) -> None:
        self._name, self._inner, self._fault = name, inner, fault

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._inner, attribute)
        if not callable(value):
            return value
        name = f"{self._name}.{attribute}"
        return lambda *arguments, **options: self._fault.run(name, value, arguments, options)


class FaultyPorts:
    """The ports of a World behind one ``Fault``; the clock never fails."""

    def __init__(self, ports: WorldPorts, fault: Fault) -> None:
        self.clock = ports.clock
        self.prefix, self.cost_centre_tag = ports.prefix, ports.cost_centre_tag
        for name in (*STORES, *AWS):
            setattr(self, name, _Faulty(name, getattr(ports, name), fault))
        self.actuators: Mapping[Any, Any] = {
            mode: _Faulty("actuator", actuator, fault) for mode, actuator in ports.actuators.items()
        }
