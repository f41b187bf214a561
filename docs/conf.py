"""How Sphinx makes the site of these pages: `make site`. Offline, and everything the pages need lies beside them."""

import re
from pathlib import Path

from sphinx.application import Sphinx

import hansa

project = "Hansa"
author = "The Hansa developers"
copyright = "The Hansa developers, Apache-2.0"
version = release = hansa.__version__

extensions = ["myst_parser"]
exclude_patterns = ["README.md"]  # the index shows it
nitpicky = True
smartquotes = False  # two dashes are an option, not a longer dash
myst_heading_anchors = 4
myst_links_external_new_tab = False

html_theme = "furo"
html_title = f"Hansa {release}"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["site"]
html_css_files = ["site.css"]
html_last_updated_fmt = None

_FOLDER = Path(__file__).parent
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def _outside(app: Sphinx, name: str, source: list[str]) -> None:
    """Links to files outside of the pages: contracts come along; else the text stays, with the path beside it.

    For tests, of which some pages have many, the path is shown on pointing at the text.
    """
    page = _FOLDER / f"{name}.md"

    def shown(link: re.Match[str]) -> str:
        image, text, target, _ = link.groups()
        path = (page.parent / target).resolve()
        if image or "://" in target or path.is_relative_to(_FOLDER):
            return link[0]  # an image that lies elsewhere is a warning, which ends the build
        place = path.relative_to(_FOLDER.parent)
        if place.parts[0] == "apps":
            return link[0]
        return f'<span title="{place}">{text}</span>' if place.parts[0] == "tests" else f"{text} in `{place}`"

    source[0] = _LINK.sub(shown, source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _outside)
