"""Where commands find a ledger: the node over a folder, if one really runs, and the keys to sign with."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hansa.cli import places
from hansa.client import keys


def say(folder: Path, text: str) -> None:
    (folder / "node.json").write_text(text)


def test_a_node_that_runs_is_found(tmp_path: Path) -> None:
    say(tmp_path, json.dumps({"url": "http://127.0.0.1:5", "pid": os.getpid()}))
    assert places.running_url(tmp_path) == "http://127.0.0.1:5"


@pytest.mark.parametrize(
    "text",
    ["", "{", "{}", '{"url": "x"}', '{"pid": 1}', '{"url": "x", "pid": "no"}', '{"url": "x", "pid": 4194305}', "\x00"],
)
def test_a_node_that_does_not_run_is_not_found(text: str, tmp_path: Path) -> None:
    say(tmp_path, text)
    assert places.running_url(tmp_path) is None


def test_no_word_of_a_node_is_no_node(tmp_path: Path) -> None:
    assert places.running_url(tmp_path) is None
    assert places.running_url(tmp_path / "none") is None


@pytest.mark.parametrize(
    "text", ["[]", "null", "5", '{"url": "x", "pid": null}', '{"url": "x", "pid": 99999999999999999999}']
)
def test_a_damaged_word_of_a_node_is_no_node(text: str, tmp_path: Path) -> None:
    say(tmp_path, text)
    assert places.running_url(tmp_path) is None


def test_a_url_that_is_given_counts(tmp_path: Path, refused: Callable) -> None:
    say(tmp_path, json.dumps({"url": "http://127.0.0.1:5", "pid": os.getpid()}))
    with places.connect(tmp_path, "http://127.0.0.1:6/") as node:
        assert node.url == "http://127.0.0.1:6"
    with places.connect(tmp_path, None) as node:
        assert node.url == "http://127.0.0.1:5"
    with refused("folder.none"):
        places.connect(tmp_path / "none", None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with keys of acme, bolt and acme's user ann."""
    for name in ("members/acme", "members/bolt", "users/acme/ann"):
        keys.save(keys.generate(), tmp_path / "keys" / f"{name}.pem")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "path"), [("acme", "members/acme"), ("bolt", "members/bolt"), ("acme/ann", "users/acme/ann")]
)
def test_a_key_is_found_by_its_name(name: str, path: str, folder: Path) -> None:
    assert places.signing_key(folder, name, None).kid == keys.load(folder / "keys" / f"{path}.pem").kid


def test_a_file_that_is_given_counts(folder: Path, refused: Callable) -> None:
    file = folder / "keys" / "members" / "bolt.pem"
    assert places.signing_key(folder, None, file).kid == keys.load(file).kid
    with refused("argument.value") as caught:
        places.signing_key(folder, "acme", file)
    assert caught.value.detail == "--as and --key both say who signs"


def test_a_folder_that_there_is_not_is_named(tmp_path: Path, refused: Callable) -> None:
    with refused("argument.value") as caught:
        places.signing_key(tmp_path / "nowhere", "acme", None)
    assert f"there is no folder {tmp_path}/nowhere" in caught.value.detail


@pytest.mark.parametrize("name", [None, "none", "acme/none", "none/ann"])
def test_a_name_without_a_key_is_told_those_there_are(name: str | None, folder: Path, refused: Callable) -> None:
    with refused("argument.value") as caught:
        places.signing_key(folder, name, None)
    assert caught.value.remedy == "There are keys of acme, bolt, acme/ann."


def test_a_folder_without_keys_says_how_to_give_one(tmp_path: Path, refused: Callable) -> None:
    with refused("argument.value") as caught:
        places.signing_key(tmp_path, None, None)
    assert caught.value.remedy == "Give a key with --key FILE."


@pytest.mark.parametrize("name", ["../../outside", "x/../../../outside"])
def test_a_name_is_a_name_and_no_path(name: str, folder: Path, refused: Callable) -> None:
    keys.save(keys.generate(), folder / "outside.pem")
    (folder / "keys" / "users" / "x").mkdir()
    with refused("argument.value"):
        places.signing_key(folder, name, None)
