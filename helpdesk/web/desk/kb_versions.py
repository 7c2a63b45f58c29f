"""The versions of a text: what each one changed, and going back to one."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from helpdesk import ext
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import can
from helpdesk.kb import actions
from helpdesk.kb.checks import permission_for
from helpdesk.kb.diff import compare
from helpdesk.kb.models import ArticleText, ArticleVersion
from helpdesk.kb.queries import version_of, versions_of
from helpdesk.lib.clock import now
from helpdesk.lib.errors import NotFound
from helpdesk.web.desk.kb import article_of, check_may
from helpdesk.web.desk.kb_form import number
from helpdesk.web.desk.kb_words import states
from helpdesk.web.guard import actor, needs, reading, viewer

blueprint = Blueprint("desk_kb_versions", __name__)


@blueprint.get("/desk/kb/<int:article_id>/versions")
@needs("kb.read")
def listing(article_id: int) -> str:
    """`?lang=` a text, `?new=` a version, `?old=` the one it is compared with (the one before)."""
    article = article_of(reading(), article_id)
    text = _text(reading(), article_id, request.args.get("lang") or article.source_lang)
    newer = number(request.args.get("new")) or text.version
    older = number(request.args.get("old")) or newer - 1
    new, old = version_of(reading(), text.id, newer), version_of(reading(), text.id, older)
    if new is None:
        raise NotFound()
    versions = versions_of(reading(), text.id)
    ids = {version.user_id for version in versions if version.user_id is not None}
    rows = reading().execute(select(User.id, User.name).where(User.id.in_(ids)))
    return render_template(
        "desk/kb_versions.html",
        section="kb",
        article=article,
        text=text,
        versions=versions,
        new=new,
        old=old,
        differences=_differences(old, new),
        authors=dict(rows.all()),
        states=states(),
        may_change=can(viewer(), permission_for(text.state)),
    )


@blueprint.post("/desk/kb/<int:article_id>/versions")
@needs("kb.write")
def restore(article_id: int) -> BaseResponse:
    """Make an earlier version the newest; the one it replaces stays in the list."""
    lang = request.form.get("lang", "")
    with ext.write() as session:
        article_of(session, article_id)
        text = _text(session, article_id, lang)
        check_may(text.state)
        wanted = number(request.form.get("version")) or 0
        changed = actions.restore_version(session, text, wanted, at=now(), actor=actor())
    if changed:
        flash(_("Version %(number)s is back.", number=wanted))
    else:
        flash(_("The text reads like that already."))
    return redirect(f"/desk/kb/{article_id}/versions?lang={lang}")


def _text(session: Session, article_id: int, lang: str) -> ArticleText:
    text = actions.text_of(session, article_id, lang)
    if text is None:
        raise NotFound()
    return text


def _differences(old: ArticleVersion | None, new: ArticleVersion) -> list[tuple[str, Any]]:
    """Label and parts of each field; what is the same in both is left out."""
    fields = (
        (_("Title"), "title"),
        (_("Text"), "body_markdown"),
        (_("Keywords"), "keywords"),
        (_("Text for the phone"), "voice_text"),
    )
    found = []
    for label, name in fields:
        before = _shown(getattr(old, name)) if old is not None else ""
        after = _shown(getattr(new, name))
        if before != after:
            found.append((label, compare(before, after)))
    return found


def _shown(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
