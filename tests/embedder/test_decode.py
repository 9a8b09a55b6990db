import struct
import zlib
from contextlib import suppress
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from services.embedder.decode import cut, decode, perceptual_hash, thumbnail
from shared.errors import Invalid, LookalikeError, TooLarge, Undecodable, WrongMediaType
from shared.images import MAX_PICTURE_BYTES, Crop
from shared.pictures import sniff

Pixels = NDArray[Any]


def _encoded(pixels: NDArray[np.generic], suffix: str, *options: int) -> bytes:
    data: bytes = cv2.imencode(suffix, np.asarray(pixels), list(options))[1].tobytes()
    return data


def _jpeg(pixels: Pixels) -> bytes:
    return bytes(simplejpeg.encode_jpeg(pixels, quality=95, colorsubsampling="444"))


def _tiff(orientation: int, order: str = ">") -> bytes:
    mark = b"MM" if order == ">" else b"II"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(order + "HIH", 42, 8, 1) + entry + bytes(4)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _turned_jpeg(pixels: Pixels, orientation: int, order: str = ">") -> bytes:
    exif = b"Exif\0\0" + _tiff(orientation, order)
    plain = _jpeg(pixels)
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]


def _turned_png(pixels: Pixels, orientation: int) -> bytes:
    plain = _encoded(pixels[..., ::-1], ".png")
    return plain[:33] + _chunk(b"eXIf", _tiff(orientation)) + plain[33:]


def _turned_webp(pixels: Pixels, orientation: int) -> bytes:
    plain = _encoded(pixels[..., ::-1], ".webp", cv2.IMWRITE_WEBP_QUALITY, 101)
    height, width = pixels.shape[:2]
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    tiff = _tiff(orientation)
    extended = b"VP8X" + struct.pack("<I", 10) + b"\x08\0\0\0" + sides
    body = b"WEBP" + extended + plain[12:] + b"EXIF" + struct.pack("<I", len(tiff)) + tiff
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _as_stored(upright: Pixels, orientation: int) -> Pixels:
    """What a camera held that way writes, by the definition of the EXIF tag."""
    first_row_is, first_column_is = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    stored = upright
    if "right" in (first_row_is, first_column_is):
        stored = stored[:, ::-1]
    if "bottom" in (first_row_is, first_column_is):
        stored = stored[::-1]
    if first_row_is in ("left", "right"):
        stored = stored.transpose(1, 0, 2)
    return np.ascontiguousarray(stored)


def _close(found: Pixels, expected: Pixels) -> bool:
    return found.shape == expected.shape and bool(
        np.abs(found.astype(int) - expected.astype(int)).mean() < 4
    )


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_each_format_gives_the_same_upright_rgb(scene: Pixels, suffix: str) -> None:
    picture = decode(_encoded(scene[..., ::-1], suffix))
    assert _close(picture.pixels, scene)
    assert (picture.width, picture.height) == (96, 64)


@pytest.mark.parametrize("make", [_turned_jpeg, _turned_png, _turned_webp])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(scene: Pixels, make: object, orientation: int) -> None:
    assert callable(make)
    data = make(_as_stored(scene, orientation), orientation)
    picture = decode(data)
    assert _close(picture.pixels, scene)
    assert (picture.width, picture.height) == (sniff(data).width, sniff(data).height) == (96, 64)


def test_both_byte_orders_of_exif_are_read(scene: Pixels) -> None:
    assert sniff(_turned_jpeg(scene, 6, "<")) == sniff(_turned_jpeg(scene, 6, ">"))


def test_damaged_exif_is_ignored(scene: Pixels) -> None:
    assert sniff(_turned_jpeg(scene, 77)).orientation == 1
    broken = _turned_jpeg(scene, 6).replace(b"MM\0*\0\0\0\x08", b"MM\0*\xff\xff\xff\xff")
    assert _close(decode(broken).pixels, scene)


def test_grey_pictures_become_rgb(scene: Pixels) -> None:
    grey = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)
    for suffix in (".jpg", ".png"):
        assert _close(decode(_encoded(grey, suffix)).pixels, cv2.merge([grey] * 3))


def test_cmyk_is_read_as_adobe_writes_it(scene: Pixels) -> None:
    inks = np.dstack([scene, np.full(scene.shape[:2], 255, np.uint8)])
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(inks), 95, "CMYK", "444")
    assert _close(decode(bytes(data)).pixels, scene)


def test_sixteen_bits_are_brought_to_eight(scene: Pixels) -> None:
    deep = scene[..., ::-1].astype(np.uint16) * 257
    assert (decode(_encoded(deep, ".png")).pixels == scene).all()


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_what_is_transparent_lies_on_white(scene: Pixels, suffix: str) -> None:
    alpha = np.zeros(scene.shape[:2], np.uint8)
    alpha[:32] = 255
    alpha[32:, :48] = 128
    data = _encoded(np.dstack([scene[..., ::-1], alpha]), suffix, cv2.IMWRITE_WEBP_QUALITY, 101)
    found = decode(data).pixels
    assert _close(found[:32], scene[:32])
    assert (found[32:, 48:] == 255).all()
    assert found[40, 10].tolist() == pytest.approx([142, 142, 237], abs=2)


