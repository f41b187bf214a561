"""`hansa user sign-in`: an ID token for a key that acts for a person, for a while."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, record_if_there, url_option
from hansa.wire import session
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.client.client import Client
    from hansa.wire.keys import PrivateKey

KINDS = ("p256", "ed25519")


@click.command("sign-in")
@click.option("--issuer", required=True, help="Which record: `hansa query members Issuer` shows them.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    default=Path("session.pem"),
    show_default=True,
    help="Where the session's key is kept, which signs with `--key FILE` from then on.",
)
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="The kind of key.")
@click.option("--nonce", is_flag=True, help="Make the key, tell the nonce that the ID token must have, and stop.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The ID token for the key in FILE, instead of a browser; `-` reads it from standard input.",
)
@click.option("--no-browser", is_flag=True, help="Show the address to open, and open nothing.")
@click.option("--force", is_flag=True, help="Replace the key file of an earlier session.")
@data_option()
@url_option("The URL of your own member's node, instead of the folder's.")
@click.pass_obj
def sign_in(
    out: Output,
    issuer: str,
    key_file: Path,
    kind: str,
    nonce: bool,
    token_file: Path | None,
    no_browser: bool,
    force: bool,
    data: Path,
    url: str | None,
) -> None:
    """Sign in at an issuer of ID tokens, such as Microsoft Entra ID, and get a key that acts for you for a while.

    A new key is made here and never leaves this machine; your member's node registers it on the ledger until the token
    ends. Without a browser on this machine: --nonce first, then sign in elsewhere with that nonce, then --token-file.
    """
    from hansa.client import keys

    if nonce and token_file is not None:
        raise HansaError("argument.value", "--nonce comes before --token-file", remedy="Give one of the two.")
    if token_file is None and key_file.exists():
        if not force:
            remedy = "Give another --key, or --force if the session before is over: each session has a new key."
            raise HansaError("key.exists", f"{key_file} exists", remedy=remedy)
        keys.load(key_file)  # what is no key is not replaced
    if nonce:
        made = _new(key_file, kind)
        fields = {"key": str(key_file), "nonce": session.nonce_of(made.public.spki)}
        out.show(fields, lambda: f"nonce  {fields['nonce']}\nkey    {key_file}")
        return
    with connect(data, url) as node:
        key = keys.load(key_file) if token_file is not None else keys.generate(kind)
        token = _token(out, node, issuer, key, token_file, no_browser)
        found = node.sign_in(key, token)
        if token_file is None:
            _save(key, key_file)
    fields: dict[str, Any] = {"key": str(key_file), **msgspec.structs.asdict(found)}
    out.show(fields, lambda: _text(out, fields))


def _token(out: Output, node: "Client", issuer: str, key: "PrivateKey", file: Path | None, no_browser: bool) -> str:
    """The ID token: from a file, or from whoever signs in now. Raises `HansaError`."""
    if file is not None:
        try:
            with click.open_file(str(file), "rb") as given:
                data = given.read(session.TOKEN_BYTES_MAX + 2)
            return data.decode("ascii").strip()
        except OSError as error:
            remedy = "Give the file that holds the ID token, or `-` for standard input."
            raise HansaError("argument.value", f"{file}: {error.strerror}", remedy=remedy) from None
        except UnicodeDecodeError:
            raise HansaError("token.form") from None
    from hansa.client import sign_in

    record = record_if_there(node, "members", "Issuer", issuer)
    if record is None or record["value"]["removed"]:
        raise HansaError(
            "argument.value", f"there is no issuer {issuer[:64]!a}", remedy="`hansa query members Issuer` shows them."
        )

    def show(address: str) -> None:
        if no_browser or not webbrowser.open(address):
            out.note(f"Open this address in a browser on this machine:\n{address}")

    return sign_in.authorize(record["value"]["url"], record["value"]["audience"], key, show)


def _new(file: Path, kind: str) -> "PrivateKey":
    from hansa.client import keys

    made = keys.generate(kind)
    _save(made, file)
    return made


def _save(key: "PrivateKey", file: Path) -> None:
    from hansa.client import keys

    file.unlink(missing_ok=True)  # of a session before: looked at above
    keys.save(key, file)


def _text(out: Output, fields: dict[str, Any]) -> str:
    attributes = ", ".join(output.shown(one) for one in fields["attributes"]) or "none"
    return "\n".join(
        [
            f"{out.style('signed in', fg='green')} as {output.shown(fields['user'])}",
            f"attributes  {attributes}",
            f"until       {output.moment(fields['until'])}",
            f"key         {fields['key']}  (sign with --key {fields['key']})",
        ]
    )
