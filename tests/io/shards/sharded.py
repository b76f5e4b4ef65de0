"""A small set of shards."""

ROWS = 10


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def shards_of(count, name="train"):
    return [f"{name}-{i:05d}-of-{count:05d}.hdf5" for i in range(count)]
