"""Every expected failure: a stable code, an HTTP status, what happened and what to do about it.

All rooms raise `HansaError` with a code from `KINDS`; `api` turns it into RFC 9457 problem+json, `cli`
into two lines. The page of error codes is generated from `KINDS`, so a code without a remedy cannot exist.
An exception that is not a `HansaError` is a defect of ours and never reaches a user as text.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

TYPE_BASE: Final = "/problems/"
"""Relative to the node that answered (RFC 9457 section 3.1.1): it serves a page for each code itself."""


class Kind(msgspec.Struct, frozen=True):
    """What is always true of one code."""

    status: int  # HTTP
    title: str
    remedy: str


class HansaError(Exception):
    """An expected failure. `code` is stable; `detail` says what happened here; `fields` are facts for machines.

    Fields come from other nodes too: whatever they are named, they collide with no argument but `remedy`.
    """

    def __init__(self, code: str, detail: str = "", /, *, remedy: str = "", **fields: object) -> None:
        self.kind = KINDS[code]
        self.code = code
        self.detail = detail or self.kind.title
        self.remedy = remedy or self.kind.remedy
        self.fields: Mapping[str, object] = fields
        super().__init__(f"{code}: {self.detail}")

    def problem(self) -> dict[str, object]:
        """The failure as an RFC 9457 problem document."""
        return {
            "type": f"{TYPE_BASE}{self.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "code": self.code,
            "remedy": self.remedy,
            **self.fields,
        }


_ENCODE_AGAIN: Final = (
    "Encode the message again with the SDK, or by the CDDL on the page on the wire format (RFC 8949 section 4.2.1)."
)
_FRESH_COPY: Final = "Ask whoever gave you the file for a fresh copy; do not rely on this one."
_FRESH_INVITE: Final = "Ask the inviting member for a new one: `hansa network invite DIR --member MEMBER`."
_OTHER_VERSION: Final = "Run the version of Hansa that wrote it, or start a new ledger: formats of version 0 change."
_SEND_ANOTHER: Final = "Mend the cause and sign a new transaction; this one stays on the ledger as refused."
_RESTORE: Final = (
    "Stop here. Keep the folder as it is, run `hansa audit DIR`, and restore from a backup or another copy."
)
_MEND_CONTRACT: Final = "The contract's authors must mend it; the line is in the result."

KINDS: Final[Mapping[str, Kind]] = {
    # Deterministic CBOR
    "cbor.truncated": Kind(400, "The CBOR item is cut off", _ENCODE_AGAIN),
    "cbor.trailing": Kind(400, "Bytes follow the CBOR item", _ENCODE_AGAIN),
    "cbor.form": Kind(400, "The CBOR is not in its one deterministic form", _ENCODE_AGAIN),
    "cbor.type": Kind(400, "The CBOR holds a type outside the profile", _ENCODE_AGAIN),
    "cbor.key": Kind(400, "The CBOR holds a map key that is not text", _ENCODE_AGAIN),
    "cbor.integer": Kind(400, "An integer does not fit 64 bits", "Send integers in -2^63..2^63-1."),
    "cbor.text": Kind(400, "Text is not valid UTF-8", "Send text as UTF-8 without surrogates."),
    "cbor.depth": Kind(400, "Arrays and maps are nested too deeply", "Nest at most 16 levels."),
    # Envelopes, keys, signatures
    "envelope.oversized": Kind(413, "The envelope is too large", "Keep large data outside and send its digest."),
    "envelope.form": Kind(400, "The message is not a COSE_Sign1 envelope", _ENCODE_AGAIN),
    "envelope.unprotected": Kind(
        400, "The unprotected header is not empty", "Leave it empty: what is not signed cannot be relied on."
    ),
    "envelope.header": Kind(400, "The protected header is not in its one form", _ENCODE_AGAIN),
    "envelope.content_type": Kind(
        415, "The envelope was signed for another purpose", "Sign with the content type of the message you send."
    ),
    "signature.size": Kind(400, "The signature has the wrong size", "Sign again with ES256 or Ed25519."),
    "key.unsupported": Kind(400, "The key is of a kind the ledger does not use", "Use a P-256 or an Ed25519 key."),
    "key.invalid": Kind(400, "The key is not a sound public key", "Make a new key; this one must not be registered."),
    "key.file": Kind(400, "The key file cannot be read", "Point to a PEM file written by `hansa` or OpenSSL."),
    "key.too_long": Kind(400, "A key or an indexed value is too long", "Keep keys within 400 bytes once encoded."),
    # Messages
    "transaction.field": Kind(400, "A field of the transaction is missing, unknown or out of range", _ENCODE_AGAIN),
    "transaction.version": Kind(400, "The transaction is of another format", "Use a client of this node's version."),
    "entry.form": Kind(422, "These bytes are not an entry", _FRESH_COPY),
    "outcome.form": Kind(422, "These bytes are not an outcome", _FRESH_COPY),
    "writes.form": Kind(422, "These bytes are not a write set", _FRESH_COPY),
    "block.form": Kind(422, "These bytes are not a block", _RESTORE),
    "block.version": Kind(422, "The block is of another format", _OTHER_VERSION),
    "genesis.form": Kind(422, "The genesis document is not sound", "Mend every problem listed and try again."),
    "genesis.version": Kind(422, "The genesis document is of another format", _OTHER_VERSION),
    "request.digest": Kind(400, "An identifier is malformed", "Give all 64 hexadecimal digits, in lower case."),
    # The tree and its receipts
    "tree.range": Kind(404, "The tree has no such entry or size", "Ask for a seq below the ledger's size."),
    "tree.path": Kind(422, "The proof has the wrong length", _FRESH_COPY),
    "receipt.form": Kind(422, "This is not a receipt", _FRESH_COPY),
    "receipt.header": Kind(422, "The receipt's signed header is not one the ledger makes", _FRESH_COPY),
    "receipt.size": Kind(422, "The receipt claims another tree size than was signed", _FRESH_COPY),
    "receipt.key_unknown": Kind(
        422,
        "The receipt is signed by a key that is not pinned",
        "Pin the ledger's genesis, or the right key; if its keys changed, have `hansa trust export FILE` run.",
    ),
    "receipt.invalid": Kind(
        422,
        "The signature does not cover this entry: the entry or the receipt was changed",
        "Do not rely on it. Fetch entry and receipt again from a node you trust and compare.",
    ),
    "receipt.inconsistent": Kind(
        422,
        "The proof does not show that the later tree begins with the earlier one",
        "Fetch the proof again. If it fails again, keep both checkpoints: history was rewritten, and they show it.",
    ),
    "verify.genesis": Kind(
        422, "The genesis document is another ledger's", "Get the document of the ledger whose id you pinned."
    ),
    "verify.key": Kind(
        422, "The key is none of the ledger's checkpoint keys", "Find out which of the two is wrong; rely on neither."
    ),
    "verify.ledger": Kind(
        422, "The receipt is another ledger's", "Pin the ledger the receipt is for, if you trust it."
    ),
    "verify.clock": Kind(
        422,
        "The receipt and the genesis document differ on whether the ledger's time is told",
        "Rely on neither: whoever signed the receipt hides what the ledger is.",
    ),
    "verify.envelope": Kind(422, "The envelope is not the one the entry commits to", _FRESH_COPY),
    "verify.outcome": Kind(422, "The outcome is not the one the entry commits to", _FRESH_COPY),
    "verify.id": Kind(422, "The envelope's id is not the entry's", _FRESH_COPY),
    "receipt.span": Kind(
        422,
        "The receipt is signed by a key that did not count at its size",
        "Do not rely on it: a key that was retired or not yet registered was used. Get a fresh receipt from a node.",
    ),
    "receipt.members": Kind(
        422,
        "Too few members have signed the same",
        "Ask again for receipts by so many members, from another node too; or rely on fewer, if that is enough for you.",
    ),
    "receipt.k": Kind(
        409,
        "More members are asked to sign than have nodes",
        "Ask for at most as many as have nodes, or for `default`.",
    ),
    "receipt.split": Kind(
        409,
        "Members have signed different histories of this ledger",
        "Rely on neither. Keep the receipts and show them to all members: they prove who signed what.",
    ),
    "receipt.unlinked": Kind(
        422,
        "The receipt is signed by a former key, and nothing shows that it is of the ledger's history",
        "Export the trust file again with --receipt and this receipt, or get a fresh one: `hansa receipt get SEQ`.",
    ),
    "trust.form": Kind(422, "This is not a trust file", "Have it exported again: `hansa trust export FILE`."),
    "trust.version": Kind(422, "The trust file is of another format", _OTHER_VERSION),
    "trust.chain": Kind(
        422,
        "The key changes in the trust file do not follow from the ledger's genesis",
        "Do not rely on it. Have it exported again by a member you trust, and compare what they give you.",
    ),
    "trust.current": Kind(
        409,
        "There is no checkpoint under a current key yet",
        "Have the node run with the file of its registered checkpoint key in DIR/keys; a second later there is one.",
    ),
    "trust.late": Kind(
        409,
        "This node was not there when checkpoint keys changed",
        "Export it from a node that was: nobody else has what the keys of that time signed.",
    ),
    "split.form": Kind(422, "This is not a proof of a split view", _FRESH_COPY),
    "split.version": Kind(422, "The proof of a split view is of another format", _OTHER_VERSION),
    "split.none": Kind(
        422,
        "The signed heads can all be true, so they prove no split view",
        "Accuse nobody by it. Compare what the members show yourself: `hansa compare URL URL`.",
    ),
    "audit.executed": Kind(500, "Executing an entry again does not give what stands there", _RESTORE),
    # Messages of SWIFT
    "swift.form": Kind(
        422, "This is not a SWIFT message as it is sent", "Have it sent again as a FIN file, every byte as it was."
    ),
    "swift.type": Kind(422, "SWIFT messages of this type are not read", "Send a type that is listed."),
    "swift.fields": Kind(
        422,
        "The fields of a SWIFT message are not right",
        "Have the sender mend every problem listed; nothing is guessed.",
    ),
    # Ordering engines
    "engine.missing": Kind(503, "The ordering engine is not built on this machine", "Run `hansa engines build`."),
    "engine.binary": Kind(
        400,
        "The engine's program cannot be run",
        "Name the engine's own program, executable and made for this machine; or name none, and `hansa engines build`.",
    ),
    "engine.version": Kind(
        409,
        "The engine is of a version that Hansa does not work with",
        "Install a version that fits, or name no program of your own: `hansa engines build` makes the right one.",
    ),
    "engine.go": Kind(
        503,
        "There is no Go to build the engine with",
        "Install Go (https://go.dev/dl) or let pip reach PyPI, then run the command again.",
    ),
    "engine.build": Kind(
        500,
        "The engine could not be built",
        "Mend what Go says, then run it again. Sources come from GOPROXY, by default https://proxy.golang.org.",
    ),
    # What lies on disk
    "journal.missing": Kind(500, "A segment of the journal is missing", _RESTORE),
    "journal.header": Kind(500, "The header of a journal segment is damaged or in the wrong place", _RESTORE),
    "journal.foreign": Kind(500, "A journal segment belongs to another ledger", _RESTORE),
    "journal.format": Kind(500, "The journal is in another format", _OTHER_VERSION),
    "journal.corrupt": Kind(500, "The journal is damaged where it was once whole", _RESTORE),
    "journal.chain": Kind(500, "A part of the journal does not follow the part before it", _RESTORE),
    "journal.faulted": Kind(
        500, "Writing failed earlier and what is on the disk is unknown", "Look at the disk, then start the node again."
    ),
    "journal.oversized": Kind(
        500,
        "A block is larger than the journal can hold",
        "Start the node again; if it happens again, report it: the ledger's limits should not allow this.",
    ),
    "disk.full": Kind(
        503, "The disk is full", "Make room; the node takes transactions again by itself, and nothing was lost."
    ),
    "tiles.differ": Kind(500, "A stored hash of the tree is not the tree's", "Start the node again: it rebuilds them."),
    "checkpoint.damaged": Kind(
        500, "A stored checkpoint is damaged", "Receipts use the next one; restore the file if you have it."
    ),
    "genesis.copy": Kind(
        500, "The copy of the genesis document is not the journal's", "Start the node: it writes it again."
    ),
    "tiles.short": Kind(500, "Hashes of the tree are missing on disk", "Start the node: it rebuilds them."),
    "state.unreadable": Kind(500, "The state database cannot be read", "Start the node: it rebuilds the state."),
    "state.corrupt": Kind(
        500, "A record in the state does not match its checksum", "Start the node again: it rebuilds the state."
    ),
    "snapshot.none": Kind(404, "There is no such snapshot here", "`GET /node/snapshots` lists those that there are."),
    "snapshot.form": Kind(422, "This is not a snapshot", "Load another: no honest node hands out such a one."),
    "snapshot.chunk": Kind(
        422, "A part of the snapshot is not what its digest says", "Load it from another member's node."
    ),
    "snapshot.old": Kind(
        422, "What is handed out is older than what was seen before", "Ask other members' nodes, which are up to date."
    ),
    "snapshot.busy": Kind(503, "Others copy much from this node now", "Ask again after Retry-After, or another node."),
    "snapshot.failed": Kind(
        503,
        "The state cannot be digested",
        "Mend the cause; the node tries again by itself, and goes on when it has the digest.",
    ),
    "folder.none": Kind(
        404, "There is no ledger in this folder", "Name the right folder, or make one: `hansa up --data DIR`."
    ),
    "folder.taken": Kind(409, "There is a ledger in this folder already", "Choose an empty folder."),
    "folder.format": Kind(422, "The folder was made by another version", _OTHER_VERSION),
    "folder.foreign": Kind(409, "The folder holds other things than a ledger", "Name an empty or a new folder."),
    "folder.access": Kind(
        500,
        "A file of the ledger cannot be read or written",
        "Look at its permissions and at the disk; if it is damaged, restore a backup.",
    ),
    "network.none": Kind(
        404,
        "There is no network in this folder",
        "Name the right folder, or make one: `hansa network new DIR --topology multi-member`.",
    ),
    "network.taken": Kind(409, "There is a network in this folder already", "Choose a new folder."),
    "network.form": Kind(
        422,
        "A file of the network is not as this version writes it",
        "Put back what `hansa network new` wrote, or make the network again.",
    ),
    "network.alone": Kind(
        409,
        "A node of a network does not go on alone",
        "Put back the `orderer.json` that the node had beside its ledger; alone it would write another history.",
    ),
    "network.ports": Kind(
        409, "Ports of the network are taken", "Stop what listens there: `ss -ltnp` shows it, then start again."
    ),
    "network.start": Kind(
        503,
        "Not every node of the network is ready",
        "Look at the log that is named; `hansa network logs DIR` shows it.",
    ),
    "network.stop": Kind(500, "Not every node of the network has stopped", "Look at its log, then end the process."),
    "network.retired": Kind(
        409,
        "The node was retired",
        "Add another: `hansa network node add DIR --member MEMBER`; this one ended for good.",
    ),
    # Invites
    "invite.form": Kind(400, "This is no invite", _FRESH_INVITE),
    "invite.proof": Kind(403, "The invite is not signed by the key that it names", _FRESH_INVITE),
    "invite.expired": Kind(403, "The invite counts no more", _FRESH_INVITE),
    "invite.ledger": Kind(
        409,
        "The invite is to another ledger",
        "Ask the inviting member which ledger it meant, by another way than the one the file came by.",
    ),
    "invite.signer": Kind(
        403,
        "The invite is not signed by a member of the ledger",
        "Do not rely on it: ask a member for one that is signed with its registered governance key.",
    ),
    "invite.history": Kind(
        409,
        "The ledger's history is not the one that the invite shows",
        "Rely on nothing here. Keep the folder and the invite, and show both to several members.",
    ),
    "invite.nodes": Kind(
        503,
        "No node that the invite names gives the ledger's genesis document",
        "Ask the inviting member whether its nodes run and can be reached from here, then join again.",
    ),
    "backup.exists": Kind(409, "The backup file exists", "Choose another name; backups are never overwritten."),
    "backup.form": Kind(422, "The file is not a whole backup of this format", "Name a file that `hansa backup` wrote."),
    "backup.damaged": Kind(422, "The backup is damaged", "Use another backup; what was unpacked must not be used."),
    "backup.running": Kind(
        409,
        "A node with the same checkpoint key runs on this machine",
        "Stop the original first: two would fork the ledger.",
    ),
    "folder.locked": Kind(409, "Another process uses this ledger", "Stop the other process, or use its URL."),
    "folder.lock": Kind(500, "The lock file cannot be made", "Make its folder writable for this user."),
    "journal.lost_tail": Kind(500, "The journal ends before entries that were durable once", _RESTORE),
    "journal.diverged": Kind(500, "A stored checkpoint does not fit the journal", _RESTORE),
    "block.root": Kind(500, "A block's entries do not give its root", _RESTORE),
    "block.chain": Kind(500, "A block does not go on from the one before", _RESTORE),
    "block.writes": Kind(500, "A write set is not what its outcome commits to", _RESTORE),
    "genesis.lost": Kind(
        500, "The genesis document is lost", "Put the document back as DIR/genesis.cbor; any member has it."
    ),
    "peers.form": Kind(
        422,
        "The file of the node's peers cannot be read",
        'Write it as {"version": 0, "peers": ["http://127.0.0.1:PORT"]}, or remove it: then nobody else is asked to sign.',
    ),
    "peers.url": Kind(
        422,
        "A peer's URL is not one that can be asked",
        "Give each peer as https://HOST:PORT, where it listens by TLS; on this machine http://127.0.0.1:PORT will do.",
    ),
    "checkpoint.none": Kind(404, "There is no such checkpoint", "Ask for the newest one, or a size it was signed for."),
    "checkpoint.invalid": Kind(
        422, "A checkpoint's signature is not good", "Rely on nothing this node says; find out who answers at its URL."
    ),
    "ledger.forked": Kind(
        409,
        "The ledger does not continue the one that was seen before",
        "Stop relying on it, and keep the memory. `hansa compare URL URL` asks what the members' nodes show.",
    ),
    "ledger.shrunken": Kind(
        409,
        "The ledger has fewer entries than were seen before",
        "Ask its operator: a restored backup shows as this, and so does rewritten history. Ask another node too.",
    ),
    "memory.file": Kind(
        422,
        "The file that remembers the last checkpoint cannot be used",
        "Restore it, or name another file: then the ledger as it is now is where trust begins.",
    ),
    "memory.ledger": Kind(
        409, "The file remembers another ledger", "Name another file, or the ledger that the file is of."
    ),
    "key.exists": Kind(409, "There is a key file already", "Choose another path; keys are never overwritten."),
    "key.exposed": Kind(403, "Others can read this private key", "Run `chmod 600 FILE`, and think whether it leaked."),
    "key.checkpoint": Kind(
        500,
        "The node has no checkpoint key that counts, so there are no receipts for what is new",
        "Put the registered key's file into DIR/keys as checkpoint-NAME.pem; the node takes it without a restart.",
    ),
    "key.node": Kind(
        500,
        "The node has no key of its own that counts, so deadlines wait for the next transaction",
        "Put the registered key's file into DIR/keys as node-NAME.pem; the node takes it without a restart.",
    ),
    "node.retired": Kind(
        500,
        "This node was retired: others let it in no more, and nothing that it signs counts",
        "Stop it; what it has can be read and audited for ever. A node that takes its place is registered anew.",
    ),
    "key.expires": Kind(
        500,
        "A key expires soon, or has",
        "Register a new key and retire this one: see the page on rotating keys. The key goes on counting until then.",
    ),
    # The node
    "node.not_loopback": Kind(
        403,
        "This takes a loopback address",
        "Use 127.0.0.1. Others reach a node by TLS: `hansa up --listen ADDRESS`.",
    ),
    "node.unreachable": Kind(503, "The node does not answer", "Start it with `hansa up`, or give its URL with --url."),
    "node.silent": Kind(
        503,
        "The node takes connections and does not answer",
        "Look at its log: it may be busy, suspended, or without a disk; `hansa doctor` looks at the machine.",
    ),
    "node.foreign": Kind(502, "What answers is not a Hansa node", "Check the URL, and any proxy on the way to it."),
    "node.ledger": Kind(409, "The node keeps another ledger", "Check its URL, and the id of the ledger that is meant."),
    "node.newer": Kind(502, "The node refuses with a code that this version does not know", "Update this client."),
    "node.port": Kind(409, "The port cannot be used", "Choose another port with --port."),
    "node.starting": Kind(503, "The node is starting", "Come back in a moment."),
    "node.stopping": Kind(
        503, "The node is stopping", "Send the same transaction again in a moment; that is always safe."
    ),
    "node.faulted": Kind(
        500,
        "The node has stopped for good",
        "Look at its log and disk, then start it again; send again what has no answer.",
    ),
    "engine.none": Kind(404, "The order has no engine that is asked", "Ask a node of a network over CometBFT."),
    "engine.silent": Kind(503, "The ordering engine does not answer now", "Come back in a moment."),
    "engine.start": Kind(500, "The ordering engine cannot be started", "Build it: `hansa engines build`."),
    "engine.keys": Kind(
        500,
        "The ordering engine's keys are not those that the network knows",
        "Put back the key files of this node; a node never votes with another's.",
    ),
    "clock.behind": Kind(503, "The node's clock is behind the ledger", "Set the clock; the node goes on by itself."),
    "clock.jumped": Kind(
        503, "The node's clock jumped", "Set the clock right, or restart the node if it is right now."
    ),
    "clock.real": Kind(
        409,
        "This ledger's time is real: nobody tells it",
        "A ledger for demonstrations, whose time is told, is made by `hansa up --clock TIME` in a new folder.",
    ),
    "clock.backward": Kind(409, "A clock that is told moves only forward", "Give a later time."),
    "clock.moving": Kind(
        409, "The clock is being put forward by somebody else", "Wait until it is there, then say where it is to go on."
    ),
    "clock.ahead": Kind(
        500,
        "The node's clock is far ahead of the ledger",
        "Set the clock, or start with --accept-clock if it is right.",
    ),
    "queue.full": Kind(503, "The node's queue is full", "Send again after the time given in Retry-After."),
    "queue.share": Kind(
        503, "This member's share of the queue is full", "Send again after the time given in Retry-After."
    ),
    "sender.unknown": Kind(403, "No member or user has this key", "Sign with a registered key."),
    "sender.revoked": Kind(
        403,
        "The key counts no more",
        "Sign with a key that is active. A member that has none left is given others by a vote; one that was removed "
        "is not.",
    ),
    "sender.expired": Kind(403, "The session of this key has ended", "Sign in again, with a new key."),
    "sender.asserted": Kind(
        403, "This takes a key that whoever signs holds", "Sign in with a key of your own: a member cannot assert this."
    ),
    "sender.purpose": Kind(
        403,
        "The key is for another purpose",
        "Sign proposals, votes and changes of keys with a governance key, everything else with a transaction key.",
    ),
    "sender.algorithm": Kind(403, "The key is registered for another algorithm", "Name the key's own algorithm."),
    "signature.invalid": Kind(403, "The signature does not verify", "Sign the transaction again with the right key."),
    "signature.key": Kind(
        400, "Another key is to sign this", "Sign with the key that the file names, or prepare another for this key."
    ),
    "signature.high_s": Kind(
        403, "The ES256 signature has a high s", "Replace s by n - s before sending; the id stays."
    ),
    "transaction.ledger": Kind(
        400, "The transaction is for another ledger", "Sign for this ledger's id: GET /node/status."
    ),
    "transaction.expired": Kind(
        400, "The transaction's not_after has passed", "Sign a new one; this one has no effect."
    ),
    "transaction.too_far": Kind(400, "not_after is more than an hour ahead", "Sign with a nearer not_after."),
    "transaction.duplicate": Kind(409, "The transaction has an entry already", "Ask for it: GET /app/transactions/ID."),
    "steps.limit": Kind(400, "steps_max is beyond the ledger's limit", "Sign with a smaller steps_max."),
    "transaction.excluded": Kind(
        200,
        "The ledger's members excluded the transaction: it was not run",
        "Ask them for the reason; what is wanted takes another transaction, in another form.",
    ),
    "proposal.form": Kind(
        400, "This is no proposal", "Mend what is listed; the page on the actions of governance says what each takes."
    ),
    "proposal.unknown": Kind(
        404, "There is no such proposal", "Check the id; `hansa proposal list` shows those there are."
    ),
    "proposal.other": Kind(
        422, "This is another proposal than the one that is to be signed about", "Sign nothing; prepare it again."
    ),
    "proposal.vain": Kind(
        422,
        "It could not be carried out as things are now",
        "Mend it; `hansa proposal plan` shows what would come of it.",
    ),
    "proposal.ballot": Kind(404, "The member has not voted on it", "Look at the proposal: it lists those who have."),
    "proposal.late": Kind(
        422,
        "The ballot comes too late, or again",
        "`hansa proposal show` says how it stands; --force sends the ballot anyway.",
    ),
    "proposal.path": Kind(
        409,
        "The envelope says another thing than the path",
        "Send it to the path of what it does: its proposal, its member.",
    ),
    "proposal.busy": Kind(503, "Too many plans are being made", "Ask again in a moment."),
    "exclusion.form": Kind(
        400, "The statement is malformed", "Make it with `hansa tx exclude`, alike for all signers."
    ),
    "exclusion.ledger": Kind(
        400,
        "The statement is for another ledger",
        "Have it signed for this ledger: `hansa tx exclude ID --ledger LEDGER`.",
    ),
    "exclusion.signer": Kind(
        403, "The statement counts for nothing", "Have a member sign, with a registered governance key."
    ),
    "exclusion.minority": Kind(
        403,
        "Too few members signed",
        "Collect as many statements as the constitution asks for, and give them together.",
    ),
    "exclusion.late": Kind(
        409, "The transaction has its entry already", "Leave it: what has an entry does not run again."
    ),
    # Reading from elsewhere
    "reader.token": Kind(
        401,
        "Who reads here shows a token, and there is none that counts",
        "Read with a registered key: `--reader FILE`, or `key=` in the SDK, which then get a token by themselves.",
    ),
    "reader.off": Kind(
        404, "This node asks nobody for tokens", "Read on loopback without one; others reach it by `hansa up --listen`."
    ),
    "reader.form": Kind(
        400, "The request for a token is malformed", "Make it with the SDK, or by the page on the wire."
    ),
    "reader.challenge": Kind(
        403, "The challenge does not count", "Ask the node for a new one: each serves once, here, for a minute."
    ),
    "reader.unknown": Kind(
        403, "Nobody reads with this key", "Use a key of an active member, of one of its users, or of a node of it."
    ),
    "reader.signature": Kind(403, "The signature of the request for a token does not verify", "Sign it again."),
    "reader.node": Kind(
        403, "This is for the ledger's nodes", "Ask as a node, by its registered key; or on the node's own machine."
    ),
    "reader.busy": Kind(
        429, "Too many requests for tokens come from there", "Keep the token that you have; try later."
    ),
    "tls.untrusted": Kind(
        502,
        "What answers has no certificate that counts",
        "Check the URL. Give the ledger's id, or with --certificates the file that the node's operator hands out.",
    ),
    "tls.unregistered": Kind(
        502,
        "What answers has a certificate, and its key is that of no node of the ledger",
        "Check the URL and the ledger's id. Of a node that joined later, ask one from the ledger's beginning first.",
    ),
    "tls.files": Kind(
        422,
        "The certificate, or its key, cannot be used",
        "Give both as PEM files, the key readable by its owner alone.",
    ),
    "tls.names": Kind(
        422,
        "Nobody can tell by what name the node is reached",
        "Listen on the address itself, or say with --hostname by which names and addresses others reach it.",
    ),
    # Signing in
    "session.off": Kind(
        404, "This node signs nobody in", "Ask your own member's node; it is started with `hansa up --sign-in FILE`."
    ),
    "session.form": Kind(
        400, "The request for a session is malformed", "Make it with the SDK or `hansa user sign-in`."
    ),
    "session.proof": Kind(
        403, "The request is not signed by the session's key", "Sign it with the key whose digest is the token's nonce."
    ),
    "session.unknown": Kind(403, "The node holds no such session", "Sign in again: such sessions end with the node."),
    "session.full": Kind(503, "The node holds as many sessions as it can", "Try again in a while."),
    "session.asserted": Kind(
        403, "The node signs no such action for a person", "Sign in with a key of your own, and sign it yourself."
    ),
    "session.refused": Kind(
        409,
        "The ledger refuses the session",
        "Mend what it says: the user may have been removed, or the key may have been used before.",
    ),
    "session.settings": Kind(500, "The settings for signing in do not serve", "Mend the file, then start again."),
    "session.flow": Kind(400, "The issuer gave no token", "Sign in again; ask whoever runs the issuer if it stays so."),
    "token.form": Kind(
        400, "This is no ID token", "Give the ID token as the issuer made it, not another kind of token."
    ),
    "token.algorithm": Kind(
        403,
        "The token is not signed as the ledger asks for",
        "Have the issuer sign with an algorithm that the ledger's record of it names; shared secrets never count.",
    ),
    "token.issuer": Kind(
        403,
        "The token is of no issuer that signs in for this member",
        "Sign in at an issuer of this member: `hansa query members Issuer`.",
    ),
    "token.audience": Kind(403, "The token is for another application", "Sign in with the client id in the record."),
    "token.tenant": Kind(403, "The token is of another tenant", "Sign in at the tenant that the record names."),
    "token.unknown_key": Kind(
        403, "The issuer has no key that the token names", "Sign in again in a minute: its keys may have changed."
    ),
    "token.signature": Kind(403, "The issuer did not sign this token", "Sign in again at the issuer."),
    "token.time": Kind(403, "The token has ended, or is not valid yet", "Sign in again; look at this machine's clock."),
    "token.nonce": Kind(
        403,
        "The token is not for this key",
        "Begin the sign-in with the key's digest as its nonce, and give that token.",
    ),
    "issuer.unreachable": Kind(
        503, "The issuer does not answer", "Try again in a while; the member's node must reach it over https."
    ),
    "issuer.answer": Kind(503, "The issuer's answer cannot be used", "Ask whoever runs the issuer."),
    "issuer.url": Kind(
        400, "The issuer's address is not one that tokens may come from", "Use https; http only on this machine."
    ),
    "batch.void": Kind(
        500, "An ordered batch broke its bounds and counts for nothing", "Sign and send again; report it."
    ),
    "batch.form": Kind(500, "An ordered batch cannot be read and counts for nothing", "Report it with the node's log."),
    "orderer.halted": Kind(
        503,
        "Nothing can be put in order now",
        "Reading goes on; send again when enough nodes are up. `hansa status` says who is missing.",
    ),
    "orderer.degraded": Kind(503, "The order goes on without somebody", "Bring the missing nodes up again."),
    "orderer.diverged": Kind(
        500,
        "The order is not the one that this node has followed",
        "Stop it and find out why before anything else: never heal it by deleting files.",
    ),
    "orderer.settings": Kind(
        500, "The settings of the orderer do not serve", "Mend orderer.json, or make the network again."
    ),
    "node.defect": Kind(
        500, "An unexpected failure: a defect of Hansa", "Report it with what you sent; the node goes on."
    ),
    "answer.late": Kind(
        504,
        "No answer in time: the outcome is unknown",
        "Send the same bytes again, or GET /app/transactions/ID; both are safe.",
    ),
    "answer.unknown": Kind(
        504,
        "No answer came: whether the transaction has its entry is unknown",
        "Ask for its id, or send the same bytes again; both are safe. A new transaction could have the effect twice.",
    ),
    "answer.unproven": Kind(
        502,
        "The transaction has its entry, but no receipt proves it yet",
        "Ask for the receipt of its seq later. If it does not verify then, rely on nothing this node says.",
    ),
    "batch.count": Kind(400, "Too many transactions in one request", "Send at most 1,000 in one request."),
    "batch.empty": Kind(400, "The request holds no transaction", "Send at least one envelope."),
    "request.oversized": Kind(413, "The request's body is too large", "Split it."),
    "request.content_type": Kind(415, "The content type is not taken here", "Send one of the types listed."),
    "request.api_version": Kind(
        400, "The version of the interface is missing or another", "Add `?api-version=2026-11-01` to the path."
    ),
    "request.query": Kind(400, "The query is malformed", "Use the parameters that the API description names."),
    "request.wait": Kind(400, "wait=accepted is for single transactions", "Leave it out for a batch."),
    "request.host": Kind(400, "The Host header does not name this node", "Use the URL that the node printed."),
    "request.origin": Kind(
        403,
        "A page of another site must not ask for this",
        "Ask from a program, or from a page of this node's own URL.",
    ),
    "request.json": Kind(
        400, "The body is not a JSON object with whole numbers", "Send an object of arguments by name."
    ),
    "request.part": Kind(404, "An entry has no such part", "Ask for one of those listed."),
    "request.path": Kind(404, "There is nothing at this path", "GET /openapi.json describes what there is."),
    "request.method": Kind(405, "The path does not take this method", "GET /openapi.json describes what there is."),
    "request.form": Kind(400, "The request is malformed", "GET /openapi.json describes what there is."),
    "view.refused": Kind(422, "The view cannot answer for these arguments", "See `outcome` and `result`."),
    "events.id": Kind(400, "This is no id of an event", "Give SEQ-N, as an event has it, or SEQ for a whole entry."),
    "events.beyond": Kind(
        409,
        "The ledger has no such event",
        "Check that this is the ledger the id is of; it may have been restored from a backup.",
    ),
    "events.order": Kind(
        502, "The stream of events goes backwards", "Check what stands between here and the node; do not rely on it."
    ),
    "events.ledger": Kind(
        409, "The events are of another ledger", "Check the URL, and what the position that was kept is of."
    ),
    "events.full": Kind(
        503, "The node has as many event streams open as it may", "Come back after the time given in Retry-After."
    ),
    "forward.url": Kind(400, "Events cannot be forwarded to this URL", "Give an http or https URL."),
    "forward.refused": Kind(
        502,
        "The receiver refuses an event for good",
        "Mend the receiver or its URL and start again: with --position it goes on at this event.",
    ),
    "forward.position": Kind(
        409,
        "The position file is not of these events",
        "Name another file, or move this one away to begin anew.",
    ),
    "entry.unknown": Kind(404, "There is no such entry", "Ask for a seq below the ledger's size."),
    "read.behind": Kind(
        503, "This node does not have that entry yet", "Ask again in a moment, or another node; nothing was read."
    ),
    "read.unsure": Kind(
        503,
        "Nobody can say whether this node has seen everything",
        "Ask again in a moment, or without `consistency=linear` for what this node has.",
    ),
    "record.unknown": Kind(404, "There is no such record", "Check the key; GET the record type for a page of them."),
    "record.type": Kind(404, "The contract has no such record type", "Ask for one of those listed."),
    "contract.missing": Kind(404, "There is no such contract", "GET /app/contracts lists those deployed."),
    "view.missing": Kind(404, "The contract has no such view", "Ask for one of those listed."),
    "argument.action": Kind(404, "There is no such action, record or view", "Use one of those named."),
    "argument.file": Kind(400, "A file cannot be read", "Check its name and permissions."),
    "argument.exists": Kind(409, "A file is there already", "Choose another name, or replace it with --force."),
    "argument.extra": Kind(
        501, "A command needs a package that is not installed", "Install Hansa with the extra that is named."
    ),
    "argument.value": Kind(400, "An argument does not fit", "Mend what is named here."),
    "calendar.extra": Kind(500, "What calendars are made of is not installed", "Run `pip install holidays tzdata`."),
    "calendar.file": Kind(400, "A file is no calendar", "`hansa calendar make PLACE YEAR` shows the form."),
    "query.value": Kind(400, "A value in the query does not fit its field", "Give a value of the field's type."),
    "query.cursor": Kind(
        400, "The cursor is malformed, or of another query", "Use `next` of the page before as it is, and ask the same."
    ),
    "query.range": Kind(
        400, "The bounds of the query do not go together", "Give one value of an index, or `least` up to `most`."
    ),
    "query.index": Kind(400, "There is no index on this field", "Ask by key, or by one of the indexed fields."),
    # Contracts: before they run
    "contract.invalid": Kind(
        422, "The contract file cannot be deployed", "Mend the findings; `hansa contract check FILE` shows them."
    ),
    # Contracts: outcomes of transactions
    "constitution.invalid": Kind(
        200,
        "The file is no constitution",
        "Mend what the message says; `hansa contract check FILE --constitution` tells everything.",
    ),
    "require.failed": Kind(200, "A rule of the contract refused the action", _SEND_ANOTHER),
    "role.denied": Kind(200, "The signer may not take this action", "Have it signed by a member in the role."),
    "arguments.invalid": Kind(200, "The arguments do not fit the action", "Mend every argument listed and sign again."),
    "contract.unknown": Kind(
        200, "There is no such contract", "Check the name; GET /app/contracts lists those deployed."
    ),
    "contract.paused": Kind(
        200,
        "The contract is paused: its actions are not taken, its views go on",
        "Send it again when the members have resumed the contract.",
    ),
    "contract.version": Kind(
        200, "Another version of the contract runs", "Sign for the version that runs, or name none."
    ),
    "contract.name": Kind(
        200, "The contract's name is taken or malformed", "Choose lower-case letters, digits, underscores."
    ),
    "action.unknown": Kind(200, "The contract has no such action", "`hansa contract show NAME` lists them."),
    "precondition.failed": Kind(200, "A record changed since it was read", "Read it again, decide again, sign again."),
    "record.exists": Kind(200, "The record to be made exists already", "Choose another key."),
    "steps.exceeded": Kind(200, "The action needs more steps than it was given", "Sign again with a larger steps_max."),
    "value.none": Kind(200, "A value that is needed is absent", _MEND_CONTRACT),
    "value.form": Kind(200, "A text has not the form that an operation needs", _SEND_ANOTHER),
    "value.made": Kind(200, "The action makes more in memory than it may", _MEND_CONTRACT),
    "value.range": Kind(200, "A number left its range", "Use smaller numbers; ask the contract's authors if in doubt."),
    "value.bounds": Kind(200, "A value does not fit its field", "Send values within the declared bounds."),
    "value.size": Kind(200, "A value grew too large", _MEND_CONTRACT),
    "value.currency": Kind(200, "Currencies differ or a code is malformed", "Use the currency of the record."),
    "value.division": Kind(200, "A division by zero", _MEND_CONTRACT),
    "index.range": Kind(200, "A list has no such item", _MEND_CONTRACT),
    "key.missing": Kind(200, "A map has no such key", _MEND_CONTRACT),
    "call.depth": Kind(200, "Functions or contracts call each other too deep", _MEND_CONTRACT),
    "call.reentrant": Kind(200, "A contract is called that waits for this call", _MEND_CONTRACT),
    "call.result": Kind(
        200,
        "Another contract returned what its interface does not say",
        "Have the calling contract's interface mended.",
    ),
    "tx.unsigned": Kind(200, "Nobody signed what asks who signed", _MEND_CONTRACT),
    "schedule.past": Kind(200, "Something is scheduled too soon", "Choose a later time."),
    "records.exceeded": Kind(200, "The action touches more records than it may", _MEND_CONTRACT),
    "record.missing": Kind(200, "There is no record of this key", "Check the key."),
    "state.denied": Kind(
        200, "The record is in another state", "Look at the record, and at what can be done in its state."
    ),
    "invariant.failed": Kind(200, "A record would break a rule of its own", _SEND_ANOTHER),
    "upgrade.refused": Kind(
        200, "The next version of a contract would lose records", "Mend the file as the message says, and try again."
    ),
    "output.events": Kind(200, "The action emits more than it may", _MEND_CONTRACT),
    "output.schedules": Kind(200, "The action schedules more than it may", _MEND_CONTRACT),
    "output.stored": Kind(200, "The action stores more than it may", _MEND_CONTRACT),
    "output.result": Kind(200, "The view returns more than it may", "Ask for less, or have the contract mended."),
    "contract.fatal": Kind(
        500,
        "Running a transaction took the contract engine down; no outcome is known",
        "Start the node again. If the same transaction takes it down again, have members exclude it.",
    ),
    "contract.isolation": Kind(
        500, "The process that runs contracts does not start", "Look at the node's log, or start it without --isolate."
    ),
    "contract.internal": Kind(
        200, "The contract engine failed unexpectedly: a defect of Hansa", "Report it with the transaction's id."
    ),
}
