"""A picture's final failure, and the dead letter that shows it."""

from services.embedder.ports import Ports
from shared.images import MAX_ATTEMPTS, Place
from shared.jobs import DeadLetter
from shared.seams.embedder import Failure

KILLS_DECODER = Failure(
    "kills_decoder",
    f"Whatever decoded this picture died of it, {MAX_ATTEMPTS} times over. "
    "Look at the file; replay the dead letter once the decoder was repaired.",
)


def give_up_image(
    ports: Ports,
    tenant: str,
    sha256: str,
    place: Place,
    failure: Failure,
    *,
    attempts: int = 1,
    source: tuple[str, int] | None = None,
) -> bool:
    """False when the image has a vector by now, or other bytes than the ones that were read.

    The letter comes first: whoever dies between the two tries the picture again and writes the
    same letter, while a failure without a letter would be seen by nobody.
    """
    key = f"image/{sha256}/{ports.fingerprint}"
    letter = DeadLetter(
        key=key,
        tenant=tenant,
        kind="image",
        code=failure.code,
        detail=failure.detail,
        first_seen=ports.catalogue.now(),
        attempts=attempts,
        source=source or _record_of(ports, tenant, sha256),
    )
    ports.catalogue.dead.put([letter])
    error = f"{failure.code}: {failure.detail}"
    stored = ports.catalogue.images.store_verdict(  # rule: verdict_guarded
        tenant, sha256, ports.fingerprint, place=place, error=error
    )
    if not stored:
        ports.catalogue.dead.drop(tenant, [key])
    return stored


def _record_of(ports: Ports, tenant: str, sha256: str) -> tuple[str, int] | None:
    """Which record brought a product that shows the picture; none where a request did."""
    showing = ports.catalogue.products.showing(tenant, [sha256], each=1)
    products = ports.catalogue.products.get(tenant, showing.get(sha256, ()))
    return next((product.written_by for product in products.values()), None)
