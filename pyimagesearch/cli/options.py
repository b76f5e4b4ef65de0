"""Options of scripts, of which the shared ones are declared here, once."""

import argparse
import re
from collections.abc import Callable
from typing import Any, NoReturn


class Option:
    """An option of a script, or an argument without dashes. A choice of "none" reaches the script as None.

    Args:
        flags: as ``argparse`` takes them.
        config: the setting that holds where the option is not given; its help says so.
        group: title of the options that ``--help`` shows it with.
        more: further arguments of ``argparse.ArgumentParser.add_argument``.
    """

    def __init__(self, *flags: str, config: str | None = None, group: str | None = None, **more: Any) -> None:
        self.flags, self.config, self.group, self.more = flags, config, group, more

    def but(self, **changes: Any) -> "Option":
        """Return a copy with other arguments; one that gets a default no longer asks the config."""
        same = {"config": None if "default" in changes else self.config, "group": self.group}
        return Option(*self.flags, **{**same, **self.more, **changes})

    @property
    def dest(self) -> str:
        """The name of its value, as in Python."""
        longest = next((flag for flag in self.flags if flag.startswith("--")), self.flags[0])
        return self.more.get("dest") or longest.lstrip("-").replace("-", "_")

    @property
    def flag(self) -> str:
        """Its long form, as a user types it; an argument without dashes goes by its name."""
        return next((flag for flag in self.flags if flag.startswith("--")), self.flags[0])

    def add_to(self, parser: Any) -> None:
        """Declare it to a parser, or to one of its groups."""
        words, default = self.more.get("help", ""), self.more.get("default")
        if self.config:
            words += f" (config: {self.config})"
        elif default not in (None, False, "", argparse.SUPPRESS):
            words += f" (default: {default})"
        parser.add_argument(*self.flags, **{**self.more, "help": words})


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {message}; see --help\n")


def positive_int(text: str) -> int:
    """Convert an option's text to a whole number of at least 1, for ``type=``."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; received {text}")
    return number


def whole_number(text: str) -> int:
    """Convert an option's text to a whole number of at least 0, for ``type=``."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0; received {text}")
    return number


def positive_number(text: str) -> float:
    """Convert an option's text to a finite number above 0, for ``type=``."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0; received {text}")
    return number


def positive_ints(text: str) -> tuple[int, ...]:
    """Convert an option's text, such as "64,32", to whole numbers of at least 1, for ``type=``."""
    return tuple(positive_int(word) for word in text.split(",") if word)


