"""Receipts: what they prove, and that no change of a single bit leaves them standing."""

import cbor2
import msgspec
import pytest

from hansa.merkle import checkpoint, receipt, tree
from hansa.merkle.receipt import Verified
from hansa.wire import cose, keys
from hansa.wire.problems import HansaError

LEDGER = bytes(range(32))
TIME = 1_900_000_000_000
SIZES = [1, 2, 3, 7, 8, 20, 300]


class Log:
    """A ledger's tree with one checkpoint key: hands out checkpoints, receipts and consistency proofs."""

    def __init__(self, naive, signer, ledger=LEDGER):
        self.naive = naive
        self.signer = signer
        self.ledger = ledger
        self.keys = {signer.kid: signer.public}

    def head(self, size):
        return checkpoint.sign(self.ledger, size, TIME + size, self.naive.root(size), self.signer)

    def receipt(self, index, size):
        return receipt.inclusion(self.head(size), index, tree.inclusion_path(index, size, self.naive.node))

    def proof(self, first, second):
        return receipt.consistency(self.head(second), first, tree.consistency_path(first, second, self.naive.node))


@pytest.fixture
def log(naive, signer):
    return Log(naive, signer)


@pytest.fixture
def es256_log(naive, make_key):
    return Log(naive, make_key("es256", "signer"))


def parts(message):
    """A message taken apart by another library: protected header, unprotected map, payload, signature."""
    return list(cbor2.loads(message).value)


def message(protected, unprotected, payload, signature):
    return cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, payload, signature]))


def with_proof(made, proof, label=-1):
    """The message with another proof, given as plain values."""
    protected, _, payload, signature = parts(made)
    return message(protected, {396: {label: [cbor2.dumps(proof)]}}, payload, signature)


def proof_in(made, label=-1):
    return list(cbor2.loads(parts(made)[1][396][label][0]))


def flipped(data):
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


class TestInclusion:
    @pytest.mark.parametrize("size", SIZES)
    def test_every_leaf(self, es256_log, naive, size):
        log = es256_log
        for index in range(size):
            found = receipt.verify_inclusion(log.receipt(index, size), naive.entry(index), log.keys)
            assert found == Verified(LEDGER, index, size, TIME + size, naive.root(size), log.signer.kid)

    def test_both_algorithms(self, log, naive):
        found = receipt.verify_inclusion(log.receipt(4, 7), naive.entry(4), log.keys)
        assert (found.seq, found.size, found.kid) == (4, 7, log.signer.kid)

    def test_its_form(self, log, naive):
        head, proof = log.head(7), cbor2.dumps([7, 4, naive.path(4, 0, 7)])
        expected = message(checkpoint.protected_header(head), {396: {-1: [proof]}}, None, head.signature)
        assert log.receipt(4, 7) == expected

    def test_one_signature_serves_a_whole_block(self, log):
        assert {parts(log.receipt(index, 20))[3] for index in range(20)} == {log.head(20).signature}

    @pytest.mark.parametrize("size", [2, 7, 20])
    def test_for_its_entry_only(self, es256_log, naive, size, refused):
        for index in range(size):
            for other in (naive.entry((index + 1) % size), naive.entry(index) + b"\x00", b"", naive.leaf(index)):
                with refused("receipt.invalid"):
                    receipt.verify_inclusion(es256_log.receipt(index, size), other, es256_log.keys)

    @pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (4, 7), (17, 20), (299, 300)])
    def test_every_bit(self, es256_log, naive, index, size):
        made, entry = es256_log.receipt(index, size), naive.entry(index)
        accepted = [bit for bit, changed in enumerate(flipped(made)) if self.accepts(changed, entry, es256_log.keys)]
        assert accepted == []
        assert self.accepts(made, entry, es256_log.keys)

    def test_every_bit_with_ed25519(self, naive, make_key):
        log = Log(naive, make_key("eddsa", "signer"))
        made, entry = log.receipt(0, 2), naive.entry(0)
        accepted = [bit for bit, changed in enumerate(flipped(made)) if self.accepts(changed, entry, log.keys)]
        assert accepted == []
        assert self.accepts(made, entry, log.keys)

    @staticmethod
    def accepts(made, entry, pinned):
        try:
            receipt.verify_inclusion(made, entry, pinned)
        except HansaError:
            return False
        return True

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda path: [], "tree.path"),
            (lambda path: path[:-1], "tree.path"),
            (lambda path: [*path, path[0]], "tree.path"),
            (lambda path: [*path[:-1], bytes(32)], "receipt.invalid"),
            (lambda path: path[::-1], "receipt.invalid"),
        ],
        ids=["none", "short", "long", "another hash", "reversed"],
    )
    def test_another_path(self, log, naive, change, code, refused):
        forged = with_proof(log.receipt(4, 8), [8, 4, change(naive.path(4, 0, 8))])
        with refused(code):
            receipt.verify_inclusion(forged, naive.entry(4), log.keys)

    @pytest.mark.parametrize("index", [0, 3, 5, 7])
    def test_another_index(self, log, naive, index, refused):
        with refused("receipt.invalid"):
            receipt.verify_inclusion(
                with_proof(log.receipt(4, 8), [8, index, naive.path(4, 0, 8)]), naive.entry(4), log.keys
            )

    @pytest.mark.parametrize("index", [8, 9, -1, 2**63 - 1])
    def test_an_index_beyond_the_tree(self, log, naive, index, refused):
        with refused("tree.range"):
            receipt.verify_inclusion(
                with_proof(log.receipt(4, 8), [8, index, naive.path(4, 0, 8)]), naive.entry(4), log.keys
            )


