"""Which fields of a feed are what of a product, and how a record is made of a document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import Any, Final

from shared.attributes import MAX_CUSTOM, escaped
from shared.errors import Flaw, Invalid
from shared.products import MAX_IMAGES, Attributes
from shared.sources import values
from shared.sources.offered import pictures
from shared.sources.records import BadRecord, Document, Named, Record

Choice = tuple[tuple[str, ...], ...]
"""Paths that are gathered, and what stands in for them: the first that says something counts."""
Steps = tuple[str, ...]

_MAX_PATH: Final = 200
_MAX_SHAPES: Final = 1_000


def _any_of(*paths: str) -> Choice:
    return tuple((path,) for path in paths)


KNOWN: Final[Mapping[str, Choice]] = {
    "id": _any_of("id", "product_id", "_id", "sku"),
    "category_id": _any_of("category_id"),
    "images": _any_of(
        "images", "imgs", "image", "pictures", "image_urls", "image_url", "image_link"
    ),
    **{one.name: _any_of(one.name) for one in fields(Attributes)},
}
"""Our own API's names and Cdiscount's; for ids and pictures also those that most feeds have."""
_GATHERED: Final = ("images", "category")
_SEPARATORS: Final = ("category_separator", "list_separator")
_CUSTOM: Final = "custom."

_Place = tuple[str, str, tuple[Steps, ...], bool]
"""What is wanted, the name of where it is, the ways there, and whether all of them are gathered."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """What is what in a feed. A path is a field's name, or names with dots between them; lists on
    the way are gone through: `photos.url` is the url of each of the photos.
    """

    choices: Mapping[str, Choice] = field(default_factory=lambda: KNOWN)
    category_separator: str = " > "
    list_separator: str = "|"
    _shapes: dict[Steps, tuple[_Place, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def record(self, document: Document) -> Record | BadRecord:
        """Texts become numbers and lists where a product has those."""
        product_id: str | None = None
        try:
            found = self._found(document.fields)
            product_id = values.product_id(*(found.pop("id", None) or (None, self._names("id"))))
            category = found.pop("category_id", None)
            category_id = None if category is None else values.whole(*category)
            offered = self._pictures(found.pop("images", None))
            attributes = self._attributes(found) if found else {}
        except values.Refused as refused:
            whose = "" if product_id is None else f" (product {product_id})"
            detail = f"The record at byte {document.offset:,}{whose} {refused.why}."
            return BadRecord(document.offset, refused.code, detail, product_id)
        return Record(document.offset, product_id, attributes, category_id, offered)

    def _found(self, fields: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
        """What the document says, with the name under which it does."""
        # Most documents of a file have the same fields: where to look is worked out once.
        names = tuple(fields)
        places = self._shapes.get(names)
        if places is None:
            places = tuple(_places(self.choices, names))
            if len(self._shapes) < _MAX_SHAPES:
                self._shapes[names] = places
        found: dict[str, tuple[Any, str]] = {}
        for wanted, name, paths, gather in places:
            if wanted not in found:
                value = _gathered(fields, paths) if gather else _value(fields, paths[0])
                if value is not None:
                    found[wanted] = value, name
        return found

    def _pictures(self, found: tuple[Any, str] | None) -> tuple[bytes | Named, ...]:
        if found is None:
            raise values.Refused("missing_imgs", f"has no pictures: no {self._names('images')}")
        return pictures(*found, self.list_separator)

    def _attributes(self, found: Mapping[str, tuple[Any, str]]) -> dict[str, Any]:
        said: dict[str, Any] = {}
        custom: dict[str, Any] = {}
        for wanted, (value, name) in found.items():
            if wanted == "price":  # comes before the currency, which knows better
                said["price"], said["currency"] = values.price(value, name)
            elif wanted == "in_stock":
                said["in_stock"] = values.in_stock(value, name)
            elif wanted == "tags":
                said["tags"] = values.texts(value, self.list_separator)
            elif wanted == "category":
                said["category"] = values.texts(value, self.category_separator)
            elif wanted.startswith(_CUSTOM):
                custom[wanted.removeprefix(_CUSTOM)] = values.plain(value)
            else:
                said[wanted] = values.plain(value)
        if custom:
            said["custom"] = {**custom, **(said.get("custom") or {})}
        return {name: value for name, value in said.items() if value is not None}

    def _names(self, wanted: str) -> str:
        return ", ".join(" + ".join(paths) for paths in self.choices[wanted])


def read_mapping(body: Mapping[str, object], pointer: str = "/mapping") -> FieldMap:
    """What a caller says of a feed; what is left out keeps the names that everybody knows.

    Raises `Invalid` with a flaw for everything that is wrong; `pointer` is where the body stands.
    """
    choices = dict(KNOWN)
    separators: dict[str, str] = {}
    flaws: list[Flaw] = []
    for name, value in body.items():
        where = f"{pointer}/{escaped(name)}"
        if value is None:
            continue
        if name in _SEPARATORS:
            separators[name] = _path(value, where, flaws)
        elif name == "custom":
            del choices["custom"]
            choices.update(_custom(value, where, flaws))
        elif name in KNOWN:
            choices[name] = (_paths(name, value, where, flaws),)
        else:
            known = ", ".join([*KNOWN, *_SEPARATORS])
            flaws.append(
                Flaw(where, "unknown_field", f"A mapping has no such field; it has {known}.")
            )
    if flaws:
        raise Invalid(f"{flaws[0].pointer}: {flaws[0].detail}", code=flaws[0].code, flaws=(*flaws,))
    return FieldMap(choices, **separators)


def _path(value: object, where: str, flaws: list[Flaw]) -> str:
    if isinstance(value, str) and 1 <= len(value) <= _MAX_PATH:
        return value
    detail = f"This is a text of 1 to {_MAX_PATH} characters."
    flaws.append(Flaw(where, "wrong_type", detail))
    return ""


def _paths(name: str, value: object, where: str, flaws: list[Flaw]) -> tuple[str, ...]:
    if name not in _GATHERED or not isinstance(value, list | tuple):
        return (_path(value, where, flaws),)
    if not 1 <= len(value) <= MAX_IMAGES:
        flaws.append(Flaw(where, "wrong_type", f"This is a list of 1 to {MAX_IMAGES} fields."))
    return tuple(_path(one, f"{where}/{n}", flaws) for n, one in enumerate(value))


def _custom(value: object, where: str, flaws: list[Flaw]) -> dict[str, Choice]:
    if not isinstance(value, Mapping) or len(value) > MAX_CUSTOM:
        detail = f"This is an object of at most {MAX_CUSTOM} names, each with a field."
        flaws.append(Flaw(where, "wrong_type", detail))
        return {}
    return {
        _CUSTOM + name: ((_path(path, f"{where}/{escaped(name)}", flaws),),)
        for name, path in value.items()
    }


def _places(choices: Mapping[str, Choice], names: Steps) -> Iterator[_Place]:
    """Where documents with these fields have what is wanted, the first choice first."""
    own: dict[str, Choice] = {}
    if "custom" in choices:
        own = {name: ((name,),) for name in names if name.startswith(_CUSTOM)}
    for wanted, choice in {**own, **choices}.items():
        for paths in choice:
            found = tuple(steps for path in paths if (steps := _steps(path, names)))
            if found:
                yield wanted, " + ".join(paths), found, len(paths) > 1


def _steps(path: str, names: Steps) -> Steps:
    """A name with dots in it is a name first; nothing where the documents have no such field."""
    if path in names:
        return (path,)
    head, *rest = path.split(".")
    return (head, *rest) if rest and head in names else ()


def _gathered(fields: Mapping[str, Any], paths: Sequence[Steps]) -> list[Any] | None:
    found = [_value(fields, steps) for steps in paths]
    return _flat(found) if any(value is not None for value in found) else None


def _value(fields: Mapping[str, Any], steps: Steps) -> Any:
    value = fields[steps[0]]
    for step in steps[1:]:
        value = _step(value, step)
    return value


def _step(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list):
        return _flat([_step(one, step) for one in value if isinstance(one, dict)])
    return None


def _flat(found: list[Any]) -> list[Any]:
    """One list of all that is said, lists among it opened."""
    lists = (one if isinstance(one, list) else [one] for one in found if one is not None)
    return list(chain.from_iterable(lists))
