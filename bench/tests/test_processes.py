"""What /proc says of processes."""

import os

from bench import processes


def test_the_cpu_of_this_process_is_counted_under_its_name() -> None:
    names = {os.getpid(): "bench"}
    before = processes.cpu_us(names)
    began = os.times()
    while sum(os.times()[:2]) - sum(began[:2]) < 0.05:
        sum(range(10_000))
    used = processes.used_by_name(before, processes.cpu_us(names), names)
    assert 30_000 <= used["bench"] <= 1_000_000


def test_a_process_that_came_in_between_counts_whole_and_one_that_left_not_at_all() -> None:
    names = {1: "a", 2: "b", 3: "a"}
    assert processes.used_by_name({1: 100, 2: 50}, {1: 130, 3: 7}, names) == {"a": 37}


def test_memory_is_that_of_the_process_and_none_of_one_that_is_gone() -> None:
    memory = processes.memory_of(os.getpid())
    assert memory is not None
    assert 1_000 < memory.rss_kib <= memory.rss_peak_kib
    assert processes.memory_of(2**22 + 1) is None
