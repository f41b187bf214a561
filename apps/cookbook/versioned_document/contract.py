"""Versioned document: parties agree on a text by its digest; each version stays, with who agreed to it."""

from hansa.contract import Contract, Hash, Instant, Int, Party, Record, Text, action, become, event, require


class VersionedDocument(Contract, version="1.0.0"):
    class Roles:
        author: Party

    class Document(Record, key="id", index=["author"]):
        """A text that changes by agreement: who agrees, which version was proposed last, and which is in force."""

        id: Text[1, 24]
        author: Party
        parties: list[Party, 8]
        latest: Int[1, 9999] = 1
        in_force: Version | None = None

    class Version(Record, key="id", index=["document"]):
        """One wording: its digest never changes. The text itself lies with the parties."""

        class States:
            Proposed: "parties may agree to it"
            InForce: "all have agreed"
            Replaced: "another took its place"

        id: Text[1, 32]
        document: Document
        digest: Hash
        proposed: Instant
        agreed: list[Party, 8] = []

    @action(by="author", creates="Document")
    def begin(tx, document: Document, id: Text[1, 24], parties: list[Party, 8], digest: Hash):
        """Proposes the first version to the parties; the author is one of them if it is in the list."""
        require(len(parties) > 0, "somebody has to agree")
        for at in range(len(parties)):
            require(parties[at] not in parties[:at], "{p} is named twice", p=parties[at])
        VersionedDocument.Version.create(
            id=id + "/1", document=document, digest=digest, proposed=tx.time, state="Proposed"
        )

    @action(by="author")
    def propose(tx, document: Document, digest: Hash):
        """Proposes the next version. The one in force stays so until all have agreed; one that waited is replaced."""
        waiting = VersionedDocument.Version.get(document.id + "/" + str(document.latest))
        require(digest != waiting.digest, "that is version {n} already", n=document.latest)
        if waiting.state == "Proposed":
            become(waiting, "Replaced")
        document.latest += 1
        VersionedDocument.Version.create(
            id=document.id + "/" + str(document.latest),
            document=document,
            digest=digest,
            proposed=tx.time,
            state="Proposed",
        )

    @action(by="member", on="Proposed", to=["Proposed", "InForce"])
    def agree(tx, version: Version, digest: Hash):
        """A party agrees. It signs the digest, so its own signature says to what: a number alone would not."""
        document = version.document
        require(tx.member in document.parties, "{m} is no party to it", m=tx.member)
        require(digest == version.digest, "the digest is not this version's")
        require(tx.member not in version.agreed, "{m} has agreed already", m=tx.member)
        version.agreed.append(tx.member)
        if len(version.agreed) == len(document.parties):
            before = document.in_force
            if before is not None:
                become(before, "Replaced")
            document.in_force = version
            become(version, "InForce")
            event("document.in_force", version=version.id, digest=digest)
        else:
            become(version, "Proposed")
