"""What a first page weighs in a real browser, everything included, and whom the browser talks to."""

from __future__ import annotations

import gzip
import shutil
from urllib.parse import urlsplit

from playwright.sync_api import Response, sync_playwright

from bench.million.serveurs import Serveur

COMPRESSES = ("text/css", "application/javascript", "text/javascript", "image/svg+xml")
NIVEAU = 6
"""What ``deploy/nginx.conf.exemple`` compresses of ``/static/``, and how hard; pages go plain."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def peser(server: Serveur, qui: str, chemin: str) -> tuple[float, set[str], int]:
    """Open a page with an empty cache; return its weight in KiB, the other hosts asked, the requests.

    The proxy compresses files, the application does not: they are compressed here as it would.
    """
    name, _, value = server.cookies[qui].partition("=")
    home = f"127.0.0.1:{server.port}"
    answers: list[Response] = []
    hosts: set[str] = set()
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM)
        context = browser.new_context(locale="fr-FR")
        context.add_cookies([{"name": name, "value": value, "url": f"http://{home}"}])
        page = context.new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.on("response", lambda found: answers.append(found))  # noqa: PLW0108  (Playwright marks its handlers)
        answer = page.goto(f"http://{home}{chemin}", wait_until="networkidle")
        assert answer is not None
        assert answer.status == 200, f"{chemin} répond {answer.status}"
        assert page.locator("h1").count(), f"{chemin} n’a pas de titre"
        weight = sum(_weight(answer) for answer in answers)
        browser.close()
    return weight / 1024, {host for host in hosts if host and host != home}, len(answers)


def _weight(answer: Response) -> int:
    headers = "\r\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    if not answer.ok:
        return len(headers)
    body = answer.body()
    kind = answer.headers.get("content-type", "")
    if kind.startswith(COMPRESSES) and urlsplit(answer.url).path.startswith("/static/"):
        body = gzip.compress(body, NIVEAU)
    return len(headers) + len(body)
