"""The form of the editor: what it holds, how it is read, what it starts from."""

from dataclasses import dataclass, replace

from flask import request
from flask_babel import gettext as _

from helpdesk.intake.quotes import visible
from helpdesk.kb import actions
from helpdesk.kb.checks import Content
from helpdesk.kb.markdown import quoted
from helpdesk.kb.models import Article, ArticleText, Miss, State
from helpdesk.lib.errors import HelpdeskError, NotFound, _lazy
from helpdesk.tickets.models import Message, MessageKind
from helpdesk.tickets.queries import ticket_for
from helpdesk.web.guard import me, reading, viewer

MAX_FIELD = 300_000
_DIGITS = 18


@dataclass(frozen=True)
class Draft:
    """What the editor shows; ids are texts as they stand in the form."""

    lang: str
    title: str = ""
    body: str = ""
    keywords: str = ""
    voice: str = ""
    category: str = ""
    tags: str = ""
    products: tuple[str, ...] = ()
    state: str = State.DRAFT.value
    seen_state: str = State.DRAFT.value
    version: str = ""  # of the text that is edited
    source_version: str = ""  # of the source text shown beside a translation
    agrees: bool = True
    minor: bool = False
    ticket: str = ""  # that the article was made from
    miss: str = ""  # that it answers

    def content(self) -> Content:
        keywords = self.keywords.replace("\n", ",").split(",")
        return Content(self.title, self.body, tuple(keywords), self.voice)


def read_draft(lang: str) -> Draft:
    """What was sent."""
    form = request.form
    names = ("title", "body", "keywords", "voice", "category", "tags", "state", "seen_state")
    more = ("version", "source_version", "ticket", "miss")
    return Draft(
        lang=lang,
        products=tuple(form.getlist("products")[:500]),
        agrees=form.get("agrees") == "1",
        minor=form.get("minor") == "1",
        **{name: form.get(name, "")[:MAX_FIELD] for name in (*names, *more)},
    )


def draft_of(article: Article, text: ArticleText | None, lang: str) -> Draft:
    """What the form begins with: the text as it stands, or an empty translation."""
    source = actions.text_of(reading(), article.id, article.source_lang)
    draft = Draft(
        lang=lang,
        category=str(article.category_id or ""),
        tags=", ".join(article.tags),
        products=tuple(str(id_) for id_ in actions.products_of(reading(), article.id)),
        source_version=str(source.version) if source and lang != article.source_lang else "",
    )
    if text is None:
        return draft
    return replace(
        draft,
        title=text.title,
        body=text.body_markdown,
        keywords=", ".join(text.keywords),
        voice=text.voice_text,
        state=text.state.value,
        seen_state=text.state.value,
        version=str(text.version),
        agrees=text.source_version is None or str(text.source_version) == draft.source_version,
    )


def fresh_draft() -> Draft:
    """A new article, empty, or begun from a search without a result or from an answer."""
    lang = request.args.get("lang", me().language)
    miss_id, message_id = number(request.args.get("miss")), number(request.args.get("message"))
    if message_id is not None:
        return _from_answer(message_id)
    miss = reading().get(Miss, miss_id) if miss_id is not None else None
    if miss is not None:
        title = miss.query[:1].upper() + miss.query[1:]
        return Draft(lang=miss.lang, title=title, keywords=miss.query, miss=str(miss.id))
    return Draft(lang=lang)


def number(text: str | None) -> int | None:
    """The id in a field; None for an empty one or what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < _DIGITS else None


def chosen(text: str, field: str) -> int | None:
    """The id of a choice, None for "none". Raises HelpdeskError."""
    if text and number(text) is None:
        raise HelpdeskError(_lazy("Choose one from the list."), field=field)
    return number(text)


def _from_answer(message_id: int) -> Draft:
    """The client's question as the title, the agent's words as the body. Raises NotFound."""
    message = reading().get(Message, message_id)
    if message is None or message.kind != MessageKind.OUTBOUND:
        raise NotFound()
    ticket = ticket_for(reading(), viewer(), message.ticket_id, "ticket.read")
    return Draft(
        lang=ticket.language or me().language,
        title=ticket.subject or _("Question of a client"),
        body=quoted(_answer(message.text, message.user.signature if message.user else "")),
        ticket=str(ticket.id),
    )


def _answer(text: str, signature: str) -> str:
    """An answer without its greeting and signature, without the words it quotes."""
    text = visible(text).strip()
    if signature.strip() and text.endswith(signature.strip()):
        text = text[: -len(signature.strip())].rstrip()
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    if len(paragraphs) > 1 and len(paragraphs[0]) < 60 and paragraphs[0][-1:] in "!,.":
        paragraphs = paragraphs[1:]
    return "\n\n".join(paragraphs)
