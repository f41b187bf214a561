"""`hansa proposal`: proposes, plans, votes, withdraws, and shows what is proposed."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# What people write is dynamic: its type is what is found out from it.

import itertools
import json
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli import output
from hansa.cli.governance import Made, Unsent, Way, govern, governing, owner_of_key
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.client import governance, proposals
from hansa.client.client import Client
from hansa.client.governance import VERSION, Proposal
from hansa.client.words import hint
from hansa.wire import names
from hansa.wire.limits import SOURCE_CHARS_MAX
from hansa.wire.problems import HansaError

_FILE_BYTES_MAX: Final = 1024 * 1024
"""A proposal's own file: what its texts come to is bounded by what a node takes."""
_PREFIX_CHARS_MIN: Final = 6
"""Of an id that is shortened."""
_SETS_SHOWN: Final = 10
_LINES_SHOWN: Final = 40
"""Of the difference of a text, unless all is asked for."""
_LEADS: Final = "run `hansa constitution check FILE` to see what votes can lead it to"
_COLORS: Final = {"Open": "yellow", "Accepted": "green", "Rejected": "red", "Failed": "red"}


@click.group()
def proposal() -> None:
    """Proposals: what members decide together, by the ledger's constitution."""


def _what(command: Any) -> Any:
    """The arguments that say what is proposed."""
    for option in (
        click.option("--closes", metavar="TIME", help="Until when it may be voted on; by default 30 days, 90 at most."),
        click.option("--title", help="What it is called; by default what it does."),
        click.option(
            "--action", metavar="NAME", help="Propose this one action, with NAME=VALUE arguments, without a file."
        ),
        click.argument("words", nargs=-1, metavar="[FILE | NAME=VALUE...]"),
    ):
        command = option(command)
    return command


@proposal.command()
@_what
@click.option("--force", is_flag=True, help="Send it even if it could not be carried out as things are now.")
@governing
@click.pass_obj
def new(
    out: Output,
    words: tuple[str, ...],
    action: str | None,
    title: str | None,
    closes: str | None,
    force: bool,
    way: Way,
) -> int:
    """Propose what a JSON file says, or one action: `--action set_member_data member_id=acme weight=3`.

    In the file, `{"file": "PATH"}` stands for the text of a file; with --action, `source=PATH`, `keys=governance:PATH`,
    and `data=@PATH` do. `hansa proposal plan` shows before what would come of it.
    """

    def make(node: Client) -> Made:
        given = _written(words, action, title, closes)
        written = proposals.read(given)
        if not force and (told := _obstacle(node, way, given)):
            if way.prepare is None:
                remedy = "Mend it; or give --force to send it anyway, if something else comes before it is decided."
                raise HansaError("proposal.vain", f"{told}; nothing was sent", remedy=remedy)
            out.caution(f"as things are now, {told}")
        if any(step["name"] == "set_constitution" for step in written.steps):
            out.note(_LEADS)
        arguments = {"title": written.title, "steps": written.steps, "closes": written.closes}
        return arguments, governance.steps_for(written.steps)

    return govern(out, way, "propose", make, lambda node, made: _note(out, node, made.hex()))


@proposal.command()
@_what
@click.option("--as", "proposer", metavar="MEMBER", help="Who would propose it; by default the first member by name.")
@click.option("--full", is_flag=True, help="Differences of texts to their end.")
@data_option()
@url_option()
@click.pass_obj
def plan(
    out: Output,
    words: tuple[str, ...],
    action: str | None,
    title: str | None,
    closes: str | None,
    proposer: str | None,
    full: bool,
    data: Path,
    url: str | None,
) -> int:
    """Show what would come of a proposal, a FILE or one with this ID: nothing is written, and nobody signs.

    What would change, who must still vote, what a no would do, what holds whatever the constitution says; for another
    constitution also which past proposals it would have decided otherwise. Exits with 4 if it may not be voted on or
    could not be carried out.
    """
    is_id = action is None and len(words) == 1 and not Path(words[0]).exists() and _is_id(words[0])
    with connect(data, url) as node:
        if is_id:
            found = find(node, words[0])
            planned = node.get(f"/gov/members/proposals/{found.id}:plan", **VERSION)
            head = f"{output.shown(found.title)}, proposed by {found.proposer}"
        else:
            written = _written(words, action, title, closes)
            read = proposals.read(written)
            by = proposer or _first_member(node)
            planned = node.post("/gov/members/proposals:plan", written, **VERSION, proposer=by)
            head = f"{output.shown(read.title)}, if {by} proposed it"
    out.show(planned, lambda: "\n".join(_plan_lines(out, head, planned, full=full)))
    return output.REFUSED if planned["problems"] or planned["failure"] else output.DONE


