"""Processes that train one network together do what one process does."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("jax")


@pytest.fixture(scope="module")
def unbroken(shop):
    """Return the curves of one process alone."""
    ((code, _, err),) = shop.ends_of(shop.start())
    assert code == 0, err
    curves = shop.curves
    shutil.rmtree(shop.folder / "output")
    return curves


def child_of(process):
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


@pytest.fixture(scope="module")
def broken(shop):
    """Break a training of two hosts in the midst of its second epoch; return its folder and how both ended."""
    hosts = shop.start_hosts(2)
    while shop.position <= (1, 0) and all(host.poll() is None for host in hosts):
        time.sleep(0.005)
    struck = time.monotonic()
    os.kill(child_of(hosts[1]), signal.SIGKILL)
    ends = shop.ends_of(*hosts)
    seconds = time.monotonic() - struck
    kept = (shop.folder / "output").rename(shop.folder / "kept")
    return kept, ends, seconds


@pytest.fixture
def resumable(shop, broken):
    shutil.copytree(broken[0], shop.folder / "output")
    yield
    shutil.rmtree(shop.folder / "output")


def test_two_hosts_see_what_one_process_sees(shop, unbroken, check_same):
    ends = shop.ends_of(*shop.start_hosts(2, "--json"))
    assert [code for code, _, _ in ends] == [0, 0], ends
    check_same(shop.curves, unbroken)
    assert json.loads(ends[0][1])["epochs"] == 3
    assert "2 hosts (by explicit values) with 1 device" in ends[0][2]
    assert ends[1][1:] == ("{}\n", "[INFO] host 1 of 2: 1 device (cpu:2048); host 0 reports\n")
    output = shop.folder / "output"
    assert sorted(os.listdir(output)) == [
        "MODEL_CARD.md", "alexnet.json", "alexnet.keras", "alexnet.png", "alexnet_last.keras", "alexnet_speed.json",
        "runs.jsonl",
    ]  # fmt: skip
    assert len((output / "runs.jsonl").read_text("utf-8").splitlines()) == 2  # the start and the end of one run
    shutil.rmtree(output)


def test_a_host_that_dies_ends_the_others(broken):
    output, ends, seconds = broken
    assert seconds < 60
    assert [code for code, _, _ in ends] == [1, 1]
    assert ends[1][2] == (
        "python -m dogs_vs_cats.train_alexnet: error: host 1 of 2: ended by SIGKILL; the other hosts stop, too; "
        "run all hosts again with --resume\n"
    )
    assert ends[0][2].startswith(
        "python -m dogs_vs_cats.train_alexnet: error: host 0 of 2: another host has ended or cannot be reached"
    )
    assert "run all hosts again with --resume" in ends[0][2]
    assert len(ends[0][2].splitlines()) == 1
    assert not list(output.glob("*.partial*"))


@pytest.mark.usefixtures("resumable")
def test_a_broken_training_resumes_on_more_hosts(shop, unbroken, check_same):
    ends = shop.ends_of(*shop.start_hosts(4, "--resume"))
    assert [code for code, _, _ in ends] == [0] * 4, ends
    check_same(shop.curves, unbroken)
    assert "every image validates 2 times, so that 4 devices have equally many" in ends[0][1]


@pytest.mark.usefixtures("resumable")
def test_a_broken_training_resumes_on_all_devices_of_one_host(shop, unbroken, check_same):
    ((code, out, err),) = shop.ends_of(shop.start("--resume", "--devices", "all", devices=4))
    assert code == 0, err
    check_same(shop.curves, unbroken)
    assert "4 devices (cpu:0, cpu:1, cpu:2, cpu:3): each device takes 4 of the 16 images of a batch" in out
