"""Wall time, CPU time and peak memory of a command with everything it starts."""

import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Measured:
    """What a command cost. CPU is user + system of the process tree; ``peak_rss_mib`` is the tree's, sampled."""

    wall_seconds: float
    cpu_seconds: float
    peak_rss_mib: int
    code: int
    output: str
    errors: str


def measure(command: list[str], folder: Path, environment: dict[str, str]) -> Measured:
    """Run one command after the other with this: CPU is what the waited-for children of this process used meanwhile."""
    before = _children_cpu()
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    peak, done = [0], threading.Event()
    sampler = threading.Thread(target=_sample, args=(process.pid, peak, done), daemon=True)
    sampler.start()
    output, errors = process.communicate()
    wall = time.perf_counter() - started
    done.set()
    sampler.join()
    return Measured(wall, _children_cpu() - before, peak[0] // 2**20, process.returncode, output, errors)


def _sample(pid: int, peak: list[int], done: threading.Event) -> None:
    try:
        root = psutil.Process(pid)
        while not done.wait(SAMPLE_SECONDS):
            sizes = []
            for process in (root, *root.children(recursive=True)):
                try:
                    sizes.append(process.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            peak[0] = max(peak[0], sum(sizes))
    except psutil.NoSuchProcess:
        return


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
