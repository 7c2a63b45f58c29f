"""Who may open what: each route × role × thing. A route without a row here fails."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from helpdesk import ext, fields, files
from helpdesk.accounts.actions import create_token, one_time_link
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import GRANTS, PERMISSIONS
from helpdesk.accounts.sessions import log_in
from helpdesk.accounts.teams import create_team
from helpdesk.calls.models import (
    Call,
    Direction,
    Provider,
    Recording,
    RecordingKind,
    RecordingState,
)
from helpdesk.calls.record import create as create_call
from helpdesk.clients import fact_actions, items
from helpdesk.clients.actions import create_client
from helpdesk.clients.import_models import ImportKind, ImportRun, RunState
from helpdesk.clients.match import find_or_create
from helpdesk.clients.merge import merge
from helpdesk.clients.models import Client, ClientKind, ContactPoint, DuplicatePair, Person
from helpdesk.events import Actor
from helpdesk.intake.actions import RawEmail, accept
from helpdesk.intake.models import ImapAfter, ImapBox, ImapTls
from helpdesk.intake.receive import process_new
from helpdesk.kb.actions import create_article
from helpdesk.kb.categories import create_category
from helpdesk.kb.checks import Content
from helpdesk.kb.log import Asked, save
from helpdesk.kb.models import ArticleText, Category, Miss, Source
from helpdesk.lib.clock import now
from helpdesk.lib.tokens import link_token
from helpdesk.outbox.models import Outgoing
from helpdesk.planner.models import Task, TaskKind, TaskState
from helpdesk.products import Product
from helpdesk.reactions import react
from helpdesk.reports import schedules
from helpdesk.reports.alarms import rules as alarm_rules
from helpdesk.reports.alarms.rules import Wanted
from helpdesk.reports.contracts import closing
from helpdesk.reports.contracts.statements import Subject
from helpdesk.reports.models import Alarm, Every, Exclusion
from helpdesk.reports.scope import Scope
from helpdesk.tickets.models import (
    Attachment,
    Channel,
    Clock,
    Mailbox,
    Message,
    Policy,
    Ticket,
)
from helpdesk.tickets.reasons import create_reason
from helpdesk.tickets.received import open_ticket
from helpdesk.web.guard import COOKIE
from tests.cast import Cast

PUBLIC = "public"

# endpoint → the permission it asks for. Written by hand: what changes in the code must be
# meant here as well.
TABLE: dict[str, str] = {
    "admin_brand.form": "setting.change",
    "admin_brand.save": "setting.change",
    "admin_calendars.add_holidays": "calendar.change",
    "admin_calendars.create": "calendar.change",
    "admin_calendars.edit": "calendar.change",
    "admin_calendars.holidays_form": "calendar.change",
    "admin_calendars.listing": "calendar.change",
    "admin_calendars.new": "calendar.change",
    "admin_calendars.save": "calendar.change",
    "admin_deliveries.listing": "delivery.read",
    "admin_deliveries.raw": "delivery.read",
    "admin_deliveries.replay_all": "delivery.replay",
    "admin_deliveries.replay_one": "delivery.replay",
    "admin_embed.form": "setting.change",
    "admin_embed.save": "setting.change",
    "admin_deliveries.show": "delivery.read",
    "admin_exchange.form": "setting.change",
    "admin_exchange.off": "setting.change",
    "admin_exchange.renew": "setting.change",
    "admin_export.download": "client.export",
    "admin_export.form": "client.export",
    "admin_fields.create": "field.change",
    "admin_fields.edit": "field.change",
    "admin_fields.listing": "field.change",
    "admin_fields.move": "field.change",
    "admin_fields.new": "field.change",
    "admin_fields.save": "field.change",
    "admin_imports.go_on": "client.import",
    "admin_imports.listing": "client.import",
    "admin_imports.problems": "client.import",
    "admin_imports.read_again": "client.import",
    "admin_imports.save_mapping": "client.import",
    "admin_imports.show": "client.import",
    "admin_imports.start": "client.import",
    "admin_imports.stop": "client.import",
    "admin_imports.upload": "client.import",
    "admin_index.index": "admin.use",
    "admin_log.listing": "log.read",
    "admin_outbox.html": "outbox.read",
    "admin_outbox.listing": "outbox.read",
    "admin_outbox.raw": "outbox.read",
    "admin_outbox.resend_one": "outbox.read",
    "admin_outbox.show": "outbox.read",
    "admin_phone_menus.block": "queue.change",
    "admin_phone_menus.edit": "queue.change",
    "admin_phone_menus.listing": "queue.change",
    "admin_phone_menus.remove": "queue.change",
    "admin_phone_menus.save": "queue.change",
    "admin_policies.create": "policy.change",
    "admin_policies.delete": "policy.change",
    "admin_policies.edit": "policy.change",
    "admin_policies.listing": "policy.change",
    "admin_policies.new": "policy.change",
    "admin_policies.save": "policy.change",
    "admin_privacy.erase": "client.erase",
    "admin_privacy.export": "client.erase",
    "admin_privacy.form": "client.erase",
    "admin_products.create": "product.change",
    "admin_products.edit": "product.change",
    "admin_products.listing": "product.change",
    "admin_products.new": "product.change",
    "admin_products.save": "product.change",
    "admin_imap.create": "queue.change",
    "admin_imap.edit": "queue.change",
    "admin_imap.listing": "queue.change",
    "admin_imap.new": "queue.change",
    "admin_imap.save": "queue.change",
    "admin_queues.add_mailbox": "queue.change",
    "admin_queues.create": "queue.change",
    "admin_queues.edit": "queue.change",
    "admin_queues.listing": "queue.change",
    "admin_queues.make_primary": "queue.change",
    "admin_queues.new": "queue.change",
    "admin_queues.remove_mailbox": "queue.change",
    "admin_queues.save": "queue.change",
    "admin_reasons.create": "reason.change",
    "admin_reasons.edit": "reason.change",
    "admin_reasons.listing": "reason.change",
    "admin_reasons.move": "reason.change",
    "admin_reasons.new": "reason.change",
    "admin_reasons.save": "reason.change",
    "admin_reasons.switch": "reason.change",
    "admin_reasons.undo": "reason.change",
    "admin_settings.form": "setting.change",
    "admin_settings.save": "setting.change",
    "admin_staff.create": "user.change",
    "admin_staff.edit": "user.change",
    "admin_staff.link": "user.change",
    "admin_staff.listing": "user.change",
    "admin_staff.new": "user.change",
    "admin_staff.save": "user.change",
    "admin_staff.switch": "user.change",
    "admin_teams.create": "team.change",
    "admin_teams.edit": "team.change",
    "admin_teams.listing": "team.change",
    "admin_teams.new": "team.change",
    "admin_teams.remove": "team.change",
    "admin_teams.save": "team.change",
    "admin_tokens.create": "token.own",
    "admin_tokens.listing": "token.own",
    "admin_tokens.revoke": "token.own",
    "admin_kb.change": "kb.admin",
    "admin_kb.create": "kb.admin",
    "admin_kb.delete": "kb.admin",
    "admin_kb.edit": "kb.admin",
    "admin_kb.index": "kb.admin",
    "admin_kb.move": "kb.admin",
    "admin_kb.new": "kb.admin",
    "admin_kb.save": "kb.admin",
    "desk_kb.change_state": "kb.write",
    "desk_kb.comment": "kb.read",
    "desk_kb.delete": "kb.write",
    "desk_kb.listing": "kb.read",
    "desk_kb.show": "kb.read",
    "desk_kb.undelete": "kb.write",
    "desk_kb_beside.articles": "kb.read",
    "desk_kb_beside.cite": "ticket.answer",
    "desk_kb_edit.create": "kb.write",
    "desk_kb_edit.edit": "kb.write",
    "desk_kb_edit.new": "kb.write",
    "desk_kb_edit.preview": "kb.write",
    "desk_kb_edit.save": "kb.write",
    "desk_kb_edit.upload": "kb.write",
    "desk_kb_lists.feedback": "kb.read",
    "desk_kb_lists.searches": "kb.read",
    "desk_kb_lists.settle": "kb.write",
    "desk_kb_versions.listing": "kb.read",
    "desk_kb_versions.restore": "kb.write",
    "kb_pictures.picture": PUBLIC,
    "api.add_calendar": "calendar.change",
    "api.add_client": "client.change",
    "api.add_note": "client.change",
    "api.add_policy": "policy.change",
    "api.add_product": "product.change",
    "api.add_queue": "queue.change",
    "api.add_reason": "reason.change",
    "api.change_product": "product.change",
    "api.change_ticket": "ticket.change",
    "api.create_message": "ticket.answer",
    "api.create_ticket": "ticket.answer",
    "api.delete_note": "client.change",
    "api.explain_clocks": "ticket.read",
    "api.add_example": "kb.write",
    "api.list_articles": "kb.read",
    "api.list_categories": "kb.read",
    "api.patch_article": "kb.write",
    "api.put_article": "kb.write",
    "api.read_article": "kb.read",
    "api.search_articles": "kb.read",
    "api.list_calendars": "calendar.read",
    "api.list_calls": "ticket.read",
    "api.list_clients": "client.read",
    "api.list_deliveries": "delivery.read",
    "api.list_events": "event.read",
    "api.list_invoices": "client.read",
    "api.list_items": "client.read",
    "api.list_messages": "ticket.read",
    "api.list_notes": "client.read",
    "api.list_policies": "policy.read",
    "api.list_products": "product.read",
    "api.list_purchases": "client.read",
    "api.list_queues": "queue.read",
    "api.list_reasons": "reason.read",
    "api.list_tickets": "ticket.read",
    "api.list_users": "user.read",
    "api.nothing_here": PUBLIC,
    "api.patch_client": "client.change",
    "api.put_invoice": "client.change",
    "api.put_item": "client.change",
    "api.put_purchase": "client.change",
    "api.read_attachment": "ticket.read",
    "api.read_call": "ticket.read",
    "api.read_client": "client.read",
    "api.read_debts": "client.read",
    "api.read_recording": "ticket.read",
    "api.read_report": "report.own",
    "api.read_sla": "report.own",
    "api.read_ticket": "ticket.read",
    "api.read_timeline": "client.read",
    "api.replay_delivery": "delivery.replay",
    "desk_call.accept": "desk.use",
    "desk_call.articles": "kb.read",
    "desk_call.choose": "ticket.change",
    "desk_call.decline": "desk.use",
    "desk_call.fragment": "desk.use",
    "desk_call.hang_up": "desk.use",
    "desk_call.hold": "desk.use",
    "desk_call.notes": "desk.use",
    "desk_callbacks.call": "ticket.answer",
    "desk_callbacks.cancel": "ticket.answer",
    "desk_callbacks.done": "ticket.answer",
    "desk_callbacks.hand_over": "ticket.answer",
    "desk_callbacks.listing": "ticket.read",
    "desk_callbacks.restore": "ticket.answer",
    "desk_calls.by_hand_form": "ticket.answer",
    "desk_calls.call_out": "ticket.answer",
    "desk_calls.log": "ticket.read",
    "desk_calls.rail": "desk.use",
    "desk_calls.write_down": "ticket.answer",
    "desk_card.choose": "ticket.change",
    "desk_changes.assignee": "ticket.change",
    "desk_changes.kind": "ticket.change",
    "desk_changes.priority": "ticket.change",
    "desk_changes.product": "ticket.change",
    "desk_changes.queue": "ticket.change",
    "desk_changes.reason": "ticket.change",
    "desk_changes.status": "ticket.change",
    "desk_changes.subject": "ticket.change",
    "desk_changes.tags": "ticket.change",
    "desk_classify.product": "ticket.change",
    "desk_classify.reason": "ticket.change",
    "desk_client.client": "client.read",
    "desk_client.clients": "client.read",
    "desk_client.put_back": "client.change",
    "desk_client_facts.add_documents": "client.change",
    "desk_client_facts.add_note": "client.change",
    "desk_client_facts.delete_document": "client.change",
    "desk_client_facts.delete_note": "client.change",
    "desk_client_facts.document": "client.read",
    "desk_client_facts.make_promise": "client.change",
    "desk_client_facts.settle_promise": "client.change",
    "desk_client_items.create": "client.change",
    "desk_client_items.edit": "client.change",
    "desk_client_items.new": "client.change",
    "desk_client_items.save": "client.change",
    "desk_client_people.add_person": "client.change",
    "desk_client_people.add_point": "client.change",
    "desk_client_people.change_person": "client.change",
    "desk_client_people.change_point": "client.change",
    "desk_client_people.new_person": "client.change",
    "desk_client_people.person": "client.change",
    "desk_client_people.remove_person": "client.change",
    "desk_client_record.change": "client.change",
    "desk_client_record.form": "client.change",
    "desk_client_ticket.create": "ticket.answer",
    "desk_client_ticket.form": "ticket.answer",
    "api.merge_clients": "client.merge",
    "api.undo_merge": "client.merge",
    "desk_duplicates.listing": "client.merge",
    "desk_duplicates.settle": "client.merge",
    "desk_gaps.listing": "client.read",
    "desk_merge.form": "client.merge",
    "desk_merge.save": "client.merge",
    "desk_composer.remove": "ticket.answer",
    "desk_composer.save_draft": "ticket.answer",
    "desk_composer.send": "ticket.answer",
    "desk_composer.sent": "ticket.answer",
    "desk_composer.upload": "ticket.answer",
    "desk_factor.log_in": PUBLIC,
    "desk_factor.set_up_and_log_in": PUBLIC,
    "desk_factor.begin": "desk.use",
    "desk_factor.form": "desk.use",
    "desk_factor.confirm": "desk.use",
    "desk_factor.remove": "desk.use",
    "desk_factor.reset": "user.change",
    "desk_here.here": "ticket.read",
    "desk_here.left": "ticket.read",
    "desk_files.attachment": "ticket.read",
    "desk_files.html": "ticket.read",
    "desk_files.raw": "ticket.read",
    "desk_keys.keys": "desk.use",
    "desk_login.form": PUBLIC,
    "desk_login.log_in": PUBLIC,
    "desk_login.log_out": PUBLIC,
    "desk_login.password_form": PUBLIC,
    "desk_login.set_password": PUBLIC,
    "desk_me.form": "desk.use",
    "desk_me.save": "desk.use",
    "desk_me.sign_out_everywhere": "desk.use",
    "desk_notices.bell": "desk.use",
    "desk_notices.notices": "desk.use",
    "desk_notices.read_all": "desk.use",
    "desk_phone.choice": "desk.use",
    "desk_phone.menu": "desk.use",
    "desk_phone.leg": "desk.use",
    "desk_phone.longer": "desk.use",
    "desk_phone.seen": "desk.use",
    "desk_phone.state": "desk.use",
    "desk_phone.token": "desk.use",
    "desk_phone.window": "desk.use",
    "desk_queue.queue": "desk.use",
    "desk_queue.rows": "desk.use",
    "desk_recordings.fetch_again": "ticket.answer",
    "desk_recordings.play": PUBLIC,  # but "not found" for who isn't logged in
    "desk_sending.resend": "ticket.answer",
    "desk_ticket.clocks": "ticket.read",
    "desk_ticket.side": "ticket.read",
    "desk_ticket.talk": "ticket.read",
    "desk_ticket.ticket": "ticket.read",
    "desk_wrap_up.page": "ticket.read",
    "desk_wrap_up.save": "ticket.answer",
    "desk_zones.zones": "desk.use",
    "openapi.spec": PUBLIC,
    "admin_telephony.check": "setting.change",
    "admin_telephony.show": "setting.change",
    "twilio.hear": PUBLIC,  # the carrier's signature is the proof
    "pbx.receive": PUBLIC,  # the secret in its address is the proof
    "portal_article.article": PUBLIC,
    "portal_article.bare": PUBLIC,
    "portal_article.rate": PUBLIC,
    "portal_ask.kept": PUBLIC,
    "portal_ask.products": PUBLIC,
    "portal_ask.send": PUBLIC,
    "portal_ask.show": PUBLIC,
    "portal_ask.solved": PUBLIC,
    "portal_ask.suggest": PUBLIC,
    "portal_brand.css": PUBLIC,
    "portal_brand.logo": PUBLIC,
    "portal_brand.privacy": PUBLIC,
    "portal_files.attachment": PUBLIC,
    "portal_embed.kept": PUBLIC,
    "portal_embed.script": PUBLIC,
    "portal_embed.send": PUBLIC,
    "portal_embed.show": PUBLIC,
    "portal_embed.solved": PUBLIC,
    "portal_embed.taken": PUBLIC,
    "portal_find.bare": PUBLIC,
    "portal_find.find": PUBLIC,
    "portal_home.home": PUBLIC,
    "portal_home.home_in": PUBLIC,
    "portal_home.nowhere": PUBLIC,
    "portal_my.ask": PUBLIC,
    "portal_my.check": PUBLIC,
    "portal_my.code": PUBLIC,
    "portal_my.leave": PUBLIC,
    "portal_my.show": PUBLIC,
    "portal_rate.rate": PUBLIC,
    "portal_seo.robots": PUBLIC,
    "portal_seo.sitemap": PUBLIC,
    "portal_seo.sitemap_part": PUBLIC,
    "portal_solved.ask": PUBLIC,
    "portal_solved.reopen": PUBLIC,
    "portal_solved.settle": PUBLIC,
    "portal_ticket.live": PUBLIC,
    "portal_ticket.reply": PUBLIC,
    "portal_ticket.show": PUBLIC,
    "portal_topics.bare": PUBLIC,
    "portal_topics.topic": PUBLIC,
    "sms.receive": PUBLIC,  # signed by the carrier
    "sms.status": PUBLIC,
    "simulator.act": "desk.use",
    "simulator.again": "desk.use",
    "simulator.call": "desk.use",
    "simulator.clock": "desk.use",
    "simulator.faults": "desk.use",
    "simulator.live": "desk.use",
    "simulator.one_request": "desk.use",
    "simulator.page": "desk.use",
    "simulator.say": "desk.use",
    "simulator.sms": "desk.use",
    "supervisor_promises.listing": "supervisor.use",
    "supervisor_wallboard.wallboard": "supervisor.use",
    "supervisor_wallboard.board": "supervisor.use",
    "supervisor_wallboard.people": "supervisor.use",
    "supervisor_levels.form": "alarm.change",
    "supervisor_levels.save": "alarm.change",
    "supervisor_alarms.listing": "alarm.change",
    "supervisor_alarms.new": "alarm.change",
    "supervisor_alarms.create": "alarm.change",
    "supervisor_alarms.edit": "alarm.change",
    "supervisor_alarms.save": "alarm.change",
    "supervisor_alarms.switch": "alarm.change",
    "supervisor_alarms.acknowledge": "alarm.change",
    "supervisor_ratings.listing": "supervisor.use",
    "supervisor_schedules.listing": "report.own",
    "supervisor_schedules.new": "report.schedule",
    "supervisor_schedules.create": "report.schedule",
    "supervisor_schedules.stop": "report.own",
    "supervisor_schedules.resume": "report.own",
    "supervisor_schedules.send_now": "report.schedule",
    "supervisor_schedules.file": "report.export",
    "supervisor_statements.listing": "report.read",
    "supervisor_statements.draft": "report.read",
    "supervisor_statements.close": "statement.close",
    "supervisor_statements.show": "report.read",
    "supervisor_statements.print_draft": "report.read",
    "supervisor_statements.print_closed": "report.read",
    "supervisor_exclusions.listing": "exclusion.ask",
    "supervisor_exclusions.new": "exclusion.ask",
    "supervisor_exclusions.ask": "exclusion.ask",
    "supervisor_exclusions.decide": "exclusion.decide",
    "supervisor_exclusions.withdraw": "exclusion.ask",
    "supervisor_list.listing": "report.own",
    "supervisor_reports.first": "report.own",
    "supervisor_reports.page": "report.own",
    "supervisor_reports.download": "report.export",
    "supervisor_definitions.page": "report.own",
}

# Endpoints that lead to one thing of a queue: not there for whoever may not see that queue.
OF_A_QUEUE = {"ticket_id", "number", "message_id", "attachment_id", "outgoing_id"}
OF_A_QUEUE |= {"call_id", "task_id", "recording_id"}
# …but administration reaches everything.
ADMIN_ONLY = ("/admin", "/outbox")

# What the forms about a ticket ask for, so that a refusal is about rights.
FORM = {
    "status": "open",
    "priority": "high",
    "assignee": "",
    "queue": "1",
    "tags": "lamp",
    "subject": "Lamp",
    "kind": "note",
    "text": "x",
    "version": "1",
    "lang": "en",
    "state": "internal",
}

# A file that was sent belongs to no draft any more.
OWN_DRAFTS_ONLY = {"desk_composer.remove"}
# An offer and a talk are worked by the agent who has them: here by nobody.
OWN_DRAFTS_ONLY |= {f"desk_call.{act}" for act in ("accept", "decline", "hold", "hang_up", "notes")}
OWN_DRAFTS_ONLY |= {"desk_wrap_up.save"}
# A file of a report is for whom it was sent to: here to nobody.
OWN_DRAFTS_ONLY |= {"supervisor_schedules.file"}
# Whoever gets a report may stop it: here Sam does, and an administrator sees all.
RECIPIENTS = {f"supervisor_schedules.{act}": ("Sam", "Ada") for act in ("stop", "resume")}
# Without demo data the simulator is for administrators.
ADMINS_OWN = "simulator."

ROLES = ("nobody", "bob", "alice", "sam", "ada")


@dataclass(frozen=True)
class World:
    """One ticket in Support with everything that hangs on it; bob works in Billing only."""

    cast: Cast
    values: dict[str, Any]


@pytest.fixture
def world(app: Flask, cast: Cast) -> World:
    raw = (
        b"From: oksana@client.example\r\nTo: support@example.com\r\nSubject: Lamp\r\n"
        b"Message-ID: <1@client.example>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n"
        b"<p>Broken</p>\r\n--B\r\nContent-Type: text/plain\r\n"
        b"Content-Disposition: attachment; filename=a.txt\r\n\r\nfile\r\n--B--\r\n"
    )
    with ext.write() as session:
        email = RawEmail(raw, "oksana@client.example", ("support@example.com",), now())
        (delivery,) = accept(session, [email])
    process_new()
    react()
    with ext.write() as session:
        ticket = session.scalars(select(Ticket)).one()
        secret = app.config["SECRET_KEY"].encode()
        values = {
            "ticket_id": ticket.id,
            "number": ticket.number,
            "message_id": session.scalars(select(Message.id)).one(),
            "attachment_id": (attachment := session.scalars(select(Attachment.id)).one()),
            "file_id": attachment,
            "outgoing_id": session.scalars(select(Outgoing.id)).one(),
            "client_id": ticket.client_id,
            "person_id": session.scalars(select(Person.id).limit(1)).one(),
            **record_of(session, cast, ticket.client_id),
            **_doubles(session, ticket.client_id),
            **_calls(session, ticket),
            "recording_id": _recording(session),
            "act": "digits",
            "step": "menu",
            "delivery_id": delivery,
            "queue_id": cast.support.id,
            "name": "default",  # of a phone menu
            "mailbox_id": session.scalars(select(Mailbox.id).limit(1)).one(),
            "calendar_id": cast.office.id,
            "policy_id": session.scalars(select(Policy.id).limit(1)).one(),
            "user_id": cast.bob.id,
            "token_id": 1,
            "box_id": _fetched_mailbox(session),
            "run_id": _import_run(session, cast),
            "kind": "clients",
            "form": "csv",
            "report": "sla",
            "listed": "sla",
            "team_id": create_team(session, name="Care", at=now()).id,
            **_contract(session, cast),
            **_alarm(session, cast),
            "article_id": (article := _article(session)).article_id,
            "ref": article.article_id,
            "picture_id": 1,
            "miss_id": _miss(session),
            "category_id": session.scalars(select(Category.id)).one(),
            "filename": "icon.svg",
            "_rest": "nothing",
            "rest": "nothing",
            "lang": "en",
            "slug": "nothing",
            "key": "nothing",
            "part": 1,
            "token": one_time_link(session, cast.bob, now()),
            "ticket_token": link_token(secret, ticket.id, ticket.link_nonce),
        }
    return World(cast, values)


def _fetched_mailbox(session: Session) -> int:
    box = ImapBox(
        address="support@example.com",
        host="localhost",
        port=1,
        tls=ImapTls.PLAIN,
        username="support",
        password="",
        folder="INBOX",
        after=ImapAfter.LEAVE,
        since=now(),
        created_at=now(),
    )
    session.add(box)
    session.flush()
    return box.id


def record_of(session: Session, cast: Cast, client_id: int) -> dict[str, int]:
    """One of each thing in a client's record."""
    client = session.get_one(Client, client_id)
    mine: dict[str, Any] = {"user_id": cast.alice.id, "at": now()}
    by: dict[str, Any] = {"actor": Actor(user_id=cast.alice.id), "at": now()}
    product = Product(name="Lamp", sort_key="lamp", created_at=now())
    session.add(product)
    session.flush()
    item, _ = items.put_item(session, client, {"product_id": product.id}, **by)
    file: dict[str, Any] = {"sha256": files.put(b"act"), "size": 3, "content_type": "text/plain"}
    due = now() + timedelta(days=1)
    fields.seed_fields(session)
    return {
        "point_id": session.scalars(select(ContactPoint.id).limit(1)).one(),
        "note_id": fact_actions.add_note(session, client, "x", **mine).id,
        "document_id": fact_actions.add_document(session, client, filename="a", **file, **by).id,
        "promise_id": fact_actions.make_promise(session, client, "x", due_at=due, **mine).id,
        "item_id": item.id,
        "product_id": product.id,
        "reason_id": create_reason(session, names={"en": "Lamps", "ru": "Лампы", "uk": "Лампи"}).id,
        "field_id": session.scalars(select(fields.Field.id).limit(1)).one(),
    }


