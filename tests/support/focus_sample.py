"""Writes an export of a recorded cluster, for the public validator: hours, and a correction of a closed month."""

import sys
from dataclasses import replace
from pathlib import Path

from tests.support.finance import RecordedWorld

from emr_autoscaler.adapters.focus_csv import csv_lines
from emr_autoscaler.domain.cost_history import correct
from emr_autoscaler.domain.focus import rows_of, rows_of_correction


def main(path: Path) -> int:
    """Write the file."""
    recorded = RecordedWorld()
    records = recorded.records()
    corrected = replace(records[0], lines=records[0].lines[1:], revision=2)
    rows = (*rows_of(records), *rows_of_correction(correct(records[0], corrected, "2026-11")))
    path.write_text("".join(csv_lines(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
