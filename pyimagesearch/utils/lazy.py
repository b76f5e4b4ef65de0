"""Lazy package exports (PEP 562), so that importing a package costs nothing until a class is used."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy_exports(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module-level ``__getattr__`` that imports each name from its home on first use.

    Args:
        package: the package's ``__name__``.
        homes: exported name -> module inside the package, as ``{"AlexNet": "alexnet"}``.
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    return load
