"""Receipts in other hands: verifiers that we did not write accept ours, refuse forgeries, and our tree reads theirs."""

import json
import subprocess
import sys
from pathlib import Path

import cbor2
import pytest
import scitt_cose

from hansa.merkle import receipt, tree
from hansa.wire import cose, es256, keys
from hansa.wire.problems import HansaError

PLACES = [(0, 1), (0, 2), (1, 2), (0, 7), (3, 7), (6, 7), (0, 300), (17, 300), (255, 300), (256, 300), (299, 300)]
"""Leaf and size."""
ALGORITHMS = ["es256", "eddsa"]


def with_path(made, change):
    """The receipt with another path."""
    protected, unprotected, payload, signature = cbor2.loads(made).value
    size, index, path = cbor2.loads(unprotected[396][-1][0])
    proof = cbor2.dumps([size, index, change(list(path))])
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {396: {-1: [proof]}}, payload, signature]))


def changed(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def forgeries(log, other_key):
    """What nobody may accept: (what was done to it, receipt, entry, key)."""
    made, entry, key = log.receipt(17, 300), log.entry(17), log.signer.public
    depth = len(tree.inclusion_path(17, 300, log.tiles.node))
    for at in range(depth):
        forged = with_path(made, lambda path, at=at: [*path[:at], changed(path[at], 5), *path[at + 1 :]])
        yield f"hash {at} of the path", forged, entry, key
    yield "a path too short", with_path(made, lambda path: path[:-1]), entry, key
    yield "a path too long", with_path(made, lambda path: [*path, path[0]]), entry, key
    yield "another entry", made, log.entry(18), key
    yield "a changed entry", made, changed(entry, 40), key
    yield "a longer entry", made, entry + b"\x00", key
    yield "r of the signature", changed(made, len(made) - 64), entry, key
    yield "s of the signature", changed(made, len(made) - 1), entry, key
    yield "the time in the header", made.replace(b"\x64time\x1b\x00", b"\x64time\x1b\x01"), entry, key
    yield "the ledger in the header", made.replace(log.ledger, log.ledger[::-1]), entry, key
    yield "the size in the header", made.replace(b"\x64size\x19\x01\x2c", b"\x64size\x19\x01\x2d"), entry, key
    yield "another key", made, entry, other_key


def low_s(key, signature):
    """The signature in the form that counts here: theirs may have a high s."""
    if key.algorithm == keys.EDDSA:
        return signature
    return es256.raw(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


@pytest.mark.parametrize("kind", ALGORITHMS)
class TestScittCose:
    @pytest.mark.parametrize(("index", "size"), PLACES)
    def test_receipts_are_accepted(self, make_log, scitt, kind, index, size):
        log = make_log(kind)
        found = scitt(log.receipt(index, size), log.entry(index), log.signer.public)
        assert (found.ok, found.errors) == (True, [])
        assert (found.leaf_index, found.tree_size, found.root) == (index, size, log.root(size).hex())
        profile = found.protected_header_ext["hansa.v1"]
        assert (profile["ledger"], profile["size"]) == (log.ledger, size)

    def test_forgeries_are_refused(self, make_log, make_key, scitt, kind):
        log = make_log(kind)
        good = log.receipt(17, 300)
        tried = list(forgeries(log, make_key(kind, "other").public))
        assert all((made, entry, key) != (good, log.entry(17), log.signer.public) for _, made, entry, key in tried)
        assert [name for name, made, entry, key in tried if scitt(made, entry, key).ok] == []

    def test_its_command(self, make_log, kind, tmp_path):
        """As an auditor would do it, with files."""
        log = make_log(kind)
        (tmp_path / "receipt.cose").write_bytes(log.receipt(17, 300))
        (tmp_path / "key.pem").write_bytes(log.signer.public.pem())

        def run(entry):
            command = [Path(sys.executable).parent / "scitt-cose", "--json", "--receipt", "receipt.cose"]
            command += ["--receipt-log-pubkey", "key.pem", "--leaf-entry-hex", entry.hex()]
            return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

        accepted, refused = run(log.entry(17)), run(log.entry(18))
        assert accepted.returncode == 0, accepted.stderr
        assert json.loads(accepted.stdout)["receipt"]["root"] == log.root(300).hex()
        assert refused.returncode == 1
        assert json.loads(refused.stdout)["receipt"]["ok"] is False

    def test_envelopes_and_checkpoints_are_accepted(self, make_log, make_key, kind):
        """A transaction and a bare checkpoint are plain COSE_Sign1 messages."""
        log = make_log(kind)
        envelope = cose.seal(log.signer, cose.TRANSACTION, b"payload")
        for made, payload in ((envelope, b"payload"), (receipt.bare(log.head(7)), log.root(7))):
            read = scitt_cose.verify_sign1(made, public_key_pem=log.signer.public.pem())
            assert read.payload == payload
            with pytest.raises(scitt_cose.CoseError):
                scitt_cose.verify_sign1(changed(made, len(made) - 1), public_key_pem=log.signer.public.pem())
            with pytest.raises(scitt_cose.CoseError):
                scitt_cose.verify_sign1(made, public_key_pem=make_key(kind, "other").public.pem())

    @pytest.mark.parametrize(("first", "second"), [(1, 2), (3, 7), (4, 7), (7, 300), (256, 300), (299, 300)])
    def test_consistency_paths_are_accepted(self, make_log, kind, first, second):
        log = make_log(kind)
        old, new = log.root(first).hex(), log.root(second).hex()
        path = [hash.hex() for hash in tree.consistency_path(first, second, log.tiles.node)]
        assert scitt_cose.verify_consistency(old, new, first, second, path)
        assert not scitt_cose.verify_consistency(new, old, first, second, path)


class TestTransmute:
    """@transmute/cose knows ES256 only."""

    @pytest.fixture
    def log(self, make_log):
        return make_log("es256")

    def test_receipts_are_accepted(self, log, transmute):
        key = log.signer.public
        answers = transmute(
            [{"receipt": log.receipt(index, size), "entry": log.entry(index), "key": key} for index, size in PLACES]
        )
        assert answers == [{"root": log.root(size).hex()} for _, size in PLACES]

    def test_forgeries_are_refused(self, log, make_key, transmute):
        tried = list(forgeries(log, make_key("es256", "other").public))
        answers = transmute([{"receipt": made, "entry": entry, "key": key} for _, made, entry, key in tried])
        assert [name for (name, *_), answer in zip(tried, answers, strict=True) if "error" not in answer] == []

    # Its 0.2.11 refuses every proof from a size that is a power of two, so these are not.
    @pytest.mark.parametrize(("first", "second"), [(3, 7), (7, 20), (20, 50), (7, 300), (299, 300)])
    def test_consistency_proofs_are_accepted(self, log, transmute, first, second):
        made, key = log.proof(first, second), log.signer.public
        old, new = log.root(first), log.root(second)
        answers = transmute(
            [
                {"receipt": made, "oldRoot": old, "newRoot": new, "key": key},
                {"receipt": made, "oldRoot": changed(old, 0), "newRoot": new, "key": key},
                {"receipt": made, "oldRoot": old, "newRoot": changed(new, 0), "key": key},
            ]
        )
        assert answers[0] == {"consistent": True}
        assert answers[1] == {"consistent": False}
        assert "error" in answers[2]


class TestToldTime:
    """Receipts of a ledger whose time is told say so, under the signature, and are receipts for others all the same."""

    @pytest.mark.parametrize("kind", ALGORITHMS)
    def test_scitt_cose_accepts_them_and_sees_the_mark(self, make_log, scitt, kind):
        log = make_log(kind, told=True)
        for index, size in PLACES:
            found = scitt(log.receipt(index, size), log.entry(index), log.signer.public)
            assert (found.ok, found.errors, found.root) == (True, [], log.root(size).hex())
            assert found.protected_header_ext["hansa.v1"]["clock"] == "told"
        assert not scitt(unmarked(log), log.entry(17), log.signer.public).ok

    def test_transmute_accepts_them(self, make_log, transmute):
        log = make_log("es256", told=True)
        key = log.signer.public
        asked = [{"receipt": log.receipt(index, size), "entry": log.entry(index), "key": key} for index, size in PLACES]
        *good, bad = transmute([*asked, {"receipt": unmarked(log), "entry": log.entry(17), "key": key}])
        assert good == [{"root": log.root(size).hex()} for _, size in PLACES]
        assert "error" in bad

    @pytest.mark.parametrize("kind", ALGORITHMS)
    def test_ours_says_that_it_was_told(self, make_log, kind):
        log = make_log(kind, told=True)
        found = receipt.verify_inclusion(log.receipt(17, 300), log.entry(17), {log.signer.kid: log.signer.public})
        assert found.told


def unmarked(log):
    """A receipt whose header says that time was real."""
    made = log.receipt(17, 300)
    forged = made.replace(b"\x65clock\x64told", b"\x65clock\x64real")
    assert forged != made
    return forged


class TestTheirReceipts:
    """The vectors of scitt-cose: other headers than ours, but the same tree and the same signatures."""

    @pytest.fixture
    def vector(self, vectors):
        """The parts of a vector: (expected, protected header, proof, signature, key)."""

        def read(name):
            folder = vectors / "scitt-cose" / name
            expected = json.loads((folder / "expected.json").read_text())
            protected, unprotected, _, signature = cbor2.loads((folder / "receipt.cose").read_bytes()).value
            (proof,) = unprotected[396][-1]
            return expected, protected, cbor2.loads(proof), signature, (folder / "log-key.pub").read_bytes()

        return read

    @pytest.mark.parametrize("name", ["valid-es256", "valid-eddsa", "fail-bad-statement-sig"])
    def test_our_tree_leads_to_their_root(self, vector, name):
        expected, protected, (size, index, path), signature, pem = vector(name)
        leaf = tree.leaf_hash(bytes.fromhex(expected["leaf_entry"]))
        root = tree.root_from_inclusion(index, size, leaf, list(path))
        assert root.hex() == expected["reconstructed_root"]
        key = keys.public_key_from_pem(pem)
        assert key.algorithm == expected["protected_header"]["receipt"]["alg_code"]
        assert key.verify_exactly(low_s(key, signature), cose.signature_structure(protected, root))

    def test_a_tampered_path_leads_elsewhere(self, vector):
        expected, protected, (size, index, path), signature, pem = vector("fail-tampered-path")
        leaf = tree.leaf_hash(bytes.fromhex(expected["leaf_entry"]))
        key = keys.public_key_from_pem(pem)
        root = tree.root_from_inclusion(index, size, leaf, list(path))
        assert not key.verify_exactly(low_s(key, signature), cose.signature_structure(protected, root))

    @pytest.mark.parametrize(
        "name", ["valid-es256", "valid-eddsa", "fail-tampered-path", "fail-unsupported-vds", "fail-bad-statement-sig"]
    )
    def test_none_of_them_is_a_receipt_of_a_ledger(self, vectors, name):
        """Nothing in their headers binds ledger, size or key: we verify our own profile only."""
        folder = vectors / "scitt-cose" / name
        expected = json.loads((folder / "expected.json").read_text())
        key = keys.public_key_from_pem((folder / "log-key.pub").read_bytes())
        with pytest.raises(HansaError) as caught:
            receipt.verify_inclusion(
                (folder / "receipt.cose").read_bytes(), bytes.fromhex(expected["leaf_entry"]), {key.kid: key}
            )
        assert caught.value.code == "receipt.header"
