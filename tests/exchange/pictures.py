"""Files as people hand them in: real pictures, packages and sheets, made on the spot."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from openpyxl import Workbook
from PIL import Image

ORIENTATION = 0x0112


def picture(kind: str = "JPEG", size: tuple[int, int] = (200, 200), orientation: int | None = None) -> bytes:
    """A picture with something on it, as a scanner or a phone writes it."""
    image = Image.effect_noise(size, 60).convert("RGB")
    written = BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[ORIENTATION] = orientation
    image.save(written, kind, **({} if orientation is None else {"exif": exif}))
    return written.getvalue()


def of_size(size: int, kind: str = "JPEG") -> bytes:
    """A picture of exactly this many bytes: some cameras write on after the end of the picture."""
    body = picture(kind, (640, 640))
    assert len(body) <= size
    return body + bytes(size - len(body))


def png_claiming(width: int, height: int) -> bytes:
    """A tiny PNG that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pdf() -> bytes:
    """The beginning and end of a PDF, which is all that is looked at."""
    return b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def sheet(rows: Sequence[Sequence[str | int | None]]) -> bytes:
    """A workbook with these rows on its first sheet."""
    workbook = Workbook()
    active = workbook.active
    assert active is not None
    for row in rows:
        active.append(list(row))
    written = BytesIO()
    workbook.save(written)
    return written.getvalue()


def package(files: Mapping[str, bytes], *, stored: bool = True) -> bytes:
    """An archive of files by name."""
    written = BytesIO()
    with ZipFile(written, "w", ZIP_STORED if stored else ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return written.getvalue()


def in_gbk(archive: bytes, names: Sequence[str], code: str = "gbk") -> bytes:
    """The same archive with its names written as Chinese Windows writes them: in GBK, saying nothing of it."""
    with ZipFile(BytesIO(archive)) as opened:
        bodies = [opened.read(name) for name in opened.namelist()]
    plain = {f"{'x' * len(name.encode(code))}"[: -len(str(at))] + str(at): name for at, name in enumerate(names)}
    packed = package(dict(zip(plain, bodies, strict=True)))
    for stand_in, name in plain.items():
        packed = packed.replace(stand_in.encode(), name.encode(code))
    return packed
