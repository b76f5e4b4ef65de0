"""After any step: one page, report.html in the config's OUTPUT_PATH, that shows all that was done so far."""

from pathlib import Path

from pyimagesearch.cli import Option, options, script
from pyimagesearch.cli.messages import info, wrote


@script(
    step="report",
    new_folder=False,
    options=[
        options.OUTPUT.but(help="HTML file; report.html in the config's OUTPUT_PATH if not given"),
        Option("--no-heatmaps", action="store_true", help="leave out the heat maps, which take some seconds"),
    ],
)
def main(args, config):
    from pyimagesearch.report.page import write_page

    folder = Path(config.OUTPUT_PATH)
    info(f"reading the record in {folder}...")
    page = write_page(folder / "runs.jsonl", args.output or folder / "report.html", heatmaps=not args.no_heatmaps)
    wrote(page)
    return {"files": [page]}


if __name__ == "__main__":
    raise SystemExit(main.run())
