import pytest

from emr_simulator.errors import TraceError
from emr_simulator.workloads.swim import read_swim

MIB = 1 << 20


@pytest.fixture
def trace(tmp_path):
    def write(*lines):
        path = tmp_path / "trace.tsv"
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())
        return path

    return write


def test_a_small_job_is_one_map_task_of_at_least_ten_seconds(trace):
    (job,) = read_swim(trace("job0\t49\t49\t740773\t0\t627471")).jobs
    (stage,) = job.stages
    assert (job.name, job.submit_after_seconds) == ("job0", 49)
    assert (stage.tasks, stage.seconds, stage.container_mib) == (1, 10, 2048)


def test_a_job_without_input_still_has_one_map_task(trace):
    (job,) = read_swim(trace("job0\t0\t0\t0\t0\t5")).jobs
    assert [stage.tasks for stage in job.stages] == [1]


def test_input_is_split_and_read_at_the_modelled_speed(trace):
    (job,) = read_swim(trace(f"job0\t0\t0\t{256 * MIB}\t0\t0")).jobs
    assert [(stage.tasks, stage.seconds) for stage in job.stages] == [(2, int(128 * MIB / 8e6 + 5))]


def test_shuffle_becomes_a_reduce_stage_after_the_maps(trace):
    (job,) = read_swim(trace(f"job0\t0\t0\t1\t{513 * MIB}\t0")).jobs
    reduce = job.stages[1]
    assert (reduce.tasks, reduce.parents) == (2, (0,))
    assert reduce.seconds == int(513 * MIB / 2 / 15e6 + 10)


def test_throughput_scales_the_moving_and_not_the_set_up(trace):
    path = trace(f"job0\t0\t0\t{128 * MIB}\t0\t0")
    (fast,) = read_swim(path, throughput_factor=2.0).jobs
    assert fast.stages[0].seconds == int(128 * MIB / 16e6 + 5)


def test_a_slice_counts_from_its_own_start(trace):
    path = trace("a\t10\t0\t1\t0\t0", "b\t3700\t0\t1\t0\t0", "c\t7300\t0\t1\t0\t0")
    workload = read_swim(path, start_hour=1.0, hours=1.0)
    assert [(job.name, job.submit_after_seconds) for job in workload.jobs] == [("b", 100)]
    assert workload.seconds == 3600


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("b\tx\t0\t1\t0\t0", "submit time"),
        ("b\t20\t0\t-1\t0\t0", "map input bytes"),
        ("b\t20\t0\t1\t1.5\t0", "shuffle bytes"),
        ("b\t20\t0\t1\t0\t", "reduce output bytes"),
        ("\t20\t0\t1\t0\t0", "job id"),
        ("b\t5\t0\t1\t0\t0", "submit time"),
        ("b\t20\t0\t1\t0", "reduce output bytes"),
        ("b 20 0 1 0 0", "submit time"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_field(trace, line, field):
    path = trace("a\t10\t0\t1\t0\t0", line)
    with pytest.raises(TraceError) as bad:
        read_swim(path)
    assert (bad.value.path, bad.value.line, bad.value.field) == (str(path), 2, field)
    assert str(bad.value).startswith(f"{path}:2: {field}: ")


def test_bytes_that_are_no_text_are_named_too(tmp_path):
    path = tmp_path / "trace.tsv"
    path.write_bytes(b"a\t1\t0\t1\t0\t0\n\xff\xfe\n")
    with pytest.raises(TraceError) as bad:
        read_swim(path)
    assert bad.value.line == 2


def test_an_empty_slice_is_an_error(trace):
    with pytest.raises(TraceError, match="no job"):
        read_swim(trace("a\t10\t0\t1\t0\t0"), start_hour=5.0)
