"""The options of scripts whose work can be shared out among processes."""

import argparse
from collections.abc import Sequence

from pyimagesearch.cluster.opening import RULE, is_spec
from pyimagesearch.utils.cli import positive_int

ROWS_IN_SHARD, MOST_SHARDS = 2048, 1024


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add ``--cluster`` to a script's options."""
    parser.add_argument(
        "--cluster", type=cluster_spec, metavar="SPEC",
        help="local or local:N to work in N processes, tcp://host:port to work on a running Dask cluster; this process "
        "alone if not given",
    )  # fmt: skip


def add_shards(parser: argparse.ArgumentParser) -> None:
    """Add ``--shards`` to a script's options."""
    parser.add_argument(
        "--shards", type=positive_int, metavar="N",
        help="files that the largest set is stored in; if not given 1, or with --cluster one for every "
        f"{ROWS_IN_SHARD:,} rows",
    )  # fmt: skip


def cluster_spec(text: str) -> str:
    """Check that an option's text names a cluster, for ``type=``."""
    if not is_spec(text):
        raise argparse.ArgumentTypeError(f"{RULE}; received {text}")
    return text


def number_of_shards(shards: int | None, cluster: str | None, sizes: Sequence[int]) -> int:
    """Return how many files the largest of sets of ``sizes`` rows is stored in, by the two options."""
    usual = min(MOST_SHARDS, -(-max(sizes) // ROWS_IN_SHARD)) if cluster else 1
    return shards or usual
