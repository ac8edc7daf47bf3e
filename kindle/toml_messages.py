"""What is wrong with a value in a TOML file, in the words of the file: which key, which table, what it takes."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect

Keys = tuple[str | int, ...]
"""The way to a value: names of tables and keys, numbers of entries."""

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def keys_of(error: msgspec.ValidationError) -> Keys:
    """msgspec ends its messages in a path such as ``$.daq.inputs[0].role``."""
    path = str(error).partition(" - at `$")[2]
    return tuple(name or int(number) for name, number in _STEP.findall(path.rstrip("`")))


def explain(error: msgspec.ValidationError, raw: object, type: Any, named: Keys | None = None) -> str:
    """``error`` in plain words; ``named`` is where the person wrote the value, if not where the program keeps it."""
    keys = keys_of(error)
    where = keys if named is None else named
    told = str(error)
    root = inspect.type_info(type)
    field = re.search(r"field `([^`]*)`", told)
    if field and "unknown field" in told:
        known = ", ".join(_names(_type_at(root, keys, raw)))
        return f"unknown key `{field[1]}`{_under(where)}; the keys there are: {known}"
    if field:
        kind = _type_at(root, (*keys, field[1]), raw)
        return f"missing key `{field[1]}`{_under(where)}; it takes {_words(kind)}"
    return f"{_place(where)} takes {_words(_type_at(root, keys, raw))}{_found(raw, keys)}"


def _under(keys: Keys) -> str:
    """`` under [table]``; entries of a list of tables are counted from 1, as people do."""
    if not keys:
        return ""
    if isinstance(keys[-1], int):
        return f" under [[{'.'.join(map(str, keys[:-1]))}]] number {keys[-1] + 1}"
    return f" under [{'.'.join(map(str, keys))}]"


def _place(keys: Keys) -> str:
    if not keys:
        return "the file"
    *table, last = keys
    if isinstance(last, int):
        return f"entry {last + 1} of {'.'.join(map(str, table))}"
    return f"{last}{_under(tuple(table))}"


def _type_at(kind: inspect.Type, keys: Keys, raw: object) -> inspect.Type:
    """The type that stands at ``keys``; ``raw`` says which of several kinds of table was written."""
    kind = _stated(kind, raw)
    match keys, kind:
        case (str(name), *rest), inspect.StructType(fields=fields):
            inner = next((field.type for field in fields if field.encode_name == name), inspect.AnyType())
            return _type_at(inner, tuple(rest), _value_at(raw, name))
        case (str(name),), inspect.UnionType(types=types):
            tables = [one for one in types if isinstance(one, inspect.StructType) and one.tag_field == name]
            return inspect.LiteralType(tuple(table.tag for table in tables)) if tables else inspect.AnyType()
        case (int(number), *rest), inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return _type_at(item, tuple(rest), _value_at(raw, number))
        case (), _:
            return kind
        case _:
            return inspect.AnyType()


def _stated(kind: inspect.Type, raw: object = None) -> inspect.Type:
    """TOML has no null: of ``X | None`` a person can only write X; of several tables, the one that its key names."""
    match kind:
        case inspect.Metadata():
            return _stated(kind.type, raw)
        case inspect.UnionType(types=types):
            stated = [one for one in types if not isinstance(one, inspect.NoneType)]
            tables = [one for one in stated if isinstance(one, inspect.StructType)]
            if len(stated) == 1 or len(tables) < len(stated):
                return _stated(stated[0], raw)
            named = (one for one in tables if _value_at(raw, one.tag_field) == one.tag)
            return next(named, kind)
        case _:
            return kind


def _value_at(raw: object, key: object) -> object:
    try:
        return raw[key]  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return None


def _names(kind: inspect.Type) -> Sequence[str]:
    return [field.encode_name for field in kind.fields] if isinstance(kind, inspect.StructType) else []


def _words(kind: inspect.Type) -> str:
    match kind:
        case inspect.StrType():
            return 'a text in "quotes"'
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType(gt=gt, ge=ge, le=le):
            return f"a whole number{_bounds(gt, ge, le)}"
        case inspect.FloatType(gt=gt, ge=ge, le=le):
            return f"a number{_bounds(gt, ge, le)}"
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(f'"{value}"' for value in sorted(values, key=str))
        case inspect.StructType():
            return f"a table of {', '.join(_names(kind))}"
        case inspect.DictType() | inspect.UnionType():
            return "a table"
        case inspect.DateType():
            return "a date such as 2026-11-23"
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            what = "tables" if isinstance(_stated(item), inspect.StructType) else "values"
            return f"a list of {least or 0} to {most} {what}" if most else f"a list of {what}"
        case _:
            return "another kind of value"


def _bounds(gt: float | None, ge: float | None, le: float | None) -> str:
    low = f"above {gt:g}" if gt is not None else f"from {ge:g}" if ge is not None else ""
    high = f"up to {le:g}" if le is not None else ""
    bounds = " and ".join(bound for bound in (low, high) if bound)
    return f" {bounds}" if bounds else ""


def _found(raw: object, keys: Keys) -> str:
    for key in keys:
        try:
            raw = raw[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return ""
    match raw:
        case bool():
            return f", not {str(raw).lower()}"
        case str():
            return f', not the text "{raw[:60]}"'
        case int() | float():
            return f", not {raw}"
        case dict():
            return ", not a table"
        case list():
            return f", not a list of {len(raw)}"
        case _:
            return f", not {raw}"
