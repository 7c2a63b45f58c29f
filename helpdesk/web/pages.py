"""The one list of page blueprints, in the order of readers."""

from flask import Flask

from helpdesk.web.admin import (
    brand,
    calendars,
    deliveries,
    embed,
    exchange,
    export,
    fields,
    imap,
    imports,
    index,
    log,
    outbox,
    phone_menus,
    policies,
    privacy,
    products,
    queues,
    reasons,
    settings,
    staff,
    teams,
    telephony,
    tokens,
)
from helpdesk.web.admin import kb as admin_kb
from helpdesk.web.desk import (
    call,
    call_view,
    callbacks,
    calls,
    card,
    changes,
    classify,
    client,
    client_facts,
    client_items,
    client_people,
    client_record,
    client_ticket,
    composer,
    duplicates,
    factor,
    files,
    gaps,
    here,
    kb,
    kb_beside,
    kb_edit,
    kb_lists,
    kb_pictures,
    kb_versions,
    keys,
    login,
    me,
    merge,
    notices,
    phone,
    queue,
    recordings,
    sending,
    ticket,
    wrap_up,
    zones,
)
from helpdesk.web.portal import article as portal_article
from helpdesk.web.portal import ask as portal_ask
from helpdesk.web.portal import brand as portal_brand
from helpdesk.web.portal import embed as portal_embed
from helpdesk.web.portal import files as portal_files
from helpdesk.web.portal import find as portal_find
from helpdesk.web.portal import home as portal_home
from helpdesk.web.portal import my as portal_my
from helpdesk.web.portal import rate as portal_rate
from helpdesk.web.portal import seo as portal_seo
from helpdesk.web.portal import solved as portal_solved
from helpdesk.web.portal import ticket as portal_ticket
from helpdesk.web.portal import topics as portal_topics
from helpdesk.web.simulator import line
from helpdesk.web.simulator import pages as simulator
from helpdesk.web.site import init_site
from helpdesk.web.supervisor import alarms as supervisor_alarms
from helpdesk.web.supervisor import definitions as supervisor_definitions
from helpdesk.web.supervisor import exclusions as supervisor_exclusions
from helpdesk.web.supervisor import levels as supervisor_levels
from helpdesk.web.supervisor import list as supervisor_list
from helpdesk.web.supervisor import promises as supervisor_promises
from helpdesk.web.supervisor import ratings as supervisor_ratings
from helpdesk.web.supervisor import reports as supervisor_reports
from helpdesk.web.supervisor import schedules as supervisor_schedules
from helpdesk.web.supervisor import statements as supervisor_statements
from helpdesk.web.supervisor import wallboard as supervisor_wallboard

TICKET = (ticket, changes, classify, composer, sending, here, files)
DESK = (login, factor, queue, *TICKET, notices, me, keys, zones)
CALLS = (recordings, call, wrap_up, phone, calls, callbacks, simulator)
CLIENT = (card, client, client_record, client_people, client_facts, client_items, client_ticket)
KB = (kb, kb_edit, kb_versions, kb_lists, kb_beside, kb_pictures, admin_kb)
READING = (portal_home, portal_find, portal_topics, portal_article, portal_brand, portal_seo)
ASKING = (portal_ask, portal_ticket, portal_files, portal_rate, portal_solved)
THEIRS = (portal_my, portal_embed)
PORTAL = (*READING, *ASKING, *THEIRS)
MERGE = (merge, duplicates, gaps)
SUPERVISOR = (
    supervisor_wallboard,
    supervisor_levels,
    supervisor_alarms,
    supervisor_promises,
    supervisor_ratings,
    supervisor_reports,
    supervisor_list,
    supervisor_definitions,
    supervisor_schedules,
    supervisor_statements,
    supervisor_exclusions,
)
ADMIN = (
    index,
    log,
    staff,
    teams,
    fields,
    reasons,
    products,
    queues,
    imap,
    phone_menus,
    exchange,
    telephony,
    calendars,
    policies,
    deliveries,
    outbox,
    settings,
    brand,
    embed,
    tokens,
    privacy,
    imports,
    export,
)


def init_pages(app: Flask) -> None:
    """Prepare `app` for pages and register all of them."""
    app.jinja_env.globals["telephone"] = call_view.telephone
    app.jinja_env.globals["simulated"] = line.offered
    rooms = (*PORTAL, *DESK, *CALLS, *CLIENT, *MERGE, *KB, *SUPERVISOR, *ADMIN)
    init_site(app, [room.blueprint for room in rooms])
