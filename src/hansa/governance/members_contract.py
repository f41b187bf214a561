"""Who belongs to this ledger and how its members decide: the kernel of governance, the contract `members`.

Members propose named actions and vote; the constitution, a contract of their own, says what a proposal needs. What it
says counts within a floor that no constitution can remove:

- The yes of every active member accepts. While no active member said no, nothing is rejected. A proposal of nothing but
  another constitution is not kept from a vote, and what the constitution would make of it is not asked.
- Where there are two members or more, a change of the constitution, of members, their weights, attributes or keys, of
  who acts for a member as its user, of whose nodes are trusted and which of these are retired, and what a constitution
  lets follow of this kind, needs the yes of two.
- An active member always remains, and fewer than two only if every active member said yes.
- An accepted change of the constitution waits for its time lock, of at least a second, and is counted again then.
- What removed members said, and members that revoked a governance key since, does not count.
- Nothing is written over: an id of a member, user or node is given once, a key is registered once.
- A trusted node always remains, and one that orders where one did. Power to order is a member's by its weight, split
  over its trusted nodes, and less than a third of all of it moves at once.

Proposing, voting and looking after one's own keys, users and nodes takes a governance key. What follows from a ballot in the
same entry (`compare`, `tally`, `begin`, the steps, `finish` or `fail`) the ledger runs itself: see
`hansa.governance.sequel`. Deployers may deploy contracts and write reference data without a vote.
"""

from hansa.contract import (
    Bytes,
    Contract,
    Duration,
    Hash,
    Instant,
    Int,
    Interface,
    Party,
    Record,
    Struct,
    Text,
    action,
    become,
    contract_version,
    event,
    key_id,
    library_digest,
    member_id,
    require,
    schedule,
    sha256,
    view,
)

SCOPE = "ledger"
CONSTITUTION = "constitution"
MEMBERS_MAX = 500
PROPOSALS_MAX = 100
OWN_PROPOSALS_MAX = 10
PROPOSED_KEYS_MAX = 64
KEYS_MAX = 16
SESSIONS_MAX = 32
SOURCES_CHARS_MAX = 64000
OPEN_DAYS = 30
OPEN_DAYS_MAX = 90
LOCK_MS_MIN = 1000
LOCK_MS_MAX = 2592000000
SESSION_HOURS_MAX = 24
NODES_MAX = 200
OWN_NODES_MAX = 8
POWER = 840  # of a weight of 1; every number of nodes that a member can have divides it
POWERS_MAX = 1099511627776
STEP_SECONDS = 1
ED25519 = "302a300506032b6570032100"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"


class NewKey(Struct):
    """A public key to be registered; when it `expires` only warns."""

    purpose: Text[4, 16]
    spki: Bytes[1, 256]
    expires: Instant | None = None


class Step(Struct):
    """One action of a proposal as it was proposed, with all that it carries."""

    name: Text[1, 40]
    subject: Text[0, 100] = ""
    title: Text[0, 80] = ""
    attributes: list[Text[1, 64], 32] | None = None
    weight: Int[0, 1000000] | None = None
    keys: list[NewKey, 8] = []
    source: Text[0, 65536] = ""
    texts: dict[Text[1, 40], Text[0, 500], 16] = {}
    numbers: dict[Text[1, 40], int, 16] = {}


class Act(Struct):
    """One action of a proposal as the constitution is told of it: without sources, which have a digest."""

    name: Text[1, 40]
    subject: Text[0, 100]
    member: Text[1, 32] | None
    attributes: list[Text[1, 64], 32]
    weight: Int[0, 1000000] | None
    digest: Hash | None


class Doing(Struct):
    """What is to be done: an action, and the step that it is; -1: it follows by the constitution."""

    step: int
    act: Act


class Elector(Struct):
    """An active member as the constitution is told of it."""

    id: Text[1, 32]
    weight: Int[0, 1000000]
    attributes: list[Text[1, 64], 32]


class Ballot(Struct):
    """What a member said, and how often it had revoked a governance key by then."""

    member: Text[1, 32]
    yes: bool
    revoked: int
    at: Instant


class Vote(Struct):
    """A ballot that counts, as the constitution is told of it."""

    member: Text[1, 32]
    yes: bool


class Question(Struct):
    """A proposal as the constitution is told of it."""

    proposer: Party
    actions: list[Act, 32]
    votes: list[Vote, 1024]


class Touch(Struct):
    """A record that a proposal is about, and how often it had changed when it was proposed; -1: it was not there.

    Of what is to be removed, paused or resumed `changed` says whether it is (1) or not (0), and no more: else whoever
    is against it could touch the record, and so drop the proposal.
    """

    record: Text[1, 48]
    key: Text[1, 100]
    changed: int


class Rule(Struct):
    """Whoever has this value in this claim of a token is given the attribute."""

    claim: Text[1, 100]
    value: Text[1, 200]
    attribute: Text[1, 64]


class EnginePower(Struct):
    """How much the vote of an engine counts, which votes with this key."""

    engine_key: Bytes[44, 44]
    power: Int[0, 1099511627776]


class MemberInfo(Struct):
    """A member, as others ask for it."""

    id: Text[1, 32]
    name: Text[1, 80]
    attributes: list[Text[1, 64], 32]
    weight: Int[0, 1000000]
    removed: bool


class NodeInfo(Struct):
    """A node, as others ask for it."""

    id: Text[1, 32]
    member: Text[1, 32]
    state: Text[7, 7]
    url: Text[0, 300]
    peer: Text[0, 40]
    address: Text[0, 260]
    engine_key: Bytes[0, 44]
    ready: Instant | None
    power: Int[0, 1099511627776]


class ProposalInfo(Struct):
    """A proposal, as others ask for it."""

    id: Hash
    title: Text[1, 80]
    proposer: Party
    state: Text[4, 9]
    constitution: Hash
    actions: list[Act, 32]
    ballots: list[Ballot, 1024]
    opened: Instant
    closes: Instant
    due: Instant | None
    applied: Instant | None
    reason: Text[0, 200]


class ConstitutionInfo(Struct):
    """The constitution in force: its version, the SHA-256 of its source, and the time lock for the next one, in ms."""

    version: Text[5, 32]
    digest: Hash
    lock: int


class LimitsInfo(Struct):
    """What blocks and transactions may hold."""

    block_entries: int
    block_bytes: int
    block_steps: int
    transaction_bytes: int
    transaction_steps: int
    scheduled_entries: int
    scheduled_steps: int


class Rules(Interface, contract="constitution"):
    @view
    def validate(tx, proposal: Question, members: list[Elector, 1024]) -> list[Text[1, 200], 32]: ...

    @view
    def resolve(tx, proposal: Question, members: list[Elector, 1024]) -> Text[4, 8]: ...

    @view
    def apply(tx, step: Act, members: list[Elector, 1024]) -> list[Act, 32]: ...


def is_name(text: Text[0, 100], most: int, others: Text[0, 8]) -> bool:
    """Whether a text is a name: lower-case letters, digits and, behind the first, some other characters."""
    if len(text) == 0 or len(text) > most or text[0] not in LETTERS + DIGITS:
        return False
    for place in range(len(text)):
        if text[place] not in LETTERS + DIGITS + others:
            return False
    return True


def is_user_name(text: Text[0, 100]) -> bool:
    """Whether a text is MEMBER/NAME."""
    parts = text.split("/")
    return len(parts) == 2 and is_name(parts[0], 32, "-") and is_name(parts[1], 32, ".-")


def are_attributes(attributes: list[Text[1, 64], 32]) -> bool:
    """Whether attributes have the form of such."""
    for one in attributes:
        if not is_name(one, 64, ":._-"):
            return False
    return True


def are_for_members(attributes: list[Text[1, 64], 32]) -> bool:
    """Whether members can have these attributes: of those beginning with `ledger:` only the deployer's."""
    for one in attributes:
        if one.startswith("ledger:") and one != "ledger:deployer":
            return False
    return are_attributes(attributes)


def are_for_users(attributes: list[Text[1, 64], 32]) -> bool:
    """Whether users can have these attributes: none that begins with `ledger:`."""
    for one in attributes:
        if one.startswith("ledger:"):
            return False
    return are_attributes(attributes)


def once(attributes: list[Text[1, 64], 32]) -> list[Text[1, 64], 32]:
    """Attributes in order, each once."""
    found: list[Text[1, 64], 32] = []
    for one in sorted(attributes):
        if len(found) == 0 or found[-1] != one:
            found.append(one)
    return found


def is_hex(text: Text[0, 256], length: int) -> bool:
    """Whether a text has so many lower-case hexadecimal digits, and nothing else."""
    for place in range(len(text)):
        if text[place] not in "0123456789abcdef":
            return False
    return len(text) == length


