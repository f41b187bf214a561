"""What every fault of a running contract says: its code, its text, the values that fill the text's holes.

Both interpreters raise these and no others, so their outcomes agree to the letter. A text never holds what a caller
or a contract can make long: such things stand in `values`, which are measured, or not at all. Pure data.
"""

from typing import Any

from hansa.contracts import prices
from hansa.contracts.faults import Fault

# Steps, memory, calls


def steps_exceeded() -> Fault:
    """The steps are used up."""
    return Fault("steps.exceeded", "the action needs more steps than the transaction allows")


def made_too_much() -> Fault:
    """All that the transaction made in memory is too large."""
    return Fault("value.made", f"a transaction makes at most {prices.MADE_BYTES_MAX} bytes in memory")


def call_too_deep() -> Fault:
    """Too many functions and contracts in each other."""
    return Fault("call.depth", f"functions and contracts call each other at most {prices.CALL_DEPTH_MAX} deep")


def call_reentrant(contract: str) -> Fault:
    """A contract calls one that waits for it."""
    return Fault("call.reentrant", "{contract} is running already", {"contract": contract})


def call_result(contract: str, view: str, problem: str) -> Fault:
    """A view of another contract returned what its interface does not declare; `problem` is a misfit."""
    return Fault("call.result", f"what `{contract}.{view}` returned {problem}")


# Values


def none() -> Fault:
    """None stands where a value is needed."""
    return Fault("value.none", "this value is None")


def integer_range() -> Fault:
    """An integer beyond 256 bits."""
    return Fault("value.range", "a number left 256 bits")


def division() -> Fault:
    """Division, remainder or step by zero."""
    return Fault("value.division", "division by zero")


def range_bounds() -> Fault:
    """`range` beyond 64 bits."""
    return Fault("value.range", "the numbers of a `range` fit 64 bits")


def leaving_range() -> Fault:
    """An integer beyond 64 bits in an event, a refusal or a result."""
    return Fault("value.range", "a number that leaves the contract fits 64 bits")


def text_size() -> Fault:
    """A text too long."""
    return Fault("value.size", f"a text has at most {prices.TEXT_CHARS_MAX} characters")


def bytes_size() -> Fault:
    """Bytes too many."""
    return Fault("value.size", f"bytes are at most {prices.BYTES_MAX}")


def list_size() -> Fault:
    """A list too long."""
    return Fault("value.size", f"a list has at most {prices.LIST_ITEMS_MAX} items")


def map_key_size() -> Fault:
    """A map's key too long."""
    return Fault("value.size", f"a key of a map has at most {prices.MAP_KEY_CHARS_MAX} characters")


def map_size() -> Fault:
    """A map too large."""
    return Fault("value.size", f"a map has at most {prices.MAP_ITEMS_MAX} keys")


def amount_negative() -> Fault:
    """An Amount below zero."""
    return Fault("value.range", "an Amount would be negative")


def amount_range() -> Fault:
    """An Amount or SignedAmount beyond 64 bits."""
    return Fault("value.range", "an Amount left 64 bits")


def currencies(first: str, second: str) -> Fault:
    """Two amounts of different currencies meet."""
    return Fault("value.currency", "{first} and {second} do not mix", {"first": first, "second": second})


def currency_form() -> Fault:
    """A currency code that is none."""
    return Fault("value.currency", "a currency is three capital letters")


def divisor_range() -> Fault:
    """`Amount.times` with a divisor below 1."""
    return Fault("value.range", "the divisor of `times` is at least 1")


def split_parts() -> Fault:
    """`Amount.split` into none or too many."""
    return Fault("value.range", f"`split` makes 1 to {prices.LIST_ITEMS_MAX} parts")


def split_weights() -> Fault:
    """`Amount.split_by` with a negative weight, or weights that are all zero."""
    return Fault("value.range", "the weights of `split_by` are not negative, and not all zero")


def split_separator() -> Fault:
    """`Text.split` at nothing."""
    return Fault("value.form", "`split` needs a text to split at")


def integer_form() -> Fault:
    """`int` of a text that is no number."""
    return Fault("value.form", "this text is not a whole number of at most 77 digits")


def date_unknown() -> Fault:
    """`Date` of a day that there is not."""
    return Fault("value.range", "there is no such date")


def date_range() -> Fault:
    """A Date beyond its years."""
    return Fault("value.range", "a Date lies in the years 1 to 9999")


def instant_range() -> Fault:
    """An Instant beyond its years."""
    return Fault("value.range", "an Instant lies in the years 1970 to 9999")


def duration_range() -> Fault:
    """A Duration too long."""
    return Fault("value.range", "a Duration is at most ten thousand years")


def index_range() -> Fault:
    """No item of this number in a text, bytes or list."""
    return Fault("index.range", "there is no item at this place")


def key_missing() -> Fault:
    """A map without this key."""
    return Fault("key.missing", "the map has no such key")


