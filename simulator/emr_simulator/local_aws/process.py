"""The local AWS as a child process: started on loopback, waited for, stopped. It knows nothing of stacks."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_LOOPBACK = "127.0.0.1"
_SECRET = "local"  # noqa: S105 - the local AWS takes any


class LocalAwsError(Exception):
    """The local AWS, or something done to it, failed; says where the log lies."""


def project_root() -> Path:
    """Return the folder of template.yaml that this package was installed from."""
    root = Path(__file__).resolve().parents[3]
    if not (root / "template.yaml").is_file():
        msg = f"{root} has no template.yaml: rehearsals run from a checkout of the project"
        raise LocalAwsError(msg)
    return root


def clean_environment(**extra: str) -> dict[str, str]:
    """Return this process' environment without a trace of a real AWS account, plus ``extra``.

    Profiles, credentials and endpoints of the person who runs a rehearsal never reach a child, and nothing
    but loopback is addressed without a proxy.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EMR_AUTOSCALER_"))}
    for name in ("no_proxy", "NO_PROXY"):
        kept[name] = ",".join(filter(None, (kept.get(name, ""), _LOOPBACK, "localhost")))
    return (
        kept
        | {
            "AWS_ACCESS_KEY_ID": ACCOUNT_ID,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        | extra
    )


class LocalAws:
    """A local AWS on a free port of the loopback interface, with state of its own that goes when it stops.

    Use it as a context manager. Lambda workers inherit ``environment``: that is how the addresses of a
    simulated EMR (AWS_ENDPOINT_URL_EMR and friends) and a virtual clock (EMR_AUTOSCALER_CLOCK_URL) reach
    deployed functions.

    Attributes:
        endpoint: http://127.0.0.1:<port>, empty before the start.
        project: Root of the checkout.
        log_path: What the server wrote; kept after the stop, overwritten by the next start of the same name.
    """

    def __init__(
        self,
        *,
        project: Path | None = None,
        environment: Mapping[str, str] | None = None,
        enforce_permissions: bool = False,
        record_calls: bool = False,
        name: str = "local-aws",
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            project: Root of the checkout; found from this package when left out.
            environment: Added to the server's environment and so to that of its Lambda workers.
            enforce_permissions: Evaluate IAM policies: functions can do what their roles allow, no more.
            record_calls: Keep who called what, for LookupEvents of CloudTrail.
            name: Begins the name of the log file in .demo/.
        """
        self.project = project or project_root()
        self.endpoint = ""
        self._environment = dict(environment or {})
        self._enforce_permissions = enforce_permissions
        self._record_calls = record_calls
        self._workspace = self.project / ".demo"
        self.log_path = self._workspace / f"{name}.log"
        self._state: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self.client = lru_cache(maxsize=None)(self._client)

    def __enter__(self) -> Self:
        """Start and wait until it answers."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, whatever happened."""
        self.stop()

    @property
    def pid(self) -> int | None:
        """Process id of the server (and of its process group), None while it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            LocalAwsError: It ended or did not answer within a minute.
        """
        python = self.project / ".venv/envs/local-aws/bin/python"
        if not python.exists():
            msg = f"{python} is missing: run make install"
            raise LocalAwsError(msg)
        self._workspace.mkdir(exist_ok=True)
        self._state = tempfile.TemporaryDirectory(prefix="state-", dir=self._workspace, ignore_cleanup_errors=True)
        state = Path(self._state.name)
        port = _free_port()
        self._log = self.log_path.open("wb")
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [str(python), str(Path(__file__).with_name("guard.py")), "ministack"],
            cwd=state,
            env=clean_environment(
                HOME=str(state),
                TMPDIR=str(state),
                STATE_DIR=str(state / "state"),
                S3_DATA_DIR=str(state / "s3"),
                BIND_HOST=_LOOPBACK,
                GATEWAY_PORT=str(port),
                MINISTACK_HOST=_LOOPBACK,
                MINISTACK_ACCOUNT_ID=ACCOUNT_ID,
                MINISTACK_REGION=REGION,
                LAMBDA_EXECUTOR="local",
                LAMBDA_ASYNC_RETRY_BASE_SECONDS="0.05",
                # They would listen on every interface.
                IOT_MTLS_ENABLED="0",
                SFTP_ENABLED="0",
                AUTH=str(self._enforce_permissions).lower(),
                CLOUDTRAIL_RECORDING=str(int(self._record_calls)),
                LOG_LEVEL="INFO",
            )
            | self._environment,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.endpoint = f"http://{_LOOPBACK}:{port}"
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise

    def _wait_until_it_answers(self) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                msg = f"the local AWS ended while starting; its log is {self.log_path}"
                raise LocalAwsError(msg)
            # Not listening yet, or listening and not ready (503, an HTTPError): both are URLErrors.
            with (
                contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
                opener.open(f"{self.endpoint}/_ministack/ready", timeout=2),
            ):
                return
            time.sleep(0.05)
        msg = f"the local AWS did not answer within {_START_SECONDS:.0f} s; its log is {self.log_path}"
        raise LocalAwsError(msg)

    def stop(self) -> None:
        """End the server with its whole process group and remove its state. Repeating it is harmless."""
        process, self._process = self._process, None
        if process is not None:
            _end_group(process)
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._state is not None:
            self._state.cleanup()
            self._state = None
        self.client.cache_clear()

    # The stubs know a client by a literal name only; here the name is a value.
    def _client(self, service: str) -> Any:  # noqa: ANN401
        """Return a boto3 client of ``service`` that talks to this server and to nothing else (cached)."""
        return boto3.Session(
            aws_access_key_id=ACCOUNT_ID, aws_secret_access_key=_SECRET, region_name=REGION
        ).client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint,
            config=Config(
                connect_timeout=5,
                read_timeout=330,
                retries={"mode": "standard", "total_max_attempts": 1},
                proxies={},
                max_pool_connections=20,
                s3={"addressing_style": "path"},
            ),
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the group to end, then make it. Its id is the process' id: it leads a session of its own."""
    for end, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, end)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
            break
    # The leader may be gone before its workers; what is left of the group goes now.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
