"""Which fingerprints were ever asked for, and which images have not heard of one yet.

There is no moment at which a fingerprint is known to everybody: an image may be on its way while
one is registered. So each image says how many fingerprints of the list it has heard of, and whoever
asks for one first tells it to those that have not. The list only grows at its end.
"""

from typing import Final

from bson import ObjectId

from shared.catalogue.mongo.pictures import level
from shared.catalogue.mongo.store import Store

_KEY: Final = "known"
_STRIDE: Final = 1000
"""Images told in one go, so that no single command outlasts its time."""


class Registry:
    def __init__(self, store: Store) -> None:
        self._lists = store.documents("fingerprints")
        self._images = store.documents("images")
        self._places: dict[str, int] = {}

    def known(self) -> list[str]:
        found = self._lists.get(_KEY)
        names: list[str] = found["known"] if found else []
        self._places |= {name: place for place, name in enumerate(names)}
        return names

    def ask_for(self, fingerprint: str) -> None:
        """From here on every image that was there knows that it is wanted for this fingerprint."""
        if fingerprint not in self._places:
            self._register(fingerprint)
        place = self._places[fingerprint]
        if self._images.first({"asked": {"$lte": place}}, ["_id"]):
            names = self.known()
            for number in range(place + 1):
                self._tell(names[number], number)

    def _register(self, fingerprint: str) -> None:
        while fingerprint not in self.known():
            self._lists.insert({"_id": _KEY, "known": []})
            absent = {"_id": _KEY, "known": {"$ne": fingerprint}}
            self._lists.update(absent, {"$push": {"known": fingerprint}})

    def _tell(self, fingerprint: str, number: int) -> None:
        """Images that heard of `number` fingerprints before it hear of this one too."""
        lacking = [{f"{field}.{fingerprint}": {"$exists": False}} for field in ("vectors", "state")]
        while found := self._images.find({"asked": number}, ["_id"], limit=_STRIDE):
            these = {"_id": {"$in": [doc["_id"] for doc in found]}, "asked": number}
            heard = {"asked": number + 1, "edition": ObjectId()}
            self._images.update_all(
                {**these, "$and": lacking},
                {"$set": heard, "$push": {"open": level(fingerprint, 0)}},
            )
            # What came with a vector of it, or failed, keeps `open` in step by itself.
            self._images.update_all({**these, "$nor": [{"$and": lacking}]}, {"$set": heard})
