"""What `hansa up --listen` and its companions take: addresses, names, files; the rest is refused before a start."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hansa.cli import ways_in
from hansa.wire.problems import HansaError

FILE = Path("file.pem")


@pytest.mark.parametrize(
    ("listen", "hostnames", "host", "port", "names"),
    [
        ("192.0.2.7", (), "192.0.2.7", 8471, ["192.0.2.7"]),
        ("192.0.2.7:443", ("Ledger.Bank.EXAMPLE",), "192.0.2.7", 443, ["192.0.2.7", "ledger.bank.example"]),
        ("2001:DB8::7", (), "2001:db8::7", 8471, ["2001:db8::7"]),
        ("[2001:db8::7]:9000", ("2001:db8:0::7",), "2001:db8::7", 9000, ["2001:db8::7"]),
        ("0.0.0.0:0", ("a.example", "192.0.2.7"), "0.0.0.0", 0, ["a.example", "192.0.2.7"]),
        ("[::]", ("a.example",), "::", 8471, ["a.example"]),
    ],
)
def test_where_others_come_in(listen: str, hostnames: tuple[str, ...], host: str, port: int, names: list[str]) -> None:
    found = ways_in.asked(listen, hostnames, None, None, 8471)
    assert found == ways_in.WayIn(host, port, names, None)


def test_without_it_nobody_does() -> None:
    assert ways_in.asked("", (), None, None, 8471) is None
    found = ways_in.asked("192.0.2.7", (), FILE, FILE, 8471)
    assert found is not None
    assert found.files == (FILE, FILE)


@pytest.mark.parametrize(
    ("listen", "hostnames", "certificate", "key", "code"),
    [
        ("0.0.0.0", (), None, None, "tls.names"),
        ("::", (), None, None, "tls.names"),
        ("", ("a.example",), None, None, "argument.value"),
        ("", (), FILE, FILE, "argument.value"),
        ("192.0.2.7", (), FILE, None, "argument.value"),
        ("192.0.2.7", (), None, FILE, "argument.value"),
        *(
            (text, (), None, None, "argument.value")
            for text in ("a.example", "192.0.2.7:x", "192.0.2.7:65536", "1", ":1")
        ),
        *(
            ("192.0.2.7", (name,), None, None, "argument.value")
            for name in ("", "a b", "a.example:1", "-a.example", "a..example", "ä.example", "a" * 64, "http://a")
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    listen: str, hostnames: tuple[str, ...], certificate: Path | None, key: Path | None, code: str
) -> None:
    with pytest.raises(HansaError) as caught:
        ways_in.asked(listen, hostnames, certificate, key, 8471)
    assert caught.value.code == code


def test_files_that_do_not_serve_stop_a_start(hansa: Callable, tmp_path: Path) -> None:
    words = ("up", "--data", tmp_path / "new", "--port", 0, "--listen", "127.0.0.1:0")
    detail = hansa(*words, "--certificate", tmp_path / "none", "--certificate-key", tmp_path / "none").failed(
        "tls.files"
    )
    assert "No such file" in detail
    assert not (tmp_path / "new").exists()
