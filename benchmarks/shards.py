"""Are rows of several files read at the speed of one file's?

Both sides are our generator, in shuffled epochs over the same rows; a batch touches nearly all shards.
"""

from pyimagesearch.io.conversion import convert
from pyimagesearch.preprocessing import AugmentPreprocessor, PatchPreprocessor

from . import _data, _measure
from ._data import INPUT
from .generator import ours

_SHARDS = 16


def main() -> None:
    with _data.setup(__doc__) as where:
        path = _data.raw_file(where)
        united = where.work / f"shards-{path.name}"
        if not united.exists():
            convert(path, united, shards=_SHARDS)
        steps = [PatchPreprocessor(INPUT, INPUT), AugmentPreprocessor(horizontal_flip=True)]
        sides = {
            f"{_SHARDS} shards, crop + flip, uint8": ours(united, steps, "uint8"),
            "one file, crop + flip, uint8": ours(path, steps, "uint8"),
        }
        _measure.report("shards: crop + flip, share of one file", _measure.race(sides, where.rounds), *sides, bar=0.95)


if __name__ == "__main__":
    main()