class TestSize:
    """RFC 9942 leaves the size unsigned. Here it stands in the protected header, so the index means what it says."""

    def test_the_trap_is_real(self, log, naive):
        """Without the header, leaf 5 of 8 would pass as leaf 5 of 7: same path, same root, same signature."""
        path = naive.path(5, 0, 8)
        assert tree.root_from_inclusion(5, 7, naive.leaf(5), path) == log.head(8).root

    @pytest.mark.parametrize("size", [0, 1, 6, 7, 9, 16, 2**63 - 1])
    def test_another_size_in_the_proof(self, log, naive, size, refused):
        with refused("receipt.size"):
            receipt.verify_inclusion(
                with_proof(log.receipt(5, 8), [size, 5, naive.path(5, 0, 8)]), naive.entry(5), log.keys
            )

    def test_another_size_in_proof_and_header(self, log, naive, refused):
        """Both say 7 now, and the path leads to the signed root; but what was signed names 8."""
        relabelled = msgspec.structs.replace(log.head(8), size=7)
        with refused("receipt.invalid"):
            receipt.verify_inclusion(receipt.inclusion(relabelled, 5, naive.path(5, 0, 8)), naive.entry(5), log.keys)

    def test_another_size_in_the_header_alone(self, log, naive, refused):
        made = log.receipt(5, 8)
        protected, unprotected, payload, signature = parts(made)
        bound = msgspec.structs.replace(checkpoint.read_header(protected), size=7)
        with refused("receipt.size"):
            receipt.verify_inclusion(
                message(checkpoint.header(bound), unprotected, payload, signature), naive.entry(5), log.keys
            )

    @pytest.mark.parametrize(("field", "value"), [("ledger", bytes(32)), ("time", 0)])
    def test_another_ledger_or_time(self, log, naive, field, value, refused):
        relabelled = msgspec.structs.replace(log.head(8), **{field: value})
        with refused("receipt.invalid"):
            receipt.verify_inclusion(receipt.inclusion(relabelled, 5, naive.path(5, 0, 8)), naive.entry(5), log.keys)