def bounds(place: str, problem: str) -> Fault:
    """A value does not fit its declared type. `place` is one of the `place_` texts, `problem` one of the misfits."""
    return Fault("value.bounds", f"{place} {problem}")


# What `bounds` is said of


def place_field(owner: str, field: str) -> str:
    """A field of a record or struct, or a parameter of a function: ``LC.amount``."""
    return f"`{owner}.{field}`"


def place_parameter(interface: str, action: str, parameter: str) -> str:
    """A parameter of an interface's action or view."""
    return f"`{interface}.{action}.{parameter}`"


def place_local(name: str) -> str:
    """An annotated local."""
    return f"`{name}`"


def place_returned(name: str) -> str:
    """What a function or view returns."""
    return f"what `{name}` returns"


# Misfits: how a value, plain or of a running contract, fails its declared type


def not_text() -> str:
    """Text expected."""
    return "must be text"


def text_bounds(least: int, most: int, found: int) -> str:
    """Text of another length."""
    return f"must have {least} to {most} characters, not {found}"


def not_bytes() -> str:
    """Bytes expected."""
    return "must be bytes"


def bytes_bounds(least: int, most: int, found: int) -> str:
    """Bytes of another length."""
    return f"must have {least} to {most} bytes, not {found}"


def not_integer() -> str:
    """An integer expected."""
    return "must be a whole number"


def integer_bounds(least: int, most: int) -> str:
    """An integer outside its bounds."""
    return f"must lie within {least} and {most}"


def not_bool() -> str:
    """A boolean expected."""
    return "must be true or false"


def not_party() -> str:
    """A member's name expected."""
    return "must be the name of a member"


def unknown_party() -> str:
    """A name that no member has."""
    return "is not a member of this ledger"


def not_user() -> str:
    """A user's name expected."""
    return "must be the name of a user"


def unknown_user() -> str:
    """A name that no user has."""
    return "is not a user of this ledger"


def not_amount() -> str:
    """An Amount expected (plain)."""
    return "must have `minor` (whole minor units) and `currency`, nothing else"


def minor_form(signed: bool) -> str:
    """`minor` is no whole number, or negative in an Amount that is not signed."""
    return "`minor` must be a whole number" if signed else "`minor` must be a whole number, not negative"


def minor_bounds() -> str:
    """`minor` beyond 64 bits."""
    return "`minor` must fit 64 bits"


def not_currency() -> str:
    """`currency` is none."""
    return "`currency` must be three capital letters"


def not_date() -> str:
    """A date expected (plain)."""
    return "must be a date, written YYYY-MM-DD"


def not_instant() -> str:
    """An Instant expected (plain)."""
    return "must be a time in milliseconds since 1970, before the year 10000"


def not_duration() -> str:
    """A Duration expected (plain)."""
    return "must be a length of time in milliseconds, at most ten thousand years"


def not_enum(enum: str) -> str:
    """A value of an enum expected."""
    return f"must be one of the values of {enum}"


def not_state(record: str) -> str:
    """A state expected."""
    return f"must be one of the states of {record}"


def not_struct() -> str:
    """A struct expected (plain)."""
    return "must be a map of fields"


def field_missing(name: str) -> str:
    """A struct lacks a field that has no default."""
    return f"lacks `{name}`"


def field_unknown() -> str:
    """A struct has a field that is not declared."""
    return "has fields that are not declared"


def in_field(name: str, problem: str) -> str:
    """A misfit within a struct."""
    return f"`{name}`: {problem}"


def not_list() -> str:
    """A list expected."""
    return "must be a list"


def list_bounds(most: int, found: int) -> str:
    """A list too long for its type."""
    return f"must have at most {most} items, not {found}"


def in_item(number: int, problem: str) -> str:
    """A misfit within a list."""
    return f"item {number}: {problem}"


def not_map() -> str:
    """A map expected."""
    return "must be a map"


def map_bounds(most: int, found: int) -> str:
    """A map too large for its type."""
    return f"must have at most {most} keys, not {found}"


def in_key(number: int, problem: str) -> str:
    """A misfit of a map's key; keys are counted from 0 in code point order."""
    return f"key {number}: {problem}"


def in_value(number: int, problem: str) -> str:
    """A misfit of a map's value, counted as its key."""
    return f"value {number}: {problem}"


# Arguments: the problems listed in `arguments.invalid`

UNKNOWN_SHOWN = 16
"""Arguments that no parameter takes: how many of them an outcome names."""
NAME_CHARS_SHOWN = 64
"""Characters of the name of each."""


def argument_missing() -> str:
    """A parameter without an argument."""
    return "is missing"


def argument_made() -> str:
    """An argument for the record that the action creates."""
    return "is made by this action, not given"


def argument_absent(record: str) -> str:
    """A key under which there is no record."""
    return f"there is no {record} of this key"


def argument_unknown() -> str:
    """An argument that no parameter takes."""
    return "is not a parameter"


