"""Who may speak to the studio: nobody without the token, from another page, or by another name of the machine."""

import asyncio
import json
import re
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from thalweg.studio._app import app_of

ROUTES = [
    "/", "/main.js", "/style.css", "/plotly.js", "/api/runs", "/api/runs/first/curves", "/api/runs/first/script", "/api/runs/first/tags",
    "/api/runs/first/trash", "/api/runs/first/landscape", "/api/runs/first/landscape/1", "/api/race", "/api/race/1", "/api/runs/first/live", "/api/studies",
    "/api/studies/first/importance", "/api/studies/first/live", "/no/such/place", "/..%2f..%2fetc/passwd",
]  # fmt: skip
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]
FOREIGN = {
    "host": {"Host": "evil.example"},
    "host that ends alike": {"Host": "127.0.0.1.evil.example"},
    "host of another port": {"Host": "127.0.0.1:1"},
    "origin": {"Origin": "http://evil.example"},
    "origin of nobody": {"Origin": "null"},
    "origin of another port": {"Origin": "http://127.0.0.1:1"},
    "no token": {"Authorization": None},
    "wrong token": {"Authorization": "Bearer no"},
    "half a token": {"Authorization": "Basic abc"},
    "wrong cookie": {"Authorization": None, "Cookie": "thalweg-1=no; x"},
}


def test_every_address_is_in_the_list(server):
    own = {"run": "first", "study": "first", "number": "1"}
    paths = [
        re.sub(r"{(\w+)[^}]*}", lambda found: own[found[1]], route.path)
        for route in app_of(server.house, "token", 1).app.routes
    ]
    files = [path for path in paths if path.endswith((".js", ".css", ".svg", ".html"))]
    assert set(paths) - set(files) == {path for path in ROUTES if path.startswith("/api")} | {"/"}


def line_to(server, run):
    """A socket to a run."""
    head = {"Authorization": f"Bearer {server.token}"}
    return connect(f"ws://127.0.0.1:{server.port}/api/runs/{run}/live", additional_headers=head, proxy=None)


@pytest.mark.parametrize("foreign", FOREIGN)
def test_every_route_and_method_refuses(client, runs, foreign):
    before = sorted(path.name for path in runs.rglob("*"))
    for route in ROUTES:
        for method in METHODS:
            status, _, text = client.ask(method, route, {} if method == "POST" else None, **FOREIGN[foreign])
            assert status == 403, (route, method, status)
            assert method == "HEAD" or b"studio" in text
    assert sorted(path.name for path in runs.rglob("*")) == before


@pytest.mark.parametrize("foreign", FOREIGN)
def test_sockets_are_refused_before_they_open(server, foreign):
    given = {"Authorization": f"Bearer {server.token}", **FOREIGN[foreign]}
    given = {name: value for name, value in given.items() if value is not None}

    async def knock():
        host = given.pop("Host", None)
        options = {"additional_headers": given, "proxy": None}
        address = f"ws://127.0.0.1:{server.port}/api/runs/first/live"
        if host is not None:
            options["host"], options["port"] = "127.0.0.1", server.port
            address = f"ws://{host}/api/runs/first/live"
        async with connect(address, **options):
            pass

    with pytest.raises(InvalidStatus, match="403"):
        asyncio.run(knock())


def test_the_link_is_traded_for_a_cookie_that_opens_the_page(client, server):
    status, headers, _ = client.ask("GET", f"/?token={server.token}", Authorization=None)
    assert status == 303 and headers["location"] == "/"
    assert "HttpOnly" in headers["set-cookie"] and "SameSite=Strict" in headers["set-cookie"]
    cookie = headers["set-cookie"].split(";")[0]
    status, headers, text = client.ask(
        "GET", "/", Authorization=None, Cookie=cookie, Origin=f"http://localhost:{server.port}"
    )
    assert status == 200 and b"thalweg studio" in text
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy.replace("ws://", "")
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"


def test_paths_do_not_leave_the_runs_folder(client, runs):
    (runs.parent / "outside").mkdir()
    (runs / "first" / "run.json").rename(runs.parent / "outside" / "run.json")
    for name in ("../outside", "..%2Foutside", "/etc", "first/../../outside", "%2e%2e/outside", "deep"):
        for what in ("curves", "script"):
            status, _, text = client.ask("GET", f"/api/runs/{name}/{what}")
            assert status == 404 and b"begun" not in text, name
        assert client.ask("POST", f"/api/runs/{name}/trash")[0] == 404
    assert (runs.parent / "outside" / "run.json").is_file()
    (runs / "link").symlink_to(runs.parent / "outside")
    assert all(row["run"] != "link" for row in client.json("GET", "/api/runs")[1])


