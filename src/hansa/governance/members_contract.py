"""Who belongs to this ledger, which keys act for them, and which contracts run on it.

Genesis writes these records. Until a constitution takes over, deployers deploy contracts and write reference data;
nothing else about them can change.
"""

from hansa.contract import (
    Bytes,
    Contract,
    Hash,
    Int,
    Party,
    Record,
    Text,
    action,
    contract_version,
    event,
    require,
    sha256,
)


class Members(Contract, version="0.1.0"):
    class Roles:
        deployer: Party = Party(attribute="ledger:deployer")

    class Ledger(Record, key="name"):
        """The ledger itself; there is one."""

        name: Text[1, 80]

    class Limits(Record, key="scope"):
        """What a block and a transaction may hold; the scope is `ledger`."""

        scope: Text[1, 16]
        block_entries: Int[1, 2000]
        block_bytes: Int[1024, 4194304]
        block_steps: Int[1, 4000000]
        transaction_bytes: Int[512, 262144]
        transaction_steps: Int[1, 1000000]

    class Member(Record, key="id"):
        """An organisation."""

        id: Party
        name: Text[1, 80]
        attributes: list[Text[1, 64], 32]

    class User(Record, key="id", index=["member"]):
        """A person or program acting for a member."""

        id: Text[3, 65]
        member: Party
        name: Text[1, 80]
        attributes: list[Text[1, 64], 32]

    class Node(Record, key="id", index=["member"]):
        """A process that holds a full replica."""

        id: Text[1, 32]
        member: Party

    class Key(Record, key="kid", index=["owner"]):
        """A key, registered once, for one owner and one purpose: transaction, node or checkpoint."""

        kid: Hash
        spki: Bytes[1, 256]
        owner_kind: Text[4, 6]
        owner: Text[1, 65]
        purpose: Text[4, 16]

    class Deployment(Record, key="name"):
        """A contract that runs on this ledger."""

        name: Text[1, 48]
        version: Text[5, 32]
        digest: Hash
        source: Text[1, 65536]

    class Reference(Record, key="name"):
        """Dated reference data, such as a calendar or a rate table, valid from a ledger time in milliseconds."""

        name: Text[1, 100]
        valid_from: int
        data: Text[0, 16384]

    @action(by="deployer", creates="Deployment")
    def deploy(tx, deployment: Deployment, name: Text[1, 48], source: Text[1, 65536]):
        """Puts a contract on the ledger under a name; its actions can be taken from the next entry on."""
        deployment.version = contract_version(name, source)
        deployment.digest = sha256(source)
        event("contract.deployed", name=name, version=deployment.version, digest=deployment.digest)

    @action(by="deployer", creates="Reference")
    def add_reference(tx, reference: Reference, name: Text[1, 100], valid_from: int, data: Text[0, 16384]):
        """Puts reference data on the ledger under a new name."""
        event("reference.added", name=name, valid_from=valid_from)

    @action(by="deployer")
    def set_reference(tx, reference: Reference, valid_from: int, data: Text[0, 16384]):
        """Replaces reference data; the values before stay in the record's history."""
        require(valid_from >= reference.valid_from, "the data before is valid from {before}", before=reference.valid_from)
        reference.valid_from = valid_from
        reference.data = data
        event("reference.set", name=reference.name, valid_from=valid_from)
