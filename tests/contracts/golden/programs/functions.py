"""Functions of the module and of libraries: arguments, recursion, bounds, depth, what they may return."""

from tests.contracts.golden.program import Call, Golden, contract, digest, do, fails, gives, ledger, library_file, view

_MONEY = library_file('''
    """Interest."""
    YEAR = 360
    class Rate(Struct):
        up: Int[0, 100000]
        down: Int[1, 100000] = 10000
    class Base(Enum):
        Actual = "actual days"
        Thirty = "months of thirty days"
    def interest(a: Amount, r: Rate, days: int) -> Amount:
        return a.times(r.up * days, r.down * YEAR, "half_even")
    def days_between(a: Date, b: Date, base: Base) -> int:
        if base == Base.Thirty:
            return (b.year - a.year) * 360 + (b.month - a.month) * 30 + b.day - a.day
        return a.days_until(b)
    def checked(a: int) -> Int[0, 9]:
        require(a != 5, "not five: {a}", a=a)
        return a
''')
_MORE = library_file(f'''
    money = library("money", "{digest(_MONEY)}")
    def twice(a: Amount, n: int) -> Amount:
        return money.interest(a, money.Rate(up=n), money.YEAR) * 2
''')
_VOTES = library_file('''
    """Votes."""
    class Member(Struct):
        id: Party
        weight: Int[0, 10] = 1
    class Ballot(Struct):
        votes: list[bool, 4]
    def yes(ballot: Ballot) -> int:
        count = 0
        for vote in ballot.votes:
            if vote:
                count += 1
        return count
''')
_VOTING = f'votes = library("votes", "{digest(_VOTES)}")'
_ALICE = {"id": "alice", "weight": 7}
_USING = f'money = library("money", "{digest(_MONEY)}")'


def _with_money(name: str, inside: str, *calls: Call) -> Golden:
    return ledger(name, {"sample": contract(inside, module=_USING)}, *calls, libraries={"money": _MONEY})


