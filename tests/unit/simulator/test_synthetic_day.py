from collections import Counter

from emr_simulator.workloads.long_tasks import long_tasks
from emr_simulator.workloads.synthetic import synthetic_day


def test_the_same_seed_gives_the_same_day():
    assert synthetic_day(seed=3) == synthetic_day(seed=3)
    assert synthetic_day(seed=3) != synthetic_day(seed=4)


def test_a_slice_is_the_same_jobs_counted_from_its_start():
    whole, part = synthetic_day(seed=1), synthetic_day(seed=1, start_hour=13.0, hours=2.0)
    inside = [job for job in whole.jobs if 13 * 3600 <= job.submit_after_seconds < 15 * 3600]
    assert [job.name for job in part.jobs] == [job.name for job in inside]
    assert [job.stages for job in part.jobs] == [job.stages for job in inside]
    assert all(0 <= job.submit_after_seconds < 7200 for job in part.jobs)


def test_afternoons_are_busier_than_nights():
    per_hour = Counter(job.submit_after_seconds // 3600 for job in synthetic_day(seed=1).jobs)
    assert sum(per_hour[hour] for hour in range(12, 16)) > 2 * sum(per_hour[hour] for hour in range(4))


def test_there_are_bursts_of_large_jobs_between_small_ones():
    jobs = synthetic_day(seed=1).jobs
    large = [job for job in jobs if job.stages[0].tasks >= 150]
    assert 5 <= len(large) <= 0.05 * len(jobs)


def test_long_tasks_are_of_five_to_thirty_minutes_and_the_same_however_sliced() -> None:
    day = long_tasks(seed=3)
    assert all(300 <= stage.seconds <= 1800 for job in day.jobs for stage in job.stages)
    morning = long_tasks(seed=3, start_hour=6, hours=6)
    late = [job.stages for job in day.jobs if 6 * 3600 <= job.submit_after_seconds < 12 * 3600]
    assert [job.stages for job in morning.jobs] == late
