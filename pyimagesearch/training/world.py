"""The devices and hosts that train one network: opened, counted, and checked to be as many as were asked for."""

import contextlib
import hashlib
import logging
import math
import os
from collections.abc import Iterator

import keras
import numpy as np

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.share import Share
from pyimagesearch.training import backends
from pyimagesearch.training.hosts import Hosts, Layout
from pyimagesearch.training.supervisor import Checkpoint, end_lost, identity, lost_host, report

log = logging.getLogger(__name__)


class World:
    """The devices and hosts that share the work of a training.

    Args:
        hosts: all hosts and the index of this one; None for this process alone.
        devices: working devices of each host.

    Attributes:
        checkpoint: the file to resume from.
    """

    def __init__(self, hosts: Hosts | None = None, devices: int = 1) -> None:
        self.hosts, self.devices = hosts, devices
        self.checkpoint = Checkpoint()

    @property
    def is_first(self) -> bool:
        """True if this host writes the files and reports."""
        return self.hosts is None or self.hosts.index == 0

    @property
    def size(self) -> int:
        """Number of working devices of all hosts."""
        return self.devices * (self.hosts.count if self.hosts else 1)

    @property
    def share(self) -> Share:
        """This host's share of every batch."""
        return Share(self.hosts.index, self.hosts.count, self.devices) if self.hosts else Share(devices=self.devices)

    def check_batch(self, batch_size: int) -> None:
        """Check that the devices of all hosts can share a batch evenly.

        Raises:
            UserError: they cannot.
        """
        if batch_size % self.size:
            nearest = max(1, round(batch_size / self.size)) * self.size
            count = self.hosts.count if self.hosts else 1
            who = f"{self.size} devices" + (f" ({count} hosts with {self.devices} each)" if count > 1 else "")
            raise UserError(
                f"batch_size: must be a multiple of the {who} that share every batch; received {batch_size}; "
                f"take {nearest}"
            )

    def rows(self, rows: int) -> int:
        """Return how many of ``rows`` an epoch of training visits, so that all devices have equally many."""
        return rows - rows % self.size

    def explain_visits(self, rows: int) -> None:
        """Log how often validation visits each of ``rows``, if more than once."""
        visits = self.size // math.gcd(self.size, rows)
        if visits > 1:
            log.info(
                "every image validates %d times, so that %d devices have equally many; "
                "a number of images that %d divides needs one visit", visits, self.size, self.size,
            )  # fmt: skip

    def begin(self, settings: str, checkpoint: str | os.PathLike[str], resumed: bool) -> None:
        """Check that all hosts are about to do the same; call this before networks are made.

        Args:
            settings: what must be equal on all hosts.
            checkpoint: the file to resume from.
            resumed: whether this training itself resumes from that file.

        Raises:
            UserError: hosts differ.
        """
        path = os.fspath(checkpoint)
        self.checkpoint = Checkpoint(path, None if resumed else identity(path))
        if self.hosts is None:
            return
        report("", self.checkpoint)
        if self.hosts.count > 1:
            from jax.experimental.multihost_utils import process_allgather

            digest = np.frombuffer(hashlib.sha256(settings.encode()).digest()[:4], np.int32)
            digests = process_allgather(digest)[:, 0]
            others = ", ".join(str(index) for index, each in enumerate(digests) if each != digests[0])
            if others:
                raise UserError(
                    "hosts: all must have the same options, settings, data and checkpoint; unlike host 0 is host "
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


@contextlib.contextmanager
def open_world(layout: Layout, batch_size: int) -> Iterator[World]:
    """Yield the devices and hosts of a layout; networks made in the block work on all of them.

    Standard output of hosts other than the first is dropped in the block.

    Args:
        layout: see `find_layout`.
        batch_size: images in a batch of all devices together.

    Raises:
        UserError: the layout is impossible, or cannot share the batches evenly.
        ConnectionError: another host is gone, and no `supervisor` is there to say so.
    """
    if layout == Layout():
        yield World()
        return
    backend = keras.config.backend()
    if layout.hosts and backend != "jax":
        raise UserError(f"hosts: needs Keras on JAX; received the backend {backend}; set KERAS_BACKEND=jax")
    if backend not in ("jax", "tensorflow"):
        raise UserError(f"devices: needs Keras on JAX or TensorFlow; received {backend}; set KERAS_BACKEND=jax")
    with contextlib.ExitStack() as stack:
        yield (_on_jax if backend == "jax" else _on_tensorflow)(layout, batch_size, stack)


def _on_tensorflow(layout: Layout, batch_size: int, stack: contextlib.ExitStack) -> World:
    names = _chosen(backends.tensorflow_devices(), layout.devices)
    world = World(None, len(names))
    world.check_batch(batch_size)
    stack.enter_context(backends.mirrored(names))
    log.info("%s: %s", _in_words(names), _each_takes(world, batch_size))
    if len(names) > 1:
        log.info("TensorFlow normalises batches on each device by its own images; JAX by those of the whole batch")
    return world


def _on_jax(layout: Layout, batch_size: int, stack: contextlib.ExitStack) -> World:
    hosts = layout.hosts
    together = hosts is not None and hosts.count > 1
    World(hosts).check_batch(batch_size)  # before any host waits for the others
    if hosts and together:
        backends.join_hosts(hosts)
    groups = [_chosen(names, layout.devices) for names in backends.jax_devices()]
    counts = [len(names) for names in groups]
    if len(set(counts)) > 1:
        raise UserError(
            f"hosts: all must have the same number of devices; received {', '.join(map(str, counts))}; "
            f"pass devices={min(counts)}"
        )
    world = World(hosts, counts[0])
    world.check_batch(batch_size)
    names = [name for group in groups for name in group]
    distribution = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
    if distribution.device_mesh.devices.size != world.size:
        raise RuntimeError(f"Keras trains on {distribution.device_mesh.devices.size} devices instead of {names}")
    if together:
        stack.enter_context(_company(world))
    stack.enter_context(distribution.scope())
    devices = _in_words(groups[hosts.index if hosts else 0])
    if world.is_first:
        who = f"{hosts.count} hosts (by {hosts.source}) with {devices} each" if hosts and together else devices
        log.info("%s: %s", who, _each_takes(world, batch_size))
    else:
        log.info("%s: %s; host 0 reports", hosts, devices)
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        stack.enter_context(contextlib.redirect_stdout(nowhere))
    return world


@contextlib.contextmanager
def _company(world: World) -> Iterator[None]:
    """Part from the other hosts at the end of the block, and say so if one is gone before."""
    try:
        yield
        backends.leave_hosts()
    except Exception as error:  # JAX has several types for it
        message = backends.loss_of_host(error)
        if not message:
            raise
        end_lost(f"{lost_host(world.checkpoint)} ({message})")


def _chosen(names: list[str], wanted: int | str | None) -> list[str]:
    """Return the first ``wanted`` of a host's devices; all for "all" or None.

    Raises:
        UserError: the host has fewer.
    """
    count = len(names) if wanted in (None, "all") else int(wanted or 0)
    if count > len(names):
        raise UserError(
            f"devices: must be at most {len(names)}, the devices of this machine ({', '.join(names)}); received "
            f"{count}; pass devices={len(names)} or devices=all"
        )
    return names[:count]


def _in_words(names: list[str]) -> str:
    """Return "2 devices (gpu:0, gpu:1)"."""
    return f"{len(names)} device{'s' if len(names) > 1 else ''} ({', '.join(names)})"


def _each_takes(world: World, batch_size: int) -> str:
    return f"each device takes {batch_size // world.size} of the {batch_size} images of a batch"
