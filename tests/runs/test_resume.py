"""A training that is killed at any moment and resumed ends exactly where it would have ended."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dcgc.runs.folder import CHECKPOINT, METRICS, POLICIES, RESULT

ROOT = Path(__file__).parents[2]
FAKE = Path(__file__).with_name("fake_training.py")
KEPT = (RESULT, POLICIES, METRICS, CHECKPOINT)


def start(*arguments):
    return subprocess.Popen([sys.executable, str(FAKE), str(ROOT / "games" / "kyle.dcg"), *map(str, arguments)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def finish(*arguments):
    process = start(*arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out, err


def content(folder):
    return {name: (folder / name).read_bytes() for name in KEPT}


def wait_for(path, process):
    deadline = time.monotonic() + 60
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run, and about how long its chunks take."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    process = start("--out", folder)
    wait_for(folder / CHECKPOINT, process)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return folder, time.monotonic() - began


def test_killed_again_and_again_it_ends_in_the_same_bits(whole, tmp_path):
    reference, seconds = whole
    folder = tmp_path / "run"
    chance = random.Random(11)
    kills = 0
    for _ in range(6):
        process = start("--out", folder, "--resume")
        wait_for(folder / CHECKPOINT, process)
        try:
            process.wait(chance.uniform(0, 0.5 * seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
        if (folder / RESULT).exists():
            break
    assert kills >= 2
    finish("--out", folder, "--resume")
    assert content(folder) == content(reference)
    assert {p.name for p in (folder / "figures").iterdir()} == {p.name for p in (reference / "figures").iterdir()}


def test_a_finished_run_resumes_to_its_own_result(whole):
    folder, _ = whole
    before, stamps = content(folder), {name: (folder / name).stat().st_mtime_ns for name in KEPT}
    out, _ = finish("--out", folder, "--resume", "--json")
    assert content(folder) == before
    assert {name: (folder / name).stat().st_mtime_ns for name in KEPT} == stamps
    assert json.loads(out)["figures"] == json.loads((folder / RESULT).read_text())["figures"]


def test_lines_that_no_checkpoint_knows_of_are_forgotten(whole, tmp_path):
    reference, _ = whole
    folder = tmp_path / "run"
    process = start("--out", folder)
    wait_for(folder / CHECKPOINT, process)
    process.kill()
    process.communicate()
    with open(folder / METRICS, "ab") as file:
        file.write(b'{"engine": "fake", "text": "from a life that is forgot')
    (folder / f".{CHECKPOINT}-half.tmp").write_bytes(b"half a checkpoint")
    finish("--out", folder, "--resume")
    assert content(folder) == content(reference)


def test_ctrl_c_keeps_the_result_and_resumes_to_the_same_bits(whole, tmp_path):
    reference, _ = whole
    folder = tmp_path / "run"
    process = start("--out", folder)
    wait_for(folder / CHECKPOINT, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "interrupted" in out
    first = json.loads((folder / RESULT).read_text())
    assert first["interrupted"] and len(first["training"]["history"]) < 24
    finish("--out", folder, "--resume")
    assert content(folder) == content(reference)


def test_a_checkpoint_that_is_damaged_is_said_to_be(whole, tmp_path):
    folder = tmp_path / "run"
    process = start("--out", folder)
    wait_for(folder / CHECKPOINT, process)
    process.kill()
    process.communicate()
    data = bytearray((folder / CHECKPOINT).read_bytes())
    data[-5] ^= 1
    (folder / CHECKPOINT).write_bytes(bytes(data))
    process = start("--out", folder, "--resume")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" not in err and "checksum" in err and CHECKPOINT in err


def test_two_processes_do_not_write_one_run(tmp_path):
    folder = tmp_path / "run"
    process = start("--out", folder)
    try:
        wait_for(folder / METRICS, process)
        os.kill(process.pid, signal.SIGSTOP)  # it holds the run, however long it takes
        second = start("--out", folder, "--resume")
        _, err = second.communicate(timeout=60)
        assert second.returncode == 2 and "another process" in err
    finally:
        os.kill(process.pid, signal.SIGCONT)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_run_of_other_settings_is_not_gone_on_with(whole):
    folder, _ = whole
    process = start("--out", folder, "--resume", "--seed", "4")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "seed 0, not 4" in err
    process = start("--out", folder)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "is there already" in err


SMALL = ("game Small\nplayer A, B\nteam T = A, B\nrandom x ~ Normal(0, 1)\nrandom y ~ Normal(0, 1)\n"
         "decide u : Real by A knowing x\ndecide v : Real by B knowing y\ncost T = (u - x)^2 + (v - y)^2 + (u - v)^2 / 2\n")


def test_a_real_training_killed_and_resumed_ends_in_the_same_bits(tmp_path):
    (tmp_path / "small.dcg").write_text(SMALL)

    def begin(folder):
        flags = ["--engine", "networks", "--steps", "2000", "--restarts", "2", "--samples", "256", "--quiet", "--resume"]
        return subprocess.Popen([sys.executable, "-m", "dcgc", "train", "small.dcg", "--out", folder, *flags], cwd=tmp_path,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    whole = begin("whole")
    _, err = whole.communicate(timeout=250)
    assert whole.returncode == 0, err
    for _ in range(2):  # each gets a little further, the second from what the first left
        process = begin("killed")
        path = tmp_path / "killed" / CHECKPOINT
        before = path.stat().st_mtime_ns if path.exists() else 0
        while process.poll() is None and not (path.exists() and path.stat().st_mtime_ns > before):
            time.sleep(0.005)
        process.kill()
        process.communicate()
    assert not (tmp_path / "killed" / RESULT).exists()
    last = begin("killed")
    _, err = last.communicate(timeout=250)
    assert last.returncode == 0, err
    assert content(tmp_path / "killed") == content(tmp_path / "whole")
