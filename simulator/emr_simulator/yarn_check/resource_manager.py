"""Hadoop's side: fetch and compile what it needs into ``.yarn/``, replay a slice on it, read what came of it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emr_simulator.workloads.model import Job, Workload
from emr_simulator.yarn_check.outcomes import JobTimes, Leave, NodeTimes, Outcome
from emr_simulator.yarn_check.slices import Replay

TOOLS = ("java", "javac", "mvn")
_DRIVER = Path(__file__).parent / "driver"
_MAIN = "emrautoscaler.yarncheck.Replay"
_BEGIN_SECONDS = 10
"""The nodes register before the slice begins, as they did in the World."""
_MAVEN_SECONDS = 1200
_REPLAY_SECONDS = 1800
_JAVA_OPTIONS = ("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true")
_COLUMNS = (
    "MemoryAllocatedMB", "PendingMB", "ContainerAllocated", "ContainerPending", "AppsPending", "AppsRunning",
    "MemoryTotalMB", "MRActiveNodes", "MRDecommissioningNodes", "MemoryReservedMB", "TotalVirtualCores",
    "MRTotalNodes",
)  # fmt: skip
"""What the driver writes of each second, in its order, after the time."""


class HadoopError(Exception):
    """Maven, the compiler or the driver failed; the message ends with what it said."""


def missing_tools() -> list[str]:
    """Return the commands of a Java developer's machine that are not on the path."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hadoop:
    """Hadoop's classes and the driver, ready to run.

    Attributes:
        home: Folder of everything that is fetched or made.
        class_path: Of the driver and Hadoop.
    """

    home: Path
    class_path: str

    def replay(self, replay: Replay, nodes: Mapping[str, NodeTimes], workload: Workload) -> Outcome:
        """Play a slice on a new ResourceManager.

        Args:
            replay: How it is set up.
            nodes: When each node comes, and when it is asked to leave; it goes when YARN lets it.
            workload: The jobs.

        Raises:
            HadoopError: The driver failed.
        """
        work = self.home / "work"
        work.mkdir(parents=True, exist_ok=True)
        plan, answer = work / "plan.tsv", work / "answer.tsv"
        hosts = {name: f"127.1.{number >> 8}.{number & 255}" for number, name in enumerate(nodes, start=1)}
        plan.write_text("".join(plan_lines(nodes, hosts, workload)), encoding="utf-8")
        beat = str(replay.heartbeat_millis)
        options = (str(plan), str(answer), str(work), replay.scheduler.value, beat, beat, str(replay.master_mib))
        _run(("java", *_JAVA_OPTIONS, _MAIN, *options), _REPLAY_SECONDS, self.class_path)
        asked = {hosts[name]: drain for name, node in nodes.items() for drain, _ in node.drains[-1:]}
        return read_answer(answer.read_text(encoding="utf-8"), asked)


def prepare(home: Path, version: str) -> Hadoop:
    """Fetch Hadoop with Maven where it is not there yet, and compile the driver.

    Args:
        home: Folder that takes the artefacts and classes; nothing is written elsewhere.
        version: Of Hadoop.

    Raises:
        HadoopError: It could not be fetched or compiled.
    """
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    listing = home / f"classpath-{version}"
    if not listing.exists():
        fetched = home / "classpath.part"
        _run(
            (
                "mvn", "-B", "-q", "-f", str(_DRIVER / "pom.xml"), f"-Dhadoop.version={version}",
                f"-Dmaven.repo.local={home / 'repository'}", f"-Dmdep.outputFile={fetched}",
                "dependency:build-classpath",
            ),
            _MAVEN_SECONDS,
        )  # fmt: skip
        fetched.rename(listing)
    libraries = listing.read_text(encoding="utf-8").strip()
    classes = home / f"classes-{version}"
    shutil.rmtree(classes, ignore_errors=True)
    classes.mkdir()
    sources = [str(path) for path in sorted(_DRIVER.glob("*.java"))]
    _run(("javac", "-nowarn", "-d", str(classes), *sources), _MAVEN_SECONDS, libraries)
    shutil.copy(_DRIVER / "log4j.properties", classes)
    return Hadoop(home=home, class_path=f"{classes}:{libraries}")


def plan_lines(nodes: Mapping[str, NodeTimes], hosts: Mapping[str, str], workload: Workload) -> list[str]:
    """Return what the driver reads: nodes (by id; ``hosts`` has their addresses), then jobs."""
    lines = []
    for name, node in nodes.items():
        host = hosts[name]
        lines.append(f"node\t{host}\t{node.mib}\t{_millis(node.up) if node.up else 0}\n")
        lines += [f"drain\t{host}\t{_millis(at)}\t{_millis(deadline)}\n" for at, deadline in node.drains]
        lines += [f"recall\t{host}\t{_millis(at)}\n" for at in node.recalls]
    lines += [_job_line(job) for job in workload.jobs]
    return lines


def read_answer(text: str, asked: Mapping[str, int]) -> Outcome:
    """Read what the driver wrote; ``asked`` is when each host was last asked to leave."""
    jobs: dict[str, JobTimes] = {}
    samples: dict[str, list[float]] = {column: [] for column in _COLUMNS}
    leaves = []
    for line in text.splitlines():
        kind, *words = line.split("\t")
        if kind == "job":
            submitted, started, ended = (_seconds(word) for word in words[1:4])
            jobs[words[0]] = JobTimes(
                submitted=submitted, started=started, ended=ended, lost_seconds=int(words[4]) / 1000
            )
        elif kind == "sample" and _seconds(words[0]) >= 0:
            for column, word in zip(_COLUMNS, words[1:], strict=True):
                samples[column].append(float(word))
        elif kind == "left":
            leaves.append(
                Leave(
                    asked=asked[words[0]],
                    empty=_seconds(words[1]),
                    left=_seconds(words[2]),
                    forced=words[3] == "1",
                )
            )
    return Outcome(
        jobs=jobs, samples={name: tuple(values) for name, values in samples.items()}, leaves=tuple(leaves)
    )


def _seconds(millis: str) -> float:
    return int(millis) / 1000 - _BEGIN_SECONDS


def _millis(seconds: int) -> int:
    return (seconds + _BEGIN_SECONDS) * 1000


def _job_line(job: Job) -> str:
    stages = "\t".join(
        f"{stage.tasks},{stage.seconds},{stage.container_mib},{'+'.join(map(str, stage.parents))}"
        for stage in job.stages
    )
    return f"job\t{job.name}\t{_millis(job.submit_after_seconds)}\t{stages}\n"


def _run(command: tuple[str, ...], timeout_seconds: int, class_path: str = "") -> None:
    try:
        subprocess.run(  # noqa: S603 - the words are ours
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "CLASSPATH": class_path},
        )
    except subprocess.CalledProcessError as error:
        last = "\n".join((error.stdout + error.stderr).strip().splitlines()[-40:])
        msg = f"{command[0]} failed:\n{last}"
        raise HadoopError(msg) from error
    except subprocess.TimeoutExpired as error:
        msg = f"{command[0]} took longer than {timeout_seconds} s"
        raise HadoopError(msg) from error
