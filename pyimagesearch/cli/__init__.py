"""Being a program: options, config, record, messages, Ctrl-C and exit codes, so that a script is only its story."""

from pyimagesearch.cli import options
from pyimagesearch.cli.options import Option
from pyimagesearch.cli.script import Script, script

__all__ = ["Option", "Script", "options", "script"]
