"""The one exception that tells a user what to change."""


class UserError(ValueError):
    """An argument, a file or a data set breaks a rule that its user can mend.

    The message is one line: the argument or file, the rule, what was received, what to do.
    Command-line tools print it without a traceback and exit with code 2.
    """
