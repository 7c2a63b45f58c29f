"""Imports of clients: who a row means, what it changes, what is said of bad ones, going on."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from helpdesk import ext
from helpdesk.clients.actions import add_contact_point, add_person, create_client
from helpdesk.clients.import_models import ImportProblem, ImportRun, RunState
from helpdesk.clients.importing import actions
from helpdesk.clients.importing.run import next_chunk
from helpdesk.clients.importing.scratch import Pile, Places
from helpdesk.clients.models import Client, ContactPoint, Person
from helpdesk.clients.search import find_client_ids
from helpdesk.events import Event
from helpdesk.fields import seed_fields
from helpdesk.files import StoredFile
from helpdesk.lib.clock import now
from helpdesk.lib.errors import Conflict, HelpdeskError
from helpdesk.privacy.retain import retain
from tests.cast import Cast
from tests.clients.tables import begin, counts, imported, problems, start, step, work

HEAD = "External ID,Name,Email,Phone,Tags\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table"


def client(external_id: str) -> Client:
    with ext.session() as session:
        found = session.scalars(select(Client).where(Client.external_id == external_id)).one()
        for person in found.people:
            assert person.contact_points is not None
        return found


def reach(external_id: str) -> list[str]:
    return [point.value for p in client(external_id).people for point in p.contact_points]


def total() -> int:
    with ext.session() as session:
        return session.scalar(select(func.count(Client.id))) or 0


def test_a_dry_run_counts_and_changes_nothing(cast: Cast, file: Path) -> None:
    before = total()
    run_id = begin(file, f"{HEAD}1,Ann,a@x.example,,\n2,Bob,not an address,,\n", cast.sam)
    work()
    assert counts(run_id) == ("checked", 1, 0, 0, 1)
    assert problems(run_id) == [(3, "Email", "This is not an email address: not an address")]
    assert total() == before


def test_good_rows_come_in_and_bad_ones_stay_out(cast: Cast, file: Path) -> None:
    data = f"{HEAD}1,Ann,a@x.example,067 123 45 67,\n2,Bob,,12,\n3,,,,\n,,,,x\n4,Cy,,,vip; new\n"
    run_id = imported(file, data, cast.sam)
    assert counts(run_id) == ("done", 3, 0, 0, 2)
    assert [row for row, _c, _s in problems(run_id)] == [3, 5]
    assert reach("1") == ["a@x.example", "+380 67 123 45 67"]
    assert client("4").tags == ["vip", "new"]


def test_the_same_file_again_changes_nothing(cast: Cast, file: Path) -> None:
    data = f"{HEAD}1,Ann,a@x.example,067 123 45 67,vip\n,Bob,b@x.example,,\n,Only a name,,,\n"
    assert counts(imported(file, data, cast.sam)) == ("done", 3, 0, 0, 0)
    with ext.session() as session:
        events = session.scalar(select(func.count(Event.id)).where(Event.kind.like("client.%")))
    assert counts(imported(file, data, cast.sam)) == ("done", 0, 0, 3, 0)
    with ext.session() as session:
        query = select(func.count(Event.id)).where(Event.kind.like("client.%"))
        assert session.scalar(query) == events


def test_changed_values_are_updated_and_empty_cells_erase_nothing(cast: Cast, file: Path) -> None:
    imported(file, f"{HEAD}1,Ann,a@x.example,,vip\n", cast.sam)
    run_id = imported(file, f"{HEAD}1,Anna,,067 123 45 67,\n", cast.sam)
    assert counts(run_id) == ("done", 0, 1, 0, 0)
    found = client("1")
    assert (found.name, found.tags, found.version) == ("Anna", ["vip"], 2)
    assert [person.name for person in found.people] == ["Anna"]
    assert reach("1") == ["a@x.example", "+380 67 123 45 67"]
    with ext.session() as session:
        assert find_client_ids(session, "Anna", country="UA") == [found.id]
        assert find_client_ids(session, "0671234567", country="UA") == [found.id]
        query = select(Event.data).where(Event.kind == "client.changed")
        assert session.scalars(query).one() == {"fields": ["name"]}


def test_a_number_from_the_other_system_is_given_to_whom_we_know(cast: Cast, file: Path) -> None:
    run_id = imported(file, f"{HEAD}77,,oksana@client.example,,\n", cast.sam)
    assert counts(run_id) == ("done", 0, 1, 0, 0)
    assert client("77").id == cast.oksana.client_id


def test_totals_below_the_table_are_no_clients(cast: Cast, file: Path) -> None:
    people = "".join(f"{n},Ann {n},a{n}@x.example,,\n" for n in range(6))
    run_id = imported(file, f"{HEAD}{people}Разом клієнтів:,6,,,\nTotal,,6 000,12.5,\n", cast.sam)
    assert counts(run_id)[1] == 7
    assert [(row, said[:16]) for row, _c, said in problems(run_id)] == [
        (8, "This row looks l"),
        (9, "This row is the "),
    ]
    early = f"{HEAD}Total,,,,\n{people}"
    assert counts(imported(file, early, cast.sam))[1] == 1


def test_a_damaged_character_is_told_by_row_and_column(cast: Cast, file: Path) -> None:
    text = f"{HEAD}1,Ґалаґан,g@x.example,,\n2,Їжак?,y@x.example,,\n".encode()
    run_id = imported(file, text.replace(b"?", b"\xff"), cast.sam)
    assert counts(run_id) == ("done", 1, 0, 0, 1)
    assert problems(run_id) == [(3, "Name", "A character cannot be read: Їжак\ufffd")]


def test_a_dry_run_of_many_rows_stays_small() -> None:
    places, pile = Places(), Pile()
    for number in range(20_000):
        assert places.setdefault(hash(str(number)), number) == number
        assert pile.append(b"%d" % number * 9) == number
    for number in (0, 7_777, 19_999):
        assert places.get(hash(str(number))) == number
        assert pile[number] == b"%d" % number * 9
    assert places.get(hash("none")) is None
    assert places.setdefault(hash("7"), 1) == 7


def test_an_address_of_somebody_else_is_a_problem_and_no_merge(cast: Cast, file: Path) -> None:
    data = f"{HEAD}1,Ann,a@x.example,,\n2,Bob,a@x.example,,\n3,Cy,oksana@client.example,,\n"
    imported(file, f"{HEAD}3,Cy,,050 111 22 33,\n", cast.sam)
    run_id = begin(file, data, cast.sam)
    work()
    assert counts(run_id)[1:] == (1, 0, 0, 2)
    said = problems(run_id)
    assert said[0] == (3, "Email", "a@x.example belongs to another client, that of row 2.") or (
        "belongs to another client" in said[0][2]
    )
    assert f"helpdesk ID {cast.oksana.client_id}" in said[1][2]


def test_rows_far_apart_see_each_other_in_a_dry_run_too(cast: Cast, file: Path) -> None:
    many = "".join(f"{n},Name {n},n{n}@x.example,,\n" for n in range(600))
    run_id = begin(file, f"{HEAD}{many}0,Other,,,\n900,Thief,n0@x.example,,\n", cast.sam)
    work()
    assert counts(run_id) == ("checked", 600, 1, 0, 1)
    start(run_id)
    work()
    assert counts(run_id) == ("done", 600, 1, 0, 1)


def test_organisations_have_people_and_people_organisations(cast: Cast, file: Path) -> None:
    data = "Код клієнта;Назва;Контактна особа;Посада;E-mail\n"
    data += "5;ТОВ Ромашка;Олена Мороз;бухгалтер;o@r.example\n"
    data += "5;ТОВ Ромашка;Іван Гнатюк;директор;i@r.example\n"
    run_id = imported(file, data, cast.sam)
    assert counts(run_id) == ("done", 1, 1, 0, 0)
    found = client("5")
    assert found.kind.value == "organisation"
    assert [(p.name, p.role) for p in found.people] == [
        ("Олена Мороз", "бухгалтер"),
        ("Іван Гнатюк", "директор"),
    ]
    imported(file, "ID;Name;Company\n6;Taras;ТОВ Ромашка\n7;Olha;New Ltd\n", cast.sam)
    assert client("6").organisation_id == found.id
    with ext.session() as session:
        made = session.get_one(Client, client("7").organisation_id)
        assert (made.name, made.kind.value) == ("New Ltd", "organisation")
    assert counts(imported(file, data, cast.sam)) == ("done", 0, 0, 2, 0)


def test_profile_fields_owner_and_words_are_understood(cast: Cast, file: Path) -> None:
    with ext.write() as session:
        seed_fields(session)
    data = "ID;Ім’я;Тип;Мова;Owner;Дата народження;День рождения;Дети\n"
    data += "1;Ann;фізособа;українська;sam@example.com;x;31.12.1980;2\n"
    data += "2;Bob;робот;klingon;nobody@example.com;;31.13.1980;два\n"
    run_id = imported(file, data, cast.sam)
    assert counts(run_id) == ("done", 1, 0, 0, 1)
    found = client("1")
    assert found.profile == {"birthday": "1980-12-31", "children": 2}
    assert (found.owner_id, found.language) == (cast.sam.id, "uk")
    assert [column for _r, column, _s in problems(run_id)] == [
        "Тип",
        "Мова",
        "Owner",
        "День рождения",
        "Дети",
    ]
    firm = "ID;Имя;День рождения\n3;ТОВ Ромашка;31.12.1980\n4;ТОВ Сонце;\n"
    run_id = imported(file, firm, cast.sam)
    assert counts(run_id) == ("done", 1, 0, 0, 1)
    assert problems(run_id) == [(2, "День рождения", "This field is only for people.")]


def test_more_cells_than_headers_are_a_problem(cast: Cast, file: Path) -> None:
    run_id = begin(file, "Name,Email\nAnn,a@x.example,,\nBob, Jr,b@x.example\n", cast.sam)
    work()
    assert counts(run_id)[1:] == (1, 0, 0, 1)


def test_a_stopped_import_goes_on_where_it_was(cast: Cast, file: Path) -> None:
    many = "".join(f"{n},Name {n},,,\n" for n in range(700))
    run_id = begin(file, HEAD + many, cast.sam)
    work()
    start(run_id)
    step()
    with ext.write() as session:
        actions.stop(session, actions.run_of(session, run_id), at=now())
    work()
    assert counts(run_id)[:2] == ("stopped", 250)
    with ext.write() as session:
        actions.go_on(session, actions.run_of(session, run_id), at=now())
    work()
    assert counts(run_id) == ("done", 700, 0, 0, 0)


def test_a_chunk_that_is_lost_is_read_again(cast: Cast, file: Path) -> None:
    many = "".join(f"{n},Name {n},,,\n" for n in range(600))
    run_id = begin(file, HEAD + many, cast.sam)
    step()
    assert next_chunk() is not None  # read, and its transaction never came
    work()
    assert counts(run_id) == ("checked", 600, 0, 0, 0)
    start(run_id)
    step()
    assert next_chunk() is not None
    work()
    assert counts(run_id) == ("done", 600, 0, 0, 0)


def test_a_file_that_breaks_off_fails_with_its_reason(cast: Cast, file: Path) -> None:
    many = "".join(f"{n},Name {n},,,\n" for n in range(300))
    run_id = begin(file, HEAD + many + '301,"' + "x" * 200_000, cast.sam)
    work()
    assert counts(run_id)[0] == "failed"
    with ext.session() as session:
        error = session.get_one(ImportRun, run_id).error
        assert error and error["parts"]["row"] == "302"


def test_no_import_without_a_check(cast: Cast, file: Path) -> None:
    run_id = begin(file, f"{HEAD}1,Ann,,,\n", cast.sam)
    with pytest.raises(Conflict):
        start(run_id)


def test_a_mapping_that_means_nobody_is_refused(cast: Cast, file: Path) -> None:
    with pytest.raises(HelpdeskError, match="name, an address or a number"):
        begin(file, "Color\nred\n", cast.sam)


def test_people_that_share_an_address_stay_apart(cast: Cast, file: Path) -> None:
    with ext.write() as session:
        org = create_client(session, kind="organisation", name="Shop", at=now())
        ann = add_person(session, org, name="Ann", at=now())
        for_all = {"kind": "email", "value": "info@shop.example", "country": "UA", "at": now()}
        add_contact_point(session, ann, **for_all)
    imported(file, "Name,Contact person,Email\nShop,Bob,info@shop.example\n", cast.sam)
    with ext.session() as session:
        names = session.scalars(select(Person.name).where(Person.client_id == org.id))
        assert list(names) == ["Ann", "Bob"]
        assert (
            session.scalar(
                select(func.count(ContactPoint.id)).where(ContactPoint.key == "info@shop.example")
            )
            == 2
        )


WORKER = """
import sys
from helpdesk.app import create_app
from helpdesk.jobs import import_rows
app = create_app()
with app.app_context():
    while import_rows():
        pass
