"""Three ways to make images of any aspect ratio fit one size."""

from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.preprocessing.aspectawarepreprocessor import AspectAwarePreprocessor
from pyimagesearch.preprocessing.padpreprocessor import PadPreprocessor
from pyimagesearch.preprocessing.simplepreprocessor import SimplePreprocessor

FITS: dict[str, Any] = {"crop": AspectAwarePreprocessor, "pad": PadPreprocessor, "stretch": SimplePreprocessor}


def fitting(fit: str, width: int, height: int) -> Any:
    """Return the preprocessor that gives images this size.

    Args:
        fit: "crop" cuts the longer sides off evenly, "pad" fills the shorter ones up with black, "stretch" ignores the
            aspect ratio.
        width, height: in pixels.

    Raises:
        UserError: there is no such way.
    """
    if fit not in FITS:
        raise UserError(f"fit: must be one of {', '.join(FITS)}; received {fit!r}")
    return FITS[fit](width, height)


def fit_of(history: str) -> str:
    """Return the way by which the images of a data file were fitted, from its history; "crop" if that does not say."""
    return next((fit for fit, kind in FITS.items() if history.startswith(f"{kind.__name__} to ")), "crop")
