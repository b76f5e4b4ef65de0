"""Names and numbers as text that is safe to print and to open."""

from pyimagesearch.errors import UserError

_FORMULA = ("=", "+", "-", "@")  # with these a spreadsheet begins to calculate


def escaped(text: str) -> str:
    r"""Return text without letters that steer a terminal or have no picture: ``\n`` and the like stand for them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def number_cell(probability: float) -> str:
    """Return a probability with nine digits, so that log loss sees it as it is."""
    return f"{probability:.9g}"


def text_cell(text: str) -> str:
    """Return a name as `escaped` does; an apostrophe stands before what a spreadsheet would take for a formula."""
    text = escaped(text)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def exact_cell(text: str, what: str) -> str:
    """Return text as it is, or raise a `UserError` if `text_cell` would change it.

    Args:
        what: says in the message what it is, as "class".
    """
    if text_cell(text) == text:
        return text
    raise UserError(
        f"{what}: a name must not begin like a formula or hold control characters in a submission; "
        f"received {text!r}; rename it, or choose another --format"
    )
