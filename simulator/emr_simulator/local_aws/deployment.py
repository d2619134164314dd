"""Builds the template for this machine and deploys it with the SAM command line, as a user would.

What is deployed is read back as a ``Stack``; sending events to it lives in events.py and schedules.py.
"""

import fcntl
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from emr_simulator.local_aws.process import LocalAws, LocalAwsError, clean_environment

STACK_NAME = "emr-autoscaler"
_BUCKET = "emr-autoscaler-artifacts"
_SOURCES = ("template.yaml", "samconfig.toml", "requirements/layer.txt", "layers", "functions")
_KEPT_BUILDS = 3
_COMPLETE = ".complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A deployed stack.

    Attributes:
        aws: Where it is deployed.
        name: The stack's name.
        outputs: Outputs of the template by key.
        resources: Physical id by logical id.
    """

    aws: LocalAws
    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, str]

    def function_name(self, verb: str) -> str:
        """Return the deployed name of the function in functions/<verb>/."""
        return f"{self.outputs['StackPrefix']}-{verb.replace('_', '-')}"


def build(project: Path) -> Path:
    """Run ``sam build`` for this machine unless these sources were built before; return the build's folder.

    Raises:
        LocalAwsError: The build failed; carries what SAM said.
    """
    builds = project / ".demo/builds"
    builds.mkdir(parents=True, exist_ok=True)
    target = builds / fingerprint(project)
    with _alone(builds / ".lock"):
        if not (target / _COMPLETE).exists():
            shutil.rmtree(target, ignore_errors=True)
            _sam(project, "build", "--build-dir", str(target))
            (target / _COMPLETE).touch()
        _forget_old(builds)
    return target


def fingerprint(project: Path) -> str:
    """Return a name for what a build depends on: sources, locked requirements, interpreter and machine."""
    digest = hashlib.sha256(f"{sys.version}{platform.machine()}{project}".encode())
    for source in _SOURCES:
        root = project / source
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(project)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def deploy(aws: LocalAws, *, name: str = STACK_NAME, parameters: Mapping[str, str] | None = None) -> Stack:
    """Build what changed and run ``sam deploy`` with the local profile.

    Args:
        aws: A started local AWS.
        name: Name of the stack.
        parameters: Template parameters beside those of the local profile in samconfig.toml.

    Raises:
        LocalAwsError: Build or deployment failed; carries what SAM said.
    """
    folder = build(aws.project)
    s3 = aws.client("s3")
    try:
        s3.head_bucket(Bucket=_BUCKET)
    except ClientError:
        s3.create_bucket(Bucket=_BUCKET)
    chosen = _local_parameters(aws.project) | dict(parameters or {})
    _sam(
        aws.project,
        "deploy",
        # SAM looks for it beside the built template otherwise.
        *("--config-file", str(aws.project / "samconfig.toml")),
        *("--template-file", str(folder / "template.yaml")),
        *("--stack-name", name),
        *("--s3-bucket", _BUCKET),
        "--parameter-overrides",
        *(f"{key}={value}" for key, value in chosen.items()),
        AWS_ENDPOINT_URL=aws.endpoint,
    )
    return find_stack(aws, name)


def find_stack(aws: LocalAws, name: str = STACK_NAME) -> Stack:
    """Return a stack that is deployed already."""
    cloudformation = aws.client("cloudformation")
    found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    return Stack(
        aws=aws,
        name=name,
        outputs={output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
        resources={
            summary["LogicalResourceId"]: summary.get("PhysicalResourceId", "")
            for page in pages
            for summary in page["StackResourceSummaries"]
        },
    )


def _local_parameters(project: Path) -> dict[str, str]:
    """Return what the local profile sets, with the runtime and processor of this machine."""
    profile = tomllib.loads((project / "samconfig.toml").read_text())["local"]["deploy"]["parameters"]
    return dict(pair.split("=", 1) for pair in profile["parameter_overrides"].split()) | {
        "PythonRuntime": f"python3.{sys.version_info.minor}",
        "Architecture": "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
    }


def _sam(project: Path, command: str, *arguments: str, **environment: str) -> None:
    sam = project / ".venv/envs/sam/bin/sam"
    if not sam.exists():
        msg = f"{sam} is missing: run make install"
        raise LocalAwsError(msg)
    workspace = project / ".demo"
    workspace.mkdir(exist_ok=True)
    # SAM forgets its scratch folders: they are made where nobody else's are, and removed here.
    with tempfile.TemporaryDirectory(prefix="sam-scratch-", dir=workspace) as scratch:
        done = subprocess.run(  # noqa: S603 - our own environment's command
            [str(sam), command, "--config-env", "local", *arguments],
            cwd=project,
            env=clean_environment(
                TMPDIR=scratch,
                SAM_CLI_TELEMETRY="0",
                SAM_CLI_POLL_DELAY="0.2",
                __SAM_CLI_APP_DIR=str(workspace / "sam"),
                PIP_CACHE_DIR=str(project / ".venv/cache/pip"),
                LAYER_PLATFORM="local",
                LAYER_PYTHON=str(project / ".venv/bin/python"),
            )
            | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        msg = f"sam {command} failed ({done.returncode}):\n{done.stdout[-4000:]}"
        raise LocalAwsError(msg)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process of this machine build at a time; the others wait and find it done."""
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _forget_old(builds: Path) -> None:
    """Keep the last builds only: each carries the layer's dependencies."""
    complete = sorted(builds.glob(f"*/{_COMPLETE}"), key=lambda marker: marker.stat().st_mtime, reverse=True)
    for marker in complete[_KEPT_BUILDS:]:
        shutil.rmtree(marker.parent, ignore_errors=True)
