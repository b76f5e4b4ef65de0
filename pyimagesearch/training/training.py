"""A training that survives interruptions: exact resume, best model, curves, and many devices or hosts."""

import contextlib
import logging
import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import keras

from pyimagesearch.callbacks import BestModel, EarlyStop, TrainingCheckpoint, TrainingMonitor, TrainingSpeed
from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.share import Share
from pyimagesearch.nn.modelfile import (
    Position,
    Preparation,
    check_resumable,
    dtype_policy,
    load_model,
    precision_of,
    read_description,
    save_model,
)
from pyimagesearch.training.fit import fit_from
from pyimagesearch.training.hosts import Layout
from pyimagesearch.training.precision import check_precision, choose_precision
from pyimagesearch.training.stages import Stage, fit_stages
from pyimagesearch.training.world import open_world
from pyimagesearch.utils.atomic import check_output

log = logging.getLogger(__name__)


class Training:
    """Everything that keeps a run of ``fit`` alive; a context manager, for one `fit`.

    Make generators and networks in its block: it sets the devices and the dtype policy that they work with. All its
    files are named after the best model's, so that two models in a folder share none: ``alexnet.keras``,
    ``alexnet_last.keras``, ``alexnet.png``, ``alexnet.json``, ``alexnet_speed.json``.

    Args:
        model_path: file of the best model by validation accuracy, ending in ".keras".
        epochs: epochs in all, including those before a resume.
        batch_size: images in a batch of all devices together.
        last_path: file of the last checkpoint, if not beside the best model.
        resume: whether to continue from the last checkpoint, if there is one.
        overwrite: whether to replace the files of an earlier training; with ``resume``, one that has had all its
            epochs is not continued, but begun again.
        seed: of weights and dropout.
        precision: "float32", "mixed_bfloat16", "mixed_float16", or "auto": mixed_bfloat16 where the hardware
            computes in it. A resumed training keeps its own.
        checkpoint_minutes, checkpoint_batches: time and batches between two checkpoints within an epoch; None for
            no such checkpoints.
        tensorboard: folder to write TensorBoard's files into, or None.
        layout: devices and hosts, see `find_layout`.

    Raises:
        UserError: an argument breaks a rule, or a file exists.
    """

    HEADER = ("best model", "epoch", "validation accuracy", "images")

    def __init__(
        self,
        model_path: str | os.PathLike[str],
        *,
        epochs: int,
        batch_size: int,
        last_path: str | os.PathLike[str] | None = None,
        resume: bool = False,
        overwrite: bool = False,
        seed: int = 42,
        precision: str = "auto",
        checkpoint_minutes: float | None = 10,
        checkpoint_batches: int | None = None,
        tensorboard: str | os.PathLike[str] | None = None,
        layout: Layout = Layout(),  # noqa: B008 - immutable
    ) -> None:
        self.best_path = Path(model_path)
        if self.best_path.suffix != ".keras":
            raise UserError(f"model_path: must end in .keras, the format of Keras 3; received {self.best_path}")
        self.last_path = Path(last_path or self.best_path.with_name(f"{self.best_path.stem}_last.keras"))
        self.figure_path, self.curves_path = self.best_path.with_suffix(".png"), self.best_path.with_suffix(".json")
        self.speed_path = self.best_path.with_name(f"{self.best_path.stem}_speed.json")
        self._resumes = resume and self.last_path.exists()
        if self._resumes and overwrite:  # a finished training that is being replaced: nothing new was saved yet
            self._resumes = read_description(self.last_path)[1].epoch < epochs
        for path in (self.best_path, self.last_path, self.figure_path, self.curves_path, self.speed_path):
            check_output(path, overwrite or self._resumes, "model_path")
        if epochs < 1:
            raise UserError(f"epochs: must be at least 1; received {epochs}")
        check_precision(precision)
        _check_tensorboard(tensorboard)
        self.epochs, self.batch_size, self.resume, self.seed = epochs, batch_size, resume, seed
        self._precision, self._layout, self._tensorboard = precision, layout, tensorboard
        self._intervals = {"every_minutes": checkpoint_minutes, "every_batches": checkpoint_batches}
        self._until_end = contextlib.ExitStack()
        self._results: dict[str, Any] = {}

    def __enter__(self) -> "Training":
        self._world = self._until_end.enter_context(open_world(self._layout, self.batch_size))
        self._until_end.enter_context(dtype_policy(choose_precision(self._precision)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return bool(self._until_end.__exit__(kind, error, trace))

    @property
    def share(self) -> Share:
        """This process's share of every batch, for the generators."""
        return self._world.share

    @property
    def is_first(self) -> bool:
        """True if this process writes the files and reports."""
        return self._world.is_first

    @property
    def files(self) -> list[Path]:
        """Files that this process wrote."""
        written = [self.best_path, self.last_path, self.figure_path, self.curves_path, self.speed_path]
        return written if self.is_first else []

    def fit(
        self,
        build: Callable[[], keras.Model],
        train: Any,
        validation: Any,
        preparation: Preparation,
        *,
        learning_rate: Any = None,
        stages: Callable[[keras.Model], Sequence[Stage]] | None = None,
        patience: int | None = None,
        monitor: str = "val_accuracy",
        settings: str = "",
        verbose: int | str = "auto",
    ) -> keras.Model:
        """Train a network from its last checkpoint on, or from the beginning, and return it.

        Args:
            build: returns the untrained network, compiled unless there are ``stages``; not called if a checkpoint
                is resumed.
            train: a shuffling `HDF5DatasetGenerator` made with `share`.
            validation: the same, without shuffling.
            preparation: how images become the network's input; stored in the model files.
            learning_rate: the schedule that ``build`` gave the optimizer, if any: more epochs than before stretch it.
            stages: returns the stages of a network, see `plan_stages`; None for a single one.
            patience: stop when the validation loss of so many epochs was not below the lowest before.
            monitor: the metric of validation that tells the best model, as `BestModel` takes it.
            settings: further settings that must be the same when the training is resumed.
            verbose: as in Keras's ``fit``.

        Raises:
            UserError: the checkpoint is of a different training, or has had all its epochs; or the network is not
                compiled with the metric to monitor.
        """
        world, self._monitor = self._world, monitor
        if monitor != "val_accuracy":
            self.HEADER = ("best model", "epoch", monitor.replace("val_", "validation ").replace("_", " "), "images")
        stream = f"build {train.loader.header.build}, batch size {self.batch_size}, seed {self.seed}"
        stream = ", ".join(filter(None, (stream, settings)))
        start = Position()
        if self._resumes:
            start = check_resumable(self.last_path, preparation, stream, self.epochs)
        same = f"{stream}, {self.epochs} epochs, {preparation}, start {start}, {keras.config.dtype_policy().name}"
        world.begin(same, self.last_path, self._resumes)
        model = self._open_model(build, learning_rate)
        plan = stages(model) if stages else []

        def save(trained: keras.Model, path: Path, position: Position) -> None:
            if world.is_first:
                with world.apart():
                    save_model(trained, path, preparation, position, stream)

        curves = TrainingMonitor(self.figure_path, self.curves_path, start_at=start.epoch, writes=world.is_first)
        speed = TrainingSpeed(self.speed_path, train, start, writes=world.is_first)
        checkpoint = TrainingCheckpoint(
            self.last_path, save, rows=world.rows(train.num_images), batch_size=self.batch_size, start=start,
            **self._intervals,
        )  # fmt: skip
        best = BestModel(self.best_path, save, curves.history, monitor=monitor)
        stop = EarlyStop(curves.history, patience or self.epochs, plan[-1].first if plan else 0)
        callbacks = [checkpoint, curves, best, stop, speed]
        if self._tensorboard is not None and world.is_first:
            callbacks.append(keras.callbacks.TensorBoard(os.fspath(self._tensorboard), write_graph=False))
        for stage in plan:
            log.info(stage.in_words(model))
        log.info("training on %s images, validating on %s...", f"{train.num_images:,}", f"{validation.num_images:,}")
        world.explain_visits(validation.num_images)
        if plan and not stop.reached:
            fit_stages(model, plan, train, validation, start, callbacks, verbose)
        elif not stop.reached:
            fit_from(model, train, validation, self.epochs, start, callbacks, verbose)
        train.close()
        validation.close()
        self._results = _results(model, train, validation, best, {**curves.history, **speed.history})
        done = self._results["epochs"]
        log.info("best %s: %s, in epoch %d of %d", self.HEADER[2], self.row()[2], best.epoch, done)
        return model

    def _open_model(self, build: Callable[[], keras.Model], learning_rate: Any) -> keras.Model:
        """Return the network of the last checkpoint, or a new one."""
        keras.utils.set_random_seed(self.seed)
        if self._resumes:
            log.info("loading %s...", self.last_path)
            model, _ = load_model(self.last_path)
            keras.config.set_dtype_policy(precision_of(model))  # for what later stages compile
            if isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule):
                model.optimizer.learning_rate = learning_rate
        else:
            if self.resume:
                log.info("nothing to resume: no unfinished %s; starting from the beginning", self.last_path)
            log.info("compiling model...")
            model = build()
        log.info("precision: %s", precision_of(model))
        return model

    def row(self) -> tuple[str, ...]:
        """Return the best model's results under `HEADER`."""
        found = self._results
        epoch = f"{found['best_epoch']} of {self.epochs}"
        value = f"{found[self._monitor]:{'.2%' if 'acc' in self._monitor else '.4g'}}"
        return str(self.best_path), epoch, value, f"{found['validation_images']:,}"

    def results(self) -> dict[str, Any]:
        """Return the figures of the training, for a record; nothing on hosts other than the first.

        Returns:
            "val_accuracy", or what was monitored, of the "best_epoch" (from 1), "epochs" trained in all,
            "training_images", "validation_images", "batch_size", "parameters" of the model, its "precision", the
            "build" of the data, and the "history": for each metric and figure a list with one value an epoch;
            "inputs" and "files".
        """
        return {**self._results, "files": self.files} if self.is_first else {}


def _results(
    model: keras.Model, train: Any, validation: Any, best: BestModel, history: dict[str, Any]
) -> dict[str, Any]:
    return {
        best.monitor: best.value,
        "best_epoch": best.epoch,
        "epochs": len(history["loss"]),
        "training_images": train.num_images,
        "validation_images": validation.num_images,
        "batch_size": train.batch_size,
        "parameters": model.count_params(),
        "precision": precision_of(model),
        "build": train.loader.header.build,
        "history": {name: list(values) for name, values in history.items()},
        "inputs": [train.loader.header.path, validation.loader.header.path],
    }


def _check_tensorboard(folder: str | os.PathLike[str] | None) -> None:
    """Check that Keras can write for TensorBoard into ``folder``, and make it.

    Raises:
        UserError: TensorBoard is not installed, or the folder cannot be made.
    """
    if folder is None:
        return
    if find_spec("tensorboard") is None:
        raise UserError(
            "tensorboard: needs the package of that name, which is not installed; "
            "pip install 'pyimagesearch[tensorboard]'"
        )
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"tensorboard: must be a folder to write into; received {folder} ({error.strerror}); name another one"
        ) from error
