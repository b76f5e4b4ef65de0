"""The devices and hosts that a training runs on."""

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pyimagesearch.errors import UserError
from pyimagesearch.utils.cli import positive_int, whole_number


@dataclass(frozen=True)
class Hosts:
    """The machines, or rather processes, that train one network together.

    Attributes:
        count: how many there are.
        index: the number of this one, from 0.
        coordinator: "name:port" of host 0, where all meet.
        source: who says so.
        join_seconds: how long they wait for each other at the start.
        lost_seconds: after how long one that is not heard of is given up.
    """

    count: int
    index: int
    coordinator: str
    source: str
    join_seconds: int
    lost_seconds: int

    def __str__(self) -> str:
        return f"host {self.index} of {self.count}"


class Layout(NamedTuple):
    """What the options ask for.

    Attributes:
        devices: how many of each host, "all", or None for what Keras takes by itself.
        hosts: None for this process alone.
    """

    devices: int | str | None = None
    hosts: Hosts | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--devices``, ``--hosts`` and what belongs to them to a script's options."""
    option = parser.add_argument
    option("--devices", type=_devices, metavar="N", help="GPUs of this machine (CPUs if it has none) to use, or all")
    option(
        "--hosts", type=_hosts, metavar="N",
        help="train on so many hosts together, each of which runs this command; auto: as the environment says",
    )  # fmt: skip
    option("--host-index", type=whole_number, metavar="I", help="the number of this host, from 0")
    option("--coordinator", type=_address, metavar="HOST:PORT", help="where the hosts meet: host 0 and a free port")
    option("--join-timeout", type=positive_int, default=300, help="seconds to wait for all hosts at the start")
    option("--lost-timeout", type=positive_int, default=30, help="seconds after which a silent host is given up")


def read_layout(args: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> Layout:
    """Return what the options ask for; without ``--hosts`` nothing is taken from the environment.

    Args:
        args: with the options of `add_options`.
        environment: variables, from which `find_hosts` completes what ``--hosts`` leaves open.

    Raises:
        UserError: something is missing, or does not fit.
    """
    if args.hosts is None:
        for name in ("host_index", "coordinator"):
            if getattr(args, name) is not None:
                raise UserError(f"--{name.replace('_', '-')}: needs --hosts; received no --hosts; add --hosts N")
        return Layout(args.devices)
    found = find_hosts(environment)
    if found is None and args.hosts == "auto":
        raise UserError(
            "--hosts: auto needs variables of Slurm (SLURM_PROCID), Kubernetes (JOB_COMPLETION_INDEX) or another "
            "launcher (RANK, WORLD_SIZE) in the environment; found none; pass --hosts N --host-index I --coordinator "
            "HOST:PORT"
        )
    found = found or Found("the command line")
    count = found.count if args.hosts == "auto" else args.hosts
    index = found.index if args.host_index is None else args.host_index
    if count is None:
        raise UserError(f"--hosts: {found.source} does not say how many there are; received auto; pass --hosts N")
    if index is None:
        raise UserError(f"--host-index: must be given with --hosts {count}: 0 on the first host, then 1, 2, ...")
    if index >= count:
        raise UserError(f"--host-index: must be below the {count} of --hosts, from 0; received {index}")
    coordinator = args.coordinator or found.coordinator or ("" if count > 1 else "localhost:0")
    if not coordinator:
        raise UserError(f"--coordinator: must be given with --hosts {count}: host 0 and a free port, as node1:29500")
    given = args.hosts != "auto" and args.host_index is not None and bool(args.coordinator or count == 1)
    source = "the command line" if given else found.source
    return Layout(args.devices, Hosts(count, index, coordinator, source, args.join_timeout, args.lost_timeout))


def _devices(text: str) -> int | str:
    return text if text == "all" else positive_int(text)


def _hosts(text: str) -> int | str:
    return text if text == "auto" else positive_int(text)


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise argparse.ArgumentTypeError(f"must be a name and a port, as node1:29500; received {text}")
    return text


_DEFAULT_PORT = 29500


@dataclass(frozen=True)
class Found:
    """What environment variables say; None is what they leave open.

    Attributes:
        source: who set them.
        count: how many hosts there are.
        index: the number of this one, from 0.
        coordinator: "name:port" of host 0.
    """

    source: str
    count: int | None = None
    index: int | None = None
    coordinator: str | None = None


def find_hosts(environment: Mapping[str, str]) -> Found | None:
    """Return what the nearest launcher says, or None if there is none.

    Known are, in this order: ``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT`` (torchrun, Ray Train,
    Kubeflow); ``JOB_COMPLETION_INDEX`` (an indexed job of Kubernetes); ``SLURM_PROCID``, ``SLURM_NTASKS``,
    ``SLURM_STEP_NODELIST`` and ``SLURM_JOB_ID`` (srun).

    The hosts meet one port above ``MASTER_PORT``, where torchrun listens itself.

    Raises:
        UserError: a variable that must be a number is none.
    """
    if "RANK" in environment and "WORLD_SIZE" in environment:
        address = environment.get("MASTER_ADDR")
        port = (_number(environment, "MASTER_PORT") if "MASTER_PORT" in environment else _DEFAULT_PORT) + 1
        return Found(
            "RANK and WORLD_SIZE",
            _number(environment, "WORLD_SIZE"),
            _number(environment, "RANK"),
            f"{address}:{port}" if address else None,
        )
    if "JOB_COMPLETION_INDEX" in environment:
        return Found("Kubernetes", index=_number(environment, "JOB_COMPLETION_INDEX"))
    if "SLURM_PROCID" in environment:
        return _slurm(environment)
    return None


def _slurm(environment: Mapping[str, str]) -> Found:
    tasks = next((name for name in ("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS") if name in environment), None)
    nodes = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST")
    job = _number(environment, "SLURM_JOB_ID") if "SLURM_JOB_ID" in environment else 0
    port = 20000 + job % 10000  # jobs that share a node need ports of their own, below those that systems hand out
    return Found(
        "Slurm",
        _number(environment, tasks) if tasks else None,
        _number(environment, "SLURM_PROCID"),
        f"{first_node(nodes)}:{port}" if nodes else None,
    )


def first_node(nodes: str) -> str:
    """Return the first name of Slurm's short form of a list, such as ``gpu[07-09,12],login1``."""
    opened = re.match(r"([^\[,]*)\[(\w+)[^\]]*\]([^\[,]*)", nodes)
    return "".join(opened.groups()) if opened else nodes.split(",")[0]


def _number(environment: Mapping[str, str], name: str) -> int:
    text = environment[name]
    if not text.isdecimal():
        raise UserError(f"{name}: must be a whole number in the environment; received {text!r}; unset it, or set it")
    return int(text)
