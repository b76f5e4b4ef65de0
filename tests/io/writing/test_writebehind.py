import os

from pyimagesearch.io.writing import writebehind
from pyimagesearch.io.writing.writebehind import WriteBehind


def test_the_file_is_synced_after_so_many_bytes(tmp_path, monkeypatch):
    synced, sync = [], os.fsync
    monkeypatch.setattr(writebehind, "_BYTES", 100)
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_size) or sync(number))
    behind = WriteBehind()
    with open(tmp_path / "a", "wb") as file:
        behind.wrote(file, file.write(bytes(99)))
        assert synced == []
        behind.wrote(file, file.write(bytes(1)))
        behind.stop()
        assert synced == [100]
