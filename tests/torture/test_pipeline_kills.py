"""Kill -9 of a whole morning: started again, it comes to what an undisturbed one comes to, byte for byte.

A chain is one home: the morning is killed at a durable step, started again and killed at another, started again and
killed after a while, and started once more. ``O2C_KILLS`` says how many kills there are, by default 40;
``O2C_KILLS_SEED`` draws other steps. From 200 on there is also one kill at every step that changes what is there, in a
home of its own.
"""

import os
import random
import re
import shutil
import sys
from pathlib import Path

import pytest
from warm import Ended, Warm
from whole_mornings import Morning, leftovers, letters, outbox, outputs, release

KILLS = int(os.environ.get("O2C_KILLS", "40"))
SEED = int(os.environ.get("O2C_KILLS_SEED", "1"))
KILLS_OF_A_CHAIN = 3
SHARES = 6
LONGEST_RESTART_SECONDS = 60


def kind(step: str) -> str:
    """What a step does, and in which part of the home; not to which letter, table or file."""
    _, _, what = step.partition(" ")
    done, _, path = what.partition("/undisturbed/")
    return f"{done.partition('/')[0]} {path.partition('/')[0]} {Path(path).suffix}"


def first_steps(morning: Morning, count: int, draw: random.Random) -> list[int]:
    """Steps to die at first: of kinds spread over the morning."""
    steps = [step for step in morning.ended.trace if is_of_the_home(step)]
    of_kind: dict[str, list[int]] = {}
    for step in steps:
        of_kind.setdefault(kind(step), []).append(int(step.split()[0]))
    kinds = list(of_kind.values())
    chosen = [kinds[(2 * index + 1) * len(kinds) // (2 * count)] for index in range(count)]
    return [draw.choice(numbers) for numbers in chosen]


def is_of_the_home(step: str) -> bool:
    return "/undisturbed/" in step or step.endswith(("commit", "gives back"))


def changing_steps(trace: list[str]) -> list[int]:
    """One step for each state that a killed process can leave behind, of a morning in a home called "undisturbed".

    Before a file takes its name, is linked or deleted, before a commit, before a database is given back. What comes
    between two of them is the first's "after"; and a sync changes nothing for a process, only for a machine that dies.
    """
    return [
        int(step.split()[0])
        for step in trace
        if is_of_the_home(step) and " before " in step and "sync " not in step
    ]


def check_at_the_kill(home: Path, morning: Morning, killed: Ended) -> None:
    """What anybody sees right after: the old release or the new one, whole letters, each once, and no process left."""
    at = killed.trace[-1] if killed.trace else "the start"
    assert killed.orphans == [], at
    assert release(home) in (morning.released_before, morning.released), at
    lying = outbox(home)
    assert len(set(lying)) == len(lying), at
    assert set(lying) <= set(morning.sent), at
    found = {name: hash_ for name, hash_ in outputs(home).items() if name.endswith(".eml")}
    assert found.items() <= morning.outputs.items(), at
    sent = {letter_id for letter_id, _, state, _ in letters(home) if state == "sent"}
    assert sent <= set(lying), at


def check_in_the_end(home: Path, morning: Morning, ended: Ended, after: list[str]) -> None:
    assert ended.code == morning.ended.code, (after, ended.output)
    assert ended.seconds < LONGEST_RESTART_SECONDS, after
    assert ended.orphans == [], after
    assert outputs(home) == morning.outputs, after
    assert release(home) == morning.released, after
    assert outbox(home) == morning.sent, after
    assert letters(home) == morning.letters, after
    assert leftovers(home) == [], after


@pytest.mark.parametrize("which", [0, 1], ids=["first morning", "second morning"])
def test_a_morning_killed_again_and_again_comes_to_what_it_comes_to_undisturbed(
    which: int,
    mornings: list[Morning],
    warm: Warm,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    morning, draw = mornings[which], random.Random(f"{SEED} {which}")  # noqa: S311
    step_count, wanted = len(morning.ended.trace), KILLS // 2
    firsts = first_steps(morning, -(-wanted // KILLS_OF_A_CHAIN), draw)
    kills, chains, usual, longest = 0, 0, 3.0, 0.0
    while kills < wanted:
        home = tmp_path / f"chain-{chains}"
        shutil.copytree(morning.before, home, symlinks=True)
        died: list[str] = []
        points = [
            {"die_at": firsts.pop(0) if firsts else draw.randint(1, step_count)},
            {"die_at": draw.randint(1, step_count)},
            {"die_after": usual * draw.random()},
        ]
        for point in points:
            ended = warm.run("--home", str(home), *morning.arguments, **point)
            if ended.was_killed:
                died.append(ended.trace[-1] if ended.trace else "the start")
                check_at_the_kill(home, morning, ended)
            else:  # done before its step or its time came
                check_in_the_end(home, morning, ended, died)
        ended = warm.run("--home", str(home), *morning.arguments)
        check_in_the_end(home, morning, ended, died)
        kills, chains, usual, longest = (
            kills + len(died),
            chains + 1,
            ended.seconds,
            max(longest, ended.seconds),
        )
        shutil.rmtree(home)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{morning.as_of}: {kills} kills in {chains} chains, {step_count} durable steps, all as undisturbed;"
            f" longest restart {longest:.1f} s\n"
        )


@pytest.mark.skipif(KILLS < 200, reason="hundreds of mornings: make torture")
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("which", [0, 1], ids=["first morning", "second morning"])
def test_a_morning_killed_at_any_step_comes_to_what_it_comes_to_undisturbed(
    which: int,
    share: int,
    mornings: list[Morning],
    warm: Warm,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    morning, longest = mornings[which], 0.0
    # counted anew: without dbt, as those that are killed, a morning has fewer steps
    home = tmp_path / "undisturbed"
    shutil.copytree(morning.before, home, symlinks=True)
    ended = warm.run("--home", str(home), *morning.arguments)
    check_in_the_end(home, morning, ended, [])
    steps = changing_steps(ended.trace)[share::SHARES]
    assert steps
    for step in steps:
        home = tmp_path / f"step-{step}"
        shutil.copytree(morning.before, home, symlinks=True)
        killed = warm.run("--home", str(home), *morning.arguments, die_at=step)
        assert killed.was_killed, step
        check_at_the_kill(home, morning, killed)
        ended = warm.run("--home", str(home), *morning.arguments)
        check_in_the_end(home, morning, ended, killed.trace[-1:])
        longest = max(longest, ended.seconds)
        shutil.rmtree(home)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{morning.as_of}, {share + 1} of {SHARES}: killed once at each of {len(steps)} steps,"
            f" all as undisturbed; longest restart {longest:.1f} s\n"
        )


@pytest.mark.parametrize("part", [0, 1, 2])
def test_letters_of_a_killed_run_leave_once_also_when_the_next_run_has_other_inputs(
    part: int, mornings: list[Morning], warm: Warm, tmp_path: Path
) -> None:
    """Every letter is in the outbox once and in one state, and every batch has an index that names its letters."""
    morning, home = mornings[0], tmp_path / "home"
    shutil.copytree(morning.before, home, symlinks=True)
    renames = [
        step for step in morning.ended.trace if re.search(r"after (rename|replace) .*/outbox/.*\.eml$", step)
    ]
    at = int(renames[(len(renames) - 1) * part // 2].split()[0])
    killed = warm.run("--home", str(home), *morning.arguments, die_at=at)
    assert killed.was_killed
    left = outbox(home)
    check_at_the_kill(home, morning, killed)
    other = ("run", "--source", str(mornings[1].books), "--as-of", morning.as_of, "--send")
    ended = warm.run("--home", str(home), *other)
    assert ended.code in (0, 1), ended.output
    states = {letter_id: (batch_id, state) for letter_id, batch_id, state, _ in letters(home)}
    sent = sorted(letter_id for letter_id, (_, state) in states.items() if state == "sent")
    assert outbox(home) == sent
    assert set(left) <= set(sent)
    assert {state for _, state in states.values()} <= {"sent", "cancelled"}
    for batch in sorted((home / "outbox").iterdir()):
        lying = {path.stem for path in batch.glob("*.eml")}
        assert lying == {one for one in sent if states[one][0] == batch.name}
        index = (batch / "index.html").read_text()
        assert [one for one in lying if one not in index] == []
    assert leftovers(home) == []
