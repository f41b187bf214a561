"""The site that `make site` makes: without a warning, every link leads somewhere, nothing comes from outside."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from tests.docs.pages import ROOT

PAGES = [page for page in (ROOT / "docs").rglob("*.md") if page != ROOT / "docs" / "README.md"]


class Read(HTMLParser):
    """What a page holds for links to lead to, and what it links to or loads."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {given.get("id") or ""}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        elif tag == "img":
            self.pictures.append(given)
        target = given.get("src") or (given.get("href") if tag == "link" else None)
        if target and target != "#":
            self.loads.append(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Read]:
    """The pages, built with warnings as errors."""
    folder = tmp_path_factory.mktemp("site")
    words = ["-b", "html", "-W", "--keep-going", "-q", "-d", str(folder / "doctrees"), "docs", str(folder / "site")]
    command = [sys.executable, "-m", "sphinx", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return {page: Read(page) for page in (folder / "site").rglob("*.html")}


def test_every_page_is_in_the_menu(site: dict[Path, Read]) -> None:
    (index,) = [page for page in site if page.name == "index.html" and page.parent.name == "site"]
    linked = {(index.parent / urldefrag(link)[0]).resolve() for link in site[index].links}
    for page in PAGES:
        made = index.parent / page.relative_to(ROOT / "docs").with_suffix(".html")
        assert made in site
        assert made in linked, f"{page.name} is in no toctree"


def test_every_link_of_the_site_leads_somewhere(site: dict[Path, Read]) -> None:
    tried = 0
    for page, read in site.items():
        for link in read.links:
            path, anchor = urldefrag(link)
            if "://" in path:
                continue
            target = page if not path else (page.parent / unquote(path)).resolve()
            assert target.exists(), f"{page.name}: {link}"
            if anchor and target in site:
                assert unquote(anchor) in site[target].ids, f"{page.name}: {link}"
                tried += 1
    assert tried > 100


def test_nothing_is_loaded_from_elsewhere(site: dict[Path, Read]) -> None:
    for page, read in site.items():
        for target in read.loads:
            assert "//" not in target, f"{page.name} loads {target}"
            assert (page.parent / target.split("?")[0]).exists() or target.startswith("data:"), target
        for style in (page.parent / target.split("?")[0] for target in read.loads if ".css" in target):
            assert not re.search(r"url\(['\"]?https?:|@import", style.read_text("utf-8")), style


def test_every_picture_says_what_it_shows(site: dict[Path, Read]) -> None:
    for page, read in site.items():
        for picture in read.pictures:
            assert picture.get("alt"), f"{page.name}: {picture}"


def test_options_keep_their_dashes(site: dict[Path, Read]) -> None:
    for page in site:
        assert "\N{EN DASH}" not in page.read_text("utf-8"), f"{page.name}: two dashes became a longer one"


def test_a_contract_comes_along_with_its_page(site: dict[Path, Read]) -> None:
    (page,) = [page for page in site if page.name == "escrow.html"]
    (contract,) = [link for link in site[page].links if link.endswith("/contract.py")]
    assert (page.parent / contract).read_bytes() == (ROOT / "apps/cookbook/escrow/contract.py").read_bytes()
