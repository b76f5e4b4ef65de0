"""The one exception that tells a user what to change."""

from collections.abc import Mapping


class UserError(ValueError):
    """An argument, a file or a data set breaks a rule that its user can mend.

    The message is one line: the argument or file, the rule, what was received, what to do.
    Command-line tools print it without a traceback and exit with code 2.
    """


class StorageError(UserError):
    """Storage does not answer, refuses its user, or is too busy: that is no fault of one image."""


class ClusterLostError(UserError):
    """The cluster is gone, or has forgotten this run; what is on disk is as good as before."""


class UnrecognisedError(UserError):
    """The content of a file is ambiguous; arguments can settle it.

    Attributes:
        reason: the message without the suggestion.
        suggestion: arguments with which the file would be taken, by name; "KEY" stands for a value that only the user
            knows.
    """

    def __init__(self, message: str, suggestion: Mapping[str, str] | None = None) -> None:
        arguments = ", ".join(f'{name}="{value}"' for name, value in (suggestion or {}).items())
        super().__init__(f"{message}; pass {arguments}" if arguments else message)
        self.reason, self.suggestion = message, dict(suggestion or {})
