"""What is said of mailboxes that are fetched: what is wrong with them, how they are asked."""

from collections.abc import Callable, Mapping

from flask_babel import gettext as _

from helpdesk.intake.imap_boxes import Wanted
from helpdesk.intake.models import ImapAfter, ImapBox, ImapTls, ImapTrouble


def trouble_text(kind: ImapTrouble, box: ImapBox | Wanted) -> str:
    """One or two sentences with the cure."""
    host, port = box.host, box.port
    texts: Mapping[ImapTrouble, Callable[[], str]] = {
        ImapTrouble.NAME: lambda: _("There is no server %(host)s. Look at its name.", host=host),
        ImapTrouble.AWAY: lambda: _(
            "%(host)s does not answer on port %(port)s. Look at the port and at firewalls.",
            host=host,
            port=port,
        ),
        ImapTrouble.SLOW: lambda: _("%(host)s took too long to answer.", host=host),
        ImapTrouble.CERTIFICATE: lambda: _(
            "The certificate of %(host)s is not valid, so no password was sent.", host=host
        ),
        ImapTrouble.TLS: lambda: _(
            "There is no TLS on port %(port)s. It is usual on 993, STARTTLS on 143.", port=port
        ),
        ImapTrouble.STARTTLS: lambda: _(
            "There is no STARTTLS on port %(port)s, so no password was sent.", port=port
        ),
        ImapTrouble.PROTOCOL: lambda: _(
            "What answers on port %(port)s of %(host)s does not speak IMAP.", host=host, port=port
        ),
        ImapTrouble.LOGIN: lambda: _(
            "The server refused user name and password. Large providers want an app password."
        ),
        ImapTrouble.FOLDER: lambda: _("There is no folder %(folder)s.", folder=box.folder),
        ImapTrouble.MARK: lambda: _(
            "Emails are fetched, but the server does not let us mark or move them."
        ),
        ImapTrouble.LOST: lambda: _("The connection broke."),
        ImapTrouble.KEY: lambda: _("SECRET_KEY was changed: type the password again."),
    }
    return texts[kind]()


def tls_words() -> list[tuple[str, str]]:
    return [
        (ImapTls.TLS.value, _("TLS, usual on port %(port)s", port=993)),
        (ImapTls.STARTTLS.value, _("STARTTLS, usual on port %(port)s", port=143)),
        (ImapTls.PLAIN.value, _("none: a server on this machine")),
    ]


def after_words() -> list[tuple[str, str]]:
    return [
        (ImapAfter.LEAVE.value, _("leave them as they are")),
        (ImapAfter.SEEN.value, _("mark them as read")),
        (ImapAfter.MOVE.value, _("move them to a folder")),
    ]
