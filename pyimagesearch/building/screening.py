"""Choose the images of a build: leave out the unreadable ones, and look for pictures that occur twice."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyimagesearch.building.duplicates import Fingerprint, Group, find_duplicates, summary
from pyimagesearch.building.scanning import check_reachable, scan, unreadable_error
from pyimagesearch.cluster.tasks import Cluster
from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.io.images.folder import ImageFolder, check_classes

DUPLICATES = ("report", "group", "ignore")
ON_ERROR = ("fail", "skip")


class Screening:
    """The images that a build takes, and what is known of their duplicates.

    Images are decoded beforehand only if that is needed: to skip unreadable ones, or to group duplicates. Otherwise
    the build itself takes fingerprints (see `SplitBuilder`) and stops at unreadable images.

    Args:
        images: all images.
        cluster: decodes them.
        decoding: rules for the images.
        on_error: "fail" to refuse unreadable images, "skip" to leave them out.
        duplicates: "report" those in different splits, "group" all copies of a picture in one split, or "ignore" them.

    Attributes:
        images: the readable images.
        skipped: why each other image was left out, by its path.
        groups: rows of ``images`` that must stay in one split.
        wants_fingerprints: whether the build is to take fingerprints.

    Raises:
        UserError: workers cannot reach the images, one is unreadable, there are fewer than two classes, or an argument
            is unknown.
    """

    def __init__(
        self,
        images: ImageFolder,
        cluster: Cluster,
        decoding: Decoding,
        *,
        on_error: str = "fail",
        duplicates: str = "report",
    ) -> None:
        for name, value, allowed in (("on_error", on_error, ON_ERROR), ("duplicates", duplicates, DUPLICATES)):
            if value not in allowed:
                raise UserError(f"{name}: must be one of {', '.join(allowed)}; received {value!r}")
        check_reachable(images, cluster)
        self._cluster, self._decoding, self._duplicates = cluster, decoding, duplicates
        self._fingerprints: dict[int, Fingerprint] = {}
        self.images, self.skipped = images, dict[str, str]()
        if on_error == "skip" or duplicates == "group":
            self._scan(on_error)
        check_classes(self.images)
        grouped = duplicates == "group"
        self.groups: list[Group] = find_duplicates(list(self._fingerprints.values())) if grouped else []
        self.wants_fingerprints = duplicates == "report" and not self._fingerprints

    def _scan(self, on_error: str) -> None:
        found = scan(self.images, self._cluster, "Checking images", self._decoding)
        if found.unreadable and on_error == "fail":
            raise unreadable_error(self.images, found.unreadable)
        self.skipped = {self.images.paths[index]: reason for index, reason in found.unreadable.items()}
        self.images = self.images.subset(np.array(list(found.fingerprints), int))
        self._fingerprints = dict(enumerate(found.fingerprints.values()))

    def duplicates(
        self, splits: Mapping[str, np.ndarray], fingerprints: Mapping[int, Fingerprint], resize: Any
    ) -> dict[str, Any]:
        """Report the pictures that occur twice, ready for JSON (see `duplicates.summary`).

        Args:
            splits: the rows of each split, by its name.
            fingerprints: those that the build took, by row; images that an earlier, interrupted build packed are
                read again for theirs.
            resize: the preprocessor of the build.
        """
        if self._duplicates == "report":
            known = {**self._fingerprints, **fingerprints}
            rest = np.array([row for row in range(len(self.images.paths)) if row not in known], int)
            if len(rest):
                again = scan(self.images.subset(rest), self._cluster, "Checking earlier images", self._decoding, resize)
                known |= {int(rest[index]): each for index, each in again.fingerprints.items()}
            rows = sorted(known)
            self.groups = [[rows[i] for i in group] for group in find_duplicates([known[row] for row in rows])]
        return summary(self.groups, self.images, splits)

    def remarks(self, duplicates: Mapping[str, Any]) -> list[str]:
        """Say in words what was left out, and what a report of `duplicates` holds."""
        found = [f"left out {len(self.skipped):,} unreadable images"] if self.skipped else []
        if duplicates["pictures"]:
            found.append(
                f"pictures that look the same: {duplicates['pictures']:,}, in different splits "
                f"{len(duplicates['across_splits']):,}, with different labels {len(duplicates['conflicts']):,}"
            )
        return found