def _calls(session: Session, ticket: Ticket) -> dict[str, int]:
    """A call of the ticket that nobody took, and a callback; the offer is nobody's here."""
    whose = {"client_id": ticket.client_id, "queue_id": ticket.queue_id, "ticket_id": ticket.id}
    about: dict[str, Any] = {"direction": Direction.INBOUND, "at": now(), **whose}
    call = create_call(session, provider=Provider.TWIN, provider_id="CA1", **about)
    task = Task(
        kind=TaskKind.CALLBACK, state=TaskState.PLANNED, due_at=now(), created_at=now(), **whose
    )
    session.add(task)
    session.flush()
    return {"call_id": call.id, "task_id": task.id, "offer_id": 99999999}


def _recording(session: Session) -> int:
    """A voicemail of the call."""
    row = Recording(
        provider_id="RE1", call_id=session.scalars(select(Call.id)).one(), created_at=now(),
        kind=RecordingKind.VOICEMAIL, state=RecordingState.FAILED,
        file_id=files.adopt(session, files.put(b"RIFF"), 4),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def _doubles(session: Session, client_id: int) -> dict[str, int]:
    """A client that may be this one, and a merge of two others."""
    twins = [create_client(session, kind="person", name="Twin", at=now()).id for _ in range(3)]
    pair = DuplicatePair(
        first_id=client_id, second_id=twins[0], reason="name", found_at=now(), settled_at=None
    )
    session.add(pair)
    session.flush()
    merge_id = merge(session, twins[1], twins[2], actor=Actor(), at=now()).id
    return {"pair_id": pair.id, "merge_id": merge_id}


def _import_run(session: Session, cast: Cast) -> int:
    """A file of clients that waits for its columns."""
    run = ImportRun(
        kind=ImportKind.CLIENTS,
        state=RunState.MAPPING,
        user_id=cast.sam.id,
        file_id=files.adopt(session, files.put(b"Name\nOlena\n"), 11),
        filename="clients.csv",
        reading={"format": "csv", "encoding": "utf-8", "delimiter": ","},
        headers=["Name"],
        mapping={"Name": "name"},
        created_at=now(),
        updated_at=now(),
    )
    session.add(run)
    session.flush()
    return run.id


def _alarm(session: Session, cast: Cast) -> dict[str, int]:
    """A rule, and an alarm of it."""
    wanted = Wanted("Busy", "calls", "over", 5, role="supervisor")
    actor = Actor(user_id=cast.sam.id)
    rule = alarm_rules.create(session, wanted, Scope(), actor=actor, at=now())
    alarm = Alarm(rule_id=rule.id, began_at=now(), value=6, worst=6, threshold=5, comment="")
    session.add(alarm)
    session.flush()
    return {"rule_id": rule.id, "alarm_id": alarm.id}


def _contract(session: Session, cast: Cast) -> dict[str, Any]:
    """A closed statement of an organisation, an exclusion and a schedule that Sam asked for."""
    who = find_or_create(session, email="firm@firm.example", name="Firm", at=now())
    session.get_one(Client, who.client_id).kind = ClientKind.ORGANISATION
    begun = now() - timedelta(days=40)
    ticket_id = open_ticket(
        session,
        queue_id=cast.support.id,
        who=who,
        subject="Lamp",
        channel=Channel.EMAIL,
        language="en",
        at=begun,
    )
    query = select(Clock).where(Clock.ticket_id == ticket_id).order_by(Clock.id).limit(1)
    clock = session.scalars(query).one()
    subject = Subject(who.client_id, clock.policy_id or 0, f"{begun:%Y-%m}")
    ada, sam = Actor(user_id=cast.ada.id), Actor(user_id=cast.sam.id)
    statement = closing.close(session, subject, actor=ada, at=now())
    exclusion = Exclusion(clock_id=clock.id, reason="x", author_id=cast.sam.id, made_at=now())
    session.add(exclusion)
    weekly = Every.WEEK
    schedule = schedules.create(
        session, cast.sam.id, "sla", {}, every=weekly, hour=8, actor=sam, at=now()
    )
    session.flush()
    return {
        "organisation_id": who.client_id,
        "month": "2026-11",
        "clock_id": clock.id,
        "exclusion_id": exclusion.id,
        "statement_id": statement.id,
        "schedule_id": schedule.id,
        "report_file_id": 1,
    }


def _miss(session: Session) -> int:
    """A search that found nothing."""
    save(session, [Asked("lamp", "en", Source.PORTAL, 0, now())])
    return session.scalars(select(Miss.id)).one()


def _article(session: Session) -> ArticleText:
    """An article that nobody has published."""
    category = create_category(session, {"en": "Lamps"}, at=now())
    content = Content("Lamps", "Switch it on.")
    return create_article(session, content, lang="en", category_id=category.id, at=now())


def rules(app: Flask) -> Iterator[Rule]:
    yield from (rule for rule in app.url_map.iter_rules() if rule.endpoint != "static")


def is_api(rule: Rule) -> bool:
    return rule.rule.startswith("/api/")


def test_every_route_has_a_row_and_asks_for_what_it_says(app: Flask) -> None:
    asked = {
        rule.endpoint: getattr(app.view_functions[rule.endpoint], "permission", None) or PUBLIC
        for rule in rules(app)
    }
    assert asked == TABLE


def test_every_permission_is_known() -> None:
    assert set(TABLE.values()) <= PERMISSIONS | {PUBLIC}
    for granted in GRANTS.values():
        assert granted <= PERMISSIONS


def address(rule: Rule, world: World) -> str:
    values = dict(world.values)
    if rule.rule.startswith("/t/"):
        values["token"] = values["ticket_token"]
    return re.sub(r"<(?:[a-z]+(?:\([^)]*\))?:)?(\w+)>", lambda m: str(values[m[1]]), rule.rule)


def user_of(world: World, role: str) -> User | None:
    return None if role == "nobody" else getattr(world.cast, role)


def may(rule: Rule, user: User | None) -> bool:
    """What the answer must be, worked out from the table alone."""
    permission = TABLE[rule.endpoint]
    if permission == PUBLIC:
        return True
    if rule.endpoint in OWN_DRAFTS_ONLY:
        return False
    if user is None or permission not in GRANTS[user.role]:
        return False
    if rule.endpoint.startswith(ADMINS_OWN) and user.name != "Ada":
        return False
    if user.name not in RECIPIENTS.get(rule.endpoint, (user.name,)):
        return False
    hidden = user.name == "Bob" and bool(OF_A_QUEUE & rule.arguments)
    return not hidden or rule.rule.startswith(ADMIN_ONLY)


@pytest.mark.parametrize("role", ROLES)
def test_each_route_opens_for_those_it_is_meant_for_only(
    app: Flask, world: World, role: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    user = user_of(world, role)
    wrong = []
    for rule in rules(app):
        for method in sorted((rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}):
            status = ask(app, world, rule, method, user)
            opened = status not in (401, 403, 404)
            if TABLE[rule.endpoint] == PUBLIC:
                opened = True
            if opened != may(rule, user) or status >= 500:
                wrong.append(f"{method} {rule.rule}: {status}")
    assert not wrong


def ask(app: Flask, world: World, rule: Rule, method: str, user: User | None) -> int:
    """One request by this user, undone afterwards as far as log-ins go."""
    client = app.test_client()
    headers = {}
    with ext.write() as session:
        if user is not None and is_api(rule):
            token = create_token(session, session.get_one(User, user.id), "t", (), now())
            headers["Authorization"] = f"Bearer {token}"
        elif user is not None:
            row = session.get_one(User, user.id)
            row.active = True
            token = log_in(session, row, "", old_token=None, agent="", at=now())
            client.set_cookie(COOKIE, token)
    if method == "GET":
        body: dict[str, Any] = {}
    elif is_api(rule):
        body = {"json": {"kind": "note", "text": "x"} if "/messages" in rule.rule else {}}
    else:
        mine = {"person": world.values["person_id"], "article": world.values["article_id"]}
        body = {"data": FORM | mine}
    response = client.open(address(rule, world), method=method, headers=headers, **body)
    response.close()
    return response.status_code


def test_unsafe_pages_without_a_token_are_refused(app: Flask, world: World) -> None:
    """The CSRF sweep: every form of the pages needs its token (T19)."""
    open_ = []
    for rule in rules(app):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS", "GET"}):
            if rule.rule.startswith(("/api/", "/twilio/", "/hooks/")):  # other proofs
                continue
            status = ask(app, world, rule, method, world.cast.ada)
            if status != 400:
                open_.append(f"{method} {rule.rule}: {status}")
    assert not open_


def test_ids_that_do_not_exist_are_not_there(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    wrong = []
    for rule in rules(app):
        names = {name for name in rule.arguments if name.endswith("_id") or name == "number"}
        if not names:
            continue
        for value in (99999999, 2**62):
            strange = World(world.cast, world.values | dict.fromkeys(names, value))
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                status = ask(app, strange, rule, method, world.cast.ada)
                if status not in (404, 422):
                    wrong.append(f"{method} {rule.rule} {value}: {status}")
    assert not wrong
