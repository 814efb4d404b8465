"""Lists: every item once, and cursors that only their own caller can use on their own list."""

from tests.shared.web.toy import Toy

LIST = "/v1/clients/ada/notes"


def test_pages_give_every_item_once(toy: Toy) -> None:
    for number in range(7):
        toy.note(id=f"n{number}")
    toy.note(client_id="ben", id="other")
    found: list[str] = []
    cursor = ""

    for _ in range(4):
        answer = toy.client().get(f"{LIST}?limit=2{cursor}").json
        found += [item["id"] for item in answer["items"]]
        cursor = f"&cursor={answer['next']}"

    assert found == [f"n{number}" for number in range(7)]
    assert answer["next"] is None


def test_cursor_of_another_caller_list_or_filter_is_422(toy: Toy) -> None:
    for number in range(3):
        toy.note(id=f"n{number}")
        toy.note(client_id="ben", id=f"b{number}")
    cursor = toy.client("carl", "member").get(f"{LIST}?limit=1").json["next"]

    def status(path: str, sub: str, kind: str) -> int:
        return toy.client(sub, kind).get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}").status_code

    assert status(LIST, "carl", "member") == 200
    assert status(LIST, "ada", "client") == 422
    assert status("/v1/clients/ben/notes", "carl", "member") == 422
    assert status(f"{LIST}?open=true", "carl", "member") == 422


def test_twisted_cursor_is_422(toy: Toy) -> None:
    for number in range(3):
        toy.note(id=f"n{number}")
    cursor = toy.client().get(f"{LIST}?limit=1").json["next"]

    for twisted in (cursor[:-1], cursor[1:], "." + cursor, cursor.swapcase(), cursor.split(".")[0]):
        assert toy.client().get(f"{LIST}?cursor={twisted}").status_code == 422