@proposal.command()
@click.argument("id", required=False)
@click.option("--yes", is_flag=True, help="Say yes.")
@click.option("--no", is_flag=True, help="Say no.")
@click.option("--force", is_flag=True, help="Send it even if it would not count as things are now.")
@governing
@click.pass_obj
def vote(out: Output, id: str | None, yes: bool, no: bool, force: bool, way: Way) -> int:
    """Vote on a proposal: once, under the constitution that it was made under.

    What comes twice, after the decision or after the proposal has closed would not count, and is not sent.
    """

    def make(node: Client) -> Made:
        found = find(node, _needed(id))
        actions = node.get(f"/gov/members/proposals/{found.id}/actions", **VERSION)["actions"]
        return governance.ballot_on(found, actions, yes=yes)

    if way.finish is None and yes == no:  # never one of the two by the way
        told = "--yes and --no were both given" if yes else "yes or no?"
        raise HansaError("argument.value", told, remedy="Give one of --yes and --no.")
    if way.finish is not None and (yes or no):
        remedy = "Leave --yes and --no away: `hansa sign` showed what the ballot says."
        raise HansaError("argument.value", f"{way.finish} says yes or no already", remedy=remedy)

    def before(node: Client, unsent: Unsent) -> None:
        told = _ballot_obstacle(node, unsent)
        if told and not force and way.prepare is None:
            raise HansaError("proposal.late", f"{told}; nothing was sent")
        if told:
            out.caution(f"as things are now, {told}")
        elif way.prepare is not None:
            closes = node.proposal(unsent.arguments["proposal"]).closes
            if closes <= unsent.not_after:
                out.caution(f"the proposal closes {output.moment(closes)}: send the ballot before")

    return govern(out, way, "vote", make, lambda node, entry: _note_of_entry(out, node, entry), before)


@proposal.command()
@click.argument("id", required=False)
@governing
@click.pass_obj
def withdraw(out: Output, id: str | None, way: Way) -> int:
    """Take back a proposal of one's own."""

    def make(node: Client) -> Made:
        return {"proposal": bytes.fromhex(find(node, _needed(id)).id)}, governance.STEPS

    return govern(out, way, "withdraw", make)


@proposal.command()
@click.argument("id")
@click.option("--full", is_flag=True, help="Texts of its actions to their end.")
@data_option()
@url_option()
@click.pass_obj
def show(out: Output, id: str, full: bool, data: Path, url: str | None) -> None:
    """Show a proposal: what it does, who voted what, who must still vote, when it closes or takes effect."""
    with connect(data, url) as node:
        found = find(node, id)
        actions = node.get(f"/gov/members/proposals/{found.id}/actions", **VERSION)["actions"]
        planned = node.get(f"/gov/members/proposals/{found.id}:plan", **VERSION) if found.state == "Open" else None
    fields = {**msgspec.to_builtins(found), "actions": actions}
    if planned is not None:
        fields |= {name: planned[name] for name in ("waiting", "sets", "no")}
    out.show(fields, lambda: "\n".join(_proposal_lines(out, found, actions, planned, full=full)))


@proposal.command(name="list")
@click.option("--open", "is_open", is_flag=True, help="Only those that can still be voted on.")
@data_option()
@url_option()
@click.pass_obj
def list_(out: Output, is_open: bool, data: Path, url: str | None) -> None:
    """List proposals, the newest last."""
    with connect(data, url) as node:
        found = node.proposals(is_open=is_open)
    rows = [
        (
            one.id[:12],
            one.state,
            one.proposer,
            f"{sum(b.yes for b in one.ballots)} yes, {sum(not b.yes for b in one.ballots)} no",
            _when(one),
            output.shown(one.title),
            output.shown(one.reason) or _outdated(one),
        )
        for one in found
    ]
    head = ("ID", "STATE", "BY", "VOTES", "WHEN", "TITLE", "WHY")
    out.show({"proposals": msgspec.to_builtins(found)}, lambda: output.table(head, rows) if rows else "none")


def _obstacle(node: Client, way: Way, given: dict[str, Any]) -> str:
    """Why a proposal could not be voted on or carried out as things are; empty too where the node makes no plan.

    A node on another machine makes none, nor for who is no active member: what is sent is answered then.
    """
    proposer = owner_of_key(way, node)
    try:
        planned = node.post("/gov/members/proposals:plan", given, **VERSION, proposer=proposer)
    except HansaError as error:
        if error.code not in ("node.not_loopback", "proposal.busy", "record.unknown"):
            raise
        return ""
    if planned["problems"]:
        return f"it may not be voted on: {'; '.join(output.shown(one) for one in planned['problems'])}"
    return f"it would fail when carried out: {output.shown(planned['failure'])}" if planned["failure"] else ""