"""


def test_a_killed_worker_leaves_no_row_out_and_none_twice(
    app: Flask, cast: Cast, file: Path, database_url: str, tmp_path: Path
) -> None:
    many = "".join(f"{n},Name {n},n{n}@x.example,,\n" for n in range(2500))
    run_id = begin(file, HEAD + many, cast.sam)
    work()
    start(run_id)
    env = os.environ | {
        "HELPDESK_DATA_DIR": str(tmp_path),
        "HELPDESK_DATABASE_URL": database_url,
        "SECRET_KEY": "k" * 32,
    }
    worker = subprocess.Popen([sys.executable, "-c", WORKER], env=env, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while counts(run_id)[1] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert 0 < counts(run_id)[1] < 2500
    with ext.write() as session:
        session.get_one(ImportRun, run_id).worker = None  # its lease ran out
    work()
    assert counts(run_id) == ("done", 2500, 0, 0, 0)
    assert total() == 2500 + 2


def test_files_of_imports_go_a_week_after_and_others_with_raw_mail(
    cast: Cast, file: Path, clock: time_machine.Traveller
) -> None:
    imported(file, f"{HEAD}1,Ann,,,\n", cast.sam)
    begin(file, f"{HEAD}1,Ann,not an address,,\n", cast.sam)
    work()
    clock.shift(timedelta(days=8))
    retain(now())
    with ext.session() as session:  # what is in is mended no more, what waits is kept
        assert [run.state for run in session.scalars(select(ImportRun))] == [RunState.CHECKED]
    clock.shift(timedelta(days=83))
    retain(now())
    with ext.session() as session:
        for table in (ImportRun, ImportProblem, StoredFile):
            assert session.scalar(select(func.count()).select_from(table)) == 0
