"""Make the pictures of the tour, once ``make demo`` has run: ``python docs/pictures.py``."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import cv2

from dogs_vs_cats import explore
from pyimagesearch.cli.messages import wrote

IMAGES = ROOT / "docs/images"
DEMO = Path("output/demo")
MONTAGE_WIDTH = 540


def main() -> None:
    """Run what the tour says, and copy or shrink what it writes into ``docs/images``."""
    with tempfile.TemporaryDirectory() as folder:
        explore.main(["--config", "config.demo_config", "--output", folder])
        montage = cv2.imread(f"{folder}/montage_dog.png")
    height = montage.shape[0] * MONTAGE_WIDTH // montage.shape[1]
    small = cv2.resize(montage, (MONTAGE_WIDTH, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(IMAGES / "montage.jpg"), small, [cv2.IMWRITE_JPEG_QUALITY, 80])

    namespace: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "docs/tour.md").read_text("utf-8"), re.DOTALL):
        exec(block, namespace)
    for name in ("augmented.jpg", "crops.jpg", "alexnet.png", "classifier_confusion_matrix.png"):
        shutil.copy(DEMO / name, IMAGES / name)
    wrote(*sorted(IMAGES.iterdir()))


if __name__ == "__main__":
    main()