def test_runs_are_listed_tagged_and_thrown_away(client, runs):
    status, rows = client.json("GET", "/api/runs")
    assert status == 200 and {row["run"] for row in rows} == {"first", "deep/<b>second<b>"}
    one = next(row for row in rows if row["run"] == "first")
    assert (
        one["status"] == "finished"
        and one["done"] == 3
        and one["small"]["name"] == "val_loss"
        and len(one["small"]["values"]) == 3
    )
    name = quote("deep/<b>second<b>")
    assert client.json("POST", f"/api/runs/{name}/tags", {"tags": ["<i>good</i>", "good", " good "]}) == (
        200,
        {"tags": ["<i>good</i>", "good"]},
    )
    for wrong in ({"tags": "good"}, {"tags": ["x" * 41]}, {"tags": [""]}, {"tags": [1]}, {}, {"tags": ["a"] * 21}):
        status, told = client.json("POST", f"/api/runs/{name}/tags", wrong)
        assert status == 400 and "tags must be" in told["error"]
    assert client.ask("POST", f"/api/runs/{name}/tags", Content_Length="0")[0] == 400
    assert client.json("POST", f"/api/runs/{name}/trash")[0] == 200
    assert [row["run"] for row in client.json("GET", "/api/runs")[1]] == ["first"]
    (kept,) = (runs / ".trash").iterdir()
    assert (kept / "run.json").is_file()


def test_a_damaged_run_is_told_as_one_and_the_others_are_there(client, runs):
    (runs / "first" / "run.json").write_text("{")
    rows = {row["run"]: row for row in client.json("GET", "/api/runs")[1]}
    assert rows["first"]["status"] == "damaged" and rows["deep/<b>second<b>"]["status"] == "finished"


def test_a_run_that_grows_on_disk_is_told_as_it_grows(server, runs):
    async def watch():
        async with line_to(server, "first") as socket:
            first = json.loads(await asyncio.wait_for(socket.recv(), 10))
            await socket.send('{"got": true}')
            with (runs / "first" / "history.jsonl").open("a") as file:
                file.write(
                    '{"epoch": 3, "loss": 0.25}\n{"note": {"epoch": 3, "step": 0, "text": "<b>x"}}\n{"epoch": 4, "lo'
                )
            second = json.loads(await asyncio.wait_for(socket.recv(), 10))
            await socket.send(json.dumps({"do": "pause", "number": 1}))
            answer = json.loads(await asyncio.wait_for(socket.recv(), 10))
            await socket.send("no json")
            return first, second, answer, json.loads(await asyncio.wait_for(socket.recv(), 10))

    first, second, answer, wrong = asyncio.run(watch())
    assert first["fresh"] and len(first["epochs"]) == 3 and first["now"]["status"] == "finished"
    assert (
        not second["fresh"]
        and [one["epoch"] for one in second["epochs"]] == [3]
        and second["notes"][0]["text"] == "<b>x"
    )
    assert answer["number"] == 1 and "cannot be steered" in answer["error"] and "no JSON" in wrong["error"]


def test_whoever_does_not_read_gets_one_frame(server, runs):
    async def watch():
        async with line_to(server, "first") as socket:
            await asyncio.wait_for(socket.recv(), 10)
            with (runs / "first" / "history.jsonl").open("a") as file:
                file.write('{"epoch": 3, "loss": 0.25}\n')
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.recv(), 1.5)
            await socket.send('{"got": true}')
            return json.loads(await asyncio.wait_for(socket.recv(), 10))

    assert [one["epoch"] for one in asyncio.run(watch())["epochs"]] == [3]


def test_a_run_that_is_not_there_is_told_so(server):
    async def knock():
        head = {"Authorization": f"Bearer {server.token}"}
        async with connect(
            f"ws://127.0.0.1:{server.port}/api/runs/nobody/live", additional_headers=head, proxy=None
        ) as socket:
            return json.loads(await socket.recv())

    assert "no run 'nobody'" in asyncio.run(knock())["error"]


@pytest.mark.parametrize("do", [[], {}, 5, None, True])
def test_a_wish_that_is_no_text_is_refused_and_the_socket_stays(server, runs, do):
    async def ask():
        async with line_to(server, "first") as socket:
            await asyncio.wait_for(socket.recv(), 10)
            await socket.send(json.dumps({"do": do}))
            wrong = json.loads(await asyncio.wait_for(socket.recv(), 10))
            await socket.send(json.dumps({"do": "pause", "number": 1}))
            return wrong, json.loads(await asyncio.wait_for(socket.recv(), 10))

    wrong, after = asyncio.run(ask())
    assert "do must be a text" in wrong["error"] and after["number"] == 1