def fraction(text: str) -> float:
    """Convert an option's text to a number of at least 0 and below 1, for ``type=``."""
    if not 0 <= float(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 0 and below 1; received {text}")
    return float(text)


def number_or(word: str) -> Callable[[str], int | str]:
    """Return a ``type=`` for a whole number of at least 1, or one word instead."""

    def convert(text: str) -> int | str:
        return text if text == word else positive_int(text)

    convert.__name__ = "number"  # argparse names it in its messages
    return convert


def cluster(text: str) -> str:
    """Check that an option's text names a cluster, for ``type=``."""
    if not re.fullmatch(r"local(:[1-9]\d*)?|(tcp|tls)://[^/]+:\d+", text):
        raise argparse.ArgumentTypeError(
            "must be local, local:N (N processes), or the address of a Dask scheduler, tcp://host:port; "
            f"received {text}"
        )
    return text


def address(text: str) -> str:
    """Check that an option's text names a host and a port, for ``type=``."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise argparse.ArgumentTypeError(f"must be a name and a port, as node1:29500; received {text}")
    return text


FILES, SPEED, HOSTS, SCRIPT = "files", "speed", "devices and hosts", "config and messages"

DATASET = Option(
    "-d", "--dataset", config="IMAGES_PATH", group=FILES,
    help="folder of images, its URL, CSV list of images and labels, or HDF5 file",
)  # fmt: skip
OUTPUT = Option("-o", "--output", group=FILES, help="file to write")
MODEL = Option("-m", "--model", config="MODEL_PATH", group=FILES, help="the model's file")
RESUME = Option("--resume", action="store_true", group=FILES, help="continue an interrupted run, if there is one")
FORCE = Option("--force", action="store_true", group=FILES, help="replace existing files, once new ones are complete")

BATCH_SIZE = Option("-b", "--batch-size", type=positive_int, config="BATCH_SIZE", metavar="N", help="images in a batch")
PRECISION = Option(
    "--precision", choices=("auto", "float32", "mixed_bfloat16", "mixed_float16"), config="PRECISION", group=SPEED,
    help="of the network's arithmetic; auto: mixed_bfloat16 where the hardware computes in it",
)  # fmt: skip
CLASS_WEIGHT = Option(
    "--class-weight", choices=("balanced", "none"), config="CLASS_WEIGHT",
    help="balanced: images of rare classes count more, so that all classes count alike",
)  # fmt: skip
BUFFER_SIZE = Option(
    "-s", "--buffer-size", type=positive_int, default=1000, metavar="N", group=SPEED, help="rows between resume points"
)
JOBS = Option("-j", "--jobs", type=positive_int, metavar="N", group=SPEED, help="threads; all processors if not given")
CLUSTER = Option(
    "--cluster", type=cluster, metavar="SPEC", group=SPEED,
    help="local or local:N to work in N processes, tcp://host:port to work on a running Dask cluster",
)  # fmt: skip
SHARDS = Option(
    "--shards", type=positive_int, metavar="N", group=SPEED,
    help="files to store the largest split in; if not given 1, or with --cluster one for every 2,048 rows",
)  # fmt: skip

DEVICES = (
    Option(
        "--devices", type=number_or("all"), metavar="N", group=HOSTS,
        help="GPUs of this machine (CPUs if it has none) to use, or all",
    ),
    Option(
        "--hosts", type=number_or("auto"), metavar="N", group=HOSTS,
        help="train on N hosts together, each of which runs this command; auto: as the environment says",
    ),
    Option("--host-index", type=whole_number, metavar="I", group=HOSTS, help="the index of this host, from 0"),
    Option(
        "--coordinator", type=address, metavar="HOST:PORT", group=HOSTS, help="host 0, and a free port there"
    ),
    Option(
        "--join-timeout", type=positive_int, default=300, metavar="SECONDS", group=HOSTS,
        help="how long to wait for all hosts at the start",
    ),
    Option(
        "--lost-timeout", type=positive_int, default=30, metavar="SECONDS", group=HOSTS,
        help="how long a host may be silent before it is given up",
    ),
)  # fmt: skip


def layout(args: argparse.Namespace) -> Any:
    """Return the devices and hosts that the options `DEVICES` ask for, for a `Training`."""
    from pyimagesearch.training.hosts import find_layout

    return find_layout(**{option.dest: getattr(args, option.dest) for option in DEVICES})


def training(args: argparse.Namespace, config: Any) -> dict[str, Any]:
    """Return the arguments of a `Training` that keep it alive: its checkpoints, what it replaces, where it runs."""
    return {
        "resume": args.resume, "overwrite": args.force, "seed": config.SEED, "precision": args.precision,
        "checkpoint_minutes": config.CHECKPOINT_MINUTES, "checkpoint_batches": config.CHECKPOINT_BATCHES,
        "tensorboard": args.tensorboard, "layout": layout(args),
    }  # fmt: skip


TENSORBOARD = Option("--tensorboard", metavar="FOLDER", help="write the curves for TensorBoard into this folder")

CONFIG = Option("--config", metavar="MODULE", group=SCRIPT, help="settings, as a module's name")
QUIET = Option("--quiet", action="store_true", group=SCRIPT, help="print only errors and the closing table")
JSON = Option("--json", action="store_true", group=SCRIPT, help="print the results as one JSON object")