def test_an_animation_shows_its_first_frame(scene: Pixels) -> None:
    animation = cv2.Animation()
    animation.frames = [scene[..., ::-1].copy(), np.zeros_like(scene)]
    animation.durations = [100, 100]
    written, data = cv2.imencodeanimation(".webp", animation, [cv2.IMWRITE_WEBP_QUALITY, 95])
    assert written
    assert _close(decode(data.tobytes()).pixels, scene)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("kept", [0.999, 0.9, 0.5, 0.1])
def test_a_picture_without_its_end_is_refused(suffix: str, kept: float) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    data = _encoded(noise, suffix)
    with pytest.raises(Undecodable, match=r"cut off|ends inside|damaged"):
        decode(data[: int(len(data) * kept)])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_no_cut_however_small_is_let_through(scene: Pixels, suffix: str) -> None:
    data = _encoded(cv2.resize(scene, (24, 16)), suffix)
    for length in range(len(data)):
        with pytest.raises((Undecodable, WrongMediaType)):
            decode(data[:length])


def test_damaged_bytes_are_refused_or_read_but_never_escape() -> None:
    rng = np.random.default_rng(11)
    noise = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for suffix in (".jpg", ".png", ".webp"):
        whole = _encoded(noise, suffix)
        for _ in range(150):
            data = bytearray(whole)
            for at in rng.integers(0, len(data), 3):
                data[at] = rng.integers(0, 256)
            with suppress(LookalikeError):
                assert decode(bytes(data)).pixels.dtype == np.uint8


def test_content_decides_and_not_a_name() -> None:
    with pytest.raises(WrongMediaType, match="no JPEG, PNG or WebP"):
        decode(b"just text, called photo.jpg\n" * 10)
    with pytest.raises(WrongMediaType):
        decode(b"GIF89a" + bytes(100))
    with pytest.raises(WrongMediaType):
        decode(b"")


def test_a_header_asking_for_too_much_is_refused_before_decoding(scene: Pixels) -> None:
    small = _encoded(scene, ".png")
    for width, height in ((12_001, 10), (10, 12_001), (8_000, 8_000), (2**31, 2**31)):
        head = struct.pack(">II", width, height) + small[24:29]
        data = small[:8] + _chunk(b"IHDR", head) + small[33:]
        with pytest.raises(TooLarge, match="at most 12,000 a side"):
            decode(data)


def test_too_many_bytes_are_refused(scene: Pixels) -> None:
    with pytest.raises(TooLarge, match="bytes"):
        decode(_jpeg(scene) + bytes(MAX_PICTURE_BYTES))


def test_a_header_made_of_endless_parts_is_refused(scene: Pixels) -> None:
    plain = _jpeg(scene)
    with pytest.raises(Undecodable, match="too many parts"):
        sniff(plain[:2] + b"\xff\xe2\x00\x02" * 500_000 + plain[2:])
    with pytest.raises(Undecodable, match="too many parts"):
        sniff(plain[:2] + b"\xff" * 1_000_000 + plain[2:])


def test_large_jpegs_are_decoded_smaller_but_keep_their_size(scene: Pixels) -> None:
    large = cv2.resize(scene, (2400, 1600), interpolation=cv2.INTER_NEAREST)
    picture = decode(_jpeg(large))
    assert (picture.width, picture.height) == (2400, 1600)
    assert 320 <= min(picture.pixels.shape[:2]) < 640
    assert min(decode(_jpeg(large), Crop(0, 0, 0.25, 0.5)).pixels.shape[:2]) >= 320 / 0.25


def test_a_crop_is_the_named_part(scene: Pixels) -> None:
    assert (cut(scene, Crop(0.5, 0.5, 0.5, 0.5)) == scene[32:, 48:]).all()
    assert cut(scene, Crop(0.999, 0.999, 0.001, 0.001)).shape == (1, 1, 3)


@pytest.mark.parametrize(
    "crop", [Crop(0, 0, 0, 1), Crop(-0.1, 0, 0.5, 1), Crop(0.6, 0, 0.5, 1), Crop(0, 0, 1, 1.01)]
)
def test_a_crop_that_is_none_is_refused(scene: Pixels, crop: Crop) -> None:
    with pytest.raises(Invalid, match="crop"):
        decode(_jpeg(scene), crop)


def test_thumbnails_are_small_jpegs_of_large_pictures_only(scene: Pixels) -> None:
    assert thumbnail(decode(_jpeg(scene))) is None
    made = thumbnail(decode(_jpeg(cv2.resize(scene, (2400, 1600)))))
    assert made is not None
    assert sniff(made).media_type == "image/jpeg"
    assert (sniff(made).width, sniff(made).height) == (256, 171)


def test_the_perceptual_hash_outlives_saving_again_and_differs_between_pictures() -> None:
    def bits(pixels: Pixels) -> int:
        return int(perceptual_hash(pixels), 16)

    rng = np.random.default_rng(2)
    one, other = (
        cv2.resize(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8), (280, 360)) for _ in range(2)
    )
    again = decode(_encoded(one[..., ::-1], ".jpg", cv2.IMWRITE_JPEG_QUALITY, 40)).pixels
    smaller = cv2.resize(one, (140, 180), interpolation=cv2.INTER_AREA)
    assert (bits(one) ^ bits(again)).bit_count() <= 4
    assert (bits(one) ^ bits(smaller)).bit_count() <= 4
    assert (bits(one) ^ bits(other)).bit_count() >= 16