def is_address(text: Text[0, 260]) -> bool:
    """Whether a text is HOST:PORT, of a name, an IPv4 address, or an IPv6 one in brackets: others' engines read it."""
    parts = text.split(":")
    port = parts[-1]
    if len(parts) < 2 or not port.isdigit() or len(port) > 5 or port[0] == "0" or int(port) > 65535:
        return False
    host = text[0 : len(text) - len(port) - 1]
    others = ".-"
    if len(parts) > 2:
        if not host.startswith("[") or not host.endswith("]"):
            return False
        host = host[1 : len(host) - 1]
        others = ".:"
    for place in range(len(host)):
        if host[place] not in LETTERS + DIGITS + others:
            return False
    return len(host) > 0


def is_url(text: Text[0, 300]) -> bool:
    """Whether a text is http://HOST:PORT or https://HOST:PORT."""
    parts = text.split("://")
    return len(parts) == 2 and (parts[0] == "http" or parts[0] == "https") and is_address(parts[1])


def is_engine_key(spki: Bytes[0, 44]) -> bool:
    """Whether it is a key as engines vote with, Ed25519."""
    return len(spki) == 44 and spki.hex().startswith(ED25519)


def is_action(name: Text[1, 40]) -> bool:
    """Whether a proposal can do this."""
    return (
        about(name) != ""
        or name == "set_constitution"
        or name == "set_limits"
        or name == "set_library"
    )


def about(name: Text[1, 40]) -> Text[0, 48]:
    """The record type that an action's subject names; empty for what has none."""
    if name in ["set_member", "remove_member", "set_member_data", "set_member_keys"]:
        return "Member"
    if name in ["set_user", "remove_user", "set_user_data"]:
        return "User"
    if name in ["set_contract", "pause_contract", "resume_contract"]:
        return "Deployment"
    if name in ["set_jwt_issuer", "remove_jwt_issuer"]:
        return "Issuer"
    if name in ["trust_node", "retire_node"]:
        return "Node"
    if name == "set_reference":
        return "Reference"
    return ""


def spot(step: Step) -> Text[0, 150]:
    """What an action changes; no two of a proposal change the same, so one entry brings one version of it.

    But a contract can be deployed and paused at once.
    """
    kind = about(step.name)
    if step.name == "pause_contract" or step.name == "resume_contract":
        kind = "pause of"
    if kind == "":
        kind = step.name
    return kind + " " + step.subject


def needs_two(name: Text[1, 40]) -> bool:
    """Whether the floor asks for two members for an action."""
    return name in [
        "set_constitution",
        "set_member",
        "remove_member",
        "set_member_data",
        "set_member_keys",
        "set_user",
        "set_user_data",
        "set_jwt_issuer",
        "exclude_transaction",
        "trust_node",
        "retire_node",
    ]


def can_follow(name: Text[1, 40]) -> bool:
    """Whether a constitution can let this follow from something else."""
    return name in ["set_member_data", "set_user_data", "remove_user", "pause_contract", "resume_contract"]


def is_token_algorithm(name: Text[1, 16]) -> bool:
    """Whether tokens can be signed so: never with a secret that whoever verifies them knows too."""
    return name in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"]


def is_limit(name: Text[1, 40]) -> bool:
    """Whether there is such a limit."""
    return name in [
        "block_entries",
        "block_bytes",
        "block_steps",
        "transaction_bytes",
        "transaction_steps",
        "scheduled_entries",
        "scheduled_steps",
    ]


