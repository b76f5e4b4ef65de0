"""How Sphinx builds the site: ``make docs``."""

import os
import re
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pyimagesearch

project = "pyimagesearch"
release = version = pyimagesearch.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = html_show_sourcelink = html_show_copyright = False

myst_heading_anchors = 3
default_role = "py:obj"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
maximum_signature_line_length = 80
napoleon_use_rtype = False

# Names within our own package must lead somewhere; others would need the network to be looked up. In a
# docstring's backticks stand attributes, arguments and private names as well, which stay plain text.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!pyimagesearch\b).*|.*\.(Item|Made|Task|Error|Answer|Result|_\w+)"),
    ("py:obj", ".*"),
]


def is_tuple_field(app, what, name, obj, skip, options) -> bool | None:
    """Leave out the fields of named tuples: their class's docstring lists them."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def add_other_modules(app, docname, source) -> None:
    """Let a page of the reference end with the modules of its package that it does not name."""
    folder, _, package = docname.rpartition("/")
    if folder != "api" or package == "index":
        return
    for path in sorted((ROOT / "pyimagesearch" / package).rglob("[!_]*.py")):
        name = ".".join(path.relative_to(ROOT / "pyimagesearch" / package).with_suffix("").parts)
        directive = f".. automodule:: pyimagesearch.{package}.{name}\n"
        if directive not in source[0]:
            source[0] += f"\n## {name}\n\n```{{eval-rst}}\n{directive}```\n"


def link_to_files(app, docname, source) -> None:
    """Let links to Markdown outside this folder, which are no pages of the site, lead to copies of the files."""
    if "/" not in docname:
        source[0] = re.sub(r"\]\((\.\./[^)]+\.md)\)", r"](<path:\1>)", source[0])


def setup(app) -> None:
    """Connect with Sphinx."""
    app.connect("source-read", add_other_modules)
    app.connect("source-read", link_to_files)
    app.connect("autodoc-skip-member", is_tuple_field)
