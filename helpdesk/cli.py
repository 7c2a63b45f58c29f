"""The commands: a few lines each. Bad input is one plain sentence and exit code 2."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

import helpdesk.lib.collector
from helpdesk import backup as keep
from helpdesk import ext, jobs
from helpdesk.accounts import second_factor, sessions
from helpdesk.accounts.actions import add_user, create_token, one_time_link
from helpdesk.app import ConfigError, create_app
from helpdesk.calls import fallback
from helpdesk.events import SYSTEM
from helpdesk.intake import boxes
from helpdesk.intake.actions import replay
from helpdesk.intake.models import Delivery, DeliveryState
from helpdesk.lib import logs
from helpdesk.lib.clock import now
from helpdesk.lib.errors import HelpdeskError, _lazy
from helpdesk.server import checks, start
from helpdesk.server.checks import StartError
from helpdesk.tickets.queries import user_named

Commands = Any  # argparse does not name the type of its subparsers
Command = Callable[[argparse.Namespace], int]

BAD_INPUT = 2
STOPPED = 130  # by Ctrl-C, as shells say it
MAX_ID = 2**63 - 1  # of the databases; no row has it

helpdesk.lib.collector.resume()  # all is loaded


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    os.umask(0o077)
    logs.configure()
    args = _parser().parse_args(argv)
    try:
        command: Command = args.command
        return command(args)
    except (ConfigError, StartError, HelpdeskError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or 'System'}: {error.strerror}.", file=sys.stderr)
    except KeyboardInterrupt:
        return STOPPED
    return BAD_INPUT


def say(text: str) -> None:
    print(text, flush=True)


def run(_args: argparse.Namespace) -> int:
    return start.run(create_app(), say)


def part(args: argparse.Namespace) -> int:
    return start.run_part(create_app(), args.role)


def upgrade(_args: argparse.Namespace) -> int:
    app = create_app()
    checks.check_database(app)
    checks.migrate(app)
    return 0


def load_demo(_args: argparse.Namespace) -> int:
    app = ready_app()
    if not start.load_demo(app, say):
        say("There is data here already: no demo data was loaded.")
    with app.app_context():
        while jobs.embed_kb():
            pass
    return 0


def user_add(args: argparse.Namespace) -> int:
    """With a password from the environment, or else a link to set one."""
    app = ready_app()
    with app.app_context(), ext.write() as session:
        password = os.environ.get("HELPDESK_USER_PASSWORD")
        zone = app.config["TIMEZONE"]
        user = add_user(
            session,
            email=args.email,
            name=args.name,
            role=args.role,
            at=now(),
            password=password,
            timezone=zone,
        )
        token = None if password else one_time_link(session, user, now())
    if token:
        say(f"Set the password, once, within 24 hours: {app.config['PUBLIC_URL']}/welcome/{token}")
    return 0


def token_create(args: argparse.Namespace) -> int:
    """The bare token is the last line, so that a script can take it."""
    app = ready_app()
    with app.app_context(), ext.write() as session:
        user = user_named(session, args.user)
        token = create_token(session, user, args.name, args.scope, now())
    say("It is shown only now:")
    say(token)
    return 0


def check(_args: argparse.Namespace) -> int:
    """Settings and folder are checked by `create_app`."""
    app = create_app()
    checks.check_database(app)
    checks.need_current(app)
    for kind in ("HTTP", "SMTP"):
        bind = app.config[f"{kind}_BIND"]
        checks.listen(bind.host, bind.port, f"HELPDESK_{kind}_BIND").close()
    if weak := checks.weak_key(app):
        say(weak)
    say("Settings, data folder, database and ports are in order.")
    return 0


def reset_factor(args: argparse.Namespace) -> int:
    """For the last administrator who lost the phone and the codes."""
    app = ready_app()
    with app.app_context(), ext.write() as session:
        user = user_named(session, args.email)
        second_factor.remove(session, user, at=now(), actor=SYSTEM)
        sessions.log_out_everywhere(session, user.id)
    say(f"{args.email} logs in by password alone now.")
    return 0


def twilio_fallback(args: argparse.Namespace) -> int:
    """To be kept as a TwiML Bin and named as the number's fallback."""
    app = create_app()
    with app.app_context():
        document = fallback.document()
    if args.out is None:
        say(document)
    else:
        args.out.write_text(document + "\n", encoding="utf-8")
    return 0


def backup(args: argparse.Namespace) -> int:
    app = ready_app()
    with app.app_context():
        made = keep.backup(args.file)
    say(f"{args.file}: {sum(made.tables.values())} rows, {len(made.members)} files.")
    return 0


