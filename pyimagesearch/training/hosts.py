"""The devices and hosts that a training is to run on: as the caller says, or as a launcher's environment says."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pyimagesearch.errors import UserError

_DEFAULT_PORT = 29500


@dataclass(frozen=True)
class Hosts:
    """The machines, or rather processes, that train one network together.

    Attributes:
        count: number of hosts.
        index: this host, from 0.
        coordinator: "name:port" of host 0, where all meet.
        source: where these values come from, in words.
        join_seconds: how long the hosts wait for each other at the start.
        lost_seconds: how long a host may be silent before the others give it up.
    """

    count: int
    index: int
    coordinator: str
    source: str
    join_seconds: int
    lost_seconds: int

    def __str__(self) -> str:
        return f"host {self.index} of {self.count}"


@dataclass(frozen=True)
class Layout:
    """Devices and hosts as asked for.

    Attributes:
        devices: number of each host's devices to use, "all", or None for Keras's own choice.
        hosts: None for this process alone.
    """

    devices: int | str | None = None
    hosts: Hosts | None = None


def find_layout(
    devices: int | str | None = None,
    hosts: int | str | None = None,
    host_index: int | None = None,
    coordinator: str | None = None,
    join_timeout: int = 300,
    lost_timeout: int = 30,
    *,
    environment: Mapping[str, str] = os.environ,
) -> Layout:
    """Return the devices and hosts to train on.

    Args:
        devices: GPUs of each host to use (CPU devices if it has none), "all", or None for Keras's own choice.
        hosts: number of hosts; "auto" takes it from the environment; None for this process alone, which
            ignores the environment.
        host_index: this host, from 0; None to find it in the environment.
        coordinator: "name:port" of host 0; None to find it in the environment.
        join_timeout: seconds to wait for all hosts at the start.
        lost_timeout: seconds after which a silent host is given up.
        environment: variables of a launcher, see `find_hosts`.

    Raises:
        UserError: a value is missing or does not fit.
    """
    if hosts is None:
        for name, value in (("host_index", host_index), ("coordinator", coordinator)):
            if value is not None:
                raise UserError(f"{name}: needs hosts; received {value} without hosts; add hosts=N")
        return Layout(devices)
    found = find_hosts(environment)
    if found is None and hosts == "auto":
        raise UserError(
            "hosts: auto needs variables of Slurm (SLURM_PROCID), Kubernetes (JOB_COMPLETION_INDEX) or another "
            "launcher (RANK, WORLD_SIZE) in the environment; found none; pass hosts=N host_index=I "
            "coordinator=HOST:PORT"
        )
    found = found or Found("explicit values")
    count = found.count if hosts == "auto" else int(hosts)
    index = found.index if host_index is None else host_index
    if count is None:
        raise UserError(f"hosts: {found.source} does not give their number; received auto; pass hosts=N")
    if index is None:
        raise UserError(f"host_index: must be given for {count} hosts: 0 on the first, then 1, 2, ...")
    if index >= count:
        raise UserError(f"host_index: must be below the number of hosts, {count}, counting from 0; received {index}")
    meeting_point = coordinator or found.coordinator or ("" if count > 1 else "localhost:0")
    if not meeting_point:
        raise UserError(f"coordinator: must be given for {count} hosts: host 0 and a free port, as node1:29500")
    given = hosts != "auto" and host_index is not None and bool(coordinator or count == 1)
    source = "explicit values" if given else found.source
    return Layout(devices, Hosts(count, index, meeting_point, source, join_timeout, lost_timeout))


@dataclass(frozen=True)
class Found:
    """Values found in environment variables; None where there is none.

    Attributes:
        source: who set the variables.
        count: number of hosts.
        index: this host, from 0.
        coordinator: "name:port" of host 0.
    """

    source: str
    count: int | None = None
    index: int | None = None
    coordinator: str | None = None


def find_hosts(environment: Mapping[str, str]) -> Found | None:
    """Return the nearest launcher's values, or None without a launcher.

    These are known, and looked for in this order: ``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT``
    (torchrun, Ray Train, Kubeflow); ``JOB_COMPLETION_INDEX`` (an indexed job of Kubernetes); ``SLURM_PROCID``,
    ``SLURM_NTASKS``, ``SLURM_STEP_NODELIST`` and ``SLURM_JOB_ID`` (srun).

    The hosts meet one port above ``MASTER_PORT``, where torchrun itself listens.

    Raises:
        UserError: a variable must be a number and is not.
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
    port = 20000 + job % 10000  # jobs on a shared node need different ports, below the ephemeral range
    return Found(
        "Slurm",
        _number(environment, tasks) if tasks else None,
        _number(environment, "SLURM_PROCID"),
        f"{first_node(nodes)}:{port}" if nodes else None,
    )


def first_node(nodes: str) -> str:
    """Return the first name of Slurm's compressed list, such as ``gpu[07-09,12],login1``."""
    bracketed = re.match(r"([^\[,]*)\[(\w+)[^\]]*\]([^\[,]*)", nodes)
    return "".join(bracketed.groups()) if bracketed else nodes.split(",")[0]


def _number(environment: Mapping[str, str], name: str) -> int:
    text = environment[name]
    if not text.isdecimal():
        raise UserError(f"{name}: must be a whole number in the environment; received {text!r}; unset it, or set it")
    return int(text)
