"""Sphinx configuration: `make docs` builds the pages into build/docs."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS / "_extensions"))

project = "karospace-jupyter"
author = "The karospace-jupyter developers"
project_copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "option_lists",
]
exclude_patterns = ["_extensions"]
suppress_warnings = ["misc.highlighting_failure"]  # examples of HTML use "…" for omitted parts
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!karospace_).*"),  # no inventories of other projects are downloaded: the build needs no network
    ("py:.*", r"karospace_jupyter\.(bundle|config|job|publish|serve|widget)\..*"),  # modules that define public names
]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # tests/test_notebooks.py executes the notebooks

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "sphinx_book_theme"
html_title = project
html_theme_options = {
    "show_navbar_depth": 1,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the search is in the sidebar
}
html_css_files = ["pages.css"]
html_static_path = ["_static"]
html_copy_source = False
html_show_copyright = False
copybutton_prompt_text = "$ "

linkcheck_ignore = [r"http://(127\.0\.0\.1|localhost)", r"https://.*\bexample\b"]
linkcheck_timeout = 30

# Sphinx reads only what is below its source folder.
shutil.rmtree(DOCS / "notebooks", ignore_errors=True)
(DOCS / "notebooks").mkdir()
for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
    shutil.copy2(notebook, DOCS / "notebooks" / notebook.name)


MARKED = re.compile(r":[\w:]+:`[^`]*`|``[^`]*``|`([^`]+)`")


def as_literals(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:  # noqa: ARG001
    """Show text in single backticks as code, which is what docstrings mean by it."""
    text = MARKED.sub(lambda found: f"``{found[1]}``" if found[1] else found[0], "\n".join(lines))
    lines[:] = text.split("\n")


def setup(app: Sphinx) -> None:
    """Register `as_literals`."""
    app.connect("autodoc-process-docstring", as_literals)
