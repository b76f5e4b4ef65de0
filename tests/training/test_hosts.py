"""The options by which a script is told on what to train."""

import argparse

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.training.hosts import Hosts, Layout, add_options, read_layout

SLURM = {"SLURM_PROCID": "1", "SLURM_NTASKS": "4", "SLURM_STEP_NODELIST": "gpu[1-4]", "SLURM_JOB_ID": "7"}


@pytest.fixture
def read():
    def parse(line="", environment=None):
        parser = argparse.ArgumentParser(exit_on_error=False)
        add_options(parser)
        return read_layout(parser.parse_args(line.split()), environment or {})

    return parse


def test_without_hosts_the_environment_is_ignored(read):
    assert read("", SLURM) == Layout()
    assert read("--devices 2", SLURM) == Layout(2)
    assert read("--devices all") == Layout("all")


def test_hosts_on_the_command_line(read):
    layout = read("--hosts 2 --host-index 1 --coordinator node1:29500 --join-timeout 9 --lost-timeout 8")
    assert layout == Layout(None, Hosts(2, 1, "node1:29500", "the command line", 9, 8))


def test_hosts_of_the_environment(read):
    assert read("--hosts auto --devices all", SLURM) == Layout("all", Hosts(4, 1, "gpu1:20007", "Slurm", 300, 30))


def test_the_command_line_wins_over_the_environment(read):
    hosts = read("--hosts 3 --host-index 2 --coordinator other:1", SLURM).hosts
    assert (hosts.count, hosts.index, hosts.coordinator, hosts.source) == (3, 2, "other:1", "the command line")


def test_kubernetes_needs_the_rest_on_the_command_line(read):
    kubernetes = {"JOB_COMPLETION_INDEX": "2"}
    hosts = read("--hosts 3 --coordinator train-0.train:29500", kubernetes).hosts
    assert (hosts.count, hosts.index, hosts.source) == (3, 2, "Kubernetes")
    with pytest.raises(UserError, match=r"^--hosts: Kubernetes does not say how many there are; .* pass --hosts N"):
        read("--hosts auto", kubernetes)


def test_one_host_needs_no_coordinator(read):
    assert read("--hosts 1 --host-index 0").hosts.count == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--hosts auto", "^--hosts: auto needs variables of Slurm .*; found none; pass --hosts N --host-index I"),
        ("--hosts 2 --coordinator a:1", "^--host-index: must be given with --hosts 2: 0 on the first host"),
        ("--hosts 2 --host-index 0", "^--coordinator: must be given with --hosts 2: host 0 and a free port"),
        ("--hosts 2 --host-index 2 --coordinator a:1", "^--host-index: must be below the 2 of --hosts.* received 2"),
        ("--host-index 1", "^--host-index: needs --hosts"),
        ("--coordinator a:1", "^--coordinator: needs --hosts"),
    ],
)
def test_what_does_not_fit_is_named(read, line, message):
    with pytest.raises(UserError, match=message):
        read(line)


@pytest.mark.parametrize(
    "line", ["--devices 0", "--devices some", "--hosts 0", "--coordinator node1", "--coordinator node1:99999"]
)
def test_values_that_no_run_can_have(read, line):
    with pytest.raises(argparse.ArgumentError):
        read(line)
