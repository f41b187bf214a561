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
myst_heading_anchors = 4
myst_links_external_new_tab = False

html_theme = "furo"
html_title = f"Hansa {release}"
html_copy_source = False
html_show_sphinx = False
html_static_path: list[str] = []
html_last_updated_fmt = None

_FOLDER = Path(__file__).parent
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def _outside(app: Sphinx, name: str, source: list[str]) -> None:
    """Links to files outside of the pages become their text: with the path behind it for sources, as its title else."""
    page = _FOLDER / f"{name}.md"

    def shown(link: re.Match[str]) -> str:
        image, text, target, _ = link.groups()
        path = (page.parent / target).resolve()
        if image or "://" in target or path.is_relative_to(_FOLDER):
            return link[0]  # an image that lies elsewhere is a warning, which ends the build
        place = path.relative_to(_FOLDER.parent)
        return f"{text} (`{place}`)" if place.parts[0] == "src" else f'<span title="{place}">{text}</span>'

    source[0] = _LINK.sub(shown, source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _outside)
