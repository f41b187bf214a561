"""A package registry in a folder: what is installed here, packed into wheels again. So a newcomer's `pip install`
takes what the lock file names, whole and in order, and needs no network.
"""

import re
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath

from tests.docs.pages import ROOT

LOCAL = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
"""What an installer adds beside a distribution's own metadata."""


def locked(name: str) -> list[str]:
    """The distributions that a requirements file names and that are installed here."""
    names = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / name).read_text("utf-8"), re.MULTILINE)
    installed = {re.sub(r"[-_.]+", "-", found.name).lower() for found in metadata.distributions()}
    return [name for name in names if name in installed]


def pack(name: str, folder: Path) -> Path:
    """Makes the wheel of an installed distribution."""
    found = metadata.distribution(name)
    tags = [tag.split("-") for tag in re.findall(r"^Tag: (\S+)", found.read_text("WHEEL") or "", re.MULTILINE)]
    tag = "-".join(".".join(sorted(set(part))) for part in zip(*tags, strict=True))
    files = [file for file in found.files or [] if belongs(file)]
    (info,) = {file.parts[0] for file in files if file.parts[0].endswith(".dist-info")}
    wheel = folder / f"{info.removesuffix('.dist-info')}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        for file in files:
            made.write(str(file.locate()), str(file))
        record = [f"{file},," for file in [*files, f"{info}/RECORD"]]
        made.writestr(f"{info}/RECORD", "\n".join(record) + "\n")
    return wheel


def belongs(file: PurePosixPath) -> bool:
    """Whether a file came with the distribution's wheel; scripts are made again."""
    inner = ".." not in file.parts and "__pycache__" not in file.parts
    return inner and not (file.parts[0].endswith(".dist-info") and file.name in LOCAL)
