"""The studio's addresses: the page and its parts, the runs, and a socket for each run that is looked at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from thalweg.studio._guard import Guard
from thalweg.studio._house import Elsewhere, House, Shown
from thalweg.studio._landscape import begin, choices, newest
from thalweg.studio._live import Cursor, Live
from thalweg.studio._script import script_of
from thalweg.studio._steering import Refused
from thalweg.studio._thin import thinned

_PAGE = Path(__file__).parent / "page"
_KINDS = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_BEAT = 0.1  # seconds between two frames at least
_EACH = 0.002  # of them for each reader: hundreds get frames less often, so that all together cost no more than a few
_MEMORY = 64  # frames that are kept for other readers who have come as far
_LOOK = 0.5  # between two looks at a folder
_ANSWER = 10.0  # seconds in which a fit does what it was asked
_REACH = 3.0  # in which another process lets itself be reached
_LARGEST = 1 << 16  # bytes of a wish


def app_of(house: House, token: str, port: int) -> Any:
    """The page's server, guarded."""

    def json_of(answer: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            try:
                return JSONResponse(await answer(request))
            except KeyError:
                return JSONResponse({"error": _missing(request.path_params)}, 404)
            except Refused as error:
                return JSONResponse({"error": str(error)}, 400)

        return answered

    async def runs(request: Request) -> Any:
        return await asyncio.to_thread(house.rows)

    async def tags(request: Request) -> Any:
        given = await _body(request)
        return {"tags": house.tag(request.path_params["run"], given.get("tags"))}

    async def trash(request: Request) -> Any:
        return {"moved": house.throw_away(request.path_params["run"]).name}

    async def script(request: Request) -> Response:
        folder = house.folders().get(request.path_params["run"])
        if folder is None:
            return PlainTextResponse("This fit keeps no folder: fit(run='runs/first') keeps one.\n", 404)
        return PlainTextResponse(await asyncio.to_thread(script_of, folder))

    async def curves(request: Request) -> Any:
        shown = await asyncio.to_thread(house.find, request.path_params["run"])
        frame, _ = shown.live.since()
        return {"now": frame["now"], "epochs": thinned(frame["epochs"]), "changes": frame["changes"]}

    async def live(socket: WebSocket) -> None:
        await _live(socket, lambda: house.find(socket.path_params["run"]))

    async def studies(request: Request) -> Any:
        return await asyncio.to_thread(house.studies.rows)

    async def importance(request: Request) -> Any:
        return await asyncio.to_thread(house.studies.importance, request.path_params["study"])

    async def study(socket: WebSocket) -> None:
        await _live(socket, lambda: house.study(socket.path_params["study"]))

    routes = [
        Route("/", _part("index.html")),
        *(Route(f"/{path.name}", _part(path.name)) for path in sorted(_PAGE.iterdir()) if path.suffix in _KINDS),
        Route("/plotly.js", _plotly),
        Route("/api/runs", json_of(runs)),
        Route("/api/runs/{run:path}/tags", json_of(tags), methods=["POST"]),
        Route("/api/runs/{run:path}/trash", json_of(trash), methods=["POST"]),
        Route("/api/runs/{run:path}/script", script),
        Route("/api/runs/{run:path}/curves", json_of(curves)),
        *_of_landscapes(house, json_of),
        WebSocketRoute("/api/runs/{run:path}/live", live),
        Route("/api/studies", json_of(studies)),
        Route("/api/studies/{study:path}/importance", json_of(importance)),
        WebSocketRoute("/api/studies/{study:path}/live", study),
    ]
    return Guard(Starlette(routes=routes), token, port)


def _of_landscapes(house: House, json_of: Callable[[Callable[[Request], Awaitable[Any]]], Any]) -> list[Route]:
    """What takes seconds is begun by one address, and its findings are asked for by its number."""

    async def landscape(request: Request) -> Any:
        run, given = request.path_params["run"], await _body(request) if request.method == "POST" else None
        shown = await asyncio.to_thread(house.find, run)
        if shown.elsewhere is not None:
            return await asyncio.to_thread(_asked, shown.elsewhere, "landscape", given)
        if given is None:
            return newest(house.jobs, run)
        return await asyncio.to_thread(begin, house.jobs, given, run, lambda: house.ground(run))

    async def landscape_done(request: Request) -> Any:
        shown = await asyncio.to_thread(house.find, request.path_params["run"])
        number = request.path_params["number"]
        if shown.elsewhere is not None:
            return await asyncio.to_thread(_asked, shown.elsewhere, f"landscape/{number}", None)
        return house.jobs.look(number)

    async def race(request: Request) -> Any:
        if request.method != "POST":
            return {**choices(), "newest": newest(house.jobs)}
        return await asyncio.to_thread(begin, house.jobs, {**await _body(request), "kind": "race"})

    async def race_done(request: Request) -> Any:
        return house.jobs.look(request.path_params["number"])

    return [
        Route("/api/runs/{run:path}/landscape", json_of(landscape), methods=["GET", "POST"]),
        Route("/api/runs/{run:path}/landscape/{number:int}", json_of(landscape_done)),
        Route("/api/race", json_of(race), methods=["GET", "POST"]),
        Route("/api/race/{number:int}", json_of(race_done)),
    ]


def _part(name: str) -> Callable[[Request], Awaitable[Response]]:
    """A file of the page."""
    kind = _KINDS[Path(name).suffix]

    async def part(request: Request) -> Response:
        return Response(_text(name), media_type=kind)

    return part


@cache
def _text(name: str) -> bytes:
    return (_PAGE / name).read_bytes()


async def _plotly(request: Request) -> Response:
    """The library that draws, from the installed package."""
    import plotly

    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return FileResponse(path, media_type="text/javascript", headers={"cache-control": "private, max-age=3600"})


def _missing(asked: Mapping[str, Any]) -> str:
    """Says what there is none of."""
    return "; ".join(f"There is no {what} {name!r}." for what, name in asked.items() if what != "number")


async def _body(request: Request) -> dict[str, Any]:
    text = b""
    async for piece in request.stream():
        text += piece
        if len(text) > _LARGEST:
            raise Refused(f"What is asked for is longer than {_LARGEST:,} bytes.")
    return _wish(text)


def _wish(text: str | bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # one that is nested without end, too
        raise Refused("What is asked for is no JSON.") from None
    if not isinstance(found, dict):
        raise Refused("What is asked for must be a table of names and values.")
    if not isinstance(found.get("do", ""), str):
        raise Refused(f"do must be a text, got {str(found['do'])[:50]!r}.")
    return found


# -- a run that is looked at ----------------------------------------------------------------------


async def _live(socket: WebSocket, find: Callable[[], Shown]) -> None:
    """Frames to the page, wishes from it."""
    await socket.accept()
    try:
        shown = await asyncio.to_thread(find)
    except KeyError:
        await socket.send_json({"error": _missing(socket.path_params)})
        await socket.close()
        return
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            if shown.elsewhere is not None:
                await _relayed(socket, shown.elsewhere)
                shown = await asyncio.to_thread(find)  # that process is gone
            got = asyncio.Event()
            await _until_either(_tell(socket, shown, got), _listen(socket, shown, got))
            shown = await asyncio.to_thread(find)  # a coach has begun its run, which can be steered


async def _until_either(*works: Awaitable[None]) -> None:
    """Until one of them ends; the others are let go."""
    tasks = [asyncio.ensure_future(one) for one in works]
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for task in done:
        task.result()


async def _tell(socket: WebSocket, shown: Shown, got: asyncio.Event) -> None:
    """What is new, at most ten times a second, once the frame before has been got: whoever reads slowly gets it less often, and
    whoever does not read gets one. Ends where a coach has begun the run.
    """
    cursor, version = Cursor(), -1
    coached = shown.live.now.get("status") == "coaching"
    try:
        while True:
            if shown.recorded is not None:
                await asyncio.to_thread(shown.recorded.look)
            if coached and shown.live.now.get("status") == "running":
                return
            if shown.live.version != version:
                version = shown.live.version
                text, cursor = _frame(shown.live, cursor, version)
                await socket.send_text(text)
                shown.live.handed(socket, version)
                await got.wait()
                got.clear()
                shown.live.handed(socket, version, got=True)
            await asyncio.sleep(max(_BEAT, _EACH * shown.live.readers) if shown.recorded is None else _LOOK)
    finally:
        shown.live.handed(socket, None)


@lru_cache(maxsize=_MEMORY)
def _frame(live: Live, cursor: Cursor, version: int) -> tuple[str, Cursor]:
    """What has come since a cursor as text; readers who have come as far are handed the same."""
    frame, after = live.since(cursor)
    if "epochs" in frame:
        frame["epochs"] = thinned(frame["epochs"])
    return json.dumps(frame), after


async def _listen(socket: WebSocket, shown: Shown, got: asyncio.Event) -> None:
    """What is asked for; each wish has a number, by which its answer is known. ``{"got": true}`` asks for the next frame."""
    from thalweg.studio._net import SLOW

    slow: set[asyncio.Task[None]] = set()
    try:
        while True:
            text = await socket.receive_text()
            try:
                if len(text) > _LARGEST:
                    raise Refused(f"What is asked for is longer than {_LARGEST:,} bytes.")
                wish = _wish(text)
            except Refused as error:
                await socket.send_text(json.dumps({"error": str(error), "number": None}))
                continue
            if "got" in wish:
                got.set()
            elif wish.get("do") in SLOW:  # what is asked next does not wait for it
                task = asyncio.ensure_future(_answer(socket, shown, wish))
                slow.add(task)
                task.add_done_callback(slow.discard)
            else:
                await _answer(socket, shown, wish)
    finally:
        for task in slow:
            task.cancel()


async def _answer(socket: WebSocket, shown: Shown, wish: dict[str, Any]) -> None:
    try:
        answer = {"answer": await _done(shown, wish)}
    except Refused as error:
        answer = {"error": str(error)}
    await socket.send_text(json.dumps({**answer, "number": wish.get("number")}))


async def _done(shown: Shown, wish: dict[str, Any]) -> Any:
    from thalweg.studio._net import LOOKS, SLOW

    if wish.get("do") in LOOKS or wish.get("do") in SLOW:
        return await asyncio.to_thread(lambda: shown.net().look(wish))
    if shown.steering is None:
        raise Refused("This run cannot be steered: no process trains it with a studio.")
    try:
        return await asyncio.wait_for(asyncio.wrap_future(shown.steering.ask(wish)), _ANSWER)
    except TimeoutError:
        raise Refused(f"The fit has not answered for {_ANSWER:.0f} s: it compiles, or its batches are slow.") from None


def _asked(other: Elsewhere, what: str, given: dict[str, Any] | None) -> Any:
    """What the process answers that trains the run."""
    head = {"Authorization": f"Bearer {other.token}"}
    connection = HTTPConnection("127.0.0.1", other.port, timeout=_ANSWER)
    try:
        path, body = f"/api/runs/{quote(other.run)}/{what}", None if given is None else json.dumps(given)
        connection.request("GET" if given is None else "POST", path, body, head)
        answer = connection.getresponse()
        found = json.loads(answer.read())
    except (OSError, HTTPException, ValueError):
        raise Refused("The process that trains this run cannot be reached: ask again.") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise Refused(str(found.get("error")))
    return found


async def _relayed(socket: WebSocket, other: Elsewhere) -> None:
    """Pass on what the process says that trains the run, and what it is asked, until one of both is gone."""
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    address = f"ws://127.0.0.1:{other.port}/api/runs/{quote(other.run)}/live"
    head = {"Authorization": f"Bearer {other.token}"}
    with suppress(OSError, TimeoutError, WebSocketException):
        async with connect(address, additional_headers=head, open_timeout=_REACH, max_size=None, proxy=None) as there:

            async def down() -> None:
                async for text in there:
                    await socket.send_text(str(text))

            async def up() -> None:
                while True:
                    await there.send(await socket.receive_text())

            await _until_either(down(), up())
