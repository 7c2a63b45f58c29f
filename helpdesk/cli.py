"""The commands: a few lines each. Bad input is one plain sentence and exit code 2."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from flask import Flask

from helpdesk import ext
from helpdesk.app import ConfigError, create_app
from helpdesk.lib import logs
from helpdesk.lib.errors import HelpdeskError
from helpdesk.server import checks, start
from helpdesk.server.checks import StartError

Command = Callable[[argparse.Namespace], int]

BAD_INPUT = 2


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="helpdesk", description="A contact center and help desk.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        return added

    add("run", run, "Start everything on this machine.")
    for role in start.ALL:
        add(role, part, f"Start only the {role} processes.").set_defaults(role=role)
    add("upgrade", upgrade, "Bring the database to this version.")
    return parser
