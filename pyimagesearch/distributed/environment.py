"""Which host of how many this process is, as the program that started it says in environment variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pyimagesearch.errors import UserError

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
