"""Files that nobody wrote on purpose: spoiled and made up, by the thousand, in the long run 10,000 of them."""


def test_no_file_crashes_hangs_swells_or_lies(tmp_path, run_program, faults, tally):
    count = 50 * faults
    report = run_program("fuzz_headers.py", tmp_path, count, timeout=120 + count)
    tried, survived, problems = report.splitlines()[-1].split(maxsplit=2)
    tally.strike(int(tried))
    tally.survive(int(survived))
    assert int(tried) >= count * 0.9  # hypothesis leaves out repetitions
    assert (tried, problems) == (survived, "[]")
