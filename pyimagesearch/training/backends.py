"""Several devices and hosts on each backend: TensorFlow's devices, JAX's devices, and hosts that meet through JAX."""

import contextlib
import re
import socket
import time

from pyimagesearch.errors import UserError
from pyimagesearch.training.hosts import Hosts
from pyimagesearch.training.supervisor import report

_LOSS = re.compile("[A-Z_]+: .*(gloo|nccl|connection|coordination|heartbeat|unavailable|deadline)", re.IGNORECASE)
"""JAX's message, after the name of a status, when another host is gone."""


def tensorflow_devices() -> list[str]:
    """Return TensorFlow's names of all GPUs, or of all CPU devices if there is no GPU."""
    import tensorflow as tf

    return [device.name for device in tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")]


def mirrored(names: list[str]) -> contextlib.AbstractContextManager[object]:
    """Return a scope in which networks train on these devices of TensorFlow, which splits whole batches itself.

    Keras's own `DataParallel` is accepted on TensorFlow and does nothing.

    Raises:
        RuntimeError: TensorFlow takes other devices.
    """
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(names)
    if strategy.num_replicas_in_sync != len(names):
        raise RuntimeError(f"TensorFlow trains on {strategy.num_replicas_in_sync} devices instead of {names}")
    return strategy.scope()


def jax_devices() -> list[list[str]]:
    """Return Keras's names of the devices of each host: its GPUs, or its CPU devices if it has none."""
    import jax

    devices = jax.devices()
    return [
        [f"{device.platform}:{device.id}" for device in devices if device.process_index == index]
        for index in range(jax.process_count())
    ]


def join_hosts(hosts: Hosts) -> None:
    """Meet the other hosts through JAX, which must not have computed anything before.

    `keras.distribution.initialize` would do the same, but waits for a fixed time, gives up a silent host only after
    100 seconds, and under Slurm leaves all devices of a task but one unused.

    Raises:
        UserError: the hosts do not meet.
    """
    import jax

    name, _, port = hosts.coordinator.rpartition(":")
    name = name.strip("[]")
    if hosts.index == 0:
        _check_free(name, int(port))
    else:
        _wait_for(name, int(port), hosts)
    report(
        f"not all {hosts.count} hosts met at {hosts.coordinator} within {hosts.join_seconds} seconds; start every host "
        f"with the same hosts and coordinator and its own host_index, 0 to {hosts.count - 1}, and let its port "
        "through"
    )
    if hasattr(jax.config, "jax_enable_preemption_service"):
        jax.config.update("jax_enable_preemption_service", False)  # it swallows SIGTERM
    jax.distributed.initialize(
        hosts.coordinator, hosts.count, hosts.index, cluster_detection_method="deactivate",
        initialization_timeout=hosts.join_seconds, heartbeat_timeout_seconds=hosts.lost_seconds,
    )  # fmt: skip
    report("")
    if jax.process_count() != hosts.count:
        raise UserError(
            f"hosts: {hosts.count} hosts must make one world; JAX made one of {jax.process_count()}; let nothing "
            "else start JAX in this process before"
        )


def leave_hosts() -> None:
    """Part from the other hosts, once all have arrived here."""
    import jax

    jax.distributed.shutdown()


def loss_of_host(error: Exception) -> str:
    """Return JAX's message if it says that another host is gone, otherwise ""."""
    message = " ".join(str(error).split())
    return message[:200] if _LOSS.match(message) else ""


def _check_free(name: str, port: int) -> None:
    """Check that the port is free: on another job's port, the two jobs would be mixed."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's remains do no harm
            probe.bind(("", port))
    except OSError as error:
        raise UserError(
            f"coordinator: host 0 must be able to open port {port}; received {name}:{port} ({error.strerror}); "
            "choose another port, the same on all hosts"
        ) from error


def _wait_for(name: str, port: int, hosts: Hosts) -> None:
    """Wait until host 0 listens; JAX would wait in silence."""
    deadline = time.monotonic() + hosts.join_seconds
    while True:
        try:
            socket.create_connection((name, port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise UserError(
                    f"coordinator: {hosts} must reach host 0 at {name}:{port}; it did not within "
                    f"{hosts.join_seconds} seconds ({error.strerror or error}); start host 0 as well, and check name, "
                    "port and firewall"
                ) from error
            time.sleep(0.2)
