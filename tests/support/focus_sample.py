"""Writes an export of a recorded cluster, for the public validator: hours, and a correction of a closed month."""

import sys
from dataclasses import replace
from pathlib import Path

from tests.support.finance import RecordedWorld, rows_of

from emr_autoscaler.adapters.focus_csv import csv_lines
from emr_autoscaler.domain.cost_history import correct
from emr_autoscaler.domain.focus import rows_of_correction


def main(path: Path) -> int:
    """Write the file."""
    recorded = RecordedWorld()
    before, *_ = traced = recorded.traced()
    after = replace(before, record=replace(before.record, lines=before.record.lines[1:], revision=2))
    correction = correct(before.record, after.record, "2026-11")
    rows = (*rows_of(traced), *rows_of_correction(correction, before, after))
    path.write_text("".join(csv_lines(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
