"""Several devices of one machine on TensorFlow, where only TensorFlow itself can do it.

Keras's own `DataParallel` is accepted there, and does nothing.
"""

import contextlib

import tensorflow as tf


def device_names() -> list[str]:
    """Return TensorFlow's names of all GPUs, or of all CPU devices if there is no GPU."""
    return [device.name for device in tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")]


def mirrored(names: list[str]) -> contextlib.AbstractContextManager[object]:
    """Return a scope in which networks are trained on these devices; batches come whole, and are split there.

    Raises:
        RuntimeError: TensorFlow takes other devices.
    """
    strategy = tf.distribute.MirroredStrategy(names)
    if strategy.num_replicas_in_sync != len(names):
        raise RuntimeError(f"TensorFlow trains on {strategy.num_replicas_in_sync} devices instead of {names}")
    return strategy.scope()
