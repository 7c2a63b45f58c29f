"""Messages and files through the API."""

from sqlalchemy import select

from helpdesk import ext, files
from helpdesk.clients.models import ContactPoint
from helpdesk.events import Event
from helpdesk.lib.clock import now
from helpdesk.tickets.content import Content, FileRef
from helpdesk.tickets.models import Attachment, Channel, Draft, MessageKind
from helpdesk.tickets.received import add_message
from tests.api.conftest import Program
from tests.api.test_api_tickets import by_email
from tests.cast import Cast


def with_file(cast: Cast, ticket_id: int, name: str = "рахунок\u202e.pdf") -> int:
    """The id of a file that a client's email brought."""
    data = b"<script>alert(1)</script>"
    ref = FileRef(files.put(data), len(data), name, "text/html")
    content = Content(
        text="See the file\n> quoted",
        visible_text="See the file",
        html="<p>See the file</p>",
        in_reply_to="a@b",
        message_id="file@x",
        parse_errors=("odd",),
        files=(ref,),
    )
    with ext.write() as session:
        channel = Channel.EMAIL
        add_message(session, ticket_id, content, who=cast.oksana, channel=channel, at=now())
        return session.scalars(select(Attachment.id).order_by(Attachment.id.desc())).first() or 0


def test_messages_come_oldest_first_with_their_parts(alice: Program, cast: Cast) -> None:
    ticket_id = by_email(cast, "1@x")
    file_id = with_file(cast, ticket_id)
    first, second = alice.get(f"/tickets/{ticket_id}/messages")["items"]
    assert first["message_id"] == "1@x" and first["visible_text"] == first["text"]
    assert first["author"] == {
        "name": "Оксана Литвиненко",
        "email": "oksana@client.example",
        "phone": None,
    }
    assert second["visible_text"] == "See the file" != second["text"]
    assert second["html"] == "<p>See the file</p>" and second["parse_errors"] == ["odd"]
    assert second["is_bounce"] is second["is_auto_reply"] is False
    (file,) = second["attachments"]
    assert file["id"] == file_id and file["content_type"] == "text/html" and file["size"] == 25
    assert file["url"].endswith(f"/api/v1/attachments/{file_id}")


def test_messages_are_paged(alice: Program, cast: Cast) -> None:
    ticket_id = by_email(cast, "1@x")
    for n in range(4):
        alice.post(f"/tickets/{ticket_id}/messages", {"kind": "note", "text": f"n{n}"})
    one = alice.get(f"/tickets/{ticket_id}/messages", limit=2)
    two = alice.get(f"/tickets/{ticket_id}/messages", limit=200, cursor=one["next_cursor"])
    texts = [message["text"] for message in one["items"] + two["items"]]
    assert texts[1:] == ["n0", "n1", "n2", "n3"] and two["next_cursor"] is None


def test_an_answer_goes_out_and_stops_the_clock(alice: Program, cast: Cast) -> None:
    ticket_id = by_email(cast, "1@x")
    body = {"kind": "outbound", "text": "Вже лагодимо."}
    message = alice.post(f"/tickets/{ticket_id}/messages", body)
    assert message["kind"] == "outbound" and message["in_reply_to"] == "1@x"
    assert message["author"]["email"] == "alice@example.com" and message["attachments"] == []
    ticket = alice.get(f"/tickets/{ticket_id}")
    assert ticket["status"] == "open" and ticket["first_response_at"] == message["created_at"]
    assert ticket["clocks"][0]["state"] == "met"
    (found,) = alice.get("/tickets", message_id=f"<{message['message_id']}>")["items"]
    assert found["id"] == ticket_id


def test_a_note_stays_in_the_house(alice: Program, cast: Cast) -> None:
    ticket_id = by_email(cast, "1@x")
    note = alice.post(f"/tickets/{ticket_id}/messages", {"kind": "note", "text": "Check him"})
    assert note["kind"] == "note" and note["message_id"] is None
    kinds = [event["kind"] for event in alice.get("/events")["items"]]
    assert "message.noted" in kinds and "message.sent" not in kinds


def test_wrong_messages_are_refused(alice: Program, cast: Cast) -> None:
    path = f"/tickets/{by_email(cast, '1@x')}/messages"
    for body in (
        {"kind": "inbound", "text": "x"},
        {"kind": "note"},
        {"kind": "note", "text": ""},
        {"kind": "note", "text": "x" * 200_001},
        {"kind": "note", "text": "x", "user_id": 1},
    ):
        alice.post(path, body, 422)
    assert len(alice.get(path)["items"]) == 1
    with ext.write() as session:
        session.get_one(ContactPoint, cast.oksana.contact_point_id).bad = True
    problem = alice.post(path, {"kind": "outbound", "text": "x"}, 409)
    assert "oksana@client.example" in problem["detail"]


def test_a_file_is_downloaded_and_never_shown(alice: Program, cast: Cast) -> None:
    file_id = with_file(cast, by_email(cast, "1@x"))
    response = alice.call("GET", f"/attachments/{file_id}", buffered=True)
    assert response.status_code == 200 and response.data.startswith(b"<script>")
    response.close()
    assert response.mimetype == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "no-store" in response.headers["Cache-Control"]
    with ext.session() as session:
        read = session.scalars(select(Event).where(Event.kind == "attachment.read")).one()
    assert read.data == {"attachment_id": file_id} and read.user_id == cast.alice.id


def test_a_file_of_a_draft_and_a_lost_file_are_not_there(alice: Program, cast: Cast) -> None:
    ticket_id = by_email(cast, "1@x")
    file_id = with_file(cast, ticket_id)
    with ext.write() as session:
        draft = Draft(
            user_id=cast.alice.id,
            ticket_id=ticket_id,
            kind=MessageKind.OUTBOUND,
            text="",
            updated_at=now(),
        )
        session.add(draft)
        session.flush()
        attachment = session.get_one(Attachment, file_id)
        sha256 = attachment.file.sha256
        copy = Attachment(
            draft_id=draft.id,
            ticket_id=ticket_id,
            file_id=attachment.file_id,
            filename="x",
            content_type="a/b",
            size=1,
        )
        session.add(copy)
        session.flush()
        draft_file = copy.id
    alice.get(f"/attachments/{draft_file}", 404)
    files.remove(sha256)
    alice.get(f"/attachments/{file_id}", 404)
