"""A picture somebody handed in, made anew for a page: what is shown are pixels, never the bytes that were sent.

Rule 1: only kinds of an allow-list are decoded, told by their first bytes; everything else is there to be saved.
Rule 2: how many pixels there are is read before the first of them is decoded.
Rule 3: nothing of the file goes along but what can be seen: no metadata, no colour profile, no second picture.
"""

from __future__ import annotations

import warnings
from enum import IntEnum
from io import BytesIO

from PIL import Image, ImageOps

from exchange.evidence import BROKEN, BROKEN_PICTURE, MOST_PIXELS, TOO_MANY_PIXELS, FileRefused

FORMATS = ("JPEG", "PNG")


class Turn(IntEnum):
    """By how many degrees a picture is turned to the right."""

    NONE = 0
    RIGHT = 90
    OVER = 180
    LEFT = 270


def shown(body: bytes, most: int, turn: Turn = Turn.NONE) -> bytes:
    """A picture as PNG, upright, no larger than needed.

    Args:
        body: The file as it was handed in.
        most: Pixels of its longer side at most.
        turn: How it is to be turned beyond what the camera says.

    Raises:
        FileRefused: If it is no picture of the allow-list, broken, or has more pixels than anything that is handed in.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata harms nobody …
            warnings.simplefilter("error", Image.DecompressionBombWarning)  # … a bomb does
            return _made_anew(body, most, turn)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise FileRefused(TOO_MANY_PIXELS) from problem
    except BROKEN as problem:
        raise FileRefused(BROKEN_PICTURE) from problem


def _made_anew(body: bytes, most: int, turn: Turn) -> bytes:
    with Image.open(BytesIO(body), formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise FileRefused(TOO_MANY_PIXELS)
        picture.thumbnail((most, most))  # decoded no larger than need be, and small before it is turned and copied
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
        plain = Image.new("RGB", upright.size, "white")
        plain.paste(upright, mask=upright)
        turned = plain if turn is Turn.NONE else plain.rotate(-turn, expand=True)
        out = BytesIO()
        turned.save(out, "PNG")
        return out.getvalue()
