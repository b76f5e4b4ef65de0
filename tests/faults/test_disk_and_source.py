"""Disks that fill up, folders that vanish, images that change: one clear line, and nothing half-made."""

import ctypes
import os
import shutil
import signal
import subprocess
import time

import pytest

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_build_on_a_full_disk_says_one_line_and_keeps_old_files(
    workshop, unbroken_builds, faults, chance, tally, one_line, encoding
):
    new, _ = unbroken_builds(encoding)
    old, _ = unbroken_builds(encoding, "small")
    output = workshop.folder / "output"
    for round_ in range(max(2, faults // 2)):
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        present = old if round_ % 2 else {}
        for name, content in present.items():
            (output / name).write_bytes(content)
        room = chance.randrange(100, len(new["train.hdf5"]))
        tally.strike()
        code, err = workshop.build(output, "--encoding", encoding, "--force", room=room)
        assert code in (1, 2), f"{code} with room for {room:,} bytes: {err}"
        one_line(err)
        assert workshop.states(output) == present
        assert not list(output.glob("*.partial*"))
        tally.survive()


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_writer_on_a_full_disk_raises_and_keeps_the_old_file(tmp_path, run_program, faults, tally, encoding):
    report = run_program("fill_disk.py", tmp_path, encoding, 30 * faults, timeout=60 + 2 * faults)
    tried, survived, seen = report.splitlines()[-1].split(maxsplit=2)
    tally.strike(int(tried))
    tally.survive(int(survived))
    assert (int(tried), survived, seen) == (30 * faults, tried, "[]")


def test_an_output_folder_that_cannot_be_is_named(workshop, tally, one_line):
    (workshop.folder / "file").write_text("not a folder")
    tally.strike()
    code, err = workshop.build(workshop.folder / "file" / "output")
    assert code == 2
    assert "file/output/train.hdf5 cannot be written" in one_line(err)
    tally.survive()


def obey_permissions():
    """Take from a process that root starts what lets root write everywhere."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
        raise PermissionError("root cannot be kept from writing here")


@pytest.mark.parametrize("present", ["nothing", "older files"])
def test_a_folder_that_is_read_only_is_named(workshop, unbroken_builds, tally, one_line, run_to_end, present):
    output = workshop.folder / "output"
    output.mkdir()
    old = unbroken_builds("raw", "small")[0] if present == "older files" else {}
    for name, content in old.items():
        (output / name).write_bytes(content)
    output.chmod(0o555)
    try:
        process = workshop.start_build(output, "--force", preexec_fn=obey_permissions)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(str(error))
    tally.strike()
    code, err = run_to_end(process)
    assert code == 2, err
    assert "train.hdf5 cannot be written (Permission denied)" in one_line(err)
    assert workshop.states(output) == old
    assert sorted(os.listdir(output)) == sorted(old)
    tally.survive()


def freeze_while_writing(start, freeze, chance, duration, unfinished, final):
    """Return a process that is stopped at a random moment after ``unfinished`` is there and before ``final`` is."""
    while True:
        process = start()
        time.sleep(chance.uniform(0, duration))
        if freeze(process) and unfinished.exists() and not final.exists():
            return process
        process.kill()
        process.communicate()
        shutil.rmtree(final.parent, ignore_errors=True)


def test_an_output_folder_that_vanishes_ends_the_build(
    workshop, unbroken_builds, freeze, faults, chance, tally, one_line, run_to_end
):
    output, duration = workshop.folder / "output", unbroken_builds("raw")[1]
    unfinished, final = output / "train.hdf5.partial", output / "train.hdf5"
    for _ in range(max(1, faults // 4)):
        process = freeze_while_writing(lambda: workshop.fork_build(output), freeze, chance, duration, unfinished, final)
        shutil.rmtree(output)
        tally.strike()
        process.send_signal(signal.SIGCONT)
        code, err = run_to_end(process)
        assert code in (1, 2), err
        assert str(output) in one_line(err)
        assert not list(output.glob("*.hdf5"))
        tally.survive()


def spoil(path, how):
    path.unlink()  # a link to an image that other tests need
    if how == "garbage":
        path.write_bytes(os.urandom(1000))
    elif how == "empty":
        path.touch()
    elif how == "folder":
        path.mkdir()


@pytest.mark.parametrize("how", ["gone", "garbage", "empty", "folder"])
def test_an_image_that_changes_after_the_listing_is_named(workshop, run_to_end, tally, one_line, unbroken_builds, how):
    name = last_image(unbroken_builds("raw")[0])
    output = workshop.folder / "output"
    process = workshop.start_build(output, hold_at="building")
    spoil(workshop.folder / "images" / name, how)
    tally.strike()
    process.send_signal(signal.SIGCONT)
    code, err = run_to_end(process)
    assert code == 2, err
    assert name in one_line(err)
    assert not list(output.iterdir())
    tally.survive()


def last_image(files):
    """Return the name of the image that is read last of all."""
    import io

    import h5py

    with h5py.File(io.BytesIO(files["test.hdf5"])) as file:
        return file["paths"].asstr()[-1]


def test_an_image_that_is_replaced_by_another_is_stored_whole(workshop, run_to_end, tally, unbroken_builds):
    """Old pixels or new ones, with a checksum that fits: never a mixture."""
    from pyimagesearch.io.inspection import damaged_rows

    name = last_image(unbroken_builds("raw")[0])
    output = workshop.folder / "output"
    process = workshop.start_build(output, hold_at="building")
    path = workshop.folder / "images" / name
    other = sorted((workshop.folder / "images").iterdir())[0].read_bytes()
    path.unlink()
    path.write_bytes(other)
    tally.strike()
    process.send_signal(signal.SIGCONT)
    code, err = run_to_end(process)
    assert code == 0, err
    assert damaged_rows(output / "test.hdf5").tolist() == []
    tally.survive()
