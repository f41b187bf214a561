"""Ownership: a thing has exactly one owner, and changes hands only when both sides have said so."""

from hansa.contract import Contract, Party, Record, Text, action, event, require, view


class Ownership(Contract, version="1.0.0"):
    class Roles:
        registrar: Party = Party(attribute="role:registrar")
        owner: Party
        offered: Party

    class States:
        Held: "its owner may offer it"
        Offered: "the one it is offered to may accept it, and its owner take the offer back"

    class Title(Record, key="thing", index=["owner"]):
        """Who owns a thing: one field, so that there cannot be two. `offered` is the owner itself if nobody else."""

        thing: Text[1, 40]
        owner: Party
        offered: Party

    @action(by="registrar", creates="Title", to="Held")
    def register(tx, title: Title, thing: Text[1, 40], owner: Party):
        """Records a thing, once: a second title of the same name is refused, as its key is taken."""
        title.offered = owner
        event("title.registered", thing=thing, owner=owner)

    @action(by="owner", on="Held", to="Offered")
    def offer(tx, title: Title, to: Party):
        """Offers the thing to one member. It is still the owner's, who can offer it to nobody else meanwhile."""
        require(to != title.owner, "{to} owns the {thing} already", to=to, thing=title.thing)
        title.offered = to

    @action(by=["owner", "offered"], on="Offered", to="Held")
    def withdraw(tx, title: Title):
        """Takes the offer back, or declines it."""
        title.offered = title.owner

    @action(by="offered", on="Offered", to="Held")
    def accept(tx, title: Title):
        """Takes the thing. Nobody gets what they did not ask for: with a title may come dues and duties."""
        event("title.passed", thing=title.thing, giver=title.owner, taker=title.offered)
        title.owner = title.offered

    @view
    def owner_of(tx, title: Title) -> Party:
        """Whose the thing is."""
        return title.owner
