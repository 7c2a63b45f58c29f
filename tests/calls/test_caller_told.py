"""What a caller is told: answers of the knowledge base, and the state of their request."""

from datetime import timedelta

from sqlalchemy import select

from helpdesk import ext
from helpdesk.accounts.models import PortalCode
from helpdesk.accounts.portal import make_code
from helpdesk.calls import prompts
from helpdesk.calls.models import VoiceAnswer
from helpdesk.clients.match import Known
from helpdesk.clients.models import Client, Person
from helpdesk.kb.models import Article, ArticleText, Outcome, Search, Source
from helpdesk.lib.clock import now
from helpdesk.tickets.models import Status, Ticket
from tests.calls.line import KYIV, dial, english
from tests.calls.shop import events, ticket
from tests.cast import Cast
from tests.web.conftest import counted


def said(key: str, language: str = "uk", **values: object) -> str:
    """What the catalogue has for it; its words are tested in `test_caller_languages`."""
    return prompts.text(key, language, **values)


def in_four_hours() -> str:
    """The promise of the cast's policy."""
    return prompts.by(now() + timedelta(hours=4), "Europe/Kyiv", "uk", now())


# Answers


def test_a_key_reads_out_an_article_in_the_language_of_the_call(shelf: Cast) -> None:
    line = dial().press("2").press("1")
    assert line.last.startswith("Девяносто гривен.") and line.voices[0] == "ru"
    assert line.press("1").last == said("more", "ru")
    with ext.session() as session:
        (answer,) = session.scalars(select(VoiceAnswer).order_by(VoiceAnswer.id)).all()
        text = session.scalars(select(ArticleText).where(ArticleText.lang == "ru")).one()
    assert (answer.helped, answer.language) == (True, "ru")
    assert (text.helped, text.views) == (1, 1)
    assert events("call.shown") == [{"call_id": line.call_id, "article_id": text.article_id}]
    assert line.silent().end == "over"


def test_an_article_that_lacks_the_language_is_read_in_the_primary_one(shelf: Cast) -> None:
    line = dial().press("3").press("1")
    assert line.voices[:2] == ["uk", "en"]


def test_a_question_in_own_words_is_answered(shelf: Cast) -> None:
    line = dial().press("1").press("2")
    assert line.question.speech == "uk"
    line.speak("скільки коштує доставка")
    if said("did_you_mean", title="Скільки коштує доставка") in line.last:
        line.press("1")
    assert "Дев’яносто гривень." in line.last
    assert line.press("2").end == "asked"  # another answer, or other words
    with ext.session() as session:
        asked = session.scalars(select(Search).order_by(Search.id)).one()
    assert (asked.source, asked.lang, asked.found > 0) == (Source.PHONE, "uk", True)
    assert asked.query == "скільки коштує доставка"


def test_what_was_hardly_understood_is_asked_first(shelf: Cast) -> None:
    line = dial().press("1").press("2")
    line.speak("скільки коштує доставка", 0.3)
    assert said("did_you_mean", title="Скільки коштує доставка") in line.last
    assert said("speech") in line.press("2").last


def test_an_answer_that_helped_settles_the_search(shelf: Cast) -> None:
    line = dial().press("1").press("2")
    line.speak("скільки коштує доставка", 0.3).press("1").press("1")
    with ext.session() as session:
        asked = session.scalars(select(Search).order_by(Search.id)).one()
    assert asked.outcome == Outcome.SOLVED
    assert "contained_at" in line.call().facts


def test_what_is_not_found_leads_to_another_try_then_to_a_person(shelf: Cast) -> None:
    line = dial().press("1").press("2")
    assert line.speak("футбол у неділю зранку").last.startswith(said("not_found"))
    line.press("1").speak("футбол у неділю зранку").press("0")
    assert line.end == "queue"


def test_who_says_person_gets_one(shelf: Cast) -> None:
    line = dial().press("1").press("2").speak("Дайте оператора!")
    assert line.end in ("asked", "queue")
    line = dial().press("1").press("2").speak("людина")
    assert line.end == "queue"


