"""What was given up on: to be looked at, and tried again.

Keys are `image/{sha256}/{fingerprint}`, `product/{tenant}/{index}/{id}`, `record/{import}/{offset}`,
`chunk/{import}/{number}`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from services.gateway import imports
from services.gateway.answers import stamp
from services.gateway.keys import Caller
from services.gateway.products import picture_url
from services.gateway.rings import ring_for
from services.gateway.schemas.jobs import (
    DeadLettersView,
    DeadLetterView,
    ReplayBody,
    ReplayView,
)
from shared.errors import Conflict
from shared.jobs import DeadLetter

_PAGE = 500
_FROM_IMPORTS: Final = ("record", "chunk")


def page(caller: Caller, *, import_id: str | None, after: str, limit: int) -> DeadLettersView:
    """By key; the cursor is the last key."""
    letters = caller.ports.catalogue.dead.page(
        caller.tenant, source=import_id, after=after, limit=limit
    )
    return DeadLettersView(
        dead_letters=[_view(caller, letter) for letter in letters],
        next_cursor=letters[-1].key if len(letters) == limit else None,
    )


def of_import(caller: Caller, import_id: str, after: str, limit: int) -> DeadLettersView:
    imports.find(caller, import_id)
    return page(caller, import_id=import_id, after=after, limit=limit)


def retry_import(caller: Caller, import_id: str) -> ReplayView:
    """Its chunks that were given up, its bad records, and its pictures."""
    imports.find(caller, import_id)
    replayed = replay(caller, ReplayBody(import_id=import_id))
    if not replayed.replayed and not replayed.left:
        raise Conflict("Nothing of this import has failed, so there is nothing to try again.")
    return replayed


def replay(caller: Caller, wanted: ReplayBody) -> ReplayView:
    """Puts back to work what can be; a letter goes once its work is pending again."""
    letters = list(_chosen(caller, wanted))
    done, left = _replay_imports(caller, [one for one in letters if one.kind in _FROM_IMPORTS])
    for letter in letters:
        if letter.kind in _FROM_IMPORTS:
            continue
        reason = _replay_one(caller, letter)
        if reason is None:
            done.append(letter.key)
        else:
            left[letter.key] = reason
    caller.ports.catalogue.dead.drop(caller.tenant, done)
    return ReplayView(replayed=len(done), left=left)


def _replay_imports(
    caller: Caller, letters: Sequence[DeadLetter]
) -> tuple[list[str], dict[str, str]]:
    """Records and chunks are read again with what lies around them: keys done, and keys left.

    Their letters go before anybody reads: whatever fails again has a letter again.
    """
    done: list[str] = []
    left: dict[str, str] = {}
    for import_id, group in _by_import(letters).items():
        keys = [letter.key for letter in group]
        offsets = [one.source[1] for one in group if one.kind == "record" and one.source]
        drop = partial(caller.ports.catalogue.dead.drop, caller.tenant, keys)
        reason = imports.again(caller, import_id, offsets, drop)
        if reason is None:
            done += keys
        else:
            left |= dict.fromkeys(keys, reason)
    return done, left


def _by_import(letters: Sequence[DeadLetter]) -> Mapping[str, list[DeadLetter]]:
    groups: defaultdict[str, list[DeadLetter]] = defaultdict(list)
    for letter in letters:
        groups[letter.source[0] if letter.source else ""].append(letter)
    return groups


def _chosen(caller: Caller, wanted: ReplayBody) -> Iterator[DeadLetter]:
    keys = None if wanted.keys is None else frozenset(wanted.keys)
    for letter in list(_all(caller, wanted.import_id)):
        if keys is None or letter.key in keys:
            yield letter


def _all(caller: Caller, import_id: str | None) -> Iterator[DeadLetter]:
    after = ""
    while letters := caller.ports.catalogue.dead.page(
        caller.tenant, source=import_id, after=after, limit=_PAGE
    ):
        yield from letters
        after = letters[-1].key


def _replay_one(caller: Caller, letter: DeadLetter) -> str | None:
    """None when its work is pending again, else why it cannot be."""
    match letter.kind, letter.key.split("/"):
        case "image", [_, sha256, fingerprint]:
            return _replay_image(caller, sha256, fingerprint)
        case "product", [*_, product_id]:
            return _replay_product(caller, product_id)
        case _:
            return "There is no way to try this again."


def _replay_image(caller: Caller, sha256: str, fingerprint: str) -> str | None:
    ports = caller.ports
    image = ports.catalogue.images.get(caller.tenant, [sha256]).get(sha256)
    if image is None:
        return "The picture is not stored any more."
    ports.catalogue.images.forget_verdict(caller.tenant, sha256, fingerprint)
    ring_for(ports, caller.tenant, [], {sha256: image})
    return None


def _replay_product(caller: Caller, product_id: str) -> str | None:
    ports = caller.ports
    products = ports.catalogue.products.get(caller.tenant, [product_id])
    if product_id not in products:
        return "The product is gone."
    names = ports.targets.fresh(caller.tenant).names
    ports.catalogue.products.add_pending(caller.tenant, names, [product_id])
    ring_for(ports, caller.tenant, products.values(), {})
    return None


def _view(caller: Caller, letter: DeadLetter) -> DeadLetterView:
    import_id, offset = letter.source or (None, None)
    sha256 = letter.key.split("/")[1] if letter.kind == "image" else None
    now = caller.ports.catalogue.now()
    return DeadLetterView(
        key=letter.key,
        kind=letter.kind,
        code=letter.code,
        detail=letter.detail,
        first_seen=stamp(letter.first_seen),
        attempts=letter.attempts,
        import_id=import_id,
        offset=offset,
        thumbnail_url=None if sha256 is None else picture_url(caller, sha256, "thumb", now),
    )
