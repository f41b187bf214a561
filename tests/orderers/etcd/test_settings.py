"""Settings of which no cluster can be made are refused; the others make one whose members ask for certificates."""

import msgspec
import pytest

from hansa.orderers.etcd import settings as settings_of
from hansa.orderers.etcd.settings import EtcdMember, EtcdSettings

TLS = {"ca": "/tls/ca.pem", "certificate": "/tls/a.pem", "key": "/tls/a.pem"}


NO_TLS = {"plain": True, "ca": "", "certificate": "", "key": ""}


def member(name, scheme="https", host="10.0.0.1", port=2379):
    return EtcdMember(name, f"{scheme}://{host}:{port + 1}", f"{scheme}://{host}:{port}")


def settings(**changes):
    members = tuple(member(name, port=2379 + 10 * number) for number, name in enumerate("abc"))
    return EtcdSettings(**{"name": "b", "members": members, "token": "t", "home": "/h", **TLS, **changes})


def test_sound_settings_survive_a_file():
    made = settings()
    settings_of.check(made)
    assert msgspec.json.decode(msgspec.json.encode(made), type=EtcdSettings) == made
    assert settings_of.endpoints(made) == ["https://10.0.0.1:2389", "https://10.0.0.1:2379", "https://10.0.0.1:2399"]
    settings_of.check(settings(members=(member("b", "http", "127.0.0.1"),), **NO_TLS))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "d"},
        {"members": (member("b"), member("b", port=1))},
        {"ca": ""},
        {"key": ""},
        {"plain": True},
        {"ca": "", "certificate": "", "key": ""},
        {"members": (member("b", "http"),)},
        {"members": (member("b", "http"),), **NO_TLS},
        {"members": (member("b", "http", "127.0.0.1"),), **NO_TLS, "ca": "x"},
        {"members": (EtcdMember("b", "https://h:1/x", "https://h:2"),)},
        {"members": (EtcdMember("b", "https://h:1", "https://h"),)},
        {"members": (EtcdMember("b", "https://h:1", "https://:2"),)},
        {"members": (EtcdMember("b", "https://h:1", "https://h:2,https://h:3"),)},
        {"members": (EtcdMember("b", "https://h:1", "https://u@h:3"),)},
    ],
)
def test_unfit_settings_are_refused(changes, refused):
    with refused("orderer.settings"):
        settings_of.check(settings(**changes))


@pytest.mark.parametrize("name", ["", "-x", "a,b", "a=b", "a/b", "é", "a" * 65])
def test_a_name_is_plain(name):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": name, "peers": "", "clients": ""}, EtcdMember)


def test_the_member_asks_everybody_for_a_certificate():
    command = settings_of.command(settings(), "/bin/etcd")
    assert command[0] == "/bin/etcd"
    assert "--initial-cluster=a=https://10.0.0.1:2380,b=https://10.0.0.1:2390,c=https://10.0.0.1:2400" in command
    for flag in ("--client-cert-auth", "--peer-client-cert-auth", "--trusted-ca-file=/tls/ca.pem"):
        assert flag in command
