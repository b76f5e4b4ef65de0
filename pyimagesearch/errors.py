"""The one exception that tells a user what to change."""


class UserError(ValueError):
    """An argument, a file or a data set breaks a rule that its user can mend.

    The message is one line: the argument or file, the rule, what was received, what to do.
    Command-line tools print it without a traceback and exit with code 2.
    """


class StorageError(UserError):
    """Storage does not answer, refuses its user, or is too busy: that is no fault of one image."""


class ClusterLostError(UserError):
    """The cluster is gone, or has forgotten this run; what is on disk is as good as before."""
