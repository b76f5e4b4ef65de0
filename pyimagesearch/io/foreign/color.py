"""Colour order, RGB or BGR: as the user says, else as the file says, else as is usual."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pyimagesearch.errors import UserError
from pyimagesearch.io.foreign.plan import Plan

_ATTRIBUTES = {
    "colororder", "colourorder", "channelorder", "channelsorder", "colorspace", "colourspace", "colormode",
    "colourmode", "colormodel", "colourmodel", "imagecolormodel", "imagemode", "mode", "pixelformat", "format",
    "channels", "color", "colour", "imageformat",
}  # fmt: skip
_ORDERS = {"RGB": "RGB", "BGR": "BGR", "RGBA": "RGB", "BGRA": "BGR"}
_OTHER_SPACES = {"HSV", "HSL", "HLS", "LAB", "CIELAB", "YUV", "YCBCR", "YCC", "CMY", "CMYK", "XYZ", "LUV"}


def colored(plan: Plan, attributes: Iterable[Mapping[str, Any]]) -> Plan:
    """Return a plan of arrays that knows the order of colors, and where it knows it from.

    RGB is assumed where nobody says: nine in ten programs write it. Floats under the names of the book were written by
    the book's own writer, which stores the BGR that OpenCV reads.

    Args:
        plan: the plan so far.
        attributes: those of the images, of the groups that hold them from the inmost, and of the root.

    Raises:
        UserError: as of `said_order`.
    """
    said = said_order(attributes)
    if plan.shape[3] not in (3, 4):
        return plan
    told = plan.choices.color_order
    remarks = plan.remarks
    if told and said and told != said:
        remarks += (f"the file says {said}, and {told} is used as told",)
    if plan.shape[3] == 4:
        remarks += ("images have four channels; the fourth, often alpha, is kept",)
    book = (plan.images, plan.labels.path, plan.labels.file, plan.dtype.kind) == ("images", "labels", "", "f")
    order = told or said or ("BGR" if book else "RGB")
    source = "told" if told else "file" if said else "book" if book else "assumed"
    return replace(plan, color_order=order, color_source=source, remarks=remarks)


def said_order(attributes: Iterable[Mapping[str, Any]]) -> str:
    """Return "RGB" or "BGR" as the attributes say, those of the dataset first; or "" where they say nothing.

    Names and values are understood in any case and type; an image of HDF5's image specification is RGB.

    Raises:
        UserError: they name another space of colors, or a palette.
    """
    for each in attributes:
        words = {_bare(name): str(value).strip().upper() for name, value in each.items() if isinstance(value, str)}
        for name, value in words.items():
            if name in _ATTRIBUTES and (order := _ORDERS.get(value.replace(" ", "").replace(",", ""))):
                return order
            if name in _ATTRIBUTES and value in _OTHER_SPACES:
                raise UserError(
                    f"color_order: pixels must be RGB, BGR or gray; the file says {value}; convert them to RGB first"
                )
        if words.get("imagesubclass") == "IMAGE_INDEXED":
            raise UserError(
                "images: pixels must be colors or gray; the file says that they are numbers of a palette "
                "(IMAGE_INDEXED); convert them to RGB first"
            )
        if words.get("class") == "IMAGE" or words.get("imagesubclass") == "IMAGE_TRUECOLOR":
            return "RGB"
    return ""


def interlace_mode(attributes: Mapping[str, Any]) -> str:
    """Return ``INTERLACE_MODE`` of HDF5's image specification, or ""."""
    found = next((value for name, value in attributes.items() if name.upper() == "INTERLACE_MODE"), "")
    return found.strip().upper() if isinstance(found, str) else ""


def _bare(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