class TestKeys:
    def test_a_key_that_is_not_pinned(self, log, naive, make_key, refused):
        other = make_key("es256", "other")
        for pinned in ({}, {other.kid: other.public}):
            with refused("receipt.key_unknown") as caught:
                receipt.verify_inclusion(log.receipt(4, 7), naive.entry(4), pinned)
            assert log.signer.kid.hex() in caught.value.detail

    def test_a_key_pinned_under_the_name_of_another(self, log, naive, make_key, refused):
        for kind in ("es256", "eddsa"):
            with refused("receipt.invalid"):
                receipt.verify_inclusion(
                    log.receipt(4, 7), naive.entry(4), {log.signer.kid: make_key(kind, "other").public}
                )

    def test_a_signature_of_another_key(self, log, naive, make_key, refused):
        """A forger who names the pinned key but has another."""
        forger = make_key("es256" if log.signer.algorithm == keys.ES256 else "eddsa", "forger")
        forged = checkpoint.sign(LEDGER, 7, TIME, naive.root(7), forger)
        named = msgspec.structs.replace(forged, kid=log.signer.kid)
        with refused("receipt.invalid"):
            receipt.verify_inclusion(receipt.inclusion(named, 4, naive.path(4, 0, 7)), naive.entry(4), log.keys)

    def test_a_header_that_names_another_algorithm(self, log, naive, refused):
        """Signed by the pinned key over this very header, but not with the algorithm that the header names."""
        other = keys.EDDSA if log.signer.algorithm == keys.ES256 else keys.ES256
        head = msgspec.structs.replace(log.head(7), algorithm=other)
        structure = cose.signature_structure(checkpoint.protected_header(head), head.root)
        head = msgspec.structs.replace(head, signature=log.signer.sign(structure))
        with refused("receipt.invalid"):
            receipt.verify_inclusion(receipt.inclusion(head, 4, naive.path(4, 0, 7)), naive.entry(4), log.keys)

    def test_several_pinned_keys(self, naive, make_key):
        signers = [make_key(kind, name) for kind in ("es256", "eddsa") for name in ("one", "two")]
        pinned = {signer.kid: signer.public for signer in signers}
        for signer in signers:
            made = Log(naive, signer).receipt(4, 7)
            assert receipt.verify_inclusion(made, naive.entry(4), pinned).kid == signer.kid

    def test_high_s(self, es256_log, naive, refused):
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        made = es256_log.receipt(4, 7)
        high = made[:-32] + (order - int.from_bytes(made[-32:], "big")).to_bytes(32, "big")
        with refused("receipt.invalid"):
            receipt.verify_inclusion(high, naive.entry(4), es256_log.keys)


