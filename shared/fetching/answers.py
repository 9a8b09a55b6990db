"""What a server answers: a picture, another URL, or the reason why there is none."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from ssl import SSLCertVerificationError
from typing import Final

import httpcore

from shared.errors import Invalid, TooLarge, Unavailable
from shared.fetching.permits import Target, refused
from shared.images import MAX_PICTURE_BYTES
from shared.pictures import sniff

_ELSEWHERE: Final = frozenset({301, 302, 303, 307, 308})
_LATER: Final = frozenset({408, 425, 429})
_UNTOLD: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""Kinds that stores give to whatever they were not told the kind of."""


class Busy(Unavailable):
    """The server is to be asked later: after `after_s` seconds, where it says when."""

    code = "fetch_unavailable"
    after_s: float | None = None


def picture_or_url(target: Target, response: httpcore.Response) -> bytes | str:
    """The bytes of a picture, or the URL that the server names instead."""
    headers = {name.decode("latin-1").lower(): v.decode("latin-1") for name, v in response.headers}
    if response.status in _ELSEWHERE and "location" in headers:
        return headers["location"]
    if response.status in _LATER or response.status >= 500:
        busy = Busy(f"{target.shown} answers {response.status}: try again later.")
        busy.after_s = _retry_after(headers.get("retry-after", ""))
        raise busy
    if response.status != 200:
        raise failed(f"{target.shown} answers {response.status}: there is no picture.")
    _check_headers(target, headers)
    data = _body(target, response)
    sniff(data)
    return data


@contextmanager
def told(target: Target) -> Iterator[None]:
    """The network's troubles in the words of this project."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise Busy(f"{target.shown} is too slow: try again later.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        if error.args and isinstance(error.args[0], SSLCertVerificationError):
            why = error.args[0].verify_message
            raise refused(
                f"The certificate of {target.host} is not to be trusted: {why}."
            ) from error
        raise Busy(f"{target.shown} does not answer ({error}): try again later.") from error


def failed(detail: str) -> Invalid:
    return Invalid(detail, code="fetch_failed")


def _check_headers(target: Target, headers: Mapping[str, str]) -> None:
    """Refuses early; what the headers promise is believed of nothing that follows."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _UNTOLD and not kind.startswith("image/"):
        raise failed(f"{target.shown} answers {kind[:100]}, which is no picture.")
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        # Nothing is ever unpacked: a kilobyte could become a gigabyte.
        raise failed(f"{target.shown} answers compressed, although that was not asked for.")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_PICTURE_BYTES:
        raise _too_large(target)


def _body(target: Target, response: httpcore.Response) -> bytes:
    data = bytearray()
    for chunk in response.iter_stream():
        data += chunk
        if len(data) > MAX_PICTURE_BYTES:
            raise _too_large(target)
    return bytes(data)


def _too_large(target: Target) -> TooLarge:
    return TooLarge(
        f"{target.shown} has more than {MAX_PICTURE_BYTES:,} bytes, which is the most that is taken."
    )


def _retry_after(said: str) -> float | None:
    """Seconds, or a date; None where it is neither."""
    if said.strip().isdecimal():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
