"""Starts a private PostgreSQL for one test run and stops it afterwards."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql

EMPTY = """
DO $$ DECLARE r record; BEGIN
  FOR r IN SELECT relname AS name FROM pg_class
           WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
             AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
  LOOP EXECUTE format('DELETE FROM %I', r.name); END LOOP;
  FOR r IN SELECT sequencename AS name FROM pg_sequences
           WHERE schemaname = 'public' AND last_value IS NOT NULL
  LOOP PERFORM setval(quote_ident(r.name), 1, false); END LOOP;
END $$;
"""
TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
  AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0 ORDER BY relname
"""
SEQUENCES = """
SELECT format('SELECT setval(%L, %s);', quote_ident(sequencename), last_value)
FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL ORDER BY sequencename
"""
ADD = sql.SQL("INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, {1});")


def server_binaries() -> Path | None:
    """The newest installed server's folder, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return found[-1] if found else None


class PostgresServer:
    """A server on a socket in a temporary folder, without durability: tests don't need it."""

    def __init__(self) -> None:
        binaries = server_binaries()
        if binaries is None:
            raise RuntimeError("PostgreSQL is not installed: run `make install-test`.")
        self.folder = Path(tempfile.mkdtemp(prefix="helpdesk-pg-"))
        # initdb and postgres refuse to run as root.
        self.drop = (
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            if os.geteuid() == 0
            else []
        )
        if self.drop:
            shutil.chown(self.folder, "postgres", "postgres")
        data = self.folder / "data"
        self._run([binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8"])
        options = ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=200"]
        command = [binaries / "postgres", "-D", data, "-k", self.folder]
        for option in [*options, "synchronous_commit=off", "shared_buffers=64MB", "jit=off"]:
            command += ["-c", option]
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [*self.drop, *map(str, command)], stdout=subprocess.DEVNULL, stderr=log
            )
        self._wait()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, command: list[object]) -> None:
        subprocess.run([*self.drop, *map(str, command)], check=True, stdout=subprocess.DEVNULL)

    def _wait(self) -> None:
        for _ in range(200):
            if (self.folder / ".s.PGSQL.5432").exists() and self._answers():
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text())

    def _answers(self) -> bool:
        ready = ["pg_isready", "-q", "-h", str(self.folder)]
        return subprocess.run(ready, check=False).returncode == 0


def empty(connection: psycopg.Connection, filling: str = "") -> None:
    """Delete all rows, twenty times as fast as copying a template; then run these statements."""
    connection.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {EMPTY} {filling}")
    connection.execute("COMMIT")


def statements_of(url: str) -> str:
    """Statements that put the rows and the next numbers of this database into an empty one."""
    with psycopg.connect(url, autocommit=True) as connection:
        made = []
        for (name,) in connection.execute(TABLES).fetchall():
            table = sql.Identifier(name)
            query = sql.SQL("SELECT json_agg(t)::text FROM {} t").format(table)
            (rows,) = connection.execute(query).fetchall()[0]
            if rows is not None:
                made.append(ADD.format(table, sql.Literal(rows)).as_string(connection))
        return "".join([*made, *(text for (text,) in connection.execute(SEQUENCES).fetchall())])
