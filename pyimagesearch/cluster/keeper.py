"""What is slow to load, kept for the tasks that come later."""

import threading
from collections.abc import Callable
from typing import Any


class Keeper:
    """Makes each thing once; other threads wait meanwhile."""

    def __init__(self) -> None:
        self._things: dict[str, Any] = {}
        self._lock = threading.Lock()

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returned for the first one who asked for this name."""
        with self._lock:
            if name not in self._things:
                self._things[name] = make()
            return self._things[name]
