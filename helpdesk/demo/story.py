"""Reads the demo's conversations: a small notation that reads like the conversation itself.

    = subject                        one story begins
    : [org] queue priority tags      `org`: only organisations write this
    : models                         separated by " / "; a ticket takes one of them
    < text    <| text                the client; `<|` is another wording of the first message
    > text    >? text    >~ text     our reply; then awaiting the client, or a third party
    ! text                           an internal note
    + name.png                       a file of the message above

Lines without a mark go on; a line that is only {hi} is the greeting. {model}, {order}, {sum} and
{city} are filled per ticket, [m|f] takes the form of the speaker's gender.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from helpdesk.demo import stories_en, stories_ru, stories_uk

MARKS = ("<|", ">?", ">~", "<", ">", "!")
GENDER = re.compile(r"\[([^|\]]*)\|([^|\]]*)\]")
TEXTS = {"uk": stories_uk.TEXT, "ru": stories_ru.TEXT, "en": stories_en.TEXT}
LANGUAGES = tuple(TEXTS)


@dataclass
class Line:
    """One message of a story; `mark` says whose, see the notation."""

    mark: str
    paragraphs: list[str]
    files: list[str] = field(default_factory=list)

    @property
    def ours(self) -> bool:
        return self.mark[0] == ">"


@dataclass
class Story:
    """A conversation with places to fill."""

    language: str
    subject: str
    organisations_only: bool = False
    queue: str = ""
    priority: str = ""
    tags: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    openings: list[Line] = field(default_factory=list)
    rest: list[Line] = field(default_factory=list)

    def lines(self, opening: int) -> list[Line]:
        """The conversation with one of the openings."""
        return [self.openings[opening % len(self.openings)], *self.rest]


@cache
def stories(language: str) -> tuple[Story, ...]:
    """All stories of a language."""
    parts = TEXTS[language].strip().split("\n= ")
    return tuple(_story(language, part.removeprefix("= ")) for part in parts)


def fill(text: str, values: Mapping[str, str], *, feminine: bool) -> str:
    """The text with its places filled and the forms of this gender."""
    return GENDER.sub(lambda m: m[2] if feminine else m[1], text).format_map(values)


def _story(language: str, text: str) -> Story:
    subject, conditions, models, *lines = text.strip().splitlines()
    words = conditions.removeprefix(": ").removeprefix("org ").split(maxsplit=2)
    story = Story(
        language,
        subject,
        organisations_only=conditions.startswith(": org "),
        queue=words[0],
        priority=words[1],
        tags=[tag.strip() for tag in words[2].split(",")],
        models=models.removeprefix(": ").split(" / "),
    )
    last: Line | None = None
    for line in filter(None, lines):
        mark = next((m for m in MARKS if line.startswith(m + " ")), None)
        if mark is not None:
            last = Line(mark[:1] if mark == "<|" else mark, [line[len(mark) + 1 :]])
            first = mark == "<|" or (mark == "<" and not story.openings)
            (story.openings if first else story.rest).append(last)
        elif last is not None and line.startswith("+ "):
            last.files.append(line[2:])
        elif last is not None:
            _go_on(last, line)
    return story


def _go_on(last: Line, line: str) -> None:
    if last.paragraphs[-1] == "{hi}":
        last.paragraphs.append(line)
    else:
        last.paragraphs[-1] += " " + line