PROGRAMS = [
    view(
        "call",
        "a: int",
        "int",
        "return double(a) + double(1)",
        gives(8, a=3),
        module="def double(x: int) -> int:\n    return x * 2",
    ),
    view(
        "arguments_by_name",
        "a: int, b: int",
        "int",
        "return less(y=b, x=a) * 10 + less(a, y=1)",
        gives(31, a=2, b=-1),
        module="def less(x: int, y: int) -> int:\n    return x - y",
    ),
    view(
        "named_arguments_are_evaluated_in_source_order",
        "a: int, l: list[int, 2]",
        "int",
        "return less(y=1 // a, x=l[0])",
        fails("value.division", a=0, l=[]),
        fails("index.range", a=1, l=[]),
        gives(4, a=1, l=[5]),
        module="def less(x: int, y: int) -> int:\n    return x - y",
    ),
    view(
        "arguments_are_held_to_their_bounds",
        "a: int",
        "int",
        "return small(a)",
        gives(5, a=5),
        fails("value.bounds", a=6),
        module="def small(x: Int[0, 5]) -> int:\n    return x",
    ),
    view(
        "results_are_held_to_their_bounds",
        "a: int",
        "int",
        "return small(a)",
        gives(5, a=5),
        fails("value.bounds", a=6),
        module="def small(x: int) -> Int[0, 5]:\n    return x",
    ),
    view(
        "integers_between_functions_have_64_bits",
        "a: int",
        "int",
        "return same(a + 1)",
        gives(5, a=4),
        fails("value.bounds", a=2**63 - 1),
        module="def same(x: int) -> int:\n    return x",
    ),
    view(
        "none_is_no_argument",
        "a: int | None",
        "int",
        "return same(a)",
        gives(4, a=4),
        fails("value.none", a=None),
        module="def same(x: int) -> int:\n    return x",
    ),
    view(
        "none_where_declared",
        "a: int | None",
        "int | None",
        "return same(a)",
        gives(4, a=4),
        gives(None, a=None),
        module="def same(x: int | None) -> int | None:\n    return x",
    ),
    view(
        "recursion",
        "n: int",
        "int",
        "return factorial(n)",
        gives(1, n=0),
        gives(2_432_902_008_176_640_000, n=20),
        fails("value.bounds", n=21),
        module="""
            def factorial(n: int) -> int:
                if n < 2:
                    return 1
                return n * factorial(n - 1)
        """,
    ),
    view(
        "depth",
        "n: int",
        "int",
        "return down(n)",
        gives(63, n=63),
        fails("call.depth", n=64),
        module="""
            def down(n: int) -> int:
                if n == 0:
                    return 0
                return 1 + down(n - 1)
        """,
    ),
    view(
        "recursion_through_another",
        "n: int",
        "bool",
        "return even(n)",
        gives(True, n=10),
        gives(False, n=7),
        module="""
            def even(n: int) -> bool:
                if n == 0:
                    return True
                return odd(n - 1)
            def odd(n: int) -> bool:
                if n == 0:
                    return False
                return even(n - 1)
        """,
    ),
    view(
        "branching_recursion",
        "n: int",
        "int",
        "return fib(n)",
        gives(55, n=10),
        fails("steps.exceeded", n=40).within(5000),
        module="""
            def fib(n: int) -> int:
                if n < 2:
                    return n
                return fib(n - 1) + fib(n - 2)
        """,
    ),
    view(
        "arguments_are_copies",
        "l: list[int, 3]",
        "list[list[int, 4], 2]",
        "m = grown(l)\nreturn [l, m]",
        gives([[1], [1, 9]], l=[1]),
        module="""
            def grown(l: list[int, 3]) -> list[int, 4]:
                m = l
                m.append(9)
                return m
        """,
    ),
    view(
        "structs_pass",
        "x: int",
        "Point",
        "return moved(Point(x=x), 5)",
        gives({"x": 8, "y": 0}, x=3),
        module="""
            class Point(Struct):
                x: int
                y: int = 0
            def moved(p: Point, by: int) -> Point:
                q = p
                q.x += by
                return q
        """,
    ),
    view(
        "requires",
        "a: int",
        "int",
        "return positive(a)",
        gives(1, a=1),
        fails("require.failed", a=0),
        module="""
            def positive(a: int) -> int:
                require(a > 0, "{a} is not above zero", a=a)
                return a
        """,
    ),
    view(
        "the_line_is_that_of_the_function",
        "a: int",
        "int",
        "return inverse(a)",
        gives(10, a=1),
        do("go", a=0).refused("value.division", line=4),
        module="def inverse(a: int) -> int:\n    return 10 // a",
    ),
    _with_money(
        "library_functions",
        """
            @view
            def go(tx, a: Amount, up: int, days: int) -> Amount:
                return money.interest(a, money.Rate(up=up), days)
        """,
        gives({"minor": 5000, "currency": "USD"}, a={"minor": 100_000, "currency": "USD"}, up=500, days=360),
        gives({"minor": 14, "currency": "USD"}, a={"minor": 100_000, "currency": "USD"}, up=500, days=1),
        fails("value.bounds", a={"minor": 1, "currency": "USD"}, up=-1, days=1),
    ),
    _with_money(
        "library_enums_and_constants",
        """
            @view
            def go(tx, a: Date, b: Date, base: money.Base) -> list[int, 2]:
                return [money.days_between(a, b, base), money.days_between(a, b, money.Base.Thirty) + money.YEAR]
        """,
        gives([366, 720], a="2024-01-01", b="2025-01-01", base="Actual"),
        gives([360, 720], a="2024-01-01", b="2025-01-01", base="Thirty"),
        fails("arguments.invalid", a="2024-01-01", b="2025-01-01", base="Other"),
    ),
    _with_money(
        "library_structs_given_and_returned",
        """
            @view
            def go(tx, r: money.Rate) -> money.Rate:
                s = r
                s.up += 1
                return s
        """,
        gives({"up": 6, "down": 10000}, r={"up": 5}),
        fails("arguments.invalid", r={"up": -1}),
        fails("value.bounds", r={"up": 100000}),
    ),
    _with_money(
        "faults_in_a_library",
        """
            @view
            def go(tx, a: int) -> int:
                return money.checked(a)
        """,
        gives(9, a=9),
        fails("value.bounds", a=10),
        fails("require.failed", a=5),
    ),
    _with_money(
        "library_structs_in_records",
        """
            class Loan(Record, key="id"):
                id: int
                rate: money.Rate
                base: money.Base
            @action(by="member", creates="Loan")
            def lend(tx, loan: Loan, id: int, rate: money.Rate, base: money.Base):
                loan.rate.down = 365
            @view
            def up_of(tx, loan: Loan) -> list[int, 3]:
                return [loan.rate.up, loan.rate.down, 1 if loan.base == money.Base.Actual else 0]
        """,
        do("lend", id=1, rate={"up": 7}, base="Actual"),
        do("up_of", loan=1).gives([7, 365, 1]),
    ),
    ledger(
        "library_structs_between_contracts",
        {
            "rules": contract(
                """
                    @view
                    def resolve(tx, ballot: votes.Ballot, members: list[votes.Member, 4]) -> Text[4, 8]:
                        return "Accepted" if votes.yes(ballot) * 2 > len(members) else "Open"
                    @view
                    def follow(tx, member: votes.Member) -> list[votes.Member, 2]:
                        return [member, votes.Member(id=member.id)]
                    @view
                    def weight(tx, member: votes.Member) -> int:
                        return member.weight
                """,
                module=_VOTING,
                title="Rules",
            ),
            "sample": contract(
                """
                    class Kept(Record, key="id"):
                        id: int
                        ballot: votes.Ballot
                        last: votes.Member | None = None
                        by: dict[Party, votes.Member, 4] = {}
                    @action(by="member", creates="Kept")
                    def go(tx, kept: Kept, id: int, ballot: votes.Ballot, members: list[votes.Member, 4]):
                        require(Rules.resolve(ballot=ballot, members=members) == "Accepted", "it is open")
                        for member in Rules.follow(member=members[0]):
                            kept.last = member
                            kept.by[member.id] = member
                        event("kept", last=kept.last, members=members)
                    @view
                    def ballot_of(tx, kept: Kept) -> votes.Ballot:
                        return kept.ballot
                    @view
                    def weight(tx, member: votes.Member) -> int:
                        return Rules.weight(member=member)
                """,
                module=f"""
                    {_VOTING}
                    class Rules(Interface, contract="rules"):
                        @view
                        def resolve(tx, ballot: votes.Ballot, members: list[votes.Member, 4]) -> Text[4, 8]: ...
                        @view
                        def follow(tx, member: votes.Member) -> list[votes.Member, 2]: ...
                        @view
                        def weight(tx, member: votes.Member) -> int: ...
                """,
            ),
            "own": contract(
                """
                    @view
                    def follow(tx, member: Person) -> Person:
                        return Rules.follow(member=member)[1]
                    @view
                    def wrong(tx, member: Person) -> int:
                        return len(Rules.weight(member=member))
                """,
                module="""
                    class Person(Struct):
                        id: Party
                        weight: Int[0, 100]
                    class Rules(Interface, contract="rules"):
                        @view
                        def follow(tx, member: Person) -> list[Person, 2]: ...
                        @view
                        def weight(tx, member: Person) -> list[Person, 2]: ...
                """,
                title="Own",
            ),
        },
        do("go", id=1, ballot={"votes": [True, False]}, members=[_ALICE, {"id": "bob"}]).refused("require.failed"),
        do("go", id=1, ballot={"votes": [True, True]}, members=[_ALICE, {"id": "bob"}]).emits(
            "kept", last=_ALICE | {"weight": 1}, members=[_ALICE, {"id": "bob", "weight": 1}]
        ),
        do("go", id=2, ballot={"votes": []}, members=[_ALICE | {"weight": 11}]).refused("arguments.invalid"),
        do("ballot_of", kept=1).gives({"votes": [True, True]}),
        # Making the struct is 604 bytes, 4 steps, in each of the two; body, return, attribute, call and its argument 5;
        # the call 20, and 2 fields to be fitted; body, return, attribute 3.
        do("weight", member=_ALICE).gives(7).costs(10 + 4 + 5 + 20 + 2 + 4 + 3),
        do("follow", member={"id": "bob", "weight": 10}).on("own").gives({"id": "bob", "weight": 1}),
        do("follow", member={"id": "bob", "weight": 11}).on("own").refused("arguments.invalid"),
        do("wrong", member=_ALICE).on("own").refused("call.result"),
        libraries={"votes": _VOTES},
    ),
    ledger(
        "libraries_in_libraries",
        {
            "sample": contract(
                """
                    @view
                    def go(tx, a: Amount) -> Amount:
                        return more.twice(a, 500)
                """,
                module=f'more = library("more", "{digest(_MORE)}")',
            )
        },
        gives({"minor": 10000, "currency": "USD"}, a={"minor": 100_000, "currency": "USD"}),
        libraries={"money": _MONEY, "more": _MORE},
    ),
]
