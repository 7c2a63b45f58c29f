"""What a base is asked, and what it says of an article in reply."""

from dataclasses import dataclass

from helpdesk.kb.units import WEIGHTS


@dataclass(frozen=True, slots=True)
class Question:
    """The stems of a question's sentences and its small words (`analysis`); `typing` is a last
    word not yet finished."""

    lines: tuple[tuple[str, ...], ...]
    small: tuple[str, ...] = ()
    typing: str = ""

    @property
    def stems(self) -> list[str]:
        """Each stem once, in order."""
        return list(dict.fromkeys(stem for line in self.lines for stem in line))


@dataclass(frozen=True, slots=True)
class Scored:
    """An article and why it was found. Parts of the question's rareness, about 0 to 1: `cover`
    that its text has in the asked words or near ones; `learned`, what solved questions gave.
    `words`: how many of the asked words its text or its solved questions have; near ones count in
    part. `meaning`: how like the question it is (`embedding`), -1 to 1.
    """

    article_id: int
    text_id: int  # 0: it has no text in this language
    score: float
    cover: float
    learned: float
    words: float = 0.0
    meaning: float = 0.0

    @property
    def said(self) -> float:
        """The score without what is alike in meaning alone."""
        return self.score - WEIGHTS.meaning * self.meaning
