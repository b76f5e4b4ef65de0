"""After any step: one page, report.html in the config's OUTPUT_PATH, that shows all that was done so far."""

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pyimagesearch.runs.recording import recorded
from pyimagesearch.utils import cli


@recorded(new_folder=False)
def main(argv: list[str] | None = None) -> dict:
    parser = cli.parser(__doc__)
    parser.add_argument("-o", "--output", help="HTML file; report.html in the config's OUTPUT_PATH if not given")
    parser.add_argument(
        "--no-heatmaps", action="store_true", help="leave out what the network decided by, which takes some seconds"
    )
    args = parser.parse_args(argv)
    folder = Path(cli.load_config(args.config).OUTPUT_PATH)

    from pyimagesearch.errors import UserError
    from pyimagesearch.report.page import write_page
    from pyimagesearch.utils.atomic import check_output

    # The page is made from the record alone, as often as one likes: an older one is replaced.
    page = check_output(args.output or folder / "report.html", overwrite=True, argument="--output")
    if page.suffix not in (".html", ".htm"):
        raise UserError(f"--output: must end in .html; received {page}")
    cli.info(f"reading the record in {folder}...")
    write_page(folder / "runs.jsonl", page, heatmaps=not args.no_heatmaps)
    cli.wrote(page)
    return {"files": [page]}


if __name__ == "__main__":
    raise SystemExit(cli.run(main))
