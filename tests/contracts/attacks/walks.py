"""Walks over attributes, from a value of the contract to what Python is made of; and the functions of Python."""

import builtins

from tests.contracts.attacks.attack import Attack, attacks, in_body

FIELD = ("field.unknown", "call.unknown", "name.context", "name.class", "type.unclear")
THING = """
class Thing(Record, key="id"):
    id: Int[0, 9]
    n: int = 0
    price: Amount
    note: Text[0, 9] = ""
"""
PAIR = "class Pair(Struct):\n    a: int\n    b: int"


def _walk(name: str, body: str, *codes: str, source: str = "") -> Attack:
    return in_body(
        name,
        body,
        *FIELD,
        *codes,
        source=source,
        parameters="t: Thing, m: Amount, p: Pair",
        declared=THING,
        module=PAIR,
    )


ALLOWED = {
    "len",
    "min",
    "max",
    "abs",
    "sum",
    "sorted",
    "reversed",
    "str",
    "int",
    "range",
    "enumerate",
    "zip",
    "True",
    "False",
    "None",
}
PYTHON = sorted(
    name for name in {*dir(builtins), "anext", "EncodingWarning", "PythonFinalizationError"} if name not in ALLOWED
)
"""What Python has without import, and the dialect has not; `bool`, `list` and `dict` are there as types alone."""

