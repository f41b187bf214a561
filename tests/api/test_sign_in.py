"""The settings for signing in: read once, refused whole; the secret is made once and never for others to read."""

import pytest

from hansa.api import sign_in
from hansa.client import keys
from hansa.wire.problems import HansaError

SOUND = 'member = "northbank"\nkey = "member.pem"\nsecret = "pseudonyms.secret"\n'


@pytest.fixture
def folder(tmp_path):
    keys.save(keys.generate(), tmp_path / "member.pem")
    return tmp_path


def load(folder, text=SOUND):
    (folder / "sign-in.toml").write_text(text)
    return sign_in.load(folder / "sign-in.toml")


def test_the_secret_is_made_once(folder):
    first = load(folder)
    assert first.member == "northbank"
    assert first.asserted is None
    assert len(first.secret) == sign_in.SECRET_BYTES
    assert (folder / "pseudonyms.secret").stat().st_mode & 0o777 == 0o600
    assert load(folder).secret == first.secret


def test_for_whom_the_node_signs(folder):
    found = load(folder, SOUND + '[asserted]\nattribute = "desk:clerk"\ncontracts = ["orders"]\n')
    assert (found.asserted.attribute, found.asserted.contracts) == ("desk:clerk", ["orders"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "member",
        SOUND + "more = 1\n",
        SOUND.replace("northbank", "North Bank"),
        SOUND.replace('"member.pem"', "1"),
        SOUND + "[asserted]\n",
        SOUND + '[asserted]\nattribute = ""\ncontracts = []\n',
        SOUND + '[asserted]\nattribute = "a"\ncontracts = ["No Name"]\n',
        SOUND + '[asserted]\nattribute = "a"\ncontracts = "orders"\n',
        SOUND.replace("pseudonyms.secret", "nowhere/pseudonyms.secret"),
    ],
)
def test_settings_that_do_not_serve(folder, text, refused):
    with refused("session.settings"):
        load(folder, text)


def test_bytes_that_are_no_text(folder, refused):
    (folder / "sign-in.toml").write_bytes(b"\xff\xfe")
    with refused("session.settings"):
        sign_in.load(folder / "sign-in.toml")


def test_files_that_are_not_there(folder, refused):
    with refused("session.settings"):
        sign_in.load(folder / "nothing.toml")
    with refused("key.file"):
        load(folder, SOUND.replace("member.pem", "nothing.pem"))


def test_keys_and_secrets_that_others_can_read(folder, refused):
    load(folder)
    (folder / "pseudonyms.secret").chmod(0o644)
    with refused("key.exposed"):
        load(folder)
    (folder / "pseudonyms.secret").chmod(0o600)
    (folder / "member.pem").chmod(0o640)
    with refused("key.exposed"):
        load(folder)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_secret_of_another_size_is_not_replaced(folder, size):
    path = folder / "pseudonyms.secret"
    path.write_bytes(b"s" * size)
    path.chmod(0o600)
    with pytest.raises(HansaError) as caught:
        load(folder)
    assert caught.value.code == "session.settings"
    assert "another node of the member" in caught.value.remedy
    assert path.read_bytes() == b"s" * size
