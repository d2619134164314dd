"""The SAM command line leaves its scratch folders behind; none of them may lie outside the project."""

from pathlib import Path

import pytest

from emr_simulator.local_aws import deployment
from emr_simulator.local_aws.process import LocalAwsError


def project_with_sam(tmp_path: Path, script: str) -> Path:
    sam = tmp_path / ".venv/envs/sam/bin/sam"
    sam.parent.mkdir(parents=True)
    sam.write_text(f"#!/bin/sh\n{script}\n")
    sam.chmod(0o755)
    return tmp_path


def test_what_sam_writes_while_it_works_is_gone_afterwards(tmp_path: Path) -> None:
    project = project_with_sam(tmp_path, 'mkdir "$TMPDIR/left-behind" && echo "$TMPDIR" > seen')
    deployment._sam(project, "build")
    scratch = Path((project / "seen").read_text().strip())
    assert scratch.is_relative_to(project / ".demo")
    assert not scratch.exists()


def test_it_is_gone_after_a_failure_too(tmp_path: Path) -> None:
    project = project_with_sam(tmp_path, 'echo "$TMPDIR" > seen; echo no template; exit 3')
    with pytest.raises(LocalAwsError, match="no template"):
        deployment._sam(project, "deploy")
    assert not Path((project / "seen").read_text().strip()).exists()
