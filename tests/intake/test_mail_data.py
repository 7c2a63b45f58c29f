"""What follows DATA: the same email in whatever pieces it arrives."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.intake.mail_data import longest_line_over, read

LINES = st.lists(
    st.text(alphabet=".\r\nax", max_size=6)
    .filter(lambda line: "\r\n" not in line and not line.endswith("\r"))
    .map(str.encode),
    max_size=8,
)


def received(pieces: list[bytes], limit: int = 0) -> tuple[bytes | None, bytes]:
    """The email that arrives in these pieces, and what is left for the next command."""

    async def run() -> tuple[bytes | None, bytes]:
        reader = asyncio.StreamReader(limit=1 << 16)

        async def feed() -> None:
            for piece in pieces:
                reader.feed_data(piece)
                await asyncio.sleep(0)
            reader.feed_eof()

        feeding = asyncio.create_task(feed())
        content = await read(reader, limit)
        await feeding
        return content, await reader.read()

    # In a thread: the browser tests of this worker may hold the main thread's loop.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, run()).result()


def wire(lines: list[bytes]) -> bytes:
    """RFC 5321 §4.5.2: a line that begins with a dot gets another one."""
    stuffed = (b"." + line if line.startswith(b".") else line for line in lines)
    return b"".join(line + b"\r\n" for line in stuffed) + b".\r\n"


@settings(deadline=None, max_examples=300)
@given(
    lines=LINES,
    cuts=st.sets(st.integers(1, 60), max_size=8),
    rest=st.sampled_from([b"", b"QUIT\r\n"]),
)
def test_the_same_email_however_it_is_cut(lines: list[bytes], cuts: set[int], rest: bytes) -> None:
    octets = wire(lines) + rest
    places = [0, *sorted(cut for cut in cuts if cut < len(octets)), len(octets)]
    pieces = [octets[a:b] for a, b in zip(places, places[1:], strict=False)]
    assert received(pieces) == (b"".join(line + b"\r\n" for line in lines), rest)


def test_an_email_of_nothing_is_empty() -> None:
    assert received([b".", b"\r\n"]) == (b"", b"")


def test_a_dot_that_was_not_doubled_is_lost_as_the_standard_says() -> None:
    assert received([b".signature\r\n.\r\n"]) == (b"signature\r\n", b"")


@pytest.mark.parametrize("size", [999, 1_000, 1_001, 5_000])
@pytest.mark.parametrize("step", [1, 7, 5_000])
def test_too_large_is_read_to_its_end_and_not_kept(size: int, step: int) -> None:
    content = b"x" * (size - 2) + b"\r\n"
    octets = content + b".\r\nRSET\r\n"
    pieces = [octets[n : n + step] for n in range(0, len(octets), step)]
    assert received(pieces, limit=1_000) == (content if size <= 1_000 else None, b"RSET\r\n")


def test_who_goes_away_in_the_middle_is_no_email() -> None:
    with pytest.raises(ConnectionResetError):
        received([b"Subject: x\r\n\r\nhalf"])


@pytest.mark.parametrize(
    ("content", "over"),
    [
        (b"", False),
        (b"1234567\r\n", False),
        (b"12345678\r\n", False),
        (b"123456789\r\n", True),
        (b"123456789", False),
        (b"12345678901", True),
        (b"12\r\n12345678\r\n1\r\n", False),
        (b"12\r\n12345678\r\n123456789\r\n1\r\n", True),
    ],
)
def test_a_line_longer_than_ten_bytes_is_noticed(content: bytes, over: bool) -> None:
    assert longest_line_over(content, 10) is over
