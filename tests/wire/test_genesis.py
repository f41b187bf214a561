"""Genesis documents: sound ones are read, and of the others every problem is named at once."""

import hashlib

import cbor2
import pytest

from hansa.wire import cbor, genesis, limits

ED25519_SPKI_START = bytes.fromhex("302a300506032b6570032100")


def ed25519_key(point):
    """The SPKI of an Ed25519 key that need not be one."""
    return ED25519_SPKI_START + bytes.fromhex(point)


@pytest.fixture
def document(make_key):
    """A sound document as a plain map, to be changed."""

    def spki(name, kind="eddsa"):
        return make_key(kind, name).public.spki

    return {
        "version": 0,
        "name": "Trade finance",
        "time": 1_900_000_000_000,
        "nonce": bytes(range(16)),
        "members": [
            {"id": "acme", "name": "Acme Bank", "keys": [spki("acme")], "attributes": ["licence:bank", "eu"]}
            | {"governance_keys": [spki("acme governs")], "weight": 3},
            {"id": "bolt-2", "name": "Bolt", "keys": [spki("bolt", "es256"), spki("bolt's other")], "attributes": []}
            | {"governance_keys": [spki("bolt governs", "es256")], "weight": 0},
        ],
        "users": [{"id": "acme/ann.b", "name": "Ann", "keys": [spki("ann")], "attributes": ["clerk"]}],
        "nodes": [
            {"id": "n1", "member": "acme", "node_key": spki("n1"), "checkpoint_key": spki("n1 signs", "es256")}
            | {"engine_key": spki("n1 votes"), "peer": "0f" * 20}
            | {"address": "n1.example:26656", "url": "https://n1.example:8000"},
            {"id": "n2", "member": "bolt-2", "node_key": spki("n2"), "checkpoint_key": spki("n2 signs", "es256")}
            | {"engine_key": b"", "peer": "", "address": "", "url": ""},
        ],
        "deployers": ["acme"],
        "limits": {
            "block_entries": 100,
            "block_bytes": 1024,
            "block_steps": 1000,
            "transaction_bytes": 512,
            "transaction_steps": 1,
            "scheduled_entries": 7,
            "scheduled_steps": 300,
        },
        "members_contract": "# the rules",
        "constitution": "# how it is decided",
        "constitution_lock": 1_000,
        "libraries": [["governance", "# what is counted"]],
        "snapshot_entries": 5_000,
        "snapshot_blocks": 7,
    }


def decode(document):
    return genesis.decode(cbor.encode(document))


class TestSoundDocuments:
    def test_every_field_arrives(self, document):
        read = decode(document)
        assert read.name == "Trade finance"
        assert (read.version, read.time, read.nonce) == (0, 1_900_000_000_000, bytes(range(16)))
        assert [member.id for member in read.members] == ["acme", "bolt-2"]
        assert read.members[0].attributes == ["licence:bank", "eu"]
        assert read.members[1].keys == document["members"][1]["keys"]
        assert (read.users[0].id, read.users[0].name) == ("acme/ann.b", "Ann")
        assert [(node.id, node.member) for node in read.nodes] == [("n1", "acme"), ("n2", "bolt-2")]
        assert (read.deployers, read.members_contract) == (["acme"], "# the rules")
        assert [member.weight for member in read.members] == [3, 0]
        assert read.members[0].governance_keys == document["members"][0]["governance_keys"]
        assert (read.constitution, read.constitution_lock) == ("# how it is decided", 1_000)
        assert read.libraries == [("governance", "# what is counted")]
        assert (read.snapshot_entries, read.snapshot_blocks) == (5_000, 7)
        assert (read.limits.block_entries, read.limits.transaction_steps) == (100, 1)
        assert (read.limits.scheduled_entries, read.limits.scheduled_steps) == (7, 300)

    def test_a_document_survives(self, document):
        assert genesis.encode(decode(document)) == cbor.encode(document)

    def test_nothing_is_wrong_with_it(self, document):
        assert genesis.check(decode(document)) == []

    def test_what_may_be_left_out(self, document):
        del document["users"], document["members"][1]["attributes"], document["deployers"], document["libraries"]
        del document["members"][1]["weight"]
        for name in ("engine_key", "peer", "address", "url"):
            del document["nodes"][0][name]
        del document["snapshot_entries"], document["snapshot_blocks"]
        document["limits"] = {}
        read = decode(document)
        assert read.users == read.members[1].attributes == read.deployers == read.libraries == []
        assert read.members[1].weight == 1
        assert (read.snapshot_entries, read.snapshot_blocks) == (100_000, 64)
        assert (read.limits.block_entries, read.limits.block_bytes) == (
            limits.BLOCK_ENTRIES_MAX,
            limits.BLOCK_BYTES_MAX,
        )
        assert read.limits.transaction_bytes == limits.ENVELOPE_BYTES_MAX
        assert read.limits.transaction_steps == limits.TRANSACTION_STEPS_DEFAULT

    def test_the_ledger_is_named_by_the_digest_of_the_bytes(self, document):
        data = cbor.encode(document)
        assert genesis.ledger_id(data) == hashlib.sha256(data).digest()


