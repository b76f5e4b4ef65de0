"""The precision of a network's arithmetic, as a dtype policy of Keras."""

from pathlib import Path

import keras

from pyimagesearch.errors import UserError

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
_AMPERE = (8, 0)  # NVIDIA's first compute capability with bfloat16 units


def check_precision(wanted: str) -> None:
    """Check that a precision is one of `PRECISIONS`.

    Raises:
        UserError: it is not.
    """
    if wanted not in PRECISIONS:
        raise UserError(f"precision: must be one of {', '.join(PRECISIONS)}; received {wanted!r}")


def choose_precision(wanted: str = "auto") -> str:
    """Return the name of a dtype policy: ``wanted``, or for "auto" mixed_bfloat16 where the hardware computes in it.

    Call it after hosts have met: it starts JAX.
    """
    if wanted != "auto":
        return wanted
    return "mixed_bfloat16" if _computes_in_bfloat16() else "float32"


def _computes_in_bfloat16() -> bool:
    """Return whether all devices of this process have instructions for bfloat16 that the backend uses."""
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        if tf.config.list_physical_devices("TPU"):
            return True
        details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
        capabilities = [each.get("compute_capability", (0, 0)) for each in details]
        return min(capabilities) >= _AMPERE if capabilities else _processor_computes_in_bfloat16()
    if backend == "jax":
        import jax

        device = jax.local_devices()[0]
        if device.platform == "gpu":
            numbers = str(getattr(device, "compute_capability", "0")).split(".")
            return numbers[0].isdecimal() and int(numbers[0]) >= _AMPERE[0]
        return device.platform == "tpu"  # XLA gains nothing by it on the processor
    import torch

    return torch.cuda.is_available() and torch.cuda.get_device_capability() >= _AMPERE


def _processor_computes_in_bfloat16() -> bool:
    try:
        words = set(Path("/proc/cpuinfo").read_text("utf-8").split())
    except OSError:  # not Linux
        return False
    return bool(words & {"avx512_bf16", "amx_bf16"})
