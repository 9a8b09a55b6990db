"""Named operations on the models that tenants registered."""

from typing import Protocol

from shared.models import RegisteredModel


class Models(Protocol):
    """A document is written last and removed first: what is listed has its archive."""

    def register(self, model: RegisteredModel) -> RegisteredModel:
        """As it is kept, `created` by the store's clock.

        The same name, version and fingerprint again is the document that is there, whatever its
        archive; another fingerprint under them raises `Conflict`.
        """
        ...

    def get(self, tenant: str, model_id: str) -> RegisteredModel | None: ...

    def named(self, tenant: str, name: str, version: str) -> RegisteredModel | None: ...

    def of_fingerprint(self, fingerprint: str) -> RegisteredModel | None:
        """The first that was registered, whoever it belongs to: its vectors are the same for all."""
        ...

    def all(self, tenant: str) -> list[RegisteredModel]:
        """By name, then in the order they were registered."""
        ...

    def remove(self, tenant: str, model_id: str) -> bool:
        """The document; whether there was one. Its archive stays."""
        ...

    def names_blob(self, blob: str) -> bool:
        """Whether it is the archive of any."""
        ...
