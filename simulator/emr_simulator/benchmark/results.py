"""Results on disk: one file a cell, named by a digest of all that could change it, so that runs can be resumed."""

import hashlib
import json
import os
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import emr_autoscaler
import emr_simulator
from emr_simulator.benchmark.cells import Cell
from emr_simulator.benchmark.work import digest_of
from emr_simulator.experiment import Setup

_WITHOUT_EFFECT = frozenset(
    {"report", "pictures", "rehearsal", "local_aws", "wire", "benchmark", "backtest", "yarn_check"}
)
"""Rooms of the simulator that no run passes through; what a cell keeps is told by FORMAT."""

FORMAT = 2
"""Raised whenever cells keep other values than before."""


class Results:
    """Documents of cells in a folder.

    Args:
        folder: Where they lie; made when the first is kept.
        setup: Of every cell.
        hours: Length of the part of a trace that is played; all of it where None.
    """

    def __init__(self, folder: Path, setup: Setup, *, hours: float | None = None) -> None:
        self._folder = folder
        self._setup = setup
        self._hours = hours

    def get(self, cell: Cell) -> dict[str, Any] | None:
        """Return the document of a cell, or None where it has yet to be run."""
        try:
            text = self._path(cell).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            document: dict[str, Any] = json.loads(text)
        except ValueError:
            return None  # half-written when an earlier run was broken off
        return document

    def keep(self, cell: Cell, document: dict[str, Any]) -> None:
        """Write the document of a cell, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(cell)
        partial = path.with_suffix(f".{os.getpid()}.part")
        partial.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
        partial.replace(path)

    def _path(self, cell: Cell) -> Path:
        key = {
            "format": FORMAT,
            "policy": cell.variant.policy,
            "metrics": cell.variant.metrics,
            "seed": cell.seed,
            "setup": asdict(self._setup),
            "hours": self._hours,
            "spot": None if cell.spot is None else cell.spot.key,
            "trace": digest_of(cell.trace),
            "code": code_digest(),
        }
        digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()
        return self._folder / f"{digest[:32]}.json"


@cache
def code_digest() -> str:
    """Return the SHA-256 of the source of the layer and the simulator."""
    digest = hashlib.sha256()
    for package in (emr_autoscaler, emr_simulator):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            inside = path.relative_to(root)
            if inside.parts[0] not in _WITHOUT_EFFECT or package is emr_autoscaler:
                digest.update(str(inside).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
