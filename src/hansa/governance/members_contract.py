"""Who belongs to this ledger, which keys act for them, and which contracts run on it.

Genesis writes these records. Until a constitution takes over, deployers deploy contracts and write reference data;
nothing else about them can change.
"""

from hansa.contract import (
    Bytes,
    Contract,
    Hash,
    Instant,
    Int,
    Party,
    Record,
    Text,
    action,
    contract_version,
    event,
    library_digest,
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
        scheduled_entries: Int[1, 200]
        scheduled_steps: Int[1, 20000]

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
        """A contract that runs on this ledger, in its current version."""

        name: Text[1, 48]
        version: Text[5, 32]
        digest: Hash

    class Version(Record, key="id", index=["contract"]):
        """A version of a contract: its records stay as it made them until they are touched, so all are kept."""

        id: Text[1, 81]
        contract: Text[1, 48]
        version: Text[5, 32]
        digest: Hash
        source: Text[1, 65536]

    class Library(Record, key="digest", index=["name"]):
        """A library that contracts may use, pinned by its digest."""

        digest: Hash
        name: Text[1, 48]
        source: Text[1, 65536]

    class Schedule(Record, key="id", index=["due"]):
        """An action that ledger time takes at an instant; `due` is gone once it was taken. Contracts write these."""

        id: Bytes[1, 400]
        at: Instant
        due: Instant | None
        contract: Text[1, 48]
        record: Text[1, 48]
        key: Bytes[0, 400]
        action: Text[1, 48]

    class Exclusion(Record, key="id"):
        """A transaction that deployers excluded: it has an entry and was never run. The node that took it wrote this."""

        id: Hash
        reason: Text[1, 200]
        statements: list[Bytes[1, 1536], 512]

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
        Members.Version.create(
            id=name + "@" + deployment.version,
            contract=name,
            version=deployment.version,
            digest=deployment.digest,
            source=source,
        )
        event("contract.deployed", name=name, version=deployment.version, digest=deployment.digest)

    @action(by="deployer")
    def upgrade(tx, deployment: Deployment, source: Text[1, 65536]):
        """Puts the next version of a contract in place; a record comes up to it when it is next touched."""
        before = deployment.version
        deployment.version = contract_version(deployment.name, source)
        deployment.digest = sha256(source)
        Members.Version.create(
            id=deployment.name + "@" + deployment.version,
            contract=deployment.name,
            version=deployment.version,
            digest=deployment.digest,
            source=source,
        )
        event("contract.upgraded", name=deployment.name, before=before, version=deployment.version)

    @action(by="deployer")
    def deploy_library(tx, name: Text[1, 48], source: Text[1, 65536]):
        """Puts a library on the ledger; contracts deployed from the next entry on may use it."""
        digest = library_digest(name, source)
        Members.Library.create(digest=digest, name=name, source=source)
        event("library.deployed", name=name, digest=digest)

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
