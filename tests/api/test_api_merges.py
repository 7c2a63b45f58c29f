"""Programs merge two clients and take it back."""

from collections.abc import Callable

from tests.api.conftest import Program
from tests.cast import Cast


def points(client: dict[str, list[dict[str, list[dict[str, str]]]]]) -> list[str]:
    return [point["value"] for person in client["people"] for point in person["contact_points"]]


def test_two_clients_become_one_and_two_again(alice: Program, cast: Cast) -> None:
    kept, gone = cast.oksana.client_id, cast.stranger.client_id
    before = [alice.get(f"/clients/{id_}") for id_ in (kept, gone)]
    alice.patch(f"/clients/{gone}", {"tags": ["vip"], "language": "en"})
    done = alice.post(f"/clients/{kept}/merge", {"other": gone, "take": ["language"]})
    assert (done["client"], done["other"], done["undone_at"]) == (kept, gone, None)
    one = alice.get(f"/clients/{kept}")
    assert one["tags"] == ["vip"] and one["language"] == "en" and one["merged_into"] is None
    assert points(one) == ["oksana@client.example", "stranger@elsewhere.example"]
    other = alice.get(f"/clients/{gone}")
    assert other["merged_into"] == kept and points(other) == []
    assert [client["id"] for client in alice.get("/clients")["items"]] == [kept]
    undone = alice.post(f"/merges/{done['id']}/undo", status=200)
    assert undone["undone_at"] is not None
    assert [points(alice.get(f"/clients/{id_}")) for id_ in (kept, gone)] == [
        points(client) for client in before
    ]
    assert alice.get(f"/clients/{gone}")["merged_into"] is None


def test_what_cannot_be_merged_or_undone_is_said(alice: Program, cast: Cast) -> None:
    kept, gone = cast.oksana.client_id, cast.stranger.client_id
    path = f"/clients/{kept}/merge"
    assert alice.post(path, {"other": 99999}, 409)["errors"][0]["field"] == "other"
    assert alice.post(path, {"other": kept}, 409)["errors"][0]["field"] == "other"
    alice.post(path, {"other": gone, "take": ["id"]}, 422)
    alice.post(path, {}, 422)
    alice.post("/clients/99999/merge", {"other": gone}, 404)
    alice.post("/merges/99999/undo", status=404)
    done = alice.post(path, {"other": gone})
    assert "merged already" in alice.post(path, {"other": gone}, 409)["detail"]
    assert "№" in alice.post(f"/clients/{gone}/notes", {"text": "x"}, 409)["detail"]
    assert "№" in alice.patch(f"/clients/{gone}", {"name": "x"}, 409)["detail"]
    alice.post(f"/merges/{done['id']}/undo", status=200)
    alice.post(f"/merges/{done['id']}/undo", status=409)


def test_merging_needs_its_scope(program: Callable[..., Program], cast: Cast) -> None:
    reader = program(cast.alice, "client.read", "client.change")
    path = f"/clients/{cast.oksana.client_id}/merge"
    reader.post(path, {"other": cast.stranger.client_id}, 403)
    reader.post("/merges/1/undo", status=403)
