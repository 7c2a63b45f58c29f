"""Reading what follows DATA (RFC 5321 §4.5.2): in large pieces, up to the line with one dot."""

import asyncio

END = b"\r\n.\r\n"
PIECE = 8 << 20
"""More than a reader ever holds, so that a piece takes all there is."""


async def read(reader: asyncio.StreamReader, limit: int) -> bytes | None:
    """The email that follows, dots unstuffed; None if it has more than `limit` bytes (0: any).

    What comes after it is left in the reader. Of an email that is too large nothing is kept, but
    it is read to its end. Raises ConnectionResetError where the sender goes away.
    """
    held = bytearray(b"\r\n")  # the end of the DATA line: the first line may be the dot
    size, looked = 0, 0
    while True:
        piece = await reader.read(PIECE)
        if not piece:
            raise ConnectionResetError("the sender went away")
        held += piece
        end = held.find(END, looked)
        if end >= 0:
            break
        if limit and size + len(held) - len(END) > limit:
            size += len(held) - len(END) + 1
            del held[: 1 - len(END)]
        looked = max(len(held) - len(END) + 1, 0)
    if rest := bytes(held[end + len(END) :]):
        reader.feed_data(rest)
    if limit and size + end > limit:
        return None
    return _unstuffed(held, end)


def longest_line_over(content: bytes, limit: int) -> bool:
    """Whether a line, with its CR LF, has more than `limit` bytes."""
    start = 0
    while len(content) - start > limit:
        end = content.rfind(b"\r\n", start, start + limit)
        if end < 0:
            return True
        start = end + 2
    return False


def _unstuffed(held: bytearray, end: int) -> bytes:
    """The lines before `end`; each that begins with a dot loses it."""
    del held[end + 2 :]
    return bytes(held.replace(b"\r\n.", b"\r\n"))[2:]
