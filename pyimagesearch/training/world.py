"""The devices and hosts that train one network, checked to be as many as were asked for."""

import contextlib
import hashlib
import math
import os
from collections.abc import Iterator

import keras
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.training.hosts import Hosts
from pyimagesearch.training.supervisor import Checkpoint, identity, tell
from pyimagesearch.utils.cli import info


class World:
    """Who shares the work of a training.

    Args:
        hosts: all hosts and the number of this one; None for this process alone.
        devices: how many of each host work.

    Attributes:
        checkpoint: what ``--resume`` would go on from.
    """

    def __init__(self, hosts: Hosts | None = None, devices: int = 1) -> None:
        self.hosts, self.devices = hosts, devices
        self.checkpoint = Checkpoint()

    @property
    def is_first(self) -> bool:
        """Whether this host writes the files and tells the story."""
        return self.hosts is None or self.hosts.index == 0

    @property
    def size(self) -> int:
        """How many devices of all hosts work."""
        return self.devices * (self.hosts.count if self.hosts else 1)

    @property
    def part(self) -> tuple[int, int, int]:
        """This host's share of every batch, as `HDF5DatasetGenerator` takes it."""
        return (self.hosts.index, self.hosts.count, self.devices) if self.hosts else (0, 1, self.devices)

    def check_batch(self, batch_size: int) -> None:
        """Check that the devices can share batches of all hosts together evenly.

        Raises:
            UserError: they cannot.
        """
        if batch_size % self.size:
            nearest = max(1, round(batch_size / self.size)) * self.size
            count = self.hosts.count if self.hosts else 1
            who = f"{self.size} devices" + (f" ({count} hosts with {self.devices} each)" if count > 1 else "")
            raise UserError(
                f"--batch-size: must be a multiple of the {who} that share every batch; received {batch_size}; "
                f"take {nearest}"
            )

    def rows(self, rows: int) -> int:
        """Return how many of ``rows`` an epoch of training visits, so that all devices have equally many to do."""
        return rows - rows % self.size

    def explain_visits(self, rows: int) -> None:
        """Say how often an evaluation visits each of ``rows``, if that is more than once."""
        visits = self.size // math.gcd(self.size, rows)
        if visits > 1:
            info(
                f"every image validates {visits} times, so that {self.size} devices have equally many; "
                f"once would do for a number of images that {self.size} divides"
            )

    def begin(self, settings: str, checkpoint: str | os.PathLike[str], resumed: bool) -> None:
        """Check that all hosts are about to do the same; call it before networks are made.

        Args:
            settings: what must be the same everywhere.
            checkpoint: the file that ``--resume`` goes on from.
            resumed: whether this training is one that goes on from there.

        Raises:
            UserError: hosts differ.
        """
        path = os.fspath(checkpoint)
        self.checkpoint = Checkpoint(path, None if resumed else identity(path))
        if self.hosts is None:
            return
        tell("", self.checkpoint)
        if self.hosts.count > 1:
            from jax.experimental.multihost_utils import process_allgather

            digest = np.frombuffer(hashlib.sha256(settings.encode()).digest()[:4], np.int32)
            digests = process_allgather(digest)[:, 0]
            others = ", ".join(str(index) for index, each in enumerate(digests) if each != digests[0])
            if others:
                raise UserError(
                    "--hosts: all must have the same options, settings, data and checkpoint; unlike host 0 is host "
                    f"{others}; {self.hosts} has: {settings}; use one shared folder and the same command everywhere"
                )

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """Let this host work on the network alone until the block ends, as to save it.

        To save a network Keras makes variables, and on JAX those of all hosts must be made on all of them.
        """
        distribution = keras.distribution.distribution()
        keras.distribution.set_distribution(None)
        try:
            yield
        finally:
            keras.distribution.set_distribution(distribution)