def test_an_article_that_was_deleted_meanwhile_breaks_nothing(shelf: Cast) -> None:
    line = english().press("1")
    with ext.write() as session:
        for article in session.scalars(select(Article).order_by(Article.id)):
            article.deleted_at = now()
    assert line.press("1").end == "asked"
    assert "We found no answer" in line.press("*").press("1").last


# The state of a request


def test_known_and_unknown_numbers_hear_the_same_where_nothing_is_open(
    cast: Cast, oksana: Known
) -> None:
    with ext.write() as session:  # so that both choose their language
        session.get_one(Person, oksana.person_id).language = None
        session.get_one(Client, oksana.client_id).language = None
    ways, work = [], []
    for number in (KYIV, "+380500000001"):
        line = english(number)
        with counted() as statements:
            line.press("2").press("1")  # more, by a code
            line.press("000000").silent()
        line.press("111111")
        ways.append(line.heard)
        work.append([text.split("WHERE")[0] for text in statements])
    assert ways[0] == ways[1]
    assert work[0] == work[1]  # and so does what it costs
    assert "There is no open request from this number." in ways[0]
    with ext.session() as session:
        codes = session.scalars(select(PortalCode).order_by(PortalCode.id)).all()
    assert [code.contact_point_id is not None for code in codes] == [True, False]


def test_the_number_alone_tells_state_and_promise_and_nothing_else(
    cast: Cast, oksana: Known
) -> None:
    ticket(cast, oksana)
    line = dial().press("2")
    assert said("status_by", by=in_four_hours()) in line.last and "16:00" in line.last
    for secret in ("Secret", "Private", "Оксан", "Литвиненко", "1 0 0 0", "10001"):
        assert secret not in line.last


def test_the_state_is_said_in_words(cast: Cast, oksana: Known) -> None:
    id_ = ticket(cast, oksana)
    for status, key in (
        (Status.PENDING, "status_pending"),
        (Status.ON_HOLD, "status_on_hold"),
        (Status.OPEN, "status_by"),
    ):
        with ext.write() as session:
            session.get_one(Ticket, id_).status = status
        assert said(key, by=in_four_hours()) in dial().press("2").last


def test_a_withheld_number_is_told_so(cast: Cast) -> None:
    line = english(None).press("2")
    assert "Your number is withheld" in line.last
    assert line.press("1").last.startswith("There is nothing under this key.")


def emailed_code() -> str:
    """The code that the worker sends to the mailbox."""
    with ext.write() as session:
        row = session.scalars(select(PortalCode).order_by(PortalCode.id.desc())).first()
        assert row is not None
        code = make_code(session, row.id, secret=b"k" * 32, at=now())
    assert code is not None
    return code


def test_a_code_opens_number_kind_and_owner(cast: Cast, oksana: Known) -> None:
    first = ticket(cast, oksana)
    second = ticket(cast, oksana, subject="Other secret")
    with ext.write() as session:
        session.get_one(Ticket, second).assignee_id = cast.alice.id
    line = dial().press("2").press("1")
    assert said("code_sent") in line.last
    assert said("code_wrong") in line.press("000000").last
    line.press(emailed_code())
    assert line.last.startswith(said("verified_name", name="Оксано"))
    number = prompts.digits(str(second + 10_000))
    assert said("request", number=number, kind=said("kind")) in line.last
    assert said("owner", name="Alice") in line.last
    assert prompts.more_requests(1, "uk").text in line.last
    assert "ecret" not in line.last
    assert line.call().verified_at is not None
    assert " ".join(str(first + 10_000)) in line.press("1").last
    again = line.press("*").press("2").last  # no second code in the same call
    assert said("request", number=number, kind=said("kind")) in again


def test_codes_have_the_limits_of_the_portal(cast: Cast, oksana: Known) -> None:
    for _ in range(5):
        line = dial().press("2").press("1")
        assert said("code_sent") in line.last
    line = dial().press("2").press("1")
    assert said("code_many") in line.heard and line.end == "queue"


def test_a_code_that_never_comes_ends_with_a_person(cast: Cast, oksana: Known) -> None:
    line = dial().press("2").press("1")
    assert line.silent().silent().silent().end == "queue"
