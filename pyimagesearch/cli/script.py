"""Turns the story of a script into a program: its options, its config, its record."""

import argparse
import inspect
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pyimagesearch.cli import errors, messages, program
from pyimagesearch.cli.config import Settings, load_config
from pyimagesearch.cli.options import CONFIG, HOSTS, JSON, QUIET, ArgumentParser, Option, layout
from pyimagesearch.cli.running import Running
from pyimagesearch.errors import UserError

DEFAULT_CONFIG = "config.dogs_vs_cats_config"
Story = Callable[..., dict[str, Any]]
Then = Callable[[Path], Iterable[Path]]


def script(
    step: str,
    options: Iterable[Option] = (),
    config: str | None = DEFAULT_CONFIG,
    then: Then | None = None,
    new_folder: bool = True,
    uses_keras: bool = True,
    folder: str | None = None,
) -> Callable[[Story], "Script"]:
    """Decorate the story of a script, ``main(args, config)``, which becomes a `Script`.

    Args:
        step: its role in a project, which the record stores: "build", "train", "crops", ...
        options: that it takes, besides ``--config``, ``--quiet`` and ``--json``.
        config: the settings that it takes if no others are named. None for a script without any, whose story is called
            with ``args`` alone.
        then: called with the record's folder once a successful run is recorded; returns files that it wrote. Its
            failure is no failure of the run.
        new_folder: whether a successful run may create the folder of the record; otherwise it is recorded only where
            there is one already.
        uses_keras: whether it computes by Keras. If not, it is not asked for its devices, which it would occupy.
        folder: where a script without a config leaves its record, if no other script calls it; None for no record.
    """
    return lambda story: Script(story, step, tuple(options), config, then, new_folder, uses_keras, folder)


