"""What somebody wrote, ready to become a message: the plain shape that verbs take."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FileRef:
    """A file that lies on the disk already (`files.put`)."""

    sha256: str
    size: int
    filename: str
    content_type: str
    inline: bool = False
    content_id: str | None = None


@dataclass(frozen=True)
class Content:
    """One message of a client. `visible_text` is without quotes and signature."""

    text: str
    subject: str = ""
    visible_text: str | None = None  # None: the same as text
    html: str | None = None  # sanitised
    message_id: str | None = None  # RFC 5322, without angle brackets
    in_reply_to: str | None = None
    is_auto_reply: bool = False
    is_bounce: bool = False
    stranger: bool = False
    parse_errors: tuple[str, ...] = ()
    files: tuple[FileRef, ...] = field(default=())