class TestNodes:
    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"peer": ""}, "has not both a key and a name of its engine"),
            ({"engine_key": b""}, "has not both a key and a name of its engine"),
            ({"address": "n1.example"}, "is not HOST:PORT"),
            ({"address": "n1:70000"}, "is not HOST:PORT"),
            ({"url": "n1.example:8000"}, "is not http://HOST:PORT"),
            ({"url": "http://n1:8000/app"}, "is not http://HOST:PORT"),
            ({"peer": "0F" * 20}, "peer"),
        ],
    )
    def test_an_engine_is_named_whole(self, document, changed, told, refused):
        document["nodes"][0] |= changed
        with refused("genesis.form") as caught:
            decode(document)
        assert told in caught.value.detail

    def test_engines_vote_with_ed25519_keys_each_its_own(self, document, make_key, refused):
        first, second = document["nodes"]
        with refused("genesis.form") as caught:
            first["engine_key"] = make_key("es256", "n1 votes").public.spki
            decode(document)
        assert "votes with no Ed25519 key" in caught.value.detail
        first["engine_key"] = make_key("eddsa", "n1 votes").public.spki
        second |= {"engine_key": first["engine_key"], "peer": first["peer"]}
        with refused("genesis.form") as caught:
            decode(document)
        assert "a key is registered once" in caught.value.detail
        assert "is named twice" in caught.value.detail

    def test_a_member_has_so_many_nodes(self, document, make_key, refused):
        keys = [make_key("es256", f"node {place}").public.spki for place in range(18)]
        document["nodes"] = [
            {"id": f"n{place}", "member": "acme", "node_key": keys[place], "checkpoint_key": keys[place + 9]}
            for place in range(limits.OWN_NODES_MAX + 1)
        ]
        with refused("genesis.form") as caught:
            decode(document)
        assert "'acme' has 9 nodes" in caught.value.detail


