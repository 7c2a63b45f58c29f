"""Canary words: put in through every entrance, then looked for everywhere the house keeps things.

The search reads every column of every table, the raw bytes of the database and all files of the
data folder, compressed ones included, for each word as text, escaped, encoded and indexed.
"""

import base64
import json
import os
import quopri
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from pathlib import Path

import zstandard
from flask import current_app
from sqlalchemy import inspect

from helpdesk import ext
from helpdesk.lib.stems import encode, stems
from tests.postgres import server_binaries

NAME = "Зорепадко Zvyrkolan"
ADDRESS = "quixotl.vrenna@kanareika.example"
PHONE = "+380 67 911 83 27"
SUBJECT = "плюндрокварк snarkleberry"
TEXT = "жмурикотень glimmerwock"
HTML = "qzumblefitch"
CONTENT = "fnordulate нишпорильник"
FILENAME = "хвацькоріг-zibbledorf"
NOTE = "wuffleganz ґрунтозубець"
REPLY = "brimblefax їжакознавець"
DRAFT = "dromedrix чепурнокіт"
BOUNCED = "krelvonite"
ELSEWHERE = "vorpaldine"
ABOUT = "moxylwump"
ROLE = "старшоцибулист"
VOCATIVE = "Зорепадче"
TAG = "yclepticon"
ANSWERED = "grimblesnatch"
SERIAL = "zybqthorn"
BOUGHT = "quandlewick"
JOTTED = "тупцюйник"
DOCUMENT = "frostlumpen"
PROMISED = "вирлоокенко"
PROFILE = "hasselbrunt"
RATED = "мряковинник"
ASKED = "plinthgobbler бурмотайко"
SPOKEN = "кракозябралка"
CALL_NOTE = "tromplefink"
PLANNED = "zwirbelhorn"
TEXTED = "флібберкрякало"
EXCLUDED = "wobblequince"
REPORTED = "скрумблезвіт"
SOUND = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(16) + b"data\x00\x00\x00\x00dringelohka"
WORDS = (
    *NAME.split(),
    "quixotl.vrenna",
    "kanareika",
    "679118327",
    *SUBJECT.split(),
    *TEXT.split(),
    HTML,
    *CONTENT.split(),
    *FILENAME.split("-"),
    *NOTE.split(),
    *REPLY.split(),
    *DRAFT.split(),
    BOUNCED,
    ELSEWHERE,
    ABOUT,
    ROLE,
    VOCATIVE,
    TAG,
    ANSWERED,
    SERIAL,
    BOUGHT,
    JOTTED,
    DOCUMENT,
    PROMISED,
    PROFILE,
    RATED,
    *ASKED.split(),
    SPOKEN,
    CALL_NOTE,
    PLANNED,
    TEXTED,
    EXCLUDED,
    REPORTED,
    "dringelohka",
)


def email() -> EmailMessage:
    """An email with words in every part, as its sender would write it."""
    message = EmailMessage()
    message["From"] = f"{NAME} <{ADDRESS}>"
    message["To"] = "support@example.com"
    message["Subject"] = SUBJECT
    message["Message-ID"] = "<first@kanareika.example>"
    message.set_content(TEXT)
    message.add_alternative(f"<p>{TEXT} <b>{HTML}</b></p>", subtype="html")
    message.add_attachment(
        CONTENT.encode(),
        maintype="text",
        subtype="plain",
        filename=f"{FILENAME}.txt",
    )
    return message


def found_in_values(words: Iterable[str] = WORDS) -> dict[str, list[str]]:
    """Word -> table.column of every table, the full-text ones and their shadows included."""
    found: dict[str, list[str]] = {}
    for place, value in _values():
        for word in words:
            if any(form in value for form in _forms(word)):
                found.setdefault(word, []).append(place)
    return found


def found_on_disk(words: Iterable[str] = WORDS) -> dict[str, list[str]]:
    """Word -> file, unpacked where it is packed; a PostgreSQL database by its dump."""
    found: dict[str, list[str]] = {}
    for place, data in _contents():
        for word in words:
            if any(form in data for form in (*_forms(word), *_index_forms(word))):
                found.setdefault(word, []).append(place)
    return found


def _values() -> Iterator[tuple[str, bytes]]:
    with ext.db.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            rows = connection.exec_driver_sql(f'SELECT * FROM "{table}"')
            names = list(rows.keys())
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    yield f"{table}.{name}", _bytes(value).lower()


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return b"\n".join(_unpacked(bytes(value)))
    return value.encode() if isinstance(value, str) else repr(value).encode()


def _contents() -> Iterator[tuple[str, bytes]]:
    for path in sorted(Path(current_app.config["DATA_DIR"]).rglob("*")):
        if path.is_file():
            for data in _unpacked(path.read_bytes()):
                yield path.name, data.lower()
    binaries = server_binaries()
    if ext.db.engine.dialect.name == "postgresql" and binaries is not None:
        database = ext.db.engine.url.database or ""
        command = [
            binaries / "pg_dump",
            "-U",
            "postgres",
            "-h",
            os.environ["HELPDESK_TEST_POSTGRES"],
        ]
        dump = subprocess.run([*command, database], check=True, capture_output=True)
        yield "pg_dump", dump.stdout.lower()


def _unpacked(data: bytes) -> Iterator[bytes]:
    yield data
    if data.startswith(b"(\xb5/\xfd"):  # RFC 8878
        yield zstandard.ZstdDecompressor().decompress(data, max_output_size=1 << 28)
    if data[:1] == b"\x78":
        try:
            yield zlib.decompress(data)
        except zlib.error:
            return


def _forms(word: str) -> set[bytes]:
    """A word as text of any case, JSON, quoted-printable and base64 at each alignment."""
    forms = set()
    for one in {word, word.lower(), word.casefold()}:
        raw = one.encode()
        forms |= {raw, json.dumps(one)[1:-1].encode(), quopri.encodestring(raw)}
        for shift in range(3):
            coded = base64.b64encode(b"x" * shift + raw)
            forms.add(coded[4 if shift else 0 : len(coded) // 4 * 4 - 4])
    return {form.lower() for form in forms if len(form) >= 6}


def _index_forms(word: str) -> set[bytes]:
    """Tails of its tokens: the index leaves out the beginning that two neighbours share."""
    tokens = [encode(stem) for stem in stems(word)]
    return {token[3:].lower().encode() for token in tokens if len(token) >= 10}
