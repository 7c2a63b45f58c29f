"""Draws the demo's attachments: a small picture and a one-page document, both valid."""

import random
import struct
import zlib


def png(seed: int, width: int = 240, height: int = 160) -> bytes:
    """A picture of a few coloured fields (PNG, 8-bit RGB; RFC 2083)."""
    pick = random.Random(seed)
    back = _colour(pick)
    fields = [_field(pick, width, height) for _ in range(6)]
    rows = b"".join(b"\0" + _row(y, width, back, fields) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (
        _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def pdf(seed: int) -> bytes:
    """One A4 page with a heading, lines of figures and a sum (PDF 1.4)."""
    pick = random.Random(seed)
    amounts = [pick.randint(90, 4800) for _ in range(pick.randint(3, 6))]
    lines = [f"Svitlo   document {pick.randint(10_000, 99_999)}", ""]
    lines += [f"{n}.   item {pick.randint(1000, 9999)}   {a} UAH" for n, a in enumerate(amounts, 1)]
    lines += ["", f"Total   {sum(amounts)} UAH"]
    text = "BT /F1 14 Tf 60 780 Td 22 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    return _document(objects)


def _document(objects: tuple[str, ...]) -> bytes:
    body, offsets = "%PDF-1.4\n", []
    for n, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{n} 0 obj\n{content}\nendobj\n"
    size = len(objects) + 1
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    end = f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode("ascii")


def _colour(pick: random.Random) -> bytes:
    return bytes(pick.randint(90, 235) for _ in range(3))


def _field(pick: random.Random, width: int, height: int) -> tuple[int, int, int, int, bytes]:
    left, top = pick.randrange(width - 40), pick.randrange(height - 30)
    right = pick.randrange(left + 20, width)
    return left, right, top, pick.randrange(top + 15, height), _colour(pick)


def _row(y: int, width: int, back: bytes, fields: list[tuple[int, int, int, int, bytes]]) -> bytes:
    row = bytearray(back * width)
    for left, right, top, bottom, colour in fields:
        if top <= y < bottom:
            row[left * 3 : right * 3] = colour * (right - left)
    return bytes(row)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
