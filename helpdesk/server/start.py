"""The start: look, migrate, begin, fork, supervise."""

import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from helpdesk import demo, ext
from helpdesk.accounts.models import User
from helpdesk.intake import imap_boxes, imap_state
from helpdesk.lib.clock import now
from helpdesk.lib.passwords import verify_password
from helpdesk.server import checks, children, shared
from helpdesk.server.checks import StartError
from helpdesk.server.first_start import first_administrator, first_queue
from helpdesk.server.greeting import greeting
from helpdesk.server.processes import Lifeline, fork, freeze
from helpdesk.server.supervisor import Process, Supervisor, always

ALL = ("web", "smtp", "imap", "worker", "twin")


def run(app: Flask, say: Callable[[str], None]) -> int:
    """Everything on one machine. Returns the exit code. Raises StartError or HelpdeskError."""
    checks.use_data(Path(app.config["DATA_DIR"]))
    processes = plan(app, ALL)
    checks.check_database(app)
    if weak := checks.weak_key(app):
        say(weak)
    if not checks.is_current(app):
        _apart(app, "upgrade", partial(checks.migrate, app))
    first_queue(app)
    look_for_mailboxes(app)
    if app.config["DEMO"] and _is_empty(app):
        _apart(app, "demo", partial(load_demo, app, say))
    text = greeting(app.config, first_administrator(app), _logins(app))
    return supervise(app, processes, lambda: say(text))


def _apart(app: Flask, command: str, work: Callable[[], object]) -> None:
    """Do the work of this command in a process that ends: what it needs of memory once, all that
    are forked later would keep. Raises StartError.
    """
    with app.app_context():
        ext.db.engine.dispose()  # see `shared.make`
    lifeline = Lifeline()
    _pid, status = os.waitpid(fork(command, work, lifeline), 0)
    lifeline.close()
    if status:
        raise StartError(f"Not started: run `helpdesk {command}` to see what is wrong.")


def _is_empty(app: Flask) -> bool:
    with app.app_context():
        return demo.is_empty()


def load_demo(app: Flask, say: Callable[[str], None]) -> bool:
    """Load demo data if nobody has worked here yet; whether it did."""
    if not _is_empty(app):
        return False
    say("Loading demo data")
    with app.app_context():
        demo.load(now())
    return True


def look_for_mailboxes(app: Flask) -> None:
    """Let the fetcher begin with the others where mailboxes are set up."""
    with app.app_context(), ext.session() as session:
        if imap_state.wanted(session):
            imap_boxes.marker(app.config["DATA_DIR"]).touch()


def _logins(app: Flask) -> list[tuple[str, str, str]]:
    """Role, address and password of the demo people, as far as they are here and have it still."""
    domain = app.config["MAIL_DOMAIN"]
    known = [(role, f"{name}@{domain}") for name, role in demo.DEMO_USERS]
    with app.app_context(), ext.session() as session:
        query = select(User).where(User.email.in_([email for _, email in known]))
        people = session.scalars(query.where(User.active.is_(True)))
        hashes = ((user.email, user.password_hash) for user in people)
        here = {email for email, hash_ in hashes if verify_password(hash_, demo.DEMO_PASSWORD)}
    return [(role, email, demo.DEMO_PASSWORD) for role, email in known if email in here]


def run_part(app: Flask, role: str) -> int:
    """One kind of process, for machines that share a PostgreSQL. Raises StartError."""
    checks.use_data(Path(app.config["DATA_DIR"]))
    processes = plan(app, (role,))
    checks.check_database(app)
    checks.need_current(app)
    return supervise(app, processes, lambda: None)


def plan(app: Flask, roles: Sequence[str]) -> list[Process]:
    """The processes of these roles; their ports are taken here. Raises StartError."""
    processes: list[Process] = []
    if "smtp" in roles:
        mail = _listen(app, "SMTP")
        processes.append(Process("smtp", partial(children.email, app, mail)))
    if "web" in roles:
        pages = _listen(app, "HTTP")
        processes += [
            Process(f"web{n}", partial(children.web, app, pages, n))
            for n in range(1, app.config["WEB_WORKERS"] + 1)
        ]
    if "imap" in roles:
        alone = len(roles) == 1  # else it begins with the first mailbox and spares its memory
        needed = always if alone else imap_boxes.marker(app.config["DATA_DIR"]).exists
        processes.append(Process("imap", partial(children.imap, app), needed))
    if "worker" in roles:
        processes.append(Process("worker", partial(children.worker, app)))
    if "twin" in roles and not (app.config["TWILIO_ACCOUNT_SID"] or app.config["TWIN_URL"]):
        processes.append(Process("twin", partial(children.twin, app, _twin(app))))
    return processes


def _twin(app: Flask) -> socket.socket:
    """A port of its own for the offline twin; all processes get to know it before they fork."""
    twin = checks.listen("127.0.0.1", 0, "HELPDESK_TWIN_URL")
    app.config["TWIN_URL"] = f"http://127.0.0.1:{twin.getsockname()[1]}"
    return twin


def supervise(app: Flask, processes: Sequence[Process], started: Callable[[], None]) -> int:
    """Fork once all is made that processes can share. Returns the exit code."""
    shared.make(app, pages=any(process.name.startswith("web") for process in processes))
    freeze()
    return Supervisor(processes).run(started)


def _listen(app: Flask, kind: str) -> socket.socket:
    bind = app.config[f"{kind}_BIND"]
    return checks.listen(bind.host, bind.port, f"HELPDESK_{kind}_BIND")