class Script:
    """A script: called from Python with its command line, or run as a program."""

    def __init__(
        self,
        story: Story,
        step: str,
        options: tuple[Option, ...],
        config: str | None,
        then: Then | None,
        new_folder: bool,
        uses_keras: bool,
        folder: str | None,
    ) -> None:
        self.story, self.step, self.options, self.config = story, step, options, config
        self._then, self._new_folder, self._uses_keras, self._folder = then, new_folder, uses_keras, folder
        file = Path(inspect.getfile(story)).resolve()
        packages: list[str] = []
        root = file.parent
        while (root / "__init__.py").exists():
            packages.insert(0, root.name)
            root = root.parent
        self.root = root
        """The folder that the dotted name starts from."""
        self.name = ".".join([*packages, *([] if file.stem == "__main__" else [file.stem])])
        """The dotted name of its module, also of one that runs as a program or by its path."""
        self.is_program = story.__module__ == "__main__"
        self.typed = f"python -m {self.name}"
        """How it is started, as its user typed it."""
        if self.is_program and not story.__globals__.get("__package__"):  # started by its path
            self.typed = f"python {sys.argv[0]}"
            sys.path.append(str(root))

    def __call__(self, argv: Iterable[str | os.PathLike[str]] | None = None) -> dict[str, Any]:
        """Do what a command line asks for, record it, and return the results.

        Raises:
            UserError: the options, the config or a file break a rule that a user can mend.
            SystemExit: the options cannot be parsed.
        """
        return self._call(argv, recorded=True)

    def run(self, argv: Iterable[str | os.PathLike[str]] | None = None) -> int:
        """Do the same as a program does: return the exit code, and print one line for an error.

        With ``--hosts`` the work is done by a child process, and this one watches it.
        """
        hosts = self._hosts(argv)
        if hosts is not None:
            from pyimagesearch.training import supervisor

            if not supervisor.is_supervised():
                code, words = supervisor.supervise()
                if words:
                    program.fail(self.typed, f"{hosts}: {errors.advice_in_flags(words, self.options)}")
                return code
        recorded = hosts is None or hosts.index == 0  # one record tells of all hosts
        can_resume = any(option.dest == "resume" for option in self.options)
        return program.run(
            lambda: self._call(argv, recorded), self.typed, can_resume=can_resume, is_process=self.is_program
        )

    def parser(self) -> ArgumentParser:
        """Return a parser of its options."""
        text = inspect.cleandoc(self.story.__globals__.get("__doc__") or self.story.__doc__ or "")
        parser = ArgumentParser(prog=self.typed, description=text.split("\n\n")[0])
        groups: dict[str | None, Any] = {None: parser}
        config = [CONFIG.but(default=self.config)] if self.config else []
        for option in (*self.options, *config, QUIET, JSON):
            if option.group not in groups:
                groups[option.group] = parser.add_argument_group(option.group)
            option.add_to(groups[option.group])
        return parser

    def _call(self, argv: Iterable[str | os.PathLike[str]] | None, recorded: bool) -> dict[str, Any]:
        arguments = sys.argv[1:] if argv is None else [os.fspath(each) for each in argv]
        args = self.parser().parse_args(arguments)

        from pyimagesearch.runs.recorder import Recorder

        recorder = Recorder(self.name, arguments, self._new_folder, self._uses_keras, self.step) if recorded else None
        given = Namespace(**vars(args))
        config: Settings | None = None

        def translate(words: str) -> str:
            return errors.advice_in_flags(words, self.options, config or ())

        with Running(args.quiet, args.json, recorder) as running, messages.library_heard(translate):
            try:
                config = self._begin(args, running)
                result = self.story(args, config) if self.config else self.story(args)
                if recorder:
                    recorder.end("done", result=result)
                    self._follow(recorder)
                running.print_json(result)
                return result
            except KeyboardInterrupt:
                if recorder:
                    recorder.end("stopped")
                raise
            except BaseException as error:
                if isinstance(error, UserError):
                    error = errors.for_command_line(error, (*self.options, CONFIG), given, config or ())
                if recorder:
                    recorder.end("stopped" if program.was_interrupted() else "failed", errors.in_words(error))
                raise error

    def _begin(self, args: Namespace, running: Running) -> Settings | None:
        """Load the config, begin the record, and take from the config what the options leave open."""
        recorder = running.recorder
        if self.config is None:
            if recorder and self._folder:
                caller = running.caller_s_recorder
                recorder.new_folder = caller.new_folder if caller else recorder.new_folder
                recorder.begin(caller.folder if caller else Path(self._folder), None, getattr(args, "seed", None))
            return None
        config = load_config(args.config, self.root)
        names = set(config)
        if recorder and "OUTPUT_PATH" in names:
            settings = {name: getattr(config, name) for name in config}
            described = {"module": config.module_name, "settings": settings}
            recorder.begin(Path(config.OUTPUT_PATH), described, settings.get("SEED"))
        for option in self.options:
            if option.config and getattr(args, option.dest) is None:
                setattr(args, option.dest, getattr(config, option.config))
            if getattr(args, option.dest) == "none" and "none" in option.more.get("choices", ()):
                setattr(args, option.dest, None)
        return config

    def _follow(self, recorder: Any) -> None:
        """Do what comes after the record is written."""
        if self._then is None or not recorder.recorded:
            return
        try:
            messages.wrote(*self._then(recorder.folder))
        except Exception as error:  # the run itself was done, whatever comes after it
            messages.info(f"not written after the run: {errors.in_words(error)}")

    def _hosts(self, argv: Iterable[str | os.PathLike[str]] | None) -> Any:
        """Return the hosts that a command line asks for; None also if it is wrong, which the call explains."""
        options = [option for option in self.options if option.group == HOSTS]
        if not options:
            return None
        parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
        for option in options:
            option.add_to(parser)
        try:
            found, _ = parser.parse_known_args(sys.argv[1:] if argv is None else [os.fspath(each) for each in argv])
            return layout(found).hosts
        except (argparse.ArgumentError, UserError):
            return None
