"""The options of scripts that train: on which devices, and together with which other hosts."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pyimagesearch.distributed.environment import Found, find_hosts
from pyimagesearch.errors import UserError
from pyimagesearch.utils import cli


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
    option("--host-index", type=cli.whole_number, metavar="I", help="the number of this host, from 0")
    option("--coordinator", type=_address, metavar="HOST:PORT", help="where the hosts meet: host 0 and a free port")
    option("--join-timeout", type=cli.positive_int, default=300, help="seconds to wait for all hosts at the start")
    option("--lost-timeout", type=cli.positive_int, default=30, help="seconds after which a silent host is given up")


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
    return text if text == "all" else cli.positive_int(text)


def _hosts(text: str) -> int | str:
    return text if text == "auto" else cli.positive_int(text)


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise argparse.ArgumentTypeError(f"must be a name and a port, as node1:29500; received {text}")
    return text
