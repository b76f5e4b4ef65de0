"""Several processes of JAX that know each other."""

import socket
import time

import jax

from pyimagesearch.errors import UserError
from pyimagesearch.training.hosts import Hosts
from pyimagesearch.training.supervisor import tell


def join(hosts: Hosts) -> None:
    """Meet the other hosts; JAX must not have computed anything before.

    `keras.distribution.initialize` would do the same, but waits for a fixed time, gives a silent host up only after
    100 seconds, and under Slurm leaves all devices of a task but one unused.

    Raises:
        UserError: they do not meet.
    """
    name, _, port = hosts.coordinator.rpartition(":")
    name = name.strip("[]")
    if hosts.index == 0:
        _check_free(name, int(port))
    else:
        _wait_for(name, int(port), hosts)
    tell(
        f"not all {hosts.count} hosts met at {hosts.coordinator} within {hosts.join_seconds} seconds; start every one "
        f"with the same --hosts and --coordinator and its own --host-index, 0 to {hosts.count - 1}, and let its port "
        "through"
    )
    if hasattr(jax.config, "jax_enable_preemption_service"):
        jax.config.update("jax_enable_preemption_service", False)  # it swallows SIGTERM
    jax.distributed.initialize(
        hosts.coordinator, hosts.count, hosts.index, cluster_detection_method="deactivate",
        initialization_timeout=hosts.join_seconds, heartbeat_timeout_seconds=hosts.lost_seconds,
    )  # fmt: skip
    tell("")
    if jax.process_count() != hosts.count:
        raise UserError(
            f"--hosts: {hosts.count} hosts must make one world; JAX made one of {jax.process_count()}; let nothing "
            "else start JAX in this process before"
        )


def device_names() -> list[list[str]]:
    """Return Keras's names of the devices of each host: its GPUs, or its CPU devices if it has none."""
    devices = jax.devices()
    return [
        [f"{device.platform}:{device.id}" for device in devices if device.process_index == index]
        for index in range(jax.process_count())
    ]


def leave() -> None:
    """Part from the other hosts, once all are here."""
    jax.distributed.shutdown()


def _check_free(name: str, port: int) -> None:
    """Check that the port is free: with that of another job, two jobs would be mixed."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # remains of a connection are no obstacle
            probe.bind(("", port))
    except OSError as error:
        raise UserError(
            f"--coordinator: host 0 must be able to open port {port}; received {name}:{port} ({error.strerror}); "
            "choose another port, the same on all hosts"
        ) from error


def _wait_for(name: str, port: int, hosts: Hosts) -> None:
    """Wait until host 0 listens, which JAX would do without a word."""
    deadline = time.monotonic() + hosts.join_seconds
    while True:
        try:
            socket.create_connection((name, port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise UserError(
                    f"--coordinator: host 0 must be reached at {name}:{port} by {hosts}; it was not within "
                    f"{hosts.join_seconds} seconds ({error.strerror or error}); start host 0 as well, and check name, "
                    "port and firewall"
                ) from error
            time.sleep(0.2)
