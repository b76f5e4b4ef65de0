"""Opens the world that the options of a script ask for."""

import contextlib
import os
import re
from collections.abc import Iterator

import keras

from pyimagesearch.errors import UserError
from pyimagesearch.training.hosts import Layout
from pyimagesearch.training.supervisor import end_lost, in_words
from pyimagesearch.training.world import World
from pyimagesearch.utils.cli import info

_LOSS = re.compile("[A-Z_]+: .*(gloo|nccl|connection|coordination|heartbeat|unavailable|deadline)", re.IGNORECASE)
"""What JAX says, behind the name of a status, when another host is gone."""


@contextlib.contextmanager
def open_world(layout: Layout, batch_size: int) -> Iterator[World]:
    """Yield the world that a script's options ask for; networks that are made until the block ends work on all of it.

    What hosts other than the first print in the block is dropped.

    Args:
        layout: see `read_layout`.
        batch_size: images of a batch of all devices together.

    Raises:
        UserError: there is no such world, or it cannot share the batches evenly.
        ConnectionError: another host is gone, and no `supervisor` is there to say so.
    """
    if layout == Layout():
        yield World()
        return
    backend = keras.config.backend()
    if layout.hosts and backend != "jax":
        raise UserError(f"--hosts: needs Keras on JAX; received the backend {backend}; set KERAS_BACKEND=jax")
    if backend not in ("jax", "tensorflow"):
        raise UserError(f"--devices: needs Keras on JAX or TensorFlow; received {backend}; set KERAS_BACKEND=jax")
    with contextlib.ExitStack() as stack:
        world = (_on_jax if backend == "jax" else _on_tensorflow)(layout, batch_size, stack)
        yield world


def _on_tensorflow(layout: Layout, batch_size: int, stack: contextlib.ExitStack) -> World:
    from pyimagesearch.training import mirrored

    names = _chosen(mirrored.device_names(), layout.devices)
    world = World(None, len(names))
    world.check_batch(batch_size)
    stack.enter_context(mirrored.mirrored(names))
    info(f"{_in_words(names)}: {_share(world, batch_size)}")
    if len(names) > 1:
        info("TensorFlow normalises batches on each device by the images there; JAX by those of the whole batch")
    return world


def _on_jax(layout: Layout, batch_size: int, stack: contextlib.ExitStack) -> World:
    from pyimagesearch.training.backends import device_names, join

    hosts = layout.hosts
    together = hosts is not None and hosts.count > 1
    World(hosts).check_batch(batch_size)  # before anybody waits
    if hosts and together:
        join(hosts)
    groups = [_chosen(names, layout.devices) for names in device_names()]
    counts = [len(names) for names in groups]
    if len(set(counts)) > 1:
        raise UserError(
            f"--hosts: all must have the same number of devices; received {', '.join(map(str, counts))}; "
            f"pass --devices {min(counts)}"
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
        info(f"{who}: {_share(world, batch_size)}")
    else:
        print(f"{hosts}: {devices}; host 0 tells the story", flush=True)
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        stack.enter_context(contextlib.redirect_stdout(nowhere))
    return world


@contextlib.contextmanager
def _company(world: World) -> Iterator[None]:
    """Part from the other hosts at the end of the block, and say so if one is gone before."""
    from pyimagesearch.training.backends import leave

    try:
        yield
        leave()
    except Exception as error:  # JAX has several for it
        words = " ".join(str(error).split())
        if not _LOSS.match(words):
            raise
        end_lost(f"{in_words(world.checkpoint)} ({words[:200]})")


def _chosen(names: list[str], wanted: int | str | None) -> list[str]:
    """Return the devices to use of those that a host has; all if nothing else is wanted.

    Raises:
        UserError: there are not so many.
    """
    count = len(names) if wanted in (None, "all") else int(wanted or 0)
    if count > len(names):
        raise UserError(
            f"--devices: must be at most the {len(names)} that are here ({', '.join(names)}); received {count}; "
            f"pass --devices {len(names)}, or all"
        )
    return names[:count]


def _in_words(names: list[str]) -> str:
    """Return "2 devices (gpu:0, gpu:1)"."""
    return f"{len(names)} device{'s' if len(names) > 1 else ''} ({', '.join(names)})"


def _share(world: World, batch_size: int) -> str:
    share = batch_size // world.size
    return f"every device takes {share} of the {batch_size} images of a batch"