def _ballot_obstacle(node: Client, unsent: Unsent) -> str:
    """Why a ballot would not count as things are; empty if it would, or if it has its entry already.

    Empty too for who signs with no key that counts: that is told when it is sent.
    """
    if node.transaction(unsent.id).status == "committed":
        return ""
    try:
        key = node.record(governance.CONTRACT, "Key", unsent.kid).value
    except HansaError as error:
        if error.code != "record.unknown":
            raise
        return ""
    if (key["purpose"], key["status"]) != ("governance", "active"):
        return ""
    member = node.record(governance.CONTRACT, "Member", key["owner"]).value
    if member["removed"]:
        return ""
    id: bytes = unsent.arguments["proposal"]
    found = node.proposal(id)
    if found.state != "Open":
        return f"the proposal is {found.state}{_why(found)}"
    if found.closes <= node.status().now:
        return f"the proposal closed {output.moment(found.closes)}"
    for ballot in node.record(governance.CONTRACT, "Proposal", id).value["ballots"]:
        if (ballot["member"], ballot["revoked"]) == (member["id"], member["revoked"]):
            return f"{member['id']} has voted {'yes' if ballot['yes'] else 'no'} already"
    return ""


# What is proposed


def _written(words: tuple[str, ...], action: str | None, title: str | None, closes: str | None) -> dict[str, Any]:
    """A proposal as JSON, texts of files in their place. Raises `HansaError`."""
    if action is not None:
        found: dict[str, Any] = {"actions": [{"name": action, "args": _arguments(action, words)}]}
    elif len(words) == 1:
        found = _from_file(Path(words[0]))
    else:
        remedy = "Give a JSON file, or --action NAME with NAME=VALUE arguments."
        raise HansaError("argument.value", "what is proposed?", remedy=remedy)
    more = {"title": title, "closes": closes}
    return {**found, **{name: text for name, text in more.items() if text is not None}}