class TestForm:
    @pytest.fixture
    def made(self, log):
        return log.receipt(4, 7)

    @pytest.fixture
    def refuses(self, log, refused):
        """`refuses(message, code)`: the message is no receipt, and this code says why."""

        def refuses(message, code):
            with refused(code):
                receipt.verify_inclusion(message, b"entry-4", log.keys)

        return refuses

    def test_cut_off_anywhere(self, made, log):
        for length in range(len(made)):
            with pytest.raises(HansaError) as caught:
                receipt.verify_inclusion(made[:length], b"entry-4", log.keys)
            assert caught.value.code in {"receipt.form", "cbor.truncated"}

    @pytest.mark.parametrize("behind", [b"\x00", b"\xf6", b"\x80" * 100])
    def test_something_behind(self, made, behind, refuses):
        refuses(made + behind, "cbor.trailing")

    @pytest.mark.parametrize("start", ["", "84", "d184", "d2d284", "d81284", "d283", "d285", "d29f"])
    def test_another_start(self, made, start, refuses):
        refuses(bytes.fromhex(start) + made[2:], "receipt.form")

    @pytest.mark.parametrize(
        "unprotected",
        [
            {},
            {396: {}},
            {396: {-1: []}},
            {396: {-1: None}},
            {396: {-1: ["two", "proofs"]}},
            {396: {-1: ["proof"], -2: ["proof"]}},
            {396: {-3: ["proof"]}},
            {395: {-1: ["proof"]}},
            {4: b"kid", 396: {-1: ["proof"]}},
            {396: {-1: ["proof"]}, 397: 0},
        ],
        ids=repr,
    )
    def test_another_unprotected_header(self, made, unprotected, refuses):
        protected, held, payload, signature = parts(made)
        proof = held[396][-1][0]

        def filled(value):
            if isinstance(value, dict):
                return {label: filled(item) for label, item in value.items()}
            return [proof for _ in value] if isinstance(value, list) else value

        refuses(message(protected, filled(unprotected), payload, signature), "receipt.form")

    def test_a_proof_that_is_no_byte_string(self, made, refuses):
        protected, _, payload, signature = parts(made)
        refuses(message(protected, {396: {-1: [proof_in(made)]}}, payload, signature), "cbor.type")

    @pytest.mark.parametrize("payload", ["root", b"", "", 0, False])
    def test_an_attached_payload(self, made, naive, payload, refuses):
        protected, unprotected, _, signature = parts(made)
        payload = naive.root(7) if payload == "root" else payload
        refuses(message(protected, unprotected, payload, signature), "receipt.form")

    @pytest.mark.parametrize("size", [0, 63, 65])
    def test_a_signature_of_another_size(self, made, size, refuses):
        protected, unprotected, payload, signature = parts(made)
        refuses(message(protected, unprotected, payload, (signature * 2)[:size]), "receipt.invalid")

    @pytest.mark.parametrize("signature", [None, "s" * 64, [0] * 64])
    def test_a_signature_of_another_type(self, made, signature, refuses):
        protected, unprotected, payload, _ = parts(made)
        refuses(message(protected, unprotected, payload, signature), "cbor.type")

    @pytest.mark.parametrize(
        "proof",
        [
            None,
            {},
            [],
            [7, 4],
            [7, 4, [], 0],
            ["7", 4, []],
            [7, None, []],
            [7, True, []],
            [True, 0, []],
            [7, 4, None],
            [7, 4, {}],
            [7, 4, b""],
            [7, 4, [None]],
            [7, 4, ["h" * 32]],
            [7, 4, [bytes(31)]],
            [7, 4, [bytes(33)]],
            [7, 4, [b""]],
            [7, 4, [bytes(32)] * 129],
        ],
        ids=lambda proof: repr(proof)[:40],
    )
    def test_another_proof(self, made, proof, refuses):
        refuses(with_proof(made, proof), "receipt.form")

    @pytest.mark.parametrize(
        ("proof", "code"),
        [
            ("", "cbor.truncated"),
            ("83070480" + "00", "cbor.trailing"),
            ("8307048058", "cbor.trailing"),
            ("831807" + "0480", "cbor.form"),
            ("9f070480ff", "cbor.form"),
            ("83f947000480", "cbor.type"),
            ("d28307" + "0480", "cbor.type"),
            ("831b8000000000000000" + "0480", "cbor.integer"),
        ],
    )
    def test_other_encodings_of_the_proof(self, made, proof, code, refuses):
        protected, _, payload, signature = parts(made)
        other = message(protected, {396: {-1: [bytes.fromhex(proof)]}}, payload, signature)
        refuses(other, code)

    @pytest.mark.parametrize(
        "protected",
        [
            b"",
            cbor2.dumps({}),
            cbor2.dumps({1: keys.ES256, 395: 1}),
            cbor2.dumps({1: keys.ES256, 4: bytes(32), 395: 1}),
            cose.protected_header(keys.ES256, cose.CHECKPOINT, bytes(32)),
            cose.protected_header(keys.ES256, cose.TRANSACTION, bytes(32)),
        ],
        ids=["nothing", "empty", "minimal", "with a key id", "without the profile", "of a transaction"],
    )
    def test_another_protected_header(self, made, protected, refuses):
        _, unprotected, payload, signature = parts(made)
        refuses(message(protected, unprotected, payload, signature), "receipt.header")

    def test_far_too_long(self, made, refuses):
        refuses(with_proof(made, [7, 4, [bytes(32)] * 1000]), "receipt.form")
        refuses(made + bytes(100_000), "receipt.form")

    def test_a_consistency_proof_is_no_receipt(self, log, refuses):
        refuses(log.proof(4, 7), "receipt.form")

    def test_a_bare_checkpoint_is_no_receipt(self, log, refuses):
        refuses(receipt.bare(log.head(7)), "receipt.form")


