"""Mutation testing: break random places of the core, one at a time, and see whether the tests notice.

``make mutations`` draws 100 mutants of cosmic-ray by a seed and names the survivors. Mutants live in temporary clones
of the last commit; results lie in build/mutations, where the same command resumes an interrupted run.
"""

import argparse
import ast
import collections
import multiprocessing
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.config import load_config
from cosmic_ray.modules import filter_paths, find_modules
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import TestOutcome

ROOT = Path(__file__).resolve().parents[1]
CONFIG = load_config(ROOT / "tests/mutations.toml")


def untested(module):
    """Return the first and last position of each type hint, decorator and log call of a module."""
    found = []
    for node in ast.walk(ast.parse(module.read_text())):
        found += [getattr(node, "annotation", None), getattr(node, "returns", None)]
        found += getattr(node, "decorator_list", [])
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) in ("debug", "info", "warning"):
            found.append(node)
    return [((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)) for node in found if node]


def draw(modules, count, seed, database):
    """Leave ``count`` random mutants in the database, one of each place that was drawn."""
    init(sorted(modules), database, CONFIG.operators_config)
    excluded = re.compile("|".join(CONFIG.sub("filters", "operators-filter")["exclude-operators"]))
    hidden = {module: untested(module) for module in modules}
    places = collections.defaultdict(list)
    for item in database.work_items:
        change = item.mutations[0]
        is_hidden = any(first <= change.start_pos < last for first, last in hidden[change.module_path])
        if not is_hidden and not excluded.match(change.operator_name):
            places[change.module_path, change.start_pos].append((change.operator_name, change.occurrence, item))
    chance = random.Random(seed)
    drawn = chance.sample(sorted(places), min(count, len(places)))
    items = [chance.choice(sorted(places[place], key=lambda mutant: mutant[:2]))[-1] for place in drawn]
    database.clear()
    database.add_work_items(items)


def tests_of(module):
    """Return the tests of a module: those that bear its name, then its folder's, then its whole room's."""
    _, room, *folders = module.parent.parts
    home = Path("tests", room)
    near = home.joinpath(*folders)
    return [str(path) for path in [*sorted(home.rglob(f"test_{module.stem}.py")), near, home] if path.exists()]


def command(*tests):
    """Return the command that runs tests in this order, up to the first failure."""
    runs = [CONFIG.test_command.format(python=sys.executable, tests=each) for each in dict.fromkeys(tests)]
    return shlex.join(["sh", "-c", " && ".join(runs)])


def enter_clone(folder):
    """Clone the last commit into ``folder``, beside the data that some tests want, and go there."""
    os.chdir(tempfile.mkdtemp(dir=folder))
    subprocess.run(["git", "clone", "-q", ROOT, "clone"], check=True)
    os.symlink(ROOT.parent / "shared", "shared")
    os.chdir("clone")
    os.environ["PYTHONPATH"] = os.getcwd()


def attempt(item):
    """Test a mutant in the clone, and return it with the result."""
    return item, mutate_and_test(item.mutations, command(*tests_of(item.mutations[0].module_path)), CONFIG.timeout)


def main():
    """Draw, test and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("modules", nargs="*", type=Path, help="files or folders to mutate, if not the whole core")
    parser.add_argument("-n", "--count", type=int, default=100, help="mutants to draw (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default: 0)")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="mutants to test at once (default: 1)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        enter_clone(folder)
        commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
        session = "-".join([commit, str(args.seed), str(args.count), *(module.stem for module in args.modules)])
        (ROOT / "build/mutations").mkdir(parents=True, exist_ok=True)
        with use_db(ROOT / f"build/mutations/{session}.sqlite") as database:
            if not database.num_results:
                found = find_modules(args.modules or map(Path, CONFIG["module-path"]))
                draw(filter_paths(found, CONFIG["excluded-modules"]), args.count, args.seed, database)
                homes = sorted({tests_of(item.mutations[0].module_path)[-1] for item in database.work_items})
                print(f"{', '.join(homes)} must pass unbroken...", flush=True)
                subprocess.run(shlex.split(command(*homes)), check=True)
            with multiprocessing.get_context("spawn").Pool(args.jobs, enter_clone, [folder]) as pool:
                for item, result in pool.imap_unordered(attempt, database.pending_work_items):
                    if result.test_outcome == TestOutcome.INCOMPETENT:
                        raise SystemExit(result.output)  # no fault of the mutant
                    database.set_result(item.job_id, result)
                    change, failed = item.mutations[0], re.search(r"^(FAILED|ERROR) [^ ]+", result.output, re.MULTILINE)
                    why = failed[0] if failed else result.output[:20] if result.is_killed else ""
                    print(f"{result.test_outcome.value} {change.module_path}:{change.start_pos[0]} {why}", flush=True)
            results = [result for _, result in database.results]
    survivors = [result.diff for result in results if not result.is_killed]
    print(*survivors, f"{len(results) - len(survivors)} of {len(results)} mutants were noticed", sep="\n\n")


if __name__ == "__main__":
    main()