def arguments_invalid(problems: list[dict[str, str]]) -> Fault:
    """All that is wrong with the arguments; each problem has `name` and `problem`."""
    return Fault("arguments.invalid", "the arguments do not fit", {"problems": problems})


def arguments_profile(detail: str) -> Fault:
    """A view's arguments that no message could hold; `detail` of the `HansaError`."""
    return Fault("arguments.invalid", detail)


# Who, when, which


def contract_unknown(contract: str) -> Fault:
    """No contract of this name, or not yet."""
    return Fault("contract.unknown", "there is no contract {contract}", {"contract": contract})


def contract_paused(contract: str) -> Fault:
    """An action of a contract that is paused, whoever takes it."""
    return Fault("contract.paused", "{contract} is paused", {"contract": contract})


def action_unknown(contract: str, action: str) -> Fault:
    """No action or view of this name in the contract; or a view called where an action is, or the reverse."""
    return Fault("action.unknown", "{contract} has no {action}", {"action": action, "contract": contract})


def role_member() -> Fault:
    """`member`, and no member signed directly."""
    return Fault("role.denied", "only a member that signs it itself can take this action")


def role_schedule() -> Fault:
    """`schedule`, and it was not ledger time."""
    return Fault("role.denied", "only ledger time takes this action")


def role_contract(contract: str) -> Fault:
    """A role of a contract, and it was not the caller."""
    return Fault("role.denied", "only the contract {contract} can take this action", {"contract": contract})


def role_signer(role: str) -> Fault:
    """A role of members, and none signed directly: ledger time or a contract calls."""
    return Fault("role.denied", "a {role} must sign this action itself", {"role": role})


def role_attribute(member: str, attribute: str) -> Fault:
    """The member lacks the attribute."""
    return Fault("role.denied", "{member} has no attribute {attribute}", {"member": member, "attribute": attribute})


def role_user(attribute: str) -> Fault:
    """An attribute of a user, and the member's own key signed."""
    return Fault("role.denied", "a user with the attribute {attribute} must sign", {"attribute": attribute})


def role_user_attribute(user: str, attribute: str) -> Fault:
    """The user lacks the attribute."""
    return Fault("role.denied", "{user} has no attribute {attribute}", {"user": user, "attribute": attribute})


def role_record(role: str, member: str) -> Fault:
    """The record names another member in this role."""
    return Fault("role.denied", "{member} is not the {role} of this record", {"role": role, "member": member})


def state_denied(record: str, state: str) -> Fault:
    """The action is not taken in this state."""
    return Fault("state.denied", "the {record} is {state}", {"state": state, "record": record})


def unsigned() -> Fault:
    """`tx.member`, `tx.user` or `tx.id` in a run that nobody signed: of ledger time, or of a view by itself."""
    return Fault("tx.unsigned", "nobody signed this transaction")


def schedule_past() -> Fault:
    """`schedule` too soon."""
    return Fault("schedule.past", f"an action is scheduled {prices.SCHEDULE_AHEAD_MS_MIN} ms ahead at least")


def schedules_count() -> Fault:
    """Too much scheduled."""
    most, alone = prices.SCHEDULES_MAX, prices.SCHEDULES_OF_TIME_MAX
    return Fault("output.schedules", f"a transaction schedules at most {most} actions, what ledger time takes {alone}")


# Records


def record_missing(record: str) -> Fault:
    """No record of this key."""
    return Fault("record.missing", "there is no {record} of this key", {"record": record})


def record_exists(record: str) -> Fault:
    """A record of the key to be made."""
    return Fault("record.exists", "there is a {record} of this key already", {"record": record})


def records_exceeded() -> Fault:
    """Too many records touched."""
    return Fault("records.exceeded", f"a transaction touches at most {prices.RECORDS_MAX} records")


def select_limit() -> Fault:
    """`limit` of `select` out of range."""
    return Fault("value.range", f"the limit of `select` is 1 to {prices.SELECT_ROWS_MAX}")


# What leaves the contract


def refused(message: str, values: dict[str, Any], invariant: bool) -> Fault:
    """A `require` that does not hold; `values` plain and in encoding order."""
    return Fault("invariant.failed" if invariant else "require.failed", message, values)


def refusal_size() -> Fault:
    """A refusal that says too much."""
    return Fault("value.size", f"a refusal says at most {prices.REFUSAL_BYTES_MAX} bytes")


def events_count() -> Fault:
    """Too many events."""
    return Fault("output.events", f"a transaction emits at most {prices.EVENTS_MAX} events")


def events_size() -> Fault:
    """Events too large together."""
    return Fault("output.events", f"the events of a transaction have at most {prices.EVENTS_BYTES_MAX} bytes")


def stored_size() -> Fault:
    """Records too large together."""
    return Fault("output.stored", f"a transaction stores at most {prices.STORED_BYTES_MAX} bytes")


def result_size() -> Fault:
    """A view's result too large."""
    return Fault("output.result", f"a view returns at most {prices.RESULT_BYTES_MAX} bytes")
