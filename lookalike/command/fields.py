r"""Products' fields as a person writes them: `price=39.90`, `category=Home/Kitchen`.

A filter is such conditions with commas between, all of which must hold:

    category=Home/Kitchen,price<=40,in_stock=true,brand=Lumen|Arco,title!="Lamp, small"

`=` and `!=` compare (a category: is under), `|` gives a choice, `< <= > >=` are for numbers. What
stands in double quotes is a text as it is; `\/` is a slash inside a category's name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lookalike.command.faults import Wrong

Scalar = str | int | float | bool

_FIELDS: Final = ("title", "brand", "category", "price", "currency", "in_stock", "tags", "url")
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_CONDITION: Final = re.compile(r'\s*([\w.]+)\s*(<=|>=|!=|=|<|>)\s*((?:"[^"]*"|[^,"])*?)\s*(?:,|$)')
_CHOICES: Final = re.compile(r'"[^"]*"|[^|"]+')
_SLASH: Final = re.compile(r"(?<!\\)/")
_BOUNDS: Final = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_TRUTHS: Final = {"true": True, "yes": True, "false": False, "no": False}


def filter_of(expression: str) -> dict[str, Any]:
    """The filter's JSON."""
    return {"and": list(_conditions(expression))}


def changes_of(assignments: Iterable[str]) -> dict[str, Any]:
    """`FIELD=VALUE` each; nothing after the sign means null. `custom.NAME` goes under `custom`."""
    changes: dict[str, Any] = {}
    for assignment in assignments:
        field, sign, text = assignment.partition("=")
        if not sign:
            raise Wrong(f"{assignment!r} has no `=`: write FIELD=VALUE, such as price=39.90.")
        value = _value(_known(field.strip()), text.strip()) if text.strip() else None
        _put(changes, field.strip(), value)
    return changes


def _put(changes: dict[str, Any], field: str, value: object) -> None:
    if field.startswith("custom."):
        changes.setdefault("custom", {})[field.removeprefix("custom.")] = value
    else:
        changes[field] = value


def _conditions(expression: str) -> Iterator[Mapping[str, Any]]:
    place = 0
    while place < len(expression):
        found = _CONDITION.match(expression, place)
        if found is None:
            raise Wrong(
                f"The filter cannot be read at {expression[place : place + 40]!r}: write "
                "FIELD=VALUE or PRICE<=NUMBER, with commas between."
            )
        field, sign, text = found.groups()
        yield _condition(_known(field), sign, text)
        place = found.end()
    if not expression.strip():
        raise Wrong("The filter is empty: leave it out, or write such as price<=40.")


def _condition(field: str, sign: str, text: str) -> Mapping[str, Any]:
    if not text:
        raise Wrong(f"The filter has nothing after `{field}{sign}`.")
    if sign in _BOUNDS:
        return {"field": field, _BOUNDS[sign]: _number(field, text)}
    choices = [_alike(field, choice.strip()) for choice in _CHOICES.findall(text)]
    test = choices[0] if len(choices) == 1 else _any_of(choices)
    return {"not": test} if sign == "!=" else test


def _alike(field: str, text: str) -> dict[str, Any]:
    if field == "category":
        return {"field": field, "under": _path(text)}
    return {"field": field, "eq": text if field == "tags" else _value(field, text)}


def _any_of(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """One `in` where it can be, for it is what indexes are good at."""
    if all("eq" in choice for choice in choices):
        return {"field": choices[0]["field"], "in": [choice["eq"] for choice in choices]}
    return {"or": choices}


def _value(field: str, text: str) -> Scalar | list[str]:
    """A value by what its field holds; of one's own fields, by what it looks like."""
    match field:
        case "price":
            return _number(field, text)
        case "in_stock":
            return _truth(field, text)
        case "category":
            return _path(text)
        case "tags":
            return [_text(tag.strip()) for tag in text.split(",")]
        case _:
            return _guessed(text) if field.startswith("custom.") else _text(text)


def _known(field: str) -> str:
    if field in _FIELDS or (field.startswith("custom.") and field != "custom."):
        return field
    raise Wrong(f"A product has no field {field!r}; it has {', '.join(_FIELDS)} and custom.NAME.")


def _guessed(text: str) -> Scalar:
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    if not _NUMBER.fullmatch(text):
        return _text(text)
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def _number(field: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise Wrong(f"`{field}` is compared with a number, and {text!r} is none.")
    return float(text)


def _truth(field: str, text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise Wrong(f"`{field}` is true or false, not {text!r}.")
    return _TRUTHS[text.lower()]


def _path(text: str) -> list[str]:
    return [part.strip().replace("\\/", "/") for part in _SLASH.split(_text(text))]


def _text(text: str) -> str:
    quoted = len(text) >= 2 and text[0] == text[-1] == '"'
    return text[1:-1] if quoted else text
