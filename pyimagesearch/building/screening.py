"""Choose the images of a build: leave out unreadable ones and rare classes, and look for pictures that occur twice."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from pyimagesearch.building.duplicates import Fingerprint, Group, find_duplicates, join_named, summary
from pyimagesearch.building.scanning import check_reachable, scan, unreadable_error
from pyimagesearch.building.splitting import split
from pyimagesearch.cluster.tasks import Cluster
from pyimagesearch.errors import UserError
from pyimagesearch.io.images.decoding import Decoding
from pyimagesearch.io.images.folder import ImageFolder, check_classes
from pyimagesearch.utils.text import named

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
        min_images_per_class: classes with fewer readable images are left out.

    Attributes:
        images: the images that are taken.
        skipped: why each unreadable image was left out, by its path.
        rare_classes: number of images of each class that was left out.
        groups: rows of ``images`` that must stay in one split: those of one group of ``images``, or of one picture.
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
        min_images_per_class: int = 0,
    ) -> None:
        for name, value, allowed in (("on_error", on_error, ON_ERROR), ("duplicates", duplicates, DUPLICATES)):
            if value not in allowed:
                raise UserError(f"{name}: must be one of {', '.join(allowed)}; received {value!r}")
        check_reachable(images, cluster)
        self._cluster, self._decoding, self._duplicates = cluster, decoding, duplicates
        self._fingerprints: dict[int, Fingerprint] = {}
        self._remarks = images.left_out.remarks()
        self.images, self.skipped = images, dict[str, str]()
        if on_error == "skip" or duplicates == "group":
            self._scan(on_error)
        self.rare_classes = {name: n for name, n in self.images.counts.items() if n < min_images_per_class}
        self._leave_out_rare_classes(min_images_per_class)
        check_classes(self.images)
        grouped = duplicates == "group"
        self._copies: list[Group] = find_duplicates(list(self._fingerprints.values())) if grouped else []
        self.groups = join_named(self._copies, self.images.groups) if self.images.groups else self._copies
        self.wants_fingerprints = duplicates == "report" and not self._fingerprints

    def _scan(self, on_error: str) -> None:
        found = scan(self.images, self._cluster, "Checking images", self._decoding)
        if found.unreadable and on_error == "fail":
            raise unreadable_error(self.images, found.unreadable)
        self.skipped = {self.images.paths[index]: reason for index, reason in found.unreadable.items()}
        self._keep(np.array(list(found.fingerprints), int), found.fingerprints)

    def _keep(self, rows: np.ndarray, fingerprints: Mapping[int, Fingerprint]) -> None:
        self.images = self.images.subset(rows)
        self._fingerprints = {new: fingerprints[old] for new, old in enumerate(rows.tolist()) if old in fingerprints}

    def _leave_out_rare_classes(self, least: int) -> None:
        if not self.rare_classes:
            return
        names = [name for name in self.images.label_names if name not in self.rare_classes]
        if len(names) < 2:
            raise UserError(
                f"min_images_per_class: must leave at least two classes; {least:,} leaves {len(names)} of "
                f"{len(self.images.label_names):,}; lower it"
            )
        kept = np.array([name not in self.rare_classes for name in self.images.label_names])
        self._keep(np.flatnonzero(kept[self.images.labels]), self._fingerprints)
        self.images = self.images._replace(labels=(np.cumsum(kept) - 1)[self.images.labels], label_names=names)
        rare = [f"{name} ({count:,})" for name, count in self.rare_classes.items()]
        self._remarks.append(f"left out classes of fewer than {least:,} images: {named(rare, 10)}")
        logging.getLogger(__name__).info(self._remarks[-1])

    def split(self, num_val_images: float | str, num_test_images: float | str, seed: int) -> dict[str, np.ndarray]:
        """Return the rows of the images of "train", "val" and "test"; see `splitting.split`."""
        images = self.images
        rows = split(images.labels, num_val_images, num_test_images, seed, self.groups, images.paths, images.splits)
        return dict(zip(("train", "val", "test"), rows, strict=True))

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
            self._copies = [[rows[i] for i in group] for group in find_duplicates([known[row] for row in rows])]
        return summary(self._copies, self.images, splits)

    def left_out(self) -> dict[str, Any]:
        """Return everything that was left out, with the reasons, ready for JSON."""
        left_out = {**asdict(self.images.left_out), "remarks": self._remarks}
        return {"skipped": self.skipped, "rare_classes": self.rare_classes, "left_out": left_out}

    def remarks(self, duplicates: Mapping[str, Any]) -> list[str]:
        """Say in words what was left out, and what a report of `duplicates` holds."""
        found = [f"left out {len(self.skipped):,} unreadable images"] if self.skipped else []
        if duplicates["pictures"]:
            found.append(
                f"pictures that look the same: {duplicates['pictures']:,}, in different splits "
                f"{len(duplicates['across_splits']):,}, with different labels {len(duplicates['conflicts']):,}"
            )
        return found
