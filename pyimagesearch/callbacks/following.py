"""What follows a training while it runs, as the options of a script ask for it."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras

from pyimagesearch.callbacks.bestmodel import BestModel
from pyimagesearch.callbacks.livepage import LivePage
from pyimagesearch.nn.modelfile import Position
from pyimagesearch.utils.cli import info
from pyimagesearch.watch import PageServer


@contextlib.contextmanager
def followers(
    port: int | None,
    tensorboard: str | None,
    train: Any,
    epochs: int,
    best: BestModel,
    histories: Sequence[Mapping[str, Sequence[float | None]]],
    start: Position,
    title: str,
) -> Iterator[list[keras.callbacks.Callback]]:
    """Yield the callbacks that ``--watch`` and ``--tensorboard`` ask for; the page is there until the block ends.

    Args:
        port: of the live page, 0 for any that is free; None for no page.
        tensorboard: folder of TensorBoard's files, to which a resumed run adds its own; None for none. See
            `check_tensorboard`.
        train, epochs, best, histories, start, title: as `LivePage` takes them.

    Raises:
        UserError: the port cannot be had.
    """
    written = [] if tensorboard is None else [keras.callbacks.TensorBoard(tensorboard, write_graph=False)]
    if port is None:
        yield written
        return
    with PageServer(port) as server:
        page = LivePage(server, train, epochs, best, histories, start, title)
        info(f"watch at {server.url}")
        yield [page, *written]
        server.close({**page.state, "status": "done", "seconds_left": 0})