class TestConsistency:
    @pytest.mark.parametrize("second", [1, 2, 7, 8, 20])
    def test_every_older_checkpoint(self, es256_log, naive, second):
        log = es256_log
        for first in range(1, second + 1):
            bound = receipt.verify_consistency(log.proof(first, second), log.head(first), naive.root(second), log.keys)
            assert bound == checkpoint.read_header(checkpoint.protected_header(log.head(second)))
            assert (bound.ledger, bound.size, bound.time) == (LEDGER, second, TIME + second)

    def test_both_algorithms(self, log, naive):
        bound = receipt.verify_consistency(log.proof(7, 300), log.head(7), naive.root(300), log.keys)
        assert (bound.size, bound.kid) == (300, log.signer.kid)

    def test_its_form(self, log, naive):
        head, proof = log.head(20), cbor2.dumps([7, 20, naive.proof(7, 20)])
        expected = message(checkpoint.protected_header(head), {396: {-2: [proof]}}, None, head.signature)
        assert log.proof(7, 20) == expected

    def test_every_bit(self, es256_log, naive):
        log = es256_log
        made, first, root = log.proof(3, 7), log.head(3), naive.root(7)
        receipt.verify_consistency(made, first, root, log.keys)
        for changed in flipped(made):
            with pytest.raises(HansaError):
                receipt.verify_consistency(changed, first, root, log.keys)

    def test_a_rewritten_history(self, log, naive, refused):
        """The key signs a new tree whose first entry differs, with the best path there is for it."""

        def rewritten(level, index):
            if index:
                return naive.node(level, index)
            if level == 0:
                return tree.leaf_hash(b"another entry")
            return tree.node_hash(rewritten(level - 1, 0), naive.node(level - 1, 1))

        root = tree.root_of(0, 20, rewritten)
        head = checkpoint.sign(LEDGER, 20, TIME, root, log.signer)
        for path in (tree.consistency_path(7, 20, rewritten), naive.proof(7, 20)):
            with refused("receipt.inconsistent"):
                receipt.verify_consistency(receipt.consistency(head, 7, path), log.head(7), root, log.keys)

    def test_another_root_than_was_signed(self, log, naive, refused):
        """The path holds for the root that is given, but the signature is over another."""
        other = checkpoint.sign(LEDGER, 20, TIME, bytes(32), log.signer)
        forged = receipt.consistency(other, 7, naive.proof(7, 20))
        with refused("receipt.invalid"):
            receipt.verify_consistency(forged, log.head(7), naive.root(20), log.keys)

    def test_a_root_that_was_not_signed(self, log, naive, refused):
        with refused("receipt.invalid"):
            receipt.verify_consistency(log.proof(7, 20), log.head(7), naive.root(19), log.keys)

    def test_a_path_that_leads_elsewhere(self, log, naive, refused):
        forged = receipt.consistency(log.head(20), 7, naive.proof(6, 20))
        with refused("receipt.inconsistent"):
            receipt.verify_consistency(forged, log.head(7), naive.root(20), log.keys)

    @pytest.mark.parametrize("first", [1, 6, 8, 20])
    def test_another_older_checkpoint(self, log, naive, first, refused):
        with refused("receipt.invalid"):
            receipt.verify_consistency(log.proof(7, 20), log.head(first), naive.root(20), log.keys)

    def test_another_ledger(self, log, naive, refused):
        other = Log(naive, log.signer, ledger=bytes(32))
        with refused("receipt.invalid"):
            receipt.verify_consistency(other.proof(7, 20), log.head(7), naive.root(20), log.keys)

    def test_a_key_that_is_not_pinned(self, log, naive, refused):
        with refused("receipt.key_unknown"):
            receipt.verify_consistency(log.proof(7, 20), log.head(7), naive.root(20), {})

    @pytest.mark.parametrize("size", [8, 19, 21, 2**63 - 1])
    def test_another_size_in_the_proof(self, log, naive, size, refused):
        made = with_proof(log.proof(7, 20), [7, size, naive.proof(7, 20)], label=-2)
        with refused("receipt.size"):
            receipt.verify_consistency(made, log.head(7), naive.root(20), log.keys)

    def test_a_later_checkpoint_is_not_older(self, log, naive, refused):
        made = receipt.consistency(log.head(7), 20, naive.proof(7, 20))
        with refused("receipt.inconsistent"):
            receipt.verify_consistency(made, log.head(20), naive.root(7), log.keys)

    def test_a_receipt_is_no_consistency_proof(self, log, naive, refused):
        with refused("receipt.form"):
            receipt.verify_consistency(log.receipt(4, 7), log.head(4), naive.root(7), log.keys)


