"""What a student hands in by phone: a signature drawn on the glass, a small picture to look at, a photo of a paper."""

from __future__ import annotations

import binascii
from base64 import b64decode
from io import BytesIO

from PIL import Image

from engine.documents import Upload
from exchange.evidence import BROKEN, BROKEN_PICTURE, FileRefused, inspect
from exchange.faults import Sentence
from exchange.pictures import FORMATS, shown

_DATA = "data:image/png;base64,"
MOST_SIGNATURE_BYTES = 48 * 1024
"""A name drawn by finger is below 20 kB; a form's field is no larger than 64."""
_EXIF, _EXPOSURE_TIME, _F_NUMBER, _FOCAL_LENGTH = 0x8769, 0x829A, 0x829D, 0x920A
_LEAST_INK = 40
"""Pixels that differ from the ground; a dot is no name."""
NOT_SIGNED = Sentence("还没有签名，请在框内写下姓名", "there is no signature yet: write your name in the frame")
NO_DRAWING = Sentence("签名没有传到，请重签一次", "the signature did not arrive: sign once more")


def signature(data: str) -> Upload:
    """A signature as the page sends it, a PNG in a `data:` address.

    Raises:
        FileRefused: If it is no such picture, too large, or nothing is drawn on it.
    """
    if not data.startswith(_DATA) or len(data) > MOST_SIGNATURE_BYTES * 4 // 3 + len(_DATA):
        raise FileRefused(NO_DRAWING)
    try:
        body = b64decode(data.removeprefix(_DATA), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise FileRefused(NO_DRAWING) from problem
    upload = inspect("签名.png", body)
    if upload.kind != "png":
        raise FileRefused(NO_DRAWING)
    if _ink(body) < _LEAST_INK:
        raise FileRefused(NOT_SIGNED)
    return upload


def _ink(body: bytes) -> int:
    """How many pixels are not of the commonest colour."""
    try:
        with Image.open(BytesIO(shown(body, 600))) as picture:
            counts = picture.convert("L").histogram()
    except BROKEN as problem:
        raise FileRefused(BROKEN_PICTURE) from problem
    return sum(counts) - max(counts)


def thumbnail(body: bytes, most: int) -> bytes:
    """A small picture of a photo as JPEG: pixels made anew, a few kB.

    Raises:
        FileRefused: As `exchange.pictures.shown`.
    """
    out = BytesIO()
    with Image.open(BytesIO(shown(body, most))) as picture:
        picture.save(out, "JPEG", quality=82)
    return out.getvalue()


def is_camera_picture(body: bytes) -> bool:
    """Whether a picture says of itself how a lens took it, as telephones do and scanners do not."""
    try:
        with Image.open(BytesIO(body), formats=FORMATS) as picture:
            told = picture.getexif().get_ifd(_EXIF)
    except BROKEN:
        return False
    return any(tag in told for tag in (_EXPOSURE_TIME, _F_NUMBER, _FOCAL_LENGTH))
