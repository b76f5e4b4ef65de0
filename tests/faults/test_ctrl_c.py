"""Ctrl-C: the build stops at once, says so in one line, and goes on later."""

import shutil
import signal
import time

import pytest


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_ctrl_c_stops_a_build_that_goes_on_later(
    workshop, unbroken_builds, when_building, run_to_end, faults, chance, tally, one_line, encoding
):
    expected, duration, begins = unbroken_builds(encoding)
    output = workshop.folder / "output"
    while tally.tried < max(1, faults // 4):
        process = workshop.start_build(output, "--encoding", encoding)
        when_building(process)
        time.sleep(chance.uniform(0, 0.3 * (duration - begins)))
        process.send_signal(signal.SIGINT)
        struck = time.monotonic()
        code, err = run_to_end(process)
        took = time.monotonic() - struck
        over = workshop.states(output) == expected and code in (0, -signal.SIGINT)
        if not over:
            tally.strike()
            assert took < 2
            assert code == 130, err
            assert "Ctrl-C" in one_line(err)
            built = [line.split()[1].rstrip(":") for line in err.splitlines() if line.startswith("Building")]
            begun = {path.name.removesuffix(".partial") for path in output.glob("*.hdf5*")}
            assert begun >= {f"{name}.hdf5" for name in built}
        code, err = workshop.build(output, "--encoding", encoding, "--resume")
        assert code == 0, err
        assert workshop.states(output) == expected
        shutil.rmtree(output)
        tally.survive(not over)