class TestForm:
    @pytest.mark.parametrize(
        "field",
        [
            *("name", "time", "nonce", "members", "nodes", "limits", "members_contract", "constitution"),
            "constitution_lock",
        ],
    )
    def test_what_is_required(self, document, field, refused):
        del document[field]
        with refused("genesis.form") as caught:
            decode(document)
        assert field in caught.value.detail

    @pytest.mark.parametrize("place", ["document", "member", "user", "node", "limits"])
    def test_no_other_field_is_taken(self, document, place, refused):
        {
            "document": document,
            "member": document["members"][0],
            "user": document["users"][0],
            "node": document["nodes"][0],
            "limits": document["limits"],
        }[place]["extra"] = 0
        with refused("genesis.form") as caught:
            decode(document)
        assert "extra" in caught.value.detail

    @pytest.mark.parametrize("version", [-1, 1, 2, "0", None, [], 2**63 - 1])
    def test_another_version(self, document, version, refused):
        document["version"] = version
        with refused("genesis.version"):
            decode(document)

    def test_another_version_may_have_other_fields(self, document, refused):
        with refused("genesis.version"):
            decode({**document, "version": 1, "consensus": "none"})

    def test_no_version(self, document, refused):
        del document["version"]
        with refused("genesis.version"):
            decode(document)

    def test_false_is_not_zero(self, document, refused):
        document["version"] = False
        with refused("genesis.form"):
            decode(document)

    @pytest.mark.parametrize("value", [None, 0, "genesis", [], [0]])
    def test_what_is_no_map(self, value, refused):
        with refused("genesis.form"):
            decode(value)

    @pytest.mark.parametrize(
        ("field", "others"),
        [
            ("name", [None, 0, b"name", "", "x" * 81]),
            ("time", [None, True, "0", -1]),
            ("nonce", [None, "0" * 16, bytes(15), bytes(17)]),
            ("clock", [None, "", "real", "story", 0, True]),
            ("members", [None, {}, [], ["acme"], [None]]),
            ("users", [None, {}, ["acme/ann"]]),
            ("nodes", [None, {}, []]),
            ("deployers", [None, "acme", [0]]),
            ("limits", [None, [], 0]),
            ("members_contract", [None, b"# rules", "", "x" * 131_073]),
            ("constitution", [None, b"# rules", "", "x" * 65_537]),
            ("constitution_lock", [None, "1000", 0, 999, limits.LOCK_MS_MAX + 1]),
            ("libraries", [None, {}, ["governance"], [["governance"]], [["governance", ""]]]),
        ],
    )
    def test_values_of_another_type_or_out_of_range(self, document, field, others, refused):
        for other in others:
            with refused("genesis.form") as caught:
                decode({**document, field: other})
            assert field in caught.value.detail

    @pytest.mark.parametrize("owner", ["members", "users"])
    @pytest.mark.parametrize(
        ("field", "others"),
        [
            ("id", [None, 0, b"acme"]),
            ("name", [None, "", "x" * 81]),
            ("keys", [None, [], [""], [b""], [bytes(257)], [bytes(44)] * 9]),
            ("attributes", [None, "eu", [0], [""], ["x" * 65], ["x"] * 33]),
        ],
    )
    def test_fields_of_owners(self, document, owner, field, others, refused):
        for other in others:
            document[owner][0][field] = other
            with refused("genesis.form"):
                decode(document)

    @pytest.mark.parametrize("keys", [None, [], [b""], [bytes(44)] * 9])
    def test_members_govern_with_keys(self, document, keys, refused):
        document["members"][0]["governance_keys"] = keys
        with refused("genesis.form"):
            decode(document)

    @pytest.mark.parametrize("weight", [None, -1, 1_000_001, True, "1"])
    def test_weights(self, document, weight, refused):
        document["members"][0]["weight"] = weight
        with refused("genesis.form"):
            decode(document)

    @pytest.mark.parametrize("attribute", ["a", "0", "licence:bank", "eu-2.x_y", "x" * 64])
    def test_attributes(self, document, attribute):
        document["members"][0]["attributes"] = [attribute]
        assert decode(document).members[0].attributes == [attribute]

    @pytest.mark.parametrize(
        "attribute", ["Bank", "licence bank", ":bank", "-bank", "b\u00e4nk", "bank\x00", "\nbank", "ba\nnk", "bank/x"]
    )
    def test_attributes_of_other_characters(self, document, attribute, refused):
        document["members"][0]["attributes"] = [attribute]
        with refused("genesis.form"):
            decode(document)

    def test_an_attribute_with_a_line_break_behind_is_another(self, document, refused):
        """Two attributes that print alike would let a member seem to have a role's attribute that it has not."""
        document["members"][0]["attributes"] = ["licence:bank\n"]
        with refused("genesis.form"):
            decode(document)

    @pytest.mark.parametrize(
        ("field", "least", "most"),
        [
            ("block_entries", 1, limits.BLOCK_ENTRIES_MAX),
            ("block_bytes", 1024, limits.BLOCK_BYTES_MAX),
            ("block_steps", 1, limits.BLOCK_STEPS_MAX),
            ("transaction_bytes", 512, limits.ENVELOPE_BYTES_MAX),
            ("transaction_steps", 1, limits.TRANSACTION_STEPS_MAX),
            ("scheduled_entries", 1, limits.SCHEDULED_ENTRIES_MAX),
            ("scheduled_steps", 1, limits.SCHEDULED_STEPS_MAX),
        ],
    )
    def test_limits_stay_within_those_of_the_wire(self, document, field, least, most, refused):
        for value in (least, most):
            document["limits"][field] = value
            assert getattr(decode(document).limits, field) == value
        for value in (least - 1, most + 1, 0, -1, True, None, "1"):
            document["limits"][field] = value
            with refused("genesis.form"):
                decode(document)

    def test_the_largest_document(self, document, refused):
        document["name"] = "x"
        with refused("genesis.form") as caught:
            genesis.decode(cbor.encode(document) + bytes(limits.GENESIS_BYTES_MAX))
        assert str(limits.GENESIS_BYTES_MAX) in caught.value.detail

    @pytest.mark.parametrize("change", ["cut off", "behind", "order"])
    def test_other_cbor(self, document, change, refused):
        data = cbor.encode(document)
        data, code = {
            "cut off": (data[:-1], "cbor.truncated"),
            "behind": (data + b"\x00", "cbor.trailing"),
            "order": (cbor2.dumps(document), "cbor.form"),
        }[change]
        with refused(code):
            genesis.decode(data)