def restore(args: argparse.Namespace) -> int:
    app = create_app()
    checks.check_database(app)
    with checks.alone_on_data(Path(app.config["DATA_DIR"])):
        with app.app_context():
            made = keep.restore(args.file, force=args.force)
        checks.migrate(app)
    say(f"Restored the state of {made.made_at}: {sum(made.tables.values())} rows.")
    return 0


def intake_replay(args: argparse.Namespace) -> int:
    app = ready_app()
    with app.app_context(), ext.write() as session:
        query = select(Delivery).where(Delivery.state == DeliveryState.FAILED)
        if args.id is not None:
            query = select(Delivery).where(Delivery.id == min(args.id, MAX_ID))
        found = session.scalars(query.order_by(Delivery.id)).all()
        if args.id is not None and not found:
            raise HelpdeskError(_lazy("There is no delivery %(id)s."), id=args.id)
        for delivery in found:
            replay(session, delivery, actor=SYSTEM, at=now())
    say(f"{len(found)} to be processed again.")
    return 0


def intake_pipe(args: argparse.Namespace) -> int:
    """For a mail server's pipe. EX_TEMPFAIL makes it keep the email and try again."""
    try:
        raw = sys.stdin.buffer.read()
        app = ready_app()
        with app.app_context():
            boxes.take(raw, sender=args.sender, recipients=tuple(args.recipients))
    except (ConfigError, StartError, SQLAlchemyError, OSError) as error:
        print(f"Not taken, try again later: {type(error).__name__}", file=sys.stderr)
        return os.EX_TEMPFAIL
    return 0


def intake_import(args: argparse.Namespace) -> int:
    app = ready_app()
    with app.app_context():
        taken = boxes.take_all(args.path)
    say(f"{taken} emails taken.")
    return 0


def ready_app() -> Flask:
    """The application over a database that answers and is of this version."""
    app = create_app()
    checks.check_database(app)
    checks.need_current(app)
    return app


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="helpdesk", description="A contact center and help desk.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "run", run, "Start everything on this machine.")
    for role in start.ALL:
        _add(commands, role, part, f"Start only the {role} processes.").set_defaults(role=role)
    _add(commands, "upgrade", upgrade, "Bring the database to this version.")
    _add(commands, "demo", load_demo, "Load demo data into an empty database.")
    _add(commands, "check", check, "Check settings, folder, database and ports.")
    kept = _add(
        commands, "twilio-fallback", twilio_fallback, "What callers hear while this server is down."
    )
    kept.add_argument("--out", type=Path, metavar="FILE", help="instead of printing it")
    saved = _add(commands, "backup", backup, "Write a backup while the product goes on.")
    saved.add_argument("file", type=Path)
    back = _add(commands, "restore", restore, "Put a backup in the place of what is there.")
    back.add_argument("file", type=Path)
    back.add_argument("--force", action="store_true", help="also where there is data")
    _people(commands)
    _intake(commands)
    return parser


def _people(commands: Commands) -> None:
    user = _group(commands, "user", "Members of staff.")
    added = _add(user, "add", user_add, "Add one; prints a link to set the password.")
    added.add_argument("--email", required=True)
    added.add_argument("--name", required=True)
    added.add_argument("--role", required=True, help="agent, supervisor or admin")
    lost = _add(user, "reset-factor", reset_factor, "Turn off a second factor that was lost.")
    lost.add_argument("--email", required=True)
    token = _group(commands, "token", "Tokens for programs.")
    made = _add(token, "create", token_create, "Make one and print it as the last line.")
    made.add_argument("--user", required=True, metavar="EMAIL")
    made.add_argument("--name", required=True)
    made.add_argument("--scope", action="append", default=[], help="may be given many times")


def _intake(commands: Commands) -> None:
    group = _group(commands, "intake", "What comes in.")
    again = _add(group, "replay", intake_replay, "Process failed deliveries again.")
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("--all-failed", action="store_true")
    which.add_argument("id", nargs="?", type=int)
    pipe = _add(group, "pipe", intake_pipe, "Take one email from standard input.")
    pipe.add_argument("--from", dest="sender", metavar="ADDRESS", help="the envelope sender")
    pipe.add_argument("recipients", nargs="*", metavar="RECIPIENT")
    taken = _add(group, "import", intake_import, "Take emails from .eml files, an mbox, a Maildir.")
    taken.add_argument("path", type=Path)


def _group(commands: Commands, name: str, text: str) -> Commands:
    group = commands.add_parser(name, help=text, description=text)
    return group.add_subparsers(required=True, metavar="COMMAND")


def _add(commands: Commands, name: str, command: Command, text: str) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    added.set_defaults(command=command)
    return added
