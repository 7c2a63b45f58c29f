"""Answers of the knowledge base by phone: by the topic of a key, or by what the caller says."""

from collections.abc import Sequence

from sqlalchemy import select

from helpdesk.calls import menus, record
from helpdesk.calls.caller.turn import PERSON, Turn, scene, step
from helpdesk.calls.models import VoiceAnswer
from helpdesk.calls.script import Say, Script
from helpdesk.events import Actor
from helpdesk.kb import log
from helpdesk.kb.log import Asked, Opened
from helpdesk.kb.models import Article, ArticleText, Category, Outcome, Source
from helpdesk.kb.queries import PUBLIC, texts_of
from helpdesk.kb.search import Hit, Results, search
from helpdesk.lib.text import fold

SURE = 0.5
"""Below this, of what was understood or of what was found, the caller is asked first."""
LISTEN = 8  # seconds
HINTS = 20
SPEECH_LIMIT = 300
PEOPLE = frozenset(
    fold(word)
    for word in (
        "person human agent operator representative somebody",
        "человек оператор сотрудник специалист менеджер человеком оператором",
        "людина оператор співробітник фахівець менеджер людиною оператором",
    )
    for word in word.split()
)
"""Words that ask for a person, when little else is said."""


@scene("speech")
def listen(turn: Turn) -> Script:
    return turn.ask(
        "speech",
        [turn.say("speech"), turn.say("person")],
        timeout=LISTEN,
        speech=turn.language,
        hints=_hints(turn),
    )


@step("speech")
def speech(turn: Turn) -> Script:
    said = " ".join((turn.heard.speech or "").split())[:SPEECH_LIMIT]
    if not said:
        return turn.anywhere() or turn.puzzled("speech")
    if _wants_person(said):
        return turn.first(turn.say("to_person")).go("person")
    found = search(turn.session, said, lang=turn.language, limit=3)
    _log(turn, said, found)
    texts = _readable(turn, [] if found.missed else found.items)
    if not texts:
        return _nothing(turn)
    rest = [text.article_id for text in texts[1:]]
    heard_well = turn.heard.confidence is None or turn.heard.confidence >= SURE
    if heard_well and found.chance >= SURE and texts[0].article_id == found.items[0].article_id:
        return _read_out(turn, texts[0], rest)
    return _confirm(turn, texts[0], rest)


@step("confirm")
def confirm(turn: Turn) -> Script:
    """The caller says whether the article that was named is what they meant."""
    text = _text(turn, turn.was.get("article"))
    if turn.key == "1" and text is not None:
        return _read_out(turn, text, turn.was.get("rest", []))
    if turn.key == "2" or text is None:
        return turn.again("speech")
    if (gone := turn.anywhere()) is not None:
        return gone
    turn.tries = int(turn.was.get("tries", 0)) + 1
    if turn.tries > 1:
        return turn.first(turn.say("to_person")).go("person")
    return _confirm(turn, text, turn.was.get("rest", []))


@step("again")
def again(turn: Turn) -> Script:
    """Nothing was found: another try, or a person."""
    if turn.key == "1":
        return turn.go("speech")
    return turn.anywhere() or turn.first(turn.say("to_person")).go("person")


@step("helped")
def helped(turn: Turn) -> Script:
    """Whether the answer that was heard helped."""
    text = _text(turn, turn.was.get("article"))
    if text is None:
        return turn.go("menu")
    if turn.key == "1":
        _rate(turn, text, helped=True)
        turn.note(contained_at=turn.at)
        return turn.ask("more", [turn.say("more")])
    if turn.key in ("2", PERSON):
        _rate(turn, text, helped=False)
        return turn.go("person") if turn.key == PERSON else _another(turn)
    if turn.key == "*":
        return turn.go("menu")
    turn.tries = int(turn.was.get("tries", 0)) + 1
    if turn.tries > 1:
        return turn.first(turn.say("to_person")).go("person")
    kept = {"article": text.article_id, "rest": turn.was.get("rest", [])}
    return turn.ask("helped", [turn.say("helped")], **kept)