class TestContents:
    """`check` names what is wrong in words; `decode` refuses with all of it."""

    @pytest.fixture
    def problems(self, document, refused):
        """The problems of the document as it stands when this is called."""

        def find():
            with refused("genesis.form") as caught:
                decode(document)
            found = caught.value.fields["problems"]
            assert caught.value.detail == "; ".join(found)
            return found

        return find

    @pytest.mark.parametrize("id", ["", "Acme", "acme bank", "-acme", "acme/x", "x" * 33, "acme\n", "\u00e4cme"])
    def test_member_ids(self, document, problems, make_key, id):
        own, other = make_key("eddsa", "new").public.spki, make_key("eddsa", "newer").public.spki
        document["members"].append({"id": id, "name": "x", "keys": [own], "governance_keys": [other]})
        assert problems() == [f"member id {id!r} is not a name"]

    @pytest.mark.parametrize(
        "id", ["", "ann", "acme/", "/ann", "acme/ann/x", "acme/Ann", "nobody/ann", "Acme/ann", "acme/" + "x" * 33]
    )
    def test_user_ids(self, document, problems, id):
        document["users"][0]["id"] = id
        assert problems() == [f"user id {id!r} is not MEMBER/NAME with a member of this ledger"]

    @pytest.mark.parametrize("id", ["", "N1", "n 1", "-n1", "acme/n1", "x" * 33])
    def test_node_ids(self, document, problems, id):
        document["nodes"][0]["id"] = id
        assert problems() == [f"node id {id!r} is not a name"]

    @pytest.mark.parametrize("member", ["nobody", "", "acme/ann.b"])
    def test_the_member_of_a_node(self, document, problems, member):
        document["nodes"][0]["member"] = member
        assert problems() == [f"node 'n1' belongs to {member!r}, which is no member"]

    @pytest.mark.parametrize("name", ["nobody", "", "acme/ann.b"])
    def test_deployers_are_members(self, document, problems, name):
        document["deployers"].append(name)
        assert problems() == [f"deployer {name!r} is no member"]

    def test_ids_named_twice(self, document, problems, make_key):
        keys = [make_key("eddsa", f"spare {number}").public.spki for number in range(5)]
        document["members"].append({"id": "acme", "name": "x", "keys": [keys[0]], "governance_keys": [keys[4]]})
        document["users"].append({"id": "acme/ann.b", "name": "x", "keys": [keys[1]]})
        document["nodes"].append({**document["nodes"][1], "node_key": keys[2], "checkpoint_key": keys[3]})
        document["deployers"].append("acme")
        assert problems() == [
            "member 'acme' is named twice",
            "user 'acme/ann.b' is named twice",
            "node 'n2' is named twice",
            "deployer 'acme' is named twice",
        ]

    @pytest.mark.parametrize(
        ("place", "owner"),
        [
            (("members", 0, "keys", 0), "member acme"),
            (("members", 1, "keys", 1), "member bolt-2"),
            (("members", 0, "governance_keys", 0), "member acme"),
            (("users", 0, "keys", 0), "user acme/ann.b"),
            (("nodes", 1, "node_key"), "node n2"),
            (("nodes", 1, "checkpoint_key"), "node n2"),
        ],
    )
    @pytest.mark.parametrize(
        ("key", "problem"),
        [
            (ed25519_key("0100" + "00" * 30), "not canonical or not in the prime-order subgroup"),
            (ed25519_key("00" * 32), "not canonical or not in the prime-order subgroup"),
            (ed25519_key("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "prime-order"),
            (ed25519_key("ee" + "ff" * 30 + "7f"), "not canonical"),
            (ed25519_key("02" + "00" * 31), "not canonical or not in the prime-order subgroup"),
            (bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004") + bytes(64), "not on the curve"),
            (b"a key", "kind the ledger does not use"),
        ],
        ids=["identity", "order 4", "order 8", "another encoding", "no point", "not on P-256", "no SPKI"],
    )
    def test_keys_that_must_not_be_registered(self, document, problems, place, owner, key, problem):
        holder = document
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = key
        (found,) = problems()
        assert found.startswith(f"a key of {owner}: ")
        assert problem in found

    @pytest.mark.parametrize(
        ("first", "second", "owners"),
        [
            (("members", 0, "keys", 0), ("members", 1, "keys", 0), ("member acme", "member bolt-2")),
            (("members", 1, "keys", 0), ("members", 1, "keys", 1), ("member bolt-2", "member bolt-2")),
            (("members", 0, "keys", 0), ("members", 0, "governance_keys", 0), ("member acme", "member acme")),
            (("members", 0, "keys", 0), ("users", 0, "keys", 0), ("member acme", "user acme/ann.b")),
            (("users", 0, "keys", 0), ("nodes", 0, "node_key"), ("user acme/ann.b", "node n1")),
            (("nodes", 0, "node_key"), ("nodes", 0, "checkpoint_key"), ("node n1", "node n1")),
            (("nodes", 0, "checkpoint_key"), ("nodes", 1, "checkpoint_key"), ("node n1", "node n2")),
            (("members", 0, "keys", 0), ("nodes", 1, "checkpoint_key"), ("member acme", "node n2")),
        ],
    )
    def test_a_key_is_registered_once(self, document, problems, first, second, owners):
        def at(place):
            holder = document
            for step in place[:-1]:
                holder = holder[step]
            return holder, place[-1]

        (one, field), (other, other_field) = at(first), at(second)
        other[other_field] = one[field]
        assert problems() == [f"{owners[1]} has the key of {owners[0]}: a key is registered once, for one purpose"]

    def test_names_of_libraries(self, document, problems):
        document["libraries"].append(["No-Name", "# x"])
        assert problems() == ["library 'No-Name' is no name of one"]

    @pytest.mark.parametrize(
        ("owner", "attribute"),
        [("members", "ledger:governance"), ("members", "ledger:x"), ("users", "ledger:deployer"), ("users", "ledger:")],
    )
    def test_attributes_that_nobody_is_given(self, document, problems, owner, attribute):
        document[owner][0]["attributes"] = [attribute]
        assert problems() == [f"{attribute!r} of {document[owner][0]['id']!r} is reserved"]

    def test_all_problems_at_once(self, document, problems):
        document["members"][1]["id"] = "Bolt"
        document["users"][0]["id"] = "bolt-2/ann"
        document["nodes"][0]["id"] = "N 1"
        document["deployers"] = ["bolt-2", "bolt-2"]
        document["users"][0]["keys"] = [ed25519_key("00" * 32)]
        document["nodes"][1]["node_key"] = document["members"][0]["keys"][0]
        assert problems() == [
            "member id 'Bolt' is not a name",
            "user id 'bolt-2/ann' is not MEMBER/NAME with a member of this ledger",
            "node id 'N 1' is not a name",
            "node 'n2' belongs to 'bolt-2', which is no member",
            "deployer 'bolt-2' is no member",
            "deployer 'bolt-2' is no member",
            "deployer 'bolt-2' is named twice",
            "a key of user bolt-2/ann: the Ed25519 key is not canonical or not in the prime-order subgroup",
            "node n2 has the key of member acme: a key is registered once, for one purpose",
        ]