class TestBare:
    """A checkpoint as a message of its own: the same signature, with the root attached so that it can be read."""

    def test_a_checkpoint_survives(self, log):
        for size in SIZES:
            head = log.head(size)
            assert receipt.read_bare(receipt.bare(head)) == head
            assert checkpoint.verify(receipt.read_bare(receipt.bare(head)), log.signer.public)

    def test_its_form(self, log, naive):
        head = log.head(7)
        assert parts(receipt.bare(head)) == [checkpoint.protected_header(head), {}, naive.root(7), head.signature]

    def test_every_bit(self, es256_log):
        head = es256_log.head(7)
        for changed in flipped(receipt.bare(head)):
            try:
                read = receipt.read_bare(changed)
            except HansaError:
                continue
            assert read != head
            assert not checkpoint.verify(read, es256_log.signer.public)

    @pytest.mark.parametrize("size", [0, 31, 33, 64])
    def test_a_payload_of_another_size(self, log, size, refused):
        head = log.head(7)
        with refused("receipt.form"):
            receipt.read_bare(cose.join(checkpoint.protected_header(head), bytes(size), head.signature))

    def test_a_receipt_is_no_bare_checkpoint(self, log, refused):
        with refused("envelope.unprotected"):
            receipt.read_bare(log.receipt(4, 7))

    def test_another_message(self, log, refused):
        with refused("receipt.header"):
            receipt.read_bare(cose.seal(log.signer, cose.TRANSACTION, bytes(32)))
        with refused("receipt.header"):
            receipt.read_bare(cose.seal(log.signer, cose.CHECKPOINT, bytes(32)))


class TestRfc9942:
    """The RFC's own examples: the signatures are of a key that was never published, the paths fit each other."""

    @pytest.fixture
    def inclusion(self, vectors):
        return (vectors / "rfc9942" / "inclusion-receipt.cbor").read_bytes()

    @pytest.fixture
    def consistency(self, vectors):
        return (vectors / "rfc9942" / "consistency-receipt.cbor").read_bytes()

    def test_the_paths_lead_to_one_root(self, inclusion, consistency):
        size, index, path = proof_in(inclusion)
        first, second, proof = proof_in(consistency, label=-2)
        assert (size, index, first, second) == (5, 3, 3, 5)
        # By RFC 9162 section 2.1.5 the proof from 3 to 5 holds leaf 2, leaf 3, the node over 0 and 1, leaf 4.
        leaf_2, leaf_3, node_01, _ = proof
        old = tree.node_hash(node_01, leaf_2)
        new = tree.root_from_inclusion(index, size, leaf_3, list(path))
        assert tree.is_consistent(first, second, old, new, list(proof))

    def test_they_are_of_another_profile(self, inclusion, consistency, log, naive, refused):
        """Their headers bind no size, so they are no receipts here."""
        with refused("receipt.header"):
            receipt.verify_inclusion(inclusion, naive.entry(3), log.keys)
        with refused("receipt.header"):
            receipt.verify_consistency(consistency, log.head(3), naive.root(5), log.keys)