def by_topic(turn: Turn, key: str) -> Script:
    """Read out the article that a key of the menu leads to."""
    text = menus.voiced(turn.session, key, turn.language)
    return _nothing(turn) if text is None else _read_out(turn, text, [])


def _read_out(turn: Turn, text: ArticleText, rest: Sequence[int]) -> Script:
    turn.tries = 0
    turn.note(answer_at=turn.at)
    about = {"article_id": text.article_id, "language": text.lang, "at": turn.at}
    turn.session.add(VoiceAnswer(call_id=turn.call.id, **about))
    record.say(turn.session, turn.call, "call.shown", turn.at, article_id=text.article_id)
    read = Opened(text.article_id, text.id, text.lang, Source.PHONE, turn.at, turn.call.token)
    log.save(turn.session, [read])
    says = [Say(text.voice_text, text.lang), turn.say("helped")]
    return turn.ask("helped", says, article=text.article_id, rest=list(rest))


def _confirm(turn: Turn, text: ArticleText, rest: Sequence[int]) -> Script:
    says = [turn.say("did_you_mean", title=text.title), turn.say("person")]
    return turn.ask("confirm", says, article=text.article_id, rest=list(rest))


def _nothing(turn: Turn) -> Script:
    tries = int(turn.was.get("tries", 0)) + 1
    if tries > 1:
        return turn.first(turn.say("not_found"), turn.say("to_person")).go("person")
    turn.tries = tries
    says = [turn.say("not_found"), turn.say("try_again"), turn.say("person")]
    return turn.ask("again", says)


def _another(turn: Turn) -> Script:
    """The next article that was found, where there is one; else the caller says it anew."""
    for place, article_id in enumerate(rest := turn.was.get("rest", [])):
        text = _text(turn, article_id)
        if text is not None:
            return _confirm(turn, text, rest[place + 1 :])
    return turn.go("speech")


def _text(turn: Turn, article_id: int | None) -> ArticleText | None:
    article = turn.session.get(Article, article_id) if article_id is not None else None
    if article is None or article.deleted_at is not None:
        return None
    return menus.voiced(turn.session, article.key, turn.language)


def _readable(turn: Turn, hits: Sequence[Hit]) -> list[ArticleText]:
    """The texts of these articles that can be read out, in the language or the primary one."""
    found = []
    for hit in hits:
        texts = texts_of(turn.session, hit.article_id, states=PUBLIC)
        spoken = [texts[lang] for lang in (turn.language, turn.primary) if lang in texts]
        found += [text for text in spoken if text.voice_text][:1]
    return found


def _rate(turn: Turn, text: ArticleText, *, helped: bool) -> None:
    session, visit = turn.session, turn.call.token
    mine = select(VoiceAnswer).where(
        VoiceAnswer.call_id == turn.call.id, VoiceAnswer.article_id == text.article_id
    )
    answer = session.scalars(mine.order_by(VoiceAnswer.id.desc()).limit(1)).first()
    if answer is not None:
        answer.helped = helped
    actor = Actor(person_id=turn.call.person_id) if turn.call.verified_at else Actor()
    log.rate(session, text, visit=visit, helped=helped, at=turn.at, actor=actor)
    outcome = Outcome.SOLVED if helped else Outcome.ASKED
    log.settle_search(
        session, visit, outcome, article_id=text.article_id if helped else None, source=Source.PHONE
    )


def _log(turn: Turn, said: str, found: Results) -> None:
    asked = Asked(
        said,
        turn.language,
        Source.PHONE,
        len(found.items),
        turn.at,
        missed=found.missed,
        visit=turn.call.token,
    )
    log.save(turn.session, [asked])


def _wants_person(said: str) -> bool:
    words = fold(said).split()
    return len(words) <= 4 and any(word.strip(".,!?") in PEOPLE for word in words)


def _hints(turn: Turn) -> list[str]:
    """The names of categories: words that callers are likely to say."""
    rows = turn.session.scalars(select(Category.names).order_by(Category.position).limit(HINTS))
    names = (row.get(turn.language) or row.get(turn.primary, "") for row in rows)
    return [name for name in names if name]
