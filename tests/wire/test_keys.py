"""Keys and signatures: which key files and public keys are taken, and the one form in which ES256 counts."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.wire import es256, keys
from hansa.wire.keys import PrivateKey, PublicKey

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # the order of P-256
HALF = N // 2
FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
COEFFICIENT = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
P256_SPKI_START = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
ED25519_SPKI_START = bytes.fromhex("302a300506032b6570032100")

P256 = ec.derive_private_key(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, ec.SECP256R1())
"""The key of RFC 6979 appendix A.2.5."""
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

UNKNOWN_TO_LEDGER = {
    "secp256k1": ec.derive_private_key(1, ec.SECP256K1()),
    "P-384": ec.derive_private_key(1, ec.SECP384R1()),
    "P-521": ec.derive_private_key(1, ec.SECP521R1()),
    "brainpoolP256r1": ec.derive_private_key(1, ec.BrainpoolP256R1()),
    "X25519": x25519.X25519PrivateKey.from_private_bytes(bytes(32)),
    "X448": x448.X448PrivateKey.from_private_bytes(bytes(56)),
    "Ed448": ed448.Ed448PrivateKey.from_private_bytes(bytes(57)),
    "RSA": rsa.generate_private_key(65537, 2048),
}


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def pkcs8(key):
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def pem(label, der):
    body = base64.b64encode(der).decode()
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def private(key):
    return PrivateKey(pem("PRIVATE KEY", pkcs8(key)))


def points_with_small_x():
    """Points (x, y) of P-256 whose x could also be written as x + p in 32 bytes."""
    for x in range(2**16):
        square = (x**3 - 3 * x + COEFFICIENT) % FIELD
        y = pow(square, (FIELD + 1) // 4, FIELD)
        if y * y % FIELD == square:
            yield x, y


def signature_with(s, message=b"message", nonce=12345):
    """A key and its valid signature of `message` with exactly this s: s and the nonce decide what the key is."""
    r = ec.derive_private_key(nonce, ec.SECP256R1()).public_key().public_numbers().x % N
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    secret = (s * nonce - digest) * pow(r, -1, N) % N
    return private(ec.derive_private_key(secret, ec.SECP256R1())).public, r


class TestEs256:
    # RFC 6979 appendix A.2.5; both s are given there as computed, the first is high.
    @pytest.mark.parametrize(
        ("message", "r", "s"),
        [
            (
                b"sample",
                0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
                0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
            ),
            (
                b"test",
                0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
                0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
            ),
        ],
        ids=["sample", "test"],
    )
    def test_known_signatures(self, message, r, s):
        key = private(P256)
        signature = key.sign(message)
        assert signature == r.to_bytes(32, "big") + min(s, N - s).to_bytes(32, "big")
        assert key.public.verify(signature, message)

    @settings(max_examples=30)
    @given(st.binary(max_size=100))
    def test_s_is_low_and_the_high_one_does_not_count(self, message):
        key = private(P256)
        signature = key.sign(message)
        s = int.from_bytes(signature[32:], "big")
        high = signature[:32] + (N - s).to_bytes(32, "big")
        assert s <= HALF
        assert key.public.verify_exactly(signature, message)
        assert not key.public.verify_exactly(high, message)
        assert not es256.is_high_s(signature)
        assert es256.is_high_s(high)
        assert es256.raw(int.from_bytes(high[:32], "big"), N - s) == signature

    @pytest.mark.parametrize(("s", "counts"), [(1, True), (HALF, True), (HALF + 1, False), (N - 1, False)])
    def test_the_border_between_low_and_high(self, s, counts):
        public, r = signature_with(s)
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert public.verify(signature, b"message") is counts
        assert public.verify_exactly(signature, b"message") is counts
        assert es256.is_high_s(signature) is not counts
        assert public.verify_exactly(es256.raw(r, s), b"message")

    @settings(max_examples=30)
    @given(st.binary(max_size=100))
    def test_signatures_of_a_library_that_knows_no_low_s(self, message):
        r, s = decode_dss_signature(P256.sign(message, ec.ECDSA(hashes.SHA256())))
        public = private(P256).public
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert public.verify_exactly(raw, message) is (s <= HALF)
        assert public.verify_exactly(es256.raw(r, s), message)

    @pytest.mark.parametrize("r", [0, 1, N - 1, N, N + 1, 2**256 - 1], ids=hex)
    @pytest.mark.parametrize("s", [0, 1, N, N + 1, 2**256 - 1], ids=hex)
    def test_numbers_at_the_edges(self, r, s):
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert not private(P256).public.verify_exactly(signature, b"message")

    def test_numbers_are_not_reduced(self):
        public, r = signature_with(5)
        assert public.verify_exactly(es256.raw(r, 5), b"message")
        assert not public.verify_exactly(r.to_bytes(32, "big") + (5 + N).to_bytes(32, "big"), b"message")

    @pytest.mark.parametrize("size", [0, 1, 32, 63, 65, 70, 72, 128])
    def test_other_sizes(self, size):
        signature = (private(P256).sign(b"message") * 2)[:size]
        assert not private(P256).public.verify_exactly(signature, b"message")
        assert not es256.is_high_s(b"\xff" * size)

    @pytest.mark.parametrize("zeros", [1, 8])
    def test_numbers_with_zeros_before_them(self, zeros):
        """The same numbers in more bytes would be a second form of the same signature."""
        signature = private(P256).sign(b"message")
        for longer in (bytes(zeros) + signature, signature[:32] + bytes(zeros) + signature[32:]):
            assert not private(P256).public.verify_exactly(longer, b"message")

    def test_a_der_signature_does_not_count(self):
        assert not private(P256).public.verify_exactly(P256.sign(b"message", ec.ECDSA(hashes.SHA256())), b"message")

    def test_wycheproof(self, vectors):
        groups = json.loads((vectors / "wycheproof" / "ecdsa_secp256r1_sha256_p1363_test.json").read_text())
        expected, found, exactly, normalised = {}, {}, {}, {}
        for group in groups["testGroups"]:
            public = PublicKey(bytes.fromhex(group["publicKeyDer"]))
            for case in group["tests"]:
                id, signature = case["tcId"], bytes.fromhex(case["sig"])
                message, valid = bytes.fromhex(case["msg"]), case["result"] == "valid"
                expected[id] = valid and int.from_bytes(signature[32:], "big") <= HALF
                found[id] = public.verify(signature, message)
                exactly[id] = public.verify_exactly(signature, message)
                if valid:
                    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
                    normalised[id] = public.verify_exactly(es256.raw(r, s), message)
        assert len(expected) == 262
        assert found == expected
        assert exactly == expected
        assert sum(expected.values()) < sum(normalised.values()) == len(normalised) == 173


class TestBothAlgorithms:
    def test_a_signature_counts_for_its_message_and_key_only(self, signer, make_key):
        signature = signer.sign(b"message")
        other = make_key({keys.ES256: "es256", keys.EDDSA: "eddsa"}[signer.algorithm], "other")
        assert len(signature) == 64
        assert signer.public.verify(signature, b"message")
        assert signer.public.verify_exactly(signature, b"message")
        assert not signer.public.verify_exactly(signature, b"massage")
        assert not signer.public.verify_exactly(signature, b"")
        assert not other.public.verify_exactly(signature, b"message")

    def test_every_bit_of_a_signature_matters(self, signer):
        signature = signer.sign(b"message")
        for bit in range(512):
            changed = bytearray(signature)
            changed[bit // 8] ^= 1 << bit % 8
            assert not signer.public.verify_exactly(bytes(changed), b"message")

    def test_signing_draws_no_random_numbers(self, signer):
        again = PrivateKey(signer.pem())
        assert {signer.sign(b"message") for _ in range(5)} == {again.sign(b"message")}
        assert signer.sign(b"message") != signer.sign(b"message!")

    def test_a_key_is_named_by_the_digest_of_its_spki(self, signer):
        spki = signer.public.spki
        assert signer.kid == signer.public.kid == keys.kid_of(spki) == hashlib.sha256(spki).digest()
        assert PublicKey(spki).kid == signer.kid

    def test_keys_survive_their_files(self, signer):
        public = keys.public_key_from_pem(signer.public.pem())
        assert (public.spki, public.algorithm, public.raw) == (
            signer.public.spki,
            signer.algorithm,
            signer.public.raw,
        )
        assert PrivateKey(signer.pem()).public.spki == public.spki

    @pytest.mark.parametrize("size", [0, 63, 65, 128])
    def test_signatures_of_other_sizes(self, signer, size):
        signature = (signer.sign(b"message") * 2)[:size]
        assert not signer.public.verify(signature, b"message")
        assert not signer.public.verify_exactly(signature, b"message")

    def test_sound_keys_are_registrable(self, signer):
        assert keys.registrable(signer.public.spki).kid == signer.kid


class TestPublicKeys:
    def test_the_spki_is_what_a_library_writes(self):
        assert PublicKey(spki(P256)).algorithm == keys.ES256
        assert PublicKey(spki(ED25519)).algorithm == keys.EDDSA
        assert PublicKey(spki(ED25519)).raw == ED25519.public_key().public_bytes_raw()

    @pytest.mark.parametrize("key", [P256, ED25519], ids=["P-256", "Ed25519"])
    def test_bytes_missing_or_behind(self, key, refused):
        der = spki(key)
        for length in range(len(der)):
            with refused("key.unsupported"):
                PublicKey(der[:length])
        for behind in (b"\x00", b"\x05\x00", der):
            with refused("key.unsupported"):
                PublicKey(der + behind)

    @pytest.mark.parametrize("name", UNKNOWN_TO_LEDGER)
    def test_other_keys(self, name, refused):
        der = spki(UNKNOWN_TO_LEDGER[name])
        for read in (PublicKey, keys.registrable):
            with refused("key.unsupported"):
                read(der)
        with refused("key.unsupported"):
            keys.public_key_from_pem(pem("PUBLIC KEY", der))

    def test_compressed_points(self, refused):
        point = P256.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
        short = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
        with refused("key.unsupported"):
            PublicKey(short)

    def test_a_pem_with_a_compressed_point_is_the_same_key(self):
        """A key file may come from anywhere; what counts on the ledger is the one SPKI it is turned into."""
        point = P256.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
        short = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
        assert keys.public_key_from_pem(pem("PUBLIC KEY", short)).spki == spki(P256)

    @pytest.mark.parametrize("form", [0x00, 0x02, 0x03, 0x05, 0x06, 0x07, 0xFF], ids=hex)
    def test_points_in_another_form(self, form, refused):
        """0x06 and 0x07 are the hybrid form: a second encoding of the same key."""
        der = bytearray(spki(P256))
        der[len(P256_SPKI_START)] = form
        with refused("key.invalid"):
            PublicKey(bytes(der))

    @pytest.mark.parametrize("bit", [0, 7, 255, 256, 300, 511])
    def test_points_that_are_not_on_the_curve(self, bit, refused):
        der = bytearray(spki(P256))
        der[len(P256_SPKI_START) + 1 + bit // 8] ^= 1 << bit % 8
        with refused("key.invalid"):
            PublicKey(bytes(der))

    def test_the_point_at_infinity(self, refused):
        with refused("key.invalid"):
            PublicKey(P256_SPKI_START + b"\x04" + bytes(64))

    def test_coordinates_are_not_reduced(self, refused):
        x, y = next(points_with_small_x())
        PublicKey(P256_SPKI_START + b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))
        with refused("key.invalid"):
            PublicKey(P256_SPKI_START + b"\x04" + (x + FIELD).to_bytes(32, "big") + y.to_bytes(32, "big"))

    def test_algorithm_parameters_written_otherwise(self, refused):
        """RFC 8410 leaves the parameters out; NULL there would make a second name for the same key."""
        with refused("key.unsupported"):
            PublicKey(bytes.fromhex("302c300706032b65700500032100") + ED25519.public_key().public_bytes_raw())

    @pytest.mark.parametrize(
        "text",
        [b"", b"hello", b"-----BEGIN PUBLIC KEY-----\n", pem("PUBLIC KEY", b""), pem("PUBLIC KEY", b"\x30\x00")],
        ids=["nothing", "no PEM", "cut off", "empty", "not a key"],
    )
    def test_files_that_are_no_public_key(self, text, refused):
        with refused("key.file"):
            keys.public_key_from_pem(text)

    def test_a_private_key_is_no_public_key(self, refused):
        with refused("key.file"):
            keys.public_key_from_pem(pem("PRIVATE KEY", pkcs8(P256)))

    @pytest.mark.parametrize(
        ("key", "oid"), [(P256, "2a8648ce3d030107"), (ED25519, "2b6570")], ids=["curve", "algorithm"]
    )
    def test_files_of_an_algorithm_that_no_library_knows(self, key, oid, refused):
        oid = bytes.fromhex(oid)
        with refused("key.unsupported"):
            keys.public_key_from_pem(pem("PUBLIC KEY", spki(key).replace(oid, oid[:-1] + b"\x7f")))


class TestPrivateKeys:
    @pytest.mark.parametrize("name", UNKNOWN_TO_LEDGER)
    def test_other_keys(self, name, refused):
        with refused("key.unsupported"):
            private(UNKNOWN_TO_LEDGER[name])

    @pytest.mark.parametrize("key", [P256, ED25519], ids=["P-256", "Ed25519"])
    def test_encrypted_files(self, key, refused):
        encrypted = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
        with refused("key.file"):
            PrivateKey(encrypted)

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"hello",
            b"-----BEGIN PRIVATE KEY-----\n",
            pem("PRIVATE KEY", b"\x30\x00"),
            pem("PUBLIC KEY", spki(P256)),
        ],
        ids=["nothing", "no PEM", "cut off", "not a key", "public key"],
    )
    def test_files_that_are_no_private_key(self, text, refused):
        with refused("key.file"):
            PrivateKey(text)

    @pytest.mark.parametrize("secret", [0, N, 2**256 - 1], ids=["0", "n", "2^256-1"])
    def test_secrets_out_of_range(self, secret, refused):
        der = pkcs8(P256).replace(P256.private_numbers().private_value.to_bytes(32, "big"), secret.to_bytes(32, "big"))
        with refused("key.file"):
            PrivateKey(pem("PRIVATE KEY", der))

    @pytest.mark.parametrize(
        ("key", "oid"), [(P256, "2a8648ce3d030107"), (ED25519, "2b6570")], ids=["curve", "algorithm"]
    )
    def test_files_of_an_algorithm_that_no_library_knows(self, key, oid, refused):
        oid = bytes.fromhex(oid)
        with refused("key.unsupported"):
            PrivateKey(pem("PRIVATE KEY", pkcs8(key).replace(oid, oid[:-1] + b"\x7f")))

    def test_nothing_secret_in_what_a_log_would_print(self, signer):
        secret = signer.pem().split(b"\n")[1]
        assert len(secret) > 40
        assert secret not in repr(signer).encode() + str(signer).encode()