WALKS = [
    *attacks(
        "from any object the class tree leads to every class that is loaded",
        _walk("class of a tuple", "x = ().__class__.__bases__[0].__subclasses__()", "syntax.outside"),
        _walk("class of text", "x = ''.__class__.__mro__[1]", source="CVE-2025-9959"),
        _walk("class of a number", "x = (1).__class__"),
        _walk("class of a list", "x = [].__class__.__base__", "type.unclear"),
        _walk("class of a map", "x = {}.__class__.__base__.__subclasses__()", "type.unclear", source="CVE-2025-9959"),
        _walk("class of a truth", "x = True.__class__.__class__.__base__"),
        _walk("class of None", "x = None.__class__", "type.unclear"),
        _walk("class of a parameter", "x = m.__class__"),
        _walk("class of a struct", "x = p.__class__"),
        _walk("class of a record", "x = t.__class__.__init__.__globals__"),
        _walk("class of tx", "x = tx.__class__"),
        _walk("class of a field of tx", "x = tx.member.__class__"),
        _walk("type in place of the class", "x = type('a')", "call.unknown"),
        _walk("subclasses of Amount", "x = Amount.__subclasses__()", "name.unknown"),
        _walk("class of a record type", "x = Sample.Thing.__class__", "call.unknown", "name.unknown"),
        _walk("mro of a struct type", "x = Pair.__mro__", "call.unknown"),
        _walk(
            "getattribute", "x = ''.__getattribute__('__class__')", source="huggingface/smolagents tests, dunder calls"
        ),
        _walk("reduce", "x = ''.__reduce_ex__(2)", source="lmfit/asteval#86"),
        _walk("dir as a method", "x = ''.__dir__()"),
        _walk("doc", "x = ''.__doc__"),
        _walk("len as a method", "x = 'a'.__len__()"),
        _walk("add as a method", "x = 'a'.__add__('b')"),
        _walk("item as a method", "x = [1].__getitem__(0)"),
        _walk("format as a method", "x = 'a'.__format__('1000000000')"),
    ),
    *attacks(
        "what stands in the host's objects is not the contract's",
        _walk("dict of tx", "x = tx.__dict__"),
        _walk("slots of tx", "x = tx.__slots__"),
        _walk("frame of tx", "x = tx.frame"),
        _walk("steps of tx", "x = tx.left"),
        _walk("host of tx", "x = tx.host"),
        _walk("arbitrary name of tx", "x = tx.contract"),
        _walk("values of a record", "x = t.values"),
        _walk("shape of a record", "x = t.shape"),
        _walk("place of a record", "x = t.place"),
        _walk("dict of a record", "x = t.__dict__"),
        _walk("values of a struct", "x = p.values"),
        _walk("values of a struct called", "x = p.values()"),
        _walk("items of a struct called", "for k, v in p.items():\n    pass", "type.mismatch"),
        _walk("slots of an amount", "x = m.__slots__"),
        _walk("fields of an amount", "x = m.__struct_fields__"),
        _walk("replace of an amount", "x = m.__replace__(minor=1)"),
        _walk("copy of an amount", "x = m.__copy__()"),
        _walk("real part of a number", "x = (1).real"),
        _walk("denominator of a number", "x = (1).denominator"),
        _walk("a method as a value", "x = 'a'.upper"),
        _walk("a method of a list as a value", "x = [1]\ny = x.append  # !"),
        _walk("a method of a record type as a value", "x = Sample.Thing.get", "call.unknown", "name.unknown"),
        _walk("a function as a value", "x = len", "name.unknown"),
        _walk("a type as a value", "x = Amount", "name.unknown"),
        _walk("a struct type as a value", "x = Pair", "name.unknown"),
        _walk("tx as a value", "x = tx", "name.context"),
        _walk("tx in a list", "x = [tx]", "name.context"),
        _walk("tx in an event", "event('e', x=tx)", "name.context"),
        _walk("a record type in an event", "event('e', x=Pair)", "name.unknown"),
        _walk("assigning to tx", "tx.member = t.note", "assign.target"),
        _walk("assigning to an amount", "m.minor = 999", "assign.target", "name.parameter"),
        _walk("assigning to a hidden field", "t.__class__ = 1"),
        _walk("assigning to a hidden slot", "t.changed = True"),
        _walk("assigning to the state", "t.state = 'Paid'", "assign.target"),
        _walk("assigning to the key", "t.id = 5", "record.key", "assign.target"),
        _walk("assigning to a record type", "Sample.Thing.n = 5", "assign.target", "name.unknown"),
        _walk("assigning to a struct type", "Pair.a = 5", "assign.target"),
    ),
    *attacks(
        "methods of Python that the dialect has not: they cost what they like, or walk",
        _walk("format", "x = '{0.__class__}'.format(1)", source="CVE-2023-41039"),
        _walk(
            "format_map",
            "x = '{a.__class__}'.format_map({'a': 1})",
            source="CVE-2023-41039, huggingface/smolagents#2271",
        ),
        _walk(
            "format of a variable",
            "s = '{0.__class__.__bases__}'\nx = s.format(1)  # !",
            source="huggingface/smolagents#2271",
        ),
        _walk("format through the type", "x = str.format('{0.__class__}', 1)", "name.unknown", source="CVE-2023-41039"),
        _walk("join through the type", "x = str.join('a', ['b'])", "name.unknown"),
        _walk("encode", "x = 'a'.encode()"),
        _walk("translate", "x = 'a'.translate({'a': 'b'})"),
        _walk("replace", "x = 'aaa'.replace('a', 'aaaaaaaaaa')"),
        _walk("center", "x = 'a'.center(1000000000)"),
        _walk("ljust", "x = 'a'.ljust(1000000000)"),
        _walk("zfill", "x = 'a'.zfill(1000000000)"),
        _walk("expandtabs", "x = 'a'.expandtabs(1000000000)"),
        _walk("casefold, whose tables change", "x = 'a'.casefold()"),
        _walk("isalpha, whose tables change", "x = 'a'.isalpha()"),
        _walk("isnumeric, whose tables change", "x = 'a'.isnumeric()"),
        _walk("title", "x = 'a'.title()"),
        _walk("splitlines", "x = 'a'.splitlines()"),
        _walk("find", "x = 'a'.find('a')"),
        _walk("sort in place", "x = [2, 1]\nx.sort()  # !", "statement.value"),
        _walk("extend", "x = [2, 1]\nx.extend([1])  # !", "statement.value"),
        _walk("clear", "x = [2, 1]\nx.clear()  # !", "statement.value"),
        _walk("copy", "x = [2, 1]\ny = x.copy()  # !"),
        _walk("index, which looks through all", "x = [2, 1].index(1)"),
        _walk("count, which looks through all", "x = [2, 1].count(1)"),
        _walk("update", "x = {'a': 1}\nx.update({'b': 2})  # !", "statement.value"),
        _walk("setdefault", "x = {'a': 1}\ny = x.setdefault('b', 2)  # !"),
        _walk("popitem", "x = {'a': 1}\ny = x.popitem()  # !"),
        _walk("fromkeys", "x = dict.fromkeys(['a'], 1)", "name.unknown"),
        _walk("to_bytes", "x = (1).to_bytes(9999999, 'big')"),
        _walk("bit_length", "x = (1).bit_length()"),
        _walk("from_bytes", "x = int.from_bytes('a', 'big')", "name.unknown"),
        _walk("mro as a method", "x = str.mro()", "name.unknown"),
        _walk("append of a value that is no path", "[1].append(2)", "statement.value", "assign.target"),
        _walk("append to what a call gives", "sorted([1]).append(2)", "statement.value", "assign.target"),
    ),
    *attacks(
        "a function of Python reaches the machine, or costs what it likes",
        *[
            _walk(f"call of {name}", f"x = {name}('a')", "name.unknown", "call.unknown", "name.reserved")
            for name in PYTHON
        ],
        _walk("getattr of two", "x = getattr('a', '__class__')", "call.unknown", source="CVE-2025-5120"),
        _walk("a builtin by index", "x = __builtins__['eval']", "name.unknown", "name.reserved"),
        _walk("a builtin by attribute", "x = __builtins__.eval", "name.unknown", "name.reserved"),
        _walk("the name of the module", "x = __name__", "name.unknown", "name.reserved"),
        _walk("the loader", "x = __loader__", "name.unknown", "name.reserved"),
        _walk("the spec", "x = __spec__.loader", "name.unknown", "name.reserved"),
        _walk("the class cell", "x = __class__", "name.unknown", "name.reserved"),
        _walk("zero-argument super", "x = super().__init__", "name.unknown", "call.unknown"),
        _walk("debug", "x = __debug__", "name.unknown", "name.reserved", "type.unclear"),
        _walk("a call of a call", "x = str(1)()", "call.unknown"),
        _walk("a call of an item", "x = [1][0]()", "call.unknown"),
        _walk("a call of a constant", "x = 'a'()", "call.unknown"),
        _walk("a call of a choice", "x = (len if True else abs)('a')", "call.unknown"),
        _walk("a call of a parameter", "x = m()", "call.unknown"),
        _walk("a call of an action by its name", "go(t, m, p)", "call.unknown", "name.unknown", "statement.value"),
        _walk(
            "a call of an action through the class",
            "Sample.go(t, m, p)",
            "call.unknown",
            "name.unknown",
            "statement.value",
        ),
        _walk("a key function for sorted", "x = sorted([1], key=len)", "call.arity", "call.form"),
        _walk("a default for min", "x = min([1], default=2)", "call.arity", "call.form"),
        _walk("a base for int", "x = int('ff', 16)", "call.arity", "call.form"),
        _walk("str of two", "x = str(1, 'utf-8')", "call.arity", "call.form"),
        _walk("str of an object", "x = str(t)", "type.operand"),
        _walk("range as a value", "x = range(10)", "call.range", "call.unknown"),
        _walk("enumerate as a value", "x = enumerate([1])", "call.range", "call.unknown"),
        _walk("zip as a value", "x = zip([1], [2])", "call.range", "call.unknown"),
        _walk("items as a value", "x = {'a': 1}.items()", "call.range", "call.unknown"),
    ),
    *attacks(
        "a frame has the locals and globals of the engine itself",
        _walk(
            "frame of a generator",
            "x = (i for i in [1]).gi_frame.f_back.f_globals",
            "syntax.outside",
            source="CVE-2023-37271",
        ),
        _walk("code of a generator", "x = (i for i in [1]).gi_code", "syntax.outside", source="CVE-2023-37271"),
        _walk(
            "frame of a view of another contract",
            "x = twice.gi_frame.f_globals",
            "name.unknown",
            source="danthedeckie/simpleeval#138",
        ),
        _walk("frame of a coroutine", "x = tx.cr_frame", source="danthedeckie/simpleeval#138"),
        _walk("frame of a traceback", "x = tx.tb_frame.f_back"),
        _walk("globals of a function", "x = go.__globals__", "name.unknown"),
        _walk("code of a function", "x = go.__code__.co_consts", "name.unknown"),
        _walk("body of a procedure", "x = go.__body__", "name.unknown", source="GHSA-vp47-9734-prjw"),
        _walk("closure of a function", "x = go.__closure__", "name.unknown"),
        _walk("defaults of a function", "x = go.__defaults__", "name.unknown"),
        _walk("self of a function of Python", "x = len.__self__", "name.unknown"),
        _walk("module of a function of Python", "x = abs.__module__", "name.unknown"),
    ),
]