class Members(Contract, version="0.2.0"):
    class Roles:
        deployer: Party = Party(attribute="ledger:deployer")
        governor: Party = Party(attribute="ledger:governance")

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
        changed: int = 0

    class Member(Record, key="id", index=["removed"]):
        """An organisation. `changed` counts what votes could be about, `revoked` its governance keys revoked."""

        id: Text[1, 32]
        name: Text[1, 80]
        attributes: list[Text[1, 64], 32]
        weight: Int[0, 1000000] = 1
        removed: bool = False
        changed: int = 0
        revoked: int = 0

    class User(Record, key="id", index=["member"]):
        """A person or program acting for a member."""

        id: Text[3, 65]
        member: Text[1, 32]
        name: Text[1, 80]
        attributes: list[Text[1, 64], 32]
        removed: bool = False
        changed: int = 0

    class Node(Record, key="id", index=["member", "holder", "peer", "is_trusted", "is_voter"]):
        """A process that holds a full replica. `holder` is its member until it is retired, then empty.

        Where it is reached: `url` its API, `address` its engine, HOST:PORT, which others know as `peer` and which votes
        with `engine_key` (SPKI); all may be empty. `power` is what its vote counts as of now. `ready`: when its member
        said that it has everything. `is_voter`: it has an engine and is trusted, or has power left. `changed` counts
        its states, which votes are about.
        """

        id: Text[1, 32]
        member: Text[1, 32]
        holder: Text[0, 32]
        url: Text[0, 300] = ""
        peer: Text[0, 40] = ""
        address: Text[0, 260] = ""
        engine_key: Bytes[0, 44]
        ready: Instant | None = None
        power: Int[0, 1099511627776] = 0
        is_trusted: bool = False
        is_voter: bool = False
        changed: int = 0

        class States:
            Pending = "it may follow; what it says counts for nothing"
            Trusted = "it signs for its member, and orders where it has power"
            Retired = "it is let in no more"

    class Voting(Record, key="scope"):
        """How often powers were moved, and whether they are to be moved further; the scope is `ledger`."""

        scope: Text[1, 16]
        steps: int = 0
        is_moving: bool = False

    class PowerStep(Record, key="number"):
        """The powers that one step set, written once: what engines are told behind the block that has it."""

        number: int
        powers: list[EnginePower, 512]

    class Key(Record, key="kid", index=["owner", "holder"]):
        """A key, registered once, for one owner and one purpose: transaction, governance, node or checkpoint.

        Its status is active, retired or revoked; `holder` is the owner while it is active, then empty; emptied
        some time after `until`, the end of a session's key. When it `expires` only warns. An owner registers 16 active
        keys for a purpose, and a user has 32 of sessions: so no thief of a key makes more than a vote can end.
        """

        kid: Hash
        spki: Bytes[1, 256]
        owner_kind: Text[4, 6]
        owner: Text[1, 65]
        holder: Text[0, 65]
        purpose: Text[4, 16]
        status: Text[6, 7] = "active"
        expires: Instant | None = None
        until: Instant | None = None

    class NamedKey(Record, key="kid"):
        """Which proposal named a key last: while that can come about, nobody else registers the key."""

        kid: Hash
        proposal: Hash

    class CheckpointKey(Record, key="kid"):
        """Written once with a checkpoint key that came after genesis: its entry says from where on the key counts.

        And to where the node's key before counted.
        """

        kid: Hash
        node: Text[1, 32]

    class Retirement(Record, key="node"):
        """Written once with the end of a node: its entry says to where the node's checkpoint key counts."""

        node: Text[1, 32]

    class Deployment(Record, key="name"):
        """A contract that runs on this ledger, in its current version."""

        name: Text[1, 48]
        version: Text[5, 32]
        digest: Hash
        paused: bool = False
        changed: int = 0

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

    class Constitution(Record, key="scope"):
        """Which constitution is in force, and the time lock for the next one in ms; the scope is `ledger`."""

        scope: Text[1, 16]
        version: Text[5, 32]
        digest: Hash
        lock: int
        changed: int = 0

    class ConstitutionText(Record, key="digest"):
        """The source of a constitution that is or was in force."""

        digest: Hash
        version: Text[5, 32]
        source: Text[1, 65536]

    class Issuer(Record, key="id"):
        """Who signs in for whom: an issuer of ID tokens that a member trusts. Its keys are never on the ledger."""

        id: Text[1, 64]
        member: Text[1, 32]
        url: Text[1, 300]
        tenant: Text[0, 100]
        audience: Text[1, 200]
        algorithms: list[Text[1, 16], 16]
        rules: list[Rule, 16]
        removed: bool = False
        changed: int = 0

    class Session(Record, key="kid", index=["user"]):
        """A key that a member registered for a person who signed in: by which issuer, and what its token was.

        No mail, name or raw subject: `pseudonym` is the member's keyed digest of who it was. Where the key is not `held`
        by that person but by the member's node, what it signs is asserted by the member, and no user's.
        """

        kid: Hash
        user: Text[3, 65]
        issuer: Text[1, 64]
        pseudonym: Bytes[16, 16]
        token: Hash
        held: bool
        began: Instant
        until: Instant

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
        """A transaction that members excluded: it has an entry and was never run. The node that took it wrote this."""

        id: Hash
        reason: Text[1, 200]
        statements: list[Bytes[1, 1536], 512]

    class Reference(Record, key="name"):
        """Dated reference data, such as a calendar or a rate table, valid from a ledger time in milliseconds."""

        name: Text[1, 100]
        valid_from: int
        data: Text[0, 16384]
        changed: int = 0

    class Proposal(Record, key="id", index=["is_open"]):
        """What members vote on. `constitution` is that under which it was made, `touches` what it is about as it was.

        `yes` and `electors`: as counted last. `todo` and `at` are for the entry that carries it out alone.
        """

        id: Hash
        title: Text[1, 80]
        proposer: Party
        constitution: Hash
        actions: list[Act, 32]
        touches: list[Touch, 33] = []
        ballots: list[Ballot, 1024] = []
        is_open: bool = True
        is_compared: bool = False
        opened: Instant
        closes: Instant
        due: Instant | None = None
        applied: Instant | None = None
        reason: Text[0, 200] = ""
        yes: int = 0
        electors: int = 0
        todo: list[Doing, 128] = []
        at: int = 0

        class States:
            Open = "it is voted on"
            Accepted = "it was carried out, or waits for the time lock"
            Rejected = "the constitution says no"
            Withdrawn = "its proposer took it back"
            Failed = "it was accepted, and could not be carried out"
            Dropped = "what it was about changed, or its time ran out"

    class Docket(Record, key="id", index=["holder", "is_open"]):
        """That a proposal is open, in few bytes. `holder` is its proposer while it counts: open, of an active member."""

        id: Hash
        holder: Text[0, 32]
        is_open: bool = True

    class Actions(Record, key="id"):
        """The actions of a proposal with all that they carry, written once."""

        id: Hash
        steps: list[Step, 32]

    # What deployers do without a vote

    @action(by="deployer", creates="Deployment")
    def deploy(tx, deployment: Deployment, name: Text[1, 48], source: Text[1, 65536]):
        """Puts a contract on the ledger under a name; its actions can be taken from the next entry on."""
        require(name != CONSTITUTION, "the constitution is changed by a vote")
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
        deployment.changed += 1
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
        reference.changed += 1
        event("reference.set", name=reference.name, valid_from=valid_from)

    # What a member does for itself with a governance key

    @action(by="governor")
    def register_key(
        tx,
        owner_kind: Text[4, 6],
        owner: Text[1, 65],
        purpose: Text[4, 16],
        spki: Bytes[1, 256],
        expires: Instant | None,
    ):
        """Registers a key for the member that signs, a user or a node of it; it counts from the next entry on.

        A node signs checkpoints with one key: a new one retires the one before, which still signs for this block.
        """
        me = member_id(tx.member)
        fits = False
        if owner_kind == "member":
            require(owner == me, "a member registers its own keys")
            fits = purpose == "transaction" or purpose == "governance"
        elif owner_kind == "user":
            user = Members.User.get(owner)
            require(user.member == me and not user.removed, "{id} is no user of yours", id=owner)
            fits = purpose == "transaction"
        elif owner_kind == "node":
            require(Members.Node.get(owner).holder == me, "{id} is no node of yours", id=owner)
            fits = purpose == "node" or purpose == "checkpoint"
        require(fits, "a {kind} has no keys for {purpose}", kind=owner_kind, purpose=purpose)
        kid = key_id(spki)
        named = Members.NamedKey.find(kid)
        if named is not None:
            p = Members.Proposal.get(named.proposal)
            require(
                p.state != "Open" and (p.state != "Accepted" or p.applied is not None), "a proposal names this key"
            )
        count = 0
        for old in Members.Key.select(by="holder", equal=owner, limit=1000):
            if old.owner_kind == owner_kind and old.purpose == purpose:
                if purpose == "checkpoint":
                    old.status = "retired"
                    old.holder = ""
                    event("key.retired", kid=old.kid, owner=owner, purpose=purpose)
                elif old.until is None:
                    count += 1
        require(count < KEYS_MAX, "{id} has {most} keys for {purpose}", id=owner, most=KEYS_MAX, purpose=purpose)
        if purpose == "checkpoint":
            made = Members.CheckpointKey.create(kid=kid, node=owner)
            schedule(made, "begin_checkpoint_key", tx.time + Duration(seconds=1))
        Members.Key.create(
            kid=kid, spki=spki, owner_kind=owner_kind, owner=owner, holder=owner, purpose=purpose, expires=expires
        )
        event("key.registered", kid=kid, owner=owner, purpose=purpose)

    @action(by="schedule")
    def begin_checkpoint_key(tx, made: CheckpointKey):
        """Moves an idle ledger on behind a change of checkpoint keys, so that the new key signs a checkpoint soon."""
        event("key.began", kid=made.kid, owner=made.node)

    @action(by="governor")
    def retire_key(tx, key: Key):
        """Ends a key's use, of the member, a user or a node: what it signed stays as good as it was."""
        me = member_id(tx.member)
        mine = key.owner == me
        if key.owner_kind == "user":
            mine = key.owner.split("/")[0] == me
        elif key.owner_kind == "node":
            mine = Members.Node.get(key.owner).member == me
        require(mine, "this key is not yours")
        require(key.status == "active", "the key is {status} already", status=key.status)
        require(
            key.purpose != "checkpoint" or key.status != "active",
            "register the node's next checkpoint key: it takes this one's place",
        )
        if key.purpose == "governance":
            others = 0
            for other in Members.Key.select(by="holder", equal=me, limit=1000):
                if other.owner_kind == "member" and other.purpose == "governance" and other.kid != key.kid:
                    others += 1
            require(others > 0, "this is your last governance key: register another one first")
        key.status = "retired"
        key.holder = ""
        event("key.retired", kid=key.kid, owner=key.owner, purpose=key.purpose)

    @action(by="governor")
    def revoke_key(tx, key: Key):
        """Ends a key that others may have; what a member said on open proposals counts no more if it was for those."""
        me = member_id(tx.member)
        mine = key.owner == me
        if key.owner_kind == "user":
            mine = key.owner.split("/")[0] == me
        elif key.owner_kind == "node":
            mine = Members.Node.get(key.owner).member == me
        require(mine, "this key is not yours")
        require(key.status != "revoked", "the key is revoked already")
        require(
            key.purpose != "checkpoint" or key.status != "active",
            "register the node's next checkpoint key: it takes this one's place",
        )
        if key.purpose == "governance":
            others = 0
            for other in Members.Key.select(by="holder", equal=me, limit=1000):
                if other.owner_kind == "member" and other.purpose == "governance" and other.kid != key.kid:
                    others += 1
            require(others > 0, "this is your last governance key: register another one first")
            owner = Members.Member.get(me)
            owner.revoked += 1
        key.status = "revoked"
        key.holder = ""
        event("key.revoked", kid=key.kid, owner=key.owner, purpose=key.purpose)

    @action(by="governor")
    def set_own_user(tx, id: Text[3, 65], name: Text[1, 80], attributes: list[Text[1, 64], 32]):
        """Adds a user of the member that signs, or changes its name and attributes."""
        me = member_id(tx.member)
        require(is_user_name(id) and id.split("/")[0] == me, "{id} is no MEMBER/NAME of yours", id=id)
        require(are_for_users(attributes), "users cannot have these attributes")
        user = Members.User.find(id)
        if user is None:
            Members.User.create(id=id, member=me, name=name, attributes=once(attributes))
            event("user.added", id=id)
        else:
            require(not user.removed, "{id} was removed: an id is given once", id=id)
            user.name = name
            user.attributes = once(attributes)
            user.changed += 1
            event("user.changed", id=id)

    @action(by="governor")
    def remove_own_user(tx, user: User):
        """Removes a user of the member that signs: none of its keys counts any more."""
        require(user.member == member_id(tx.member), "{id} is no user of yours", id=user.id)
        require(not user.removed, "{id} is removed already", id=user.id)
        user.removed = True
        user.changed += 1
        event("user.removed", id=user.id)

    @action(by="governor")
    def register_node(
        tx,
        id: Text[1, 32],
        node_key: Bytes[1, 256],
        checkpoint_key: Bytes[1, 256],
        engine_key: Bytes[0, 44],
        peer: Text[0, 40],
        address: Text[0, 260],
        url: Text[0, 300],
    ):
        """Registers a node of the member that signs, with its keys. It may follow, and counts for nothing until trusted."""
        me = member_id(tx.member)
        require(is_name(id, 32, "-"), "{id} is no name of a node", id=id)
        require((len(engine_key) == 0) == (peer == ""), "an engine has a key and a name among its peers")
        require(peer == "" or is_engine_key(engine_key), "engines vote with Ed25519 keys")
        require(peer == "" or is_hex(peer, 40), "{peer} names no engine", peer=peer)
        require(address == "" or is_address(address), "{address} is not HOST:PORT", address=address)
        require(url == "" or is_url(url), "{url} is not http://HOST:PORT or https://HOST:PORT", url=url)
        own = 0
        for other in Members.Node.select(by="holder", equal=me, limit=OWN_NODES_MAX):
            own += 1
        require(own < OWN_NODES_MAX, "a member has {most} nodes at most", most=OWN_NODES_MAX)
        if peer != "":
            same = 0
            for other in Members.Node.select(by="peer", equal=peer, limit=1):
                same += 1
            require(same == 0, "another node has the engine {peer}", peer=peer)
        Members.Node.create(
            id=id,
            member=me,
            holder=me,
            url=url,
            peer=peer,
            address=address,
            engine_key=engine_key,
            state="Pending",
        )
        for purpose in ["node", "checkpoint", "engine"]:
            spki = node_key
            if purpose == "checkpoint":
                spki = checkpoint_key
            elif purpose == "engine":
                spki = engine_key
            if len(spki) > 0:
                kid = key_id(spki)
                named = Members.NamedKey.find(kid)
                if named is not None:
                    p = Members.Proposal.get(named.proposal)
                    require(
                        p.state != "Open" and (p.state != "Accepted" or p.applied is not None),
                        "a proposal names this key",
                    )
                Members.Key.create(kid=kid, spki=spki, owner_kind="node", owner=id, holder=id, purpose=purpose)
                event("key.registered", kid=kid, owner=id, purpose=purpose)
        made = Members.CheckpointKey.create(kid=key_id(checkpoint_key), node=id)
        schedule(made, "begin_checkpoint_key", tx.time + Duration(seconds=1))
        event("node.registered", id=id, member=tx.member)

    @action(by="governor")
    def set_own_node(tx, node: Node, address: Text[0, 260], url: Text[0, 300]):
        """Says where a node of the member that signs is reached now."""
        require(node.holder == member_id(tx.member), "{id} is no node of yours", id=node.id)
        require(address == "" or is_address(address), "{address} is not HOST:PORT", address=address)
        require(url == "" or is_url(url), "{url} is not http://HOST:PORT or https://HOST:PORT", url=url)
        node.address = address
        node.url = url
        event("node.changed", id=node.id)

    @action(by="governor", on="Pending")
    def node_is_ready(tx, node: Node, checkpoint: Bytes[1, 2048]):
        """Says that a node of the member that signs has everything: a recent checkpoint of its own, as others have it.

        Nobody else needs to look: what its vote counts is its member's own, whatever the node does with it.
        """
        require(node.holder == member_id(tx.member), "{id} is no node of yours", id=node.id)
        node.ready = tx.time
        event("node.ready", id=node.id, checkpoint=checkpoint)

    @action(by="governor", on=["Pending", "Trusted"], to="Retired")
    def retire_own_node(tx, node: Node):
        """Retires a node of the member that signs, for good; its power goes to the member's other nodes, if there are."""
        require(node.holder == member_id(tx.member), "{id} is no node of yours", id=node.id)
        if node.is_trusted:
            others = 0
            for other in Members.Node.select(by="is_trusted", equal=True, limit=NODES_MAX):
                if other.id != node.id and (not node.is_voter or other.is_voter):
                    others += 1
            require(others > 0, "it is the last: another node must be trusted first")
        node.holder = ""
        node.is_trusted = False
        node.changed += 1
        Members.Retirement.create(node=node.id)
        for key in Members.Key.select(by="holder", equal=node.id, limit=1000):
            if key.owner_kind == "node":
                key.status = "retired"
                key.holder = ""
        if node.is_voter:
            voting = Members.Voting.get(SCOPE)
            if not voting.is_moving:
                voting.is_moving = True
                schedule(voting, "move_powers", tx.time + Duration(seconds=STEP_SECONDS))
        event("node.retired", id=node.id)

    @action(by="schedule")
    def move_powers(tx, voting: Voting):
        """Moves the powers of nodes towards what their members' weights give them, by less than a third of all.

        What grows comes first, so the whole never falls below what it was or will be. Blocks whose time differs have
        different heights of the engine too, so each step is one that engines are told of by itself.
        """
        total = 0
        heavy = 0
        counts: dict[Text[1, 32], int, 512] = {}
        weights: dict[Text[1, 32], int, 512] = {}
        for node in Members.Node.select(by="is_voter", equal=True, limit=512):
            total += node.power
            owner = Members.Member.get(node.member)
            if node.is_trusted and not owner.removed:
                counts[node.member] = counts.get(node.member, 0) + 1
                if counts[node.member] == 1:
                    weights[node.member] = owner.weight
                    heavy += owner.weight
        budget = (total - 1) // 3
        if total == 0:
            budget = POWERS_MAX
        room = POWERS_MAX - total
        moved: list[EnginePower, 512] = []
        is_done = True
        for grows in [True, False]:
            for node in Members.Node.select(by="is_voter", equal=True, limit=512):
                goal = node.power  # if nobody is left to have power, it stays where it is
                if node.is_trusted and node.member in counts:
                    weight = weights[node.member]
                    if heavy == 0:
                        weight = 1
                    goal = weight * POWER // counts[node.member]
                elif len(counts) > 0:
                    goal = 0
                change = 0
                if grows and goal > node.power:
                    change = min(goal - node.power, budget, room)
                    room -= change
                    budget -= change
                elif not grows and goal < node.power:
                    change = -min(node.power - goal, budget)
                    budget += change
                if change != 0:
                    node.power += change
                    moved.append(EnginePower(engine_key=node.engine_key, power=node.power))
                if not grows and goal != node.power:
                    is_done = False
                if not grows and node.power == 0 and not node.is_trusted:
                    node.is_voter = False
        if len(moved) > 0:
            voting.steps += 1
            Members.PowerStep.create(number=voting.steps, powers=moved)
            event("powers.moved", step=voting.steps, powers=moved)
        voting.is_moving = not is_done
        if not is_done:
            schedule(voting, "move_powers", tx.time + Duration(seconds=STEP_SECONDS))

    # People who sign in

    @action(by="member")
    def register_session(
        tx,
        issuer: Text[1, 64],
        spki: Bytes[1, 256],
        pseudonym: Bytes[16, 16],
        token: Hash,
        until: Instant,
        attributes: list[Text[1, 64], 32],
        held: bool,
    ):
        """Registers a key for a person who signed in, till their token ends: the member's node signs that it did.

        The user is named by the pseudonym, and has the attributes that this token confers: the last one says what counts.
        """
        me = member_id(tx.member)
        require(tx.user is None, "the member's own key signs")
        known = Members.Issuer.get(issuer)
        require(known.member == me and not known.removed, "{id} signs in for others", id=issuer)
        require(until <= tx.time + Duration(hours=SESSION_HOURS_MAX), "a session lasts {h} hours", h=SESSION_HOURS_MAX)
        require(until > tx.time, "the token has ended")
        conferred: list[Text[1, 64], 32] = []
        for rule in known.rules:
            conferred.append(rule.attribute)
        for one in attributes:
            require(one in conferred, "{id} confers no {attribute}", id=issuer, attribute=one)
        name = me + "/" + pseudonym.hex()
        user = Members.User.find(name)
        if user is None:
            Members.User.create(id=name, member=me, name="signed in by " + issuer, attributes=once(attributes))
        else:
            require(not user.removed, "{id} was removed", id=name)
            if user.attributes != once(attributes):
                user.attributes = once(attributes)
                user.changed += 1
        kid = key_id(spki)
        named = Members.NamedKey.find(kid)
        if named is not None:
            p = Members.Proposal.get(named.proposal)
            require(
                p.state != "Open" and (p.state != "Accepted" or p.applied is not None), "a proposal names this key"
            )
        count = 0
        ended = 0
        for old in Members.Key.select(by="holder", equal=name, limit=1000):
            end = old.until
            if end is not None:
                if end >= tx.time:
                    count += 1
                elif ended < 4:  # more than come in, and so few that no registration is too dear
                    ended += 1
                    old.holder = ""
        require(count < SESSIONS_MAX, "{id} has {most} sessions", id=name, most=SESSIONS_MAX)
        Members.Key.create(
            kid=kid,
            spki=spki,
            owner_kind="user",
            owner=name,
            holder=name,
            purpose="transaction",
            until=until,
        )
        Members.Session.create(
            kid=kid,
            user=name,
            issuer=issuer,
            pseudonym=pseudonym,
            token=token,
            held=held,
            began=tx.time,
            until=until,
        )
        event("session.began", kid=kid, user=name, issuer=issuer, until=until, held=held)

    # Proposals

    @action(by="governor")
    def propose(tx, title: Text[1, 80], steps: list[Step, 32], closes: Instant | None):
        """Puts a proposal to the vote; its id is the transaction's. Members have 30 days unless `closes` says else."""
        end = tx.time + Duration(days=OPEN_DAYS)
        if closes is not None:
            end = closes
        require(
            end > tx.time + Duration(seconds=1) and end <= tx.time + Duration(days=OPEN_DAYS_MAX),
            "a proposal is open for {days} days at most",
            days=OPEN_DAYS_MAX,
        )
        require(len(steps) > 0, "a proposal does something")
        me = member_id(tx.member)
        own = 0
        for other in Members.Docket.select(by="holder", equal=me, limit=OWN_PROPOSALS_MAX):
            own += 1
        require(own < OWN_PROPOSALS_MAX, "{most} of your proposals are open already", most=OWN_PROPOSALS_MAX)
        if own > 0:  # one is always free, or some members could keep others from proposing anything
            count = 0
            for other in Members.Docket.select(by="holder", least="0", limit=PROPOSALS_MAX):
                count += 1
            require(count < PROPOSALS_MAX, "{most} proposals are open already", most=PROPOSALS_MAX)

        acts: list[Act, 32] = []
        spots: list[Text[0, 150], 32] = []
        kids: list[Hash, 256] = []
        length = 0
        for step in steps:
            require(step.name != "exclude_transaction", "a transaction is excluded by statements made offline")
            require(is_action(step.name), "there is no action {name}", name=step.name)
            require(spot(step) not in spots, "two actions are about the same: {spot}", spot=spot(step))
            spots.append(spot(step))
            length += len(step.source)
            kind = about(step.name)
            member: Text[1, 32] | None = None
            if kind == "Member":
                require(is_name(step.subject, 32, "-"), "{id} is no name of a member", id=step.subject)
                if step.name != "set_member":
                    require(Members.Member.exists(step.subject), "there is no member {id}", id=step.subject)
                    member = step.subject
            elif kind == "User":
                require(is_user_name(step.subject), "{id} is no MEMBER/NAME", id=step.subject)
                of = step.subject.split("/")[0]
                require(Members.Member.exists(of), "there is no member {id}", id=of)
                member = of
            elif kind == "Deployment" or step.name == "set_library":
                require(is_name(step.subject, 48, "_"), "{id} is no name of a contract", id=step.subject)
                require(step.subject != CONSTITUTION, "the constitution is changed by set_constitution")
            elif kind == "Issuer":
                require(is_name(step.subject, 64, ".-"), "{id} is no name of an issuer", id=step.subject)
                if step.name == "set_jwt_issuer":
                    of = step.texts.get("member", "")
                    require(is_name(of, 32, "-") and Members.Member.exists(of), "there is no member {id}", id=of)
                    member = of
            elif kind == "Reference":
                require(len(step.subject) > 0, "reference data has a name")
            elif kind == "Node":
                require(is_name(step.subject, 32, "-"), "{id} is no name of a node", id=step.subject)
                node = Members.Node.find(step.subject)
                require(node is not None, "there is no node {id}", id=step.subject)
                if node is not None:
                    member = node.member
                    require(node.state != "Retired", "{id} is retired already", id=step.subject)
                    if step.name == "trust_node":
                        require(node.state == "Pending", "{id} is trusted already", id=step.subject)
                        require(node.ready is not None, "{id} has not been said to be ready", id=step.subject)
            else:
                require(step.subject == "", "{name} has no subject", name=step.name)
            attributes: list[Text[1, 64], 32] = []
            if step.attributes is not None:
                attributes = step.attributes
            digest: Hash | None = None
            if step.source != "":
                digest = sha256(step.source)
            for key in step.keys:
                kids.append(key_id(key.spki))
            acts.append(
                Act(
                    name=step.name,
                    subject=step.subject,
                    member=member,
                    attributes=attributes,
                    weight=step.weight,
                    digest=digest,
                )
            )
        require(length <= SOURCES_CHARS_MAX, "the sources of a proposal have {most} characters", most=SOURCES_CHARS_MAX)
        require(len(kids) <= PROPOSED_KEYS_MAX, "a proposal has {most} keys at most", most=PROPOSED_KEYS_MAX)
        for kid in kids:
            require(not Members.Key.exists(kid), "key {kid} is registered already", kid=kid)
            named = Members.NamedKey.find(kid)
            if named is None:
                Members.NamedKey.create(kid=kid, proposal=tx.id)
            else:
                require(named.proposal != tx.id, "key {kid} is there twice", kid=kid)
                p = Members.Proposal.get(named.proposal)
                require(
                    p.state != "Open" and (p.state != "Accepted" or p.applied is not None),
                    "another proposal names key {kid}",
                    kid=kid,
                )
                named.proposal = tx.id

        current = Members.Constitution.get(SCOPE)
        if not (len(acts) == 1 and acts[0].name == "set_constitution"):
            electors: list[Elector, 1024] = []
            for one in Members.Member.select(by="removed", equal=False, limit=MEMBERS_MAX):
                electors.append(Elector(id=one.id, weight=one.weight, attributes=one.attributes))
            question = Question(proposer=tx.member, actions=acts, votes=[])
            problems = Rules.validate(proposal=question, members=electors)
            require(len(problems) == 0, "the constitution objects: {problems}", problems=problems)

        Members.Proposal.create(
            id=tx.id,
            title=title,
            proposer=tx.member,
            constitution=current.digest,
            actions=acts,
            state="Open",
            opened=tx.time,
            closes=end,
        )
        Members.Docket.create(id=tx.id, holder=me)
        all = Members.Actions.create(id=tx.id, steps=steps)
        schedule(all, "close", end)
        event("proposal.opened", id=tx.id, title=title, proposer=tx.member, closes=end)

    @action(by="governor", on="Open")
    def vote(tx, proposal: Proposal, yes: bool, constitution: Hash):
        """Says yes or no to a proposal, once, under the constitution whose digest is given."""
        name = member_id(tx.member)
        me = Members.Member.get(name)
        kept: list[Ballot, 1024] = []
        for ballot in proposal.ballots:
            if ballot.member == name:
                require(ballot.revoked != me.revoked, "{member} has voted already", member=name)
            else:
                kept.append(ballot)
        require(constitution == proposal.constitution, "the proposal was made under another constitution")
        kept.append(Ballot(member=name, yes=yes, revoked=me.revoked, at=tx.time))
        proposal.ballots = kept
        event("proposal.voted", id=proposal.id, member=tx.member, yes=yes)

    @action(by="governor", on="Open")
    def recount(tx, proposal: Proposal):
        """Has the votes counted again, after members or their weights have changed."""
        proposal.is_open = True  # it is; but so it is written, and what was written is counted
        event("proposal.recounted", id=proposal.id, member=tx.member)

    @action(by="governor", on=["Open", "Accepted"], to="Withdrawn")
    def withdraw(tx, proposal: Proposal):
        """Takes back a proposal of one's own that is open, or waits for the time lock."""
        require(proposal.proposer == tx.member, "only {member} can take it back", member=proposal.proposer)
        require(proposal.applied is None, "it was carried out")
        proposal.is_open = False
        proposal.due = None
        docket = Members.Docket.get(proposal.id)
        docket.holder = ""
        docket.is_open = False
        event("proposal.withdrawn", id=proposal.id)

    # What ledger time does about a proposal

    @action(by="schedule")
    def close(tx, all: Actions):
        """Drops a proposal that was open for too long."""
        p = Members.Proposal.get(all.id)
        if p.state == "Open":
            p.is_open = False
            p.reason = "its time ran out"
            docket = Members.Docket.get(p.id)
            docket.holder = ""
            docket.is_open = False
            event("proposal.dropped", id=p.id, reason=p.reason)
            become(p, "Dropped")

    @action(by="schedule")
    def ripen(tx, p: Proposal):
        """Ends the time lock of an accepted proposal: it is counted again, then carried out."""
        if p.state == "Accepted" and p.applied is None:
            p.due = None

    # What follows from a proposal or a ballot in the same entry: see `hansa.governance.sequel`

    @action(by="schedule", on=["Open", "Accepted"], to=["Open", "Accepted", "Dropped"])
    def compare(tx, p: Proposal):
        """Binds a new proposal to the records that it is about, as they are; drops it if one is another since."""
        rules = Members.Constitution.get(SCOPE)
        now: list[Touch, 33] = [Touch(record="Constitution", key=SCOPE, changed=rules.changed)]
        for act in p.actions:
            kind = about(act.name)
            key = act.subject
            changed = -1
            if kind == "Member":
                member = Members.Member.find(key)
                if member is not None:
                    changed = member.changed
                    if act.name == "remove_member":
                        changed = 1 if member.removed else 0
            elif kind == "User":
                user = Members.User.find(key)
                if user is not None:
                    changed = user.changed
                    if act.name == "remove_user":
                        changed = 1 if user.removed else 0
            elif kind == "Deployment":
                deployment = Members.Deployment.find(key)
                if deployment is not None:
                    changed = deployment.changed
                    if act.name != "set_contract":
                        changed = 1 if deployment.paused else 0
            elif kind == "Issuer":
                issuer = Members.Issuer.find(key)
                if issuer is not None:
                    changed = issuer.changed
            elif kind == "Reference":
                reference = Members.Reference.find(key)
                if reference is not None:
                    changed = reference.changed
            elif kind == "Node":
                changed = Members.Node.get(key).changed
            elif act.name == "set_limits":
                kind = "Limits"
                key = SCOPE
                changed = Members.Limits.get(SCOPE).changed
            if kind != "":
                now.append(Touch(record=kind, key=key, changed=changed))
        reason = ""
        if not p.is_compared:
            p.is_compared = True
            p.touches = now
        elif rules.digest != p.constitution:
            reason = "the constitution is another since"
        elif p.touches[0] != now[0]:
            reason = "the constitution or its time lock was set since"
        elif p.touches != now:
            reason = "what it is about changed since"
        elif p.state == "Open" and tx.time >= p.closes:
            reason = "its time ran out"
        if reason != "":
            p.is_open = False
            p.reason = reason
            docket = Members.Docket.get(p.id)
            docket.holder = ""
            docket.is_open = False
            event("proposal.dropped", id=p.id, reason=reason)
            become(p, "Dropped")
        elif p.state == "Open":
            become(p, "Open")
        else:
            become(p, "Accepted")

    @action(by="schedule", on=["Open", "Accepted"], to=["Open", "Accepted", "Rejected", "Dropped"])
    def tally(tx, p: Proposal):
        """Counts what active members said, and asks the constitution what it comes to, within the floor."""
        electors: list[Elector, 1024] = []
        for one in Members.Member.select(by="removed", equal=False, limit=MEMBERS_MAX):
            electors.append(Elector(id=one.id, weight=one.weight, attributes=one.attributes))
        votes: list[Vote, 1024] = []
        yes = 0
        for ballot in p.ballots:
            voter = Members.Member.get(ballot.member)
            if not voter.removed and voter.revoked == ballot.revoked:
                votes.append(Vote(member=ballot.member, yes=ballot.yes))
                if ballot.yes:
                    yes += 1
        p.yes = yes
        p.electors = len(electors)
        locks = False
        floor = 0
        for act in p.actions:
            if act.name == "set_constitution":
                locks = True
            if needs_two(act.name):
                floor = 2 if len(electors) > 1 else 0
        answer = "Accepted"
        if yes < len(electors):
            question = Question(proposer=p.proposer, actions=p.actions, votes=votes)
            answer = Rules.resolve(proposal=question, members=electors)
            if answer == "Accepted" and yes < floor:
                answer = "Open"
            if answer == "Rejected" and yes == len(votes):
                answer = "Open"
        if p.state == "Accepted":
            if answer == "Accepted":
                become(p, "Accepted")
            else:
                p.reason = "it has not the votes any more"
                event("proposal.dropped", id=p.id, reason=p.reason)
                become(p, "Dropped")
        elif answer == "Accepted":
            p.is_open = False
            docket = Members.Docket.get(p.id)
            docket.holder = ""
            docket.is_open = False
            if locks:
                at = tx.time + Duration(milliseconds=Members.Constitution.get(SCOPE).lock)
                p.due = at
                schedule(p, "ripen", at)
            event("proposal.accepted", id=p.id, due=p.due)
            become(p, "Accepted")
        elif answer == "Rejected":
            p.is_open = False
            docket = Members.Docket.get(p.id)
            docket.holder = ""
            docket.is_open = False
            event("proposal.rejected", id=p.id)
            become(p, "Rejected")
        else:
            become(p, "Open")

    @action(by="schedule", on="Accepted")
    def begin(tx, p: Proposal):
        """Finds what is to be done for an accepted proposal: its actions, and what the constitution lets follow."""
        removals = 0
        for act in p.actions:
            if act.name == "remove_member":
                removals += 1
        if removals > 0:
            require(removals < p.electors, "an active member always remains")
            require(removals + 1 < p.electors or p.yes == p.electors, "only all can leave less than two members")
        todo: list[Doing, 128] = []
        if len(p.actions) == 1 and p.actions[0].name == "set_constitution":
            todo.append(Doing(step=0, act=p.actions[0]))
        else:
            electors: list[Elector, 1024] = []
            for one in Members.Member.select(by="removed", equal=False, limit=MEMBERS_MAX):
                electors.append(Elector(id=one.id, weight=one.weight, attributes=one.attributes))
            for place in range(len(p.actions)):
                act = p.actions[place]
                own = 0
                for next in Rules.apply(step=act, members=electors):
                    if next.name == act.name and next.subject == act.subject:
                        own += 1
                        todo.append(Doing(step=place, act=act))
                    else:
                        require(can_follow(next.name), "{name} cannot follow from another action", name=next.name)
                        require(
                            p.yes > 1 or p.electors < 2 or not needs_two(next.name),
                            "{name}, which follows, needs the yes of two members",
                            name=next.name,
                        )
                        todo.append(Doing(step=-1, act=next))
                require(own == 1, "the constitution does not let {name} happen once", name=act.name)
        p.todo = todo

    @action(by="schedule", on="Accepted")
    def finish(tx, p: Proposal):
        """All of a proposal is done."""
        p.todo = []
        p.at = 0
        p.applied = tx.time
        event("proposal.applied", id=p.id)

    @action(by="schedule", on="Accepted", to="Failed")
    def fail(tx, p: Proposal):
        """Nothing of a proposal is done: something in it was refused. The entry's event `proposal.failed` says what."""
        p.reason = "it could not be carried out"

    # The steps, each the next of `todo`

    @action(by="schedule", on="Accepted")
    def do_set_member(tx, p: Proposal):
        """Admits a member."""
        step = Members.Actions.get(p.id).steps[p.todo[p.at].step]
        p.at += 1
        id = step.subject
        attributes: list[Text[1, 64], 32] = []
        if step.attributes is not None:
            attributes = step.attributes
        weight = 1
        if step.weight is not None:
            weight = step.weight
        require(are_for_members(attributes), "members cannot have these attributes")
        require(step.title != "", "a member has a name")
        count = 0
        for other in Members.Member.select(by="removed", equal=False, limit=MEMBERS_MAX):
            count += 1
        require(count < MEMBERS_MAX, "a ledger has {most} members at most", most=MEMBERS_MAX)
        Members.Member.create(id=id, name=step.title, attributes=once(attributes), weight=weight)
        governs = False
        acts = False
        for key in step.keys:
            require(
                key.purpose == "governance" or key.purpose == "transaction",
                "a member has no keys for {purpose}",
                purpose=key.purpose,
            )
            governs = governs or key.purpose == "governance"
            acts = acts or key.purpose == "transaction"
            Members.Key.create(
                kid=key_id(key.spki),
                spki=key.spki,
                owner_kind="member",
                owner=id,
                holder=id,
                purpose=key.purpose,
                expires=key.expires,
            )
        require(governs and acts, "a member has a governance and a transaction key")
        event("member.added", id=id, name=step.title)

    @action(by="schedule", on="Accepted")
    def do_remove_member(tx, p: Proposal):
        """Removes a member: none of its keys and its users' counts any more, and its nodes are retired.

        A trusted node stays as it is where no other member has one that could go on in its place.
        """
        member = Members.Member.get(p.todo[p.at].act.subject)
        p.at += 1
        require(not member.removed, "{id} is removed already", id=member.id)
        member.removed = True
        member.changed += 1
        for docket in Members.Docket.select(by="holder", equal=member.id, limit=OWN_PROPOSALS_MAX):
            docket.holder = ""
        trusted = 0
        voters = 0
        for other in Members.Node.select(by="is_trusted", equal=True, limit=NODES_MAX):
            if other.member != member.id:
                trusted += 1
                voters += 1 if other.is_voter else 0
        moves = False
        for node in Members.Node.select(by="holder", equal=member.id, limit=OWN_NODES_MAX):
            if not node.is_trusted or voters > 0 or (trusted > 0 and not node.is_voter):
                moves = moves or node.is_voter
                node.holder = ""
                node.is_trusted = False
                node.changed += 1
                Members.Retirement.create(node=node.id)
                for key in Members.Key.select(by="holder", equal=node.id, limit=1000):
                    if key.owner_kind == "node":
                        key.status = "retired"
                        key.holder = ""
                event("node.retired", id=node.id)
                become(node, "Retired")
        voting = Members.Voting.get(SCOPE)
        if moves and not voting.is_moving:
            voting.is_moving = True
            schedule(voting, "move_powers", tx.time + Duration(seconds=STEP_SECONDS))
        event("member.removed", id=member.id)

    @action(by="schedule", on="Accepted")
    def do_set_member_data(tx, p: Proposal):
        """Changes a member's name, attributes or weight."""
        doing = p.todo[p.at]
        p.at += 1
        member = Members.Member.get(doing.act.subject)
        require(not member.removed, "{id} is removed", id=member.id)
        if doing.step >= 0:
            step = Members.Actions.get(p.id).steps[doing.step]
            if step.title != "":
                member.name = step.title
            if step.attributes is not None:
                member.attributes = once(step.attributes)
        else:
            member.attributes = once(doing.act.attributes)
        if doing.act.weight is not None:
            member.weight = doing.act.weight
            voters = 0
            for node in Members.Node.select(by="is_voter", equal=True, limit=1):
                voters += 1
            voting = Members.Voting.get(SCOPE)
            if voters > 0 and not voting.is_moving:
                voting.is_moving = True
                schedule(voting, "move_powers", tx.time + Duration(seconds=STEP_SECONDS))
        require(are_for_members(member.attributes), "members cannot have these attributes")
        member.changed += 1
        event("member.changed", id=member.id, attributes=member.attributes, weight=member.weight)

    @action(by="schedule", on="Accepted")
    def do_set_member_keys(tx, p: Proposal):
        """Gives a member keys, and revokes its others of the same purposes."""
        step = Members.Actions.get(p.id).steps[p.todo[p.at].step]
        p.at += 1
        member = Members.Member.get(step.subject)
        require(not member.removed, "{id} is removed", id=member.id)
        require(len(step.keys) > 0, "there is no key")
        purposes: list[Text[4, 16], 8] = []
        for key in step.keys:
            require(
                key.purpose == "governance" or key.purpose == "transaction",
                "a member has no keys for {purpose}",
                purpose=key.purpose,
            )
            purposes.append(key.purpose)
        revoked = 0
        for old in Members.Key.select(by="holder", equal=member.id, limit=1000):
            if old.owner_kind == "member" and old.purpose in purposes:
                old.status = "revoked"
                old.holder = ""
                revoked += 1
        event("keys.revoked", owner=member.id, count=revoked)
        for key in step.keys:
            kid = key_id(key.spki)
            Members.Key.create(
                kid=kid,
                spki=key.spki,
                owner_kind="member",
                owner=member.id,
                holder=member.id,
                purpose=key.purpose,
                expires=key.expires,
            )
            event("key.registered", kid=kid, owner=member.id, purpose=key.purpose)
        if "governance" in purposes:
            member.revoked += 1
        member.changed += 1

    @action(by="schedule", on="Accepted")
    def do_set_user(tx, p: Proposal):
        """Adds a user."""
        step = Members.Actions.get(p.id).steps[p.todo[p.at].step]
        p.at += 1
        id = step.subject
        member = Members.Member.get(id.split("/")[0])
        require(not member.removed, "{id} is removed", id=member.id)
        attributes: list[Text[1, 64], 32] = []
        if step.attributes is not None:
            attributes = step.attributes
        require(are_for_users(attributes), "users cannot have these attributes")
        require(step.title != "", "a user has a name")
        Members.User.create(id=id, member=member.id, name=step.title, attributes=once(attributes))
        for key in step.keys:
            require(key.purpose == "transaction", "a user has no keys for {purpose}", purpose=key.purpose)
            Members.Key.create(
                kid=key_id(key.spki),
                spki=key.spki,
                owner_kind="user",
                owner=id,
                holder=id,
                purpose="transaction",
                expires=key.expires,
            )
        event("user.added", id=id)

    @action(by="schedule", on="Accepted")
    def do_remove_user(tx, p: Proposal):
        """Removes a user: none of its keys counts any more."""
        user = Members.User.get(p.todo[p.at].act.subject)
        p.at += 1
        require(not user.removed, "{id} is removed already", id=user.id)
        user.removed = True
        user.changed += 1
        event("user.removed", id=user.id)

    @action(by="schedule", on="Accepted")
    def do_set_user_data(tx, p: Proposal):
        """Changes a user's name or attributes."""
        doing = p.todo[p.at]
        p.at += 1
        user = Members.User.get(doing.act.subject)
        require(not user.removed, "{id} is removed", id=user.id)
        if doing.step >= 0:
            step = Members.Actions.get(p.id).steps[doing.step]
            if step.title != "":
                user.name = step.title
            if step.attributes is not None:
                user.attributes = once(step.attributes)
        else:
            user.attributes = once(doing.act.attributes)
        require(are_for_users(user.attributes), "users cannot have these attributes")
        user.changed += 1
        event("user.changed", id=user.id)

    @action(by="schedule", on="Accepted")
    def do_set_contract(tx, p: Proposal):
        """Deploys a contract, or puts its next version in place."""
        step = Members.Actions.get(p.id).steps[p.todo[p.at].step]
        p.at += 1
        name = step.subject
        version = contract_version(name, step.source)
        digest = sha256(step.source)
        deployment = Members.Deployment.find(name)
        if deployment is None:
            Members.Deployment.create(name=name, version=version, digest=digest)
            event("contract.deployed", name=name, version=version, digest=digest)
        else:
            event("contract.upgraded", name=name, before=deployment.version, version=version)
            deployment.version = version
            deployment.digest = digest
            deployment.changed += 1
        Members.Version.create(
            id=name + "@" + version, contract=name, version=version, digest=digest, source=step.source
        )

    @action(by="schedule", on="Accepted")
    def do_set_library(tx, p: Proposal):
        """Puts a library on the ledger."""
        step = Members.Actions.get(p.id).steps[p.todo[p.at].step]
        p.at += 1
        digest = library_digest(step.subject, step.source)
        Members.Library.create(digest=digest, name=step.subject, source=step.source)
        event("library.deployed", name=step.subject, digest=digest)

    @action(by="schedule", on="Accepted")
    def do_pause_contract(tx, p: Proposal):
        """Pauses a contract: its actions are refused, its views go on."""
        deployment = Members.Deployment.get(p.todo[p.at].act.subject)
        p.at += 1
        require(not deployment.paused, "{name} is paused already", name=deployment.name)
        deployment.paused = True
        deployment.changed += 1
        event("contract.paused", name=deployment.name)

    @action(by="schedule", on="Accepted")
    def do_resume_contract(tx, p: Proposal):
        """Ends a contract's pause."""
        deployment = Members.Deployment.get(p.todo[p.at].act.subject)
        p.at += 1
        require(deployment.paused, "{name} is not paused", name=deployment.name)
        deployment.paused = False
        deployment.changed += 1
        event("contract.resumed", name=deployment.name)

    @action(by="schedule", on="Accepted")
    def do_set_constitution(tx, p: Proposal):
        """Puts another constitution in force from the next entry on; without a source, another time lock alone."""
        step = Members.Actions.get(p.id).steps[p.todo[p.at].step]
        p.at += 1
        rules = Members.Constitution.get(SCOPE)
        lock = step.numbers.get("lock_ms", rules.lock)
        require(
            lock >= LOCK_MS_MIN and lock <= LOCK_MS_MAX,
            "a time lock has {least} to {most} ms",
            least=LOCK_MS_MIN,
            most=LOCK_MS_MAX,
        )
        if step.source != "":
            rules.version = contract_version(CONSTITUTION, step.source)
            rules.digest = sha256(step.source)
            if not Members.ConstitutionText.exists(rules.digest):
                Members.ConstitutionText.create(digest=rules.digest, version=rules.version, source=step.source)
        rules.lock = lock
        rules.changed += 1
        event("constitution.set", version=rules.version, digest=rules.digest, lock=lock)

    @action(by="schedule", on="Accepted")
    def do_set_limits(tx, p: Proposal):
        """Changes limits of blocks and transactions; those of governance stand apart, and are no one's to change."""
        numbers = Members.Actions.get(p.id).steps[p.todo[p.at].step].numbers
        p.at += 1
        for name in numbers:
            require(is_limit(name), "there is no limit {name}", name=name)
        limits = Members.Limits.get(SCOPE)
        limits.block_entries = numbers.get("block_entries", limits.block_entries)
        limits.block_bytes = numbers.get("block_bytes", limits.block_bytes)
        limits.block_steps = numbers.get("block_steps", limits.block_steps)
        limits.transaction_bytes = numbers.get("transaction_bytes", limits.transaction_bytes)
        limits.transaction_steps = numbers.get("transaction_steps", limits.transaction_steps)
        limits.scheduled_entries = numbers.get("scheduled_entries", limits.scheduled_entries)
        limits.scheduled_steps = numbers.get("scheduled_steps", limits.scheduled_steps)
        limits.changed += 1
        event("limits.set", limits=numbers)

    @action(by="schedule", on="Accepted")
    def do_set_jwt_issuer(tx, p: Proposal):
        """Lets an issuer of ID tokens sign in users of a member, or changes how."""
        step = Members.Actions.get(p.id).steps[p.todo[p.at].step]
        p.at += 1
        texts = step.texts
        member = Members.Member.get(texts["member"])
        require(not member.removed, "{id} is removed", id=member.id)
        algorithms: list[Text[1, 16], 16] = []
        for one in texts["algorithms"].split(","):
            require(is_token_algorithm(one), "tokens are not signed by {algorithm}", algorithm=one)
            algorithms.append(one)
        rules: list[Rule, 16] = []
        for name in texts:
            if name.startswith("rule"):
                parts = texts[name].split("\n")
                require(len(parts) == 3, "a rule is a claim, its value and an attribute, a line each")
                require(are_for_users([parts[2]]), "users cannot have {attribute}", attribute=parts[2])
                rules.append(Rule(claim=parts[0], value=parts[1], attribute=parts[2]))
        issuer = Members.Issuer.find(step.subject)
        if issuer is None:
            Members.Issuer.create(
                id=step.subject,
                member=member.id,
                url=texts["url"],
                tenant=texts.get("tenant", ""),
                audience=texts["audience"],
                algorithms=algorithms,
                rules=rules,
            )
        else:
            issuer.member = member.id
            issuer.url = texts["url"]
            issuer.tenant = texts.get("tenant", "")
            issuer.audience = texts["audience"]
            issuer.algorithms = algorithms
            issuer.rules = rules
            issuer.removed = False
            issuer.changed += 1
        event("issuer.set", id=step.subject, member=member.id)

    @action(by="schedule", on="Accepted")
    def do_remove_jwt_issuer(tx, p: Proposal):
        """Has an issuer sign in nobody any more."""
        issuer = Members.Issuer.get(p.todo[p.at].act.subject)
        p.at += 1
        require(not issuer.removed, "{id} is removed already", id=issuer.id)
        issuer.removed = True
        issuer.changed += 1
        event("issuer.removed", id=issuer.id)

    @action(by="schedule", on="Accepted")
    def do_set_reference(tx, p: Proposal):
        """Puts reference data on the ledger, or replaces it."""
        step = Members.Actions.get(p.id).steps[p.todo[p.at].step]
        p.at += 1
        valid_from = step.numbers["valid_from"]
        reference = Members.Reference.find(step.subject)
        if reference is None:
            Members.Reference.create(name=step.subject, valid_from=valid_from, data=step.source)
            event("reference.added", name=step.subject, valid_from=valid_from)
        else:
            require(
                valid_from >= reference.valid_from,
                "the data before is valid from {before}",
                before=reference.valid_from,
            )
            reference.valid_from = valid_from
            reference.data = step.source
            reference.changed += 1
            event("reference.set", name=step.subject, valid_from=valid_from)

    @action(by="schedule", on="Accepted")
    def do_trust_node(tx, p: Proposal):
        """Trusts a node that is ready: it signs for its member, and gets its part of the member's power."""
        node = Members.Node.get(p.todo[p.at].act.subject)
        p.at += 1
        require(node.state == "Pending", "{id} is trusted or retired already", id=node.id)
        require(node.ready is not None, "{id} has not been said to be ready", id=node.id)
        count = 0
        for other in Members.Node.select(by="is_trusted", equal=True, limit=NODES_MAX):
            count += 1
        require(count < NODES_MAX, "a ledger has {most} trusted nodes at most", most=NODES_MAX)
        node.is_trusted = True
        node.changed += 1
        if node.peer != "":
            node.is_voter = True
            voting = Members.Voting.get(SCOPE)
            if not voting.is_moving:
                voting.is_moving = True
                schedule(voting, "move_powers", tx.time + Duration(seconds=STEP_SECONDS))
        event("node.trusted", id=node.id)
        become(node, "Trusted")

    @action(by="schedule", on="Accepted")
    def do_retire_node(tx, p: Proposal):
        """Retires a node for good: it is let in no more, and what it signs from the next entry on does not count."""
        node = Members.Node.get(p.todo[p.at].act.subject)
        p.at += 1
        require(node.state != "Retired", "{id} is retired already", id=node.id)
        if node.is_trusted:
            others = 0
            for other in Members.Node.select(by="is_trusted", equal=True, limit=NODES_MAX):
                if other.id != node.id and (not node.is_voter or other.is_voter):
                    others += 1
            require(others > 0, "it is the last: another node must be trusted first")
        node.holder = ""
        node.is_trusted = False
        node.changed += 1
        Members.Retirement.create(node=node.id)
        for key in Members.Key.select(by="holder", equal=node.id, limit=1000):
            if key.owner_kind == "node":
                key.status = "retired"
                key.holder = ""
        if node.is_voter:
            voting = Members.Voting.get(SCOPE)
            if not voting.is_moving:
                voting.is_moving = True
                schedule(voting, "move_powers", tx.time + Duration(seconds=STEP_SECONDS))
        event("node.retired", id=node.id)
        become(node, "Retired")

    # What applications and people ask

    @view
    def get_node(tx, id: Text[1, 32]) -> NodeInfo:
        """A node."""
        one = Members.Node.get(id)
        state = "Pending"
        if one.state == "Trusted":
            state = "Trusted"
        elif one.state == "Retired":
            state = "Retired"
        return NodeInfo(
            id=id,
            member=one.member,
            state=state,
            url=one.url,
            peer=one.peer,
            address=one.address,
            engine_key=one.engine_key,
            ready=one.ready,
            power=one.power,
        )

    @view
    def get_member(tx, id: Text[1, 32]) -> MemberInfo:
        """A member."""
        one = Members.Member.get(id)
        return MemberInfo(id=id, name=one.name, attributes=one.attributes, weight=one.weight, removed=one.removed)

    @view
    def get_members(tx) -> list[MemberInfo, 500]:
        """The active members, by id."""
        found: list[MemberInfo, 500] = []
        for one in Members.Member.select(by="removed", equal=False, limit=MEMBERS_MAX):
            found.append(
                MemberInfo(
                    id=one.id, name=one.name, attributes=one.attributes, weight=one.weight, removed=one.removed
                )
            )
        return found

    @view
    def get_proposal(tx, id: Hash) -> ProposalInfo:
        """A proposal, and who said what."""
        p = Members.Proposal.get(id)
        state = "Open"
        if p.state == "Accepted":
            state = "Accepted"
        elif p.state == "Rejected":
            state = "Rejected"
        elif p.state == "Withdrawn":
            state = "Withdrawn"
        elif p.state == "Failed":
            state = "Failed"
        elif p.state == "Dropped":
            state = "Dropped"
        return ProposalInfo(
            id=id,
            title=p.title,
            proposer=p.proposer,
            state=state,
            constitution=p.constitution,
            actions=p.actions,
            ballots=p.ballots,
            opened=p.opened,
            closes=p.closes,
            due=p.due,
            applied=p.applied,
            reason=p.reason,
        )

    @view
    def get_open_proposals(tx) -> list[Hash, 1000]:
        """The ids of the proposals that are voted on; of a thousand at most."""
        found: list[Hash, 1000] = []
        for docket in Members.Docket.select(by="is_open", equal=True, limit=1000):
            found.append(docket.id)
        return found

    @view
    def get_constitution(tx) -> ConstitutionInfo:
        """The constitution in force."""
        rules = Members.Constitution.get(SCOPE)
        return ConstitutionInfo(version=rules.version, digest=rules.digest, lock=rules.lock)

    @view
    def get_limits(tx) -> LimitsInfo:
        """The limits in force."""
        now = Members.Limits.get(SCOPE)
        return LimitsInfo(
            block_entries=now.block_entries,
            block_bytes=now.block_bytes,
            block_steps=now.block_steps,
            transaction_bytes=now.transaction_bytes,
            transaction_steps=now.transaction_steps,
            scheduled_entries=now.scheduled_entries,
            scheduled_steps=now.scheduled_steps,
        )