def _from_file(path: Path) -> dict[str, Any]:
    data = output.read_file(path, _FILE_BYTES_MAX + 1)
    if len(data) > _FILE_BYTES_MAX:
        raise HansaError("proposal.form", f"{path} is far too large for a proposal")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise HansaError("proposal.form", f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise HansaError("proposal.form", f"{path} is no proposal", remedy='It is like {"actions": [...]}.')
    return _with_files(found, path.parent)


def _with_files(value: Any, folder: Path) -> Any:
    """The value with the text of each file that it names."""
    match value:
        case {"file": str() as name} if len(value) == 1:
            return _text(folder / name)
        case dict():
            return {str(key): _with_files(item, folder) for key, item in value.items()}
        case list():
            return [_with_files(item, folder) for item in value]
        case _:
            return value


def _text(path: Path) -> str:
    data = output.read_file(path, 4 * SOURCE_CHARS_MAX + 1)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise HansaError("argument.file", f"{path} is not UTF-8 text") from None


def _arguments(action: str, words: tuple[str, ...]) -> dict[str, Any]:
    """The arguments of one action from NAME=VALUE texts; what they say is checked with the whole."""
    known = proposals.ACTIONS.get(action)
    if known is None:
        told = f"there is no action {action[:40]!a}; {hint(action, list(proposals.ACTIONS))}"
        raise HansaError("argument.value", told, remedy="The page on the actions of governance lists all of them.")
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise HansaError("argument.value", f"{word[:60]!a} is not NAME=VALUE", remedy=_takes(action))
        if name in found:
            raise HansaError("argument.value", f"{name} is given twice", remedy=_takes(action))
        argument = known.arguments.get(name)
        found[name] = text if argument is None else _value(name, argument.kind.schema, text)
    return found


def _takes(action: str) -> str:
    arguments = proposals.ACTIONS[action].arguments
    told = (name if argument.required else f"[{name}]" for name, argument in arguments.items())
    return f"`{action}` takes {', '.join(told)}."


def _value(name: str, schema: dict[str, Any], text: str) -> Any:
    """A value from text, by its schema: JSON, or what is quicker to write."""
    if name == "source":
        return _text(Path(text))
    if name == "data" and text.startswith("@"):
        return _text(Path(text[1:]))
    match schema.get("type"):
        case "integer":
            return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdecimal() else text
        case "array" if text.startswith("["):
            try:
                return json.loads(text)
            except (ValueError, RecursionError):
                return text
        case "array" if name == "keys":
            return [_key(one) for one in text.split(",")]
        case "array":
            return [one for one in text.split(",") if one]
        case _:
            return text


def _key(text: str) -> Any:
    """`PURPOSE:FILE` as a key."""
    purpose, colon, path = text.partition(":")
    return {"purpose": purpose, "pem": _text(Path(path))} if colon else text


# Which proposal


def _is_id(text: str) -> bool:
    return len(text) >= _PREFIX_CHARS_MIN and all(one in "0123456789abcdef" for one in text)


def _needed(id: str | None) -> str:
    if id is None:
        raise HansaError("argument.value", "which proposal?", remedy="Give its id; `hansa proposal list` shows them.")
    return id


def find(node: Client, id: str) -> Proposal:
    """The proposal of an id, or of its first digits. Raises `HansaError` `proposal.unknown`."""
    if names.is_digest_hex(id):
        return node.proposal(id)
    if not _is_id(id):
        told = f"{id[:80]!a} is no id of a proposal, nor six or more of its first digits"
        raise HansaError("request.digest", told, remedy="`hansa proposal list` shows the ids.")
    found = [one for one in node.proposals() if one.id.startswith(id)]
    if len(found) == 1:
        return found[0]
    told = f"{len(found)} proposals have ids that begin with {id}" if found else f"no proposal's id begins with {id}"
    raise HansaError("proposal.unknown", told)


def _first_member(node: Client) -> str:
    """An active member, where nobody says which one: the plan is the same unless the constitution tells them apart."""
    page = node.get("/gov/service/members", **VERSION, rows=1_000)
    return str(next(row["value"]["id"] for row in page["rows"] if not row["value"]["removed"]))


# In words


def _note(out: Output, node: Client, id: str) -> None:
    """How a proposal stands, behind an action on it."""
    found = node.proposal(id)
    when = "" if found.due is None else f", {_when(found)}"
    out.note(f"proposal {found.id}: {found.state}{when}{_why(found)}")
    if found.state == "Open" and not found.stale:
        planned = node.get(f"/gov/members/proposals/{id}:plan", **VERSION)
        out.note(f"to pass it needs the yes of {_needs(planned)}; it closes {output.moment(found.closes)}")
        out.note(f"vote with: hansa proposal vote {found.id[:12]} --yes --as MEMBER")


def _note_of_entry(out: Output, node: Client, entry: bytes) -> None:
    """The same behind a ballot: the envelope names the proposal."""
    from hansa.wire import transaction

    body = transaction.read(bytes.fromhex(node.get(f"/app/transactions/{entry.hex()}")["envelope"])).transaction
    _note(out, node, body.arguments["proposal"].hex())


def _why(found: Proposal) -> str:
    return f": {output.shown(found.reason)}" if found.reason else ""


def _outdated(found: Proposal) -> str:
    """That nobody needs to vote on it any more, and why; empty if it is not so."""
    if not found.stale:
        return ""
    end = "the next ballot drops it" if found.state == "Open" else "it is dropped when its time lock ends"
    return f"out of date, {output.shown(found.stale)}: {end}; propose it again"


def _when(found: Proposal) -> str:
    if found.state == "Open":
        return f"closes {output.moment(found.closes)}"
    if found.due is not None:
        return f"takes effect {output.moment(found.due)}"
    return "" if found.applied is None else f"carried out {output.moment(found.applied)}"


def _needs(planned: dict[str, Any]) -> str:
    """Whose yes is still enough, in words."""
    waiting, sets = planned["waiting"], planned["sets"]
    if sets is None:
        return f"enough of {', '.join(waiting)} (too many to try every set of them)"
    if not sets:
        return "more than all that have not voted"
    if len(sets) == 1:
        return _all(sets[0])
    size = len(sets[0])
    if {tuple(one) for one in sets} == set(itertools.combinations(waiting, size)):
        return f"any {size} of {', '.join(waiting)}" if size > 1 else f"any of {', '.join(waiting)}"
    shown = "; or ".join(_all(one) for one in sets[:_SETS_SHOWN])
    return shown + (f"; or {len(sets) - _SETS_SHOWN} other sets" if len(sets) > _SETS_SHOWN else "")


def _all(given: list[str]) -> str:
    return given[0] if len(given) == 1 else f"{', '.join(given[:-1])} and {given[-1]}"


def _state(out: Output, state: str) -> str:
    return out.style(state, fg=_COLORS.get(state, "white"))


def _proposal_lines(
    out: Output, found: Proposal, actions: list[dict[str, Any]], planned: dict[str, Any] | None, *, full: bool
) -> list[str]:
    lines = [
        f"proposal  {found.id}",
        f"title     {output.shown(found.title)}",
        f"by        {found.proposer}, {output.moment(found.opened)}",
        f"state     {_state(out, found.state)}{_why(found)}",
    ]
    if when := _when(found):
        lines.append(f"when      {when}")
    for place, action in enumerate(actions):
        lines.append(f"{'does' if place == 0 else '':<10}{output.shown(action['name'])}")
        for name, value in action["args"].items():
            lines.append(f"            {output.shown(name)}: {_brief(value)}")
            if full and isinstance(value, str) and "\n" in value:
                lines += [f"              {output.shown(line)}" for line in value.splitlines()]
    for place, ballot in enumerate(found.ballots):
        said = out.style("yes", fg="green") if ballot.yes else out.style("no", fg="red")
        lines.append(f"{'votes' if place == 0 else '':<10}{ballot.member}: {said}, {output.moment(ballot.at)}")
    if outdated := _outdated(found):
        lines.append(f"{out.style('note', fg='red')}      {outdated}")
    elif planned is not None:
        lines.append(f"waiting   {', '.join(planned['waiting']) or 'nobody'}")
        lines.append(f"needs     the yes of {_needs(planned)}")
    return lines


def _brief(value: Any) -> str:
    if isinstance(value, str) and "\n" in value:
        return f"{len(value.splitlines())} lines"
    return output.written(value)


def _plan_lines(out: Output, head: str, planned: dict[str, Any], *, full: bool) -> list[str]:
    lines = [head]
    if planned["problems"]:
        return [*lines, *(f"{out.style('refused', fg='red')}   {output.shown(one)}" for one in planned["problems"])]
    lines.append(f"state     {_state(out, planned['state'])}")
    if planned["stale"]:
        told = f"{output.shown(planned['stale'])}: it would be dropped; propose it again"
        return [*lines, f"{out.style('note', fg='red')}      out of date, {told}"]
    if planned["state"] == "Open":
        lines.append(f"needs     the yes of {_needs(planned)}")
        by_state: dict[str, list[str]] = {}
        for one in planned["no"]:
            by_state.setdefault(one["state"], []).append(one["member"])
        for state, members in by_state.items():
            lines.append(
                f"if no     of {' or '.join(members)}: {'still ' if state == 'Open' else ''}{_state(out, state)}"
            )
    lines += [f"floor     {one}" for one in planned["floor"]]
    if planned["failure"]:
        lines.append(f"{out.style('fails', fg='red')}     when carried out: {output.shown(planned['failure'])}")
    if not planned["changes"] and not planned["failure"]:
        lines.append("changes   nothing" if planned["floor"] else "changes   nothing: it is decided")
    if any(change["record"] == "Constitution" for change in planned["changes"]):
        lines.append(f"hint      {_LEADS}")
    for change in planned["changes"]:
        lines += _change_lines(out, change, full=full)
    if planned.get("past") is not None:
        plural = "" if planned["asked"] == 1 else "s"
        lines += ["", f"of {planned['asked']} past proposal{plural} it would have decided otherwise:"]
        past = [
            f"  {one['id'][:12]} {output.shown(one['title'])}: {one['was']} -> {one['would']}"
            for one in planned["past"]
        ]
        lines += past or ["  none"]
    return lines


def _change_lines(out: Output, change: dict[str, Any], *, full: bool) -> list[str]:
    before, after = change["before"], change["after"]
    sign = "+" if before is None else "~"
    color = "green" if before is None else "yellow"
    lines = ["", out.style(f"{sign} {change['record']} {output.shown(change['key'])}", fg=color)]
    for name, value in after.items():
        was = "" if before is None else f"{output.written(before[name])} -> "
        lines.append(f"    {name}: {was}{output.written(value)}")
    lines += [f"    declares {output.shown(one)}" for one in change["declares"]]
    lines += [f"    ends user {one}" for one in change["users"]]
    lines += [f"    ends key {one['kid'][:16]}, {one['purpose']} of {one['owner']}" for one in change["keys"]]
    diff = change["diff"] if full else change["diff"][:_LINES_SHOWN]
    for line in diff:
        styled = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        text = output.shown(line)
        lines.append("    " + (text if styled is None else out.style(text, fg=styled)))
    if len(diff) < len(change["diff"]):
        lines.append(f"    ... {len(change['diff']) - len(diff)} lines more: --full")
    return lines
