"""What leaves Préau towards an address somebody typed (ATTACKS S2, S4, S7, S8)."""

from __future__ import annotations

import gzip
import re
import socket
import threading
from ipaddress import ip_network

import certifi
import pytest

from app.config import ROOT
from app.operations import outgoing
from app.operations.outgoing import OutgoingError, fetch, probe, vetted_addresses
from tests.support.certificats import autorite, serveur
from tests.support.site import HERE, serving

APP = ROOT / "app"


@pytest.fixture
def site():
    with serving() as running:
        yield running


@pytest.fixture
def names(monkeypatch):
    """What names resolve to, one answer after the other; the questions asked are kept."""
    answers, asked, real = {}, [], socket.getaddrinfo

    def resolve(host, port, *args, **more):
        if host not in answers:
            return real(host, port, *args, **more)
        asked.append(host)
        address = answers[host].pop(0)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    answers["_asked"] = asked
    return answers


class TestFetch:
    def test_a_page_is_read_with_what_it_says_of_itself(self, site):
        site.pages["/flux?a=1"] = (200, {"ETag": '"7"'}, b"<rss/>")
        answer = fetch(site.url("/flux?a=1"), permitted=HERE, headers={"If-None-Match": '"6"'})
        assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"<rss/>", '"7"')
        method, path, headers = site.asked[0]
        assert (method, path, headers["If-None-Match"]) == ("GET", "/flux?a=1", '"6"')
        assert headers["Host"] == f"127.0.0.1:{site.port}"
        assert not {"Cookie", "Authorization"} & set(headers)

    def test_cookies_set_on_the_way_are_not_sent_back(self, site):
        site.pages["/"] = (302, {"Location": "/fin", "Set-Cookie": "a=1; Path=/"}, b"")
        site.pages["/fin"] = (200, {}, b"ok")
        answer = fetch(site.url(), permitted=HERE)
        assert (answer.body, answer.url) == (b"ok", site.url("/fin"))
        assert all("Cookie" not in headers for _m, _p, headers in site.asked)

    def test_tester_learns_a_status_and_a_time_and_reads_nothing(self, site):
        site.pages["/"] = (503, {}, b"secret")
        status, seconds = probe(site.url(), permitted=HERE)
        assert status == 503
        assert 0 <= seconds < 5

    def test_headers_go_to_the_first_host_alone(self, site, names):
        names["autre.exemple"] = ["127.0.0.1"]
        site.pages["/"] = (302, {"Location": site.url("/fin", "autre.exemple")}, b"")
        site.pages["/fin"] = (200, {}, b"ok")
        assert fetch(site.url(), permitted=HERE, headers={"If-None-Match": "x"}).body == b"ok"
        assert [("If-None-Match" in headers) for _m, _p, headers in site.asked] == [True, False]

    def test_the_certificate_is_checked_for_the_name_not_for_the_address(self, tmp_path, names, monkeypatch):
        authority = autorite("essai")
        bundle = tmp_path / "ca.pem"
        bundle.write_text(authority.pem)
        monkeypatch.setattr(certifi, "where", lambda: str(bundle))
        with serving(serveur(authority, "127.0.0.1"), tmp_path) as secure:
            secure.pages["/"] = (200, {}, b"ok")
            assert fetch(secure.url(), permitted=HERE).body == b"ok"
            names["autre.exemple"] = ["127.0.0.1"]
            with pytest.raises(OutgoingError, match="certificat"):
                fetch(secure.url("/", "autre.exemple"), permitted=HERE)


class TestRefused:
    @pytest.mark.parametrize(
        "url",
        [
            "file:///etc/passwd", "gopher://exemple.fr/", "data:text/xml,<rss/>", "ftp://exemple.fr/", "",
            "//exemple.fr/", "http://", "http://user@exemple.fr/", "http://exemple.fr@127.0.0.1/",
            "http://exemple.fr:25/", "http://exemple.fr:22/", "http://exemple.fr:99999/", "http://[::1/",
            "http://exemple.fr/a b", "http://exemple.fr/\r\nX: y", "http://exemple.fr\\@autre.fr/",
        ],
    )  # fmt: skip
    def test_what_is_no_web_address(self, url):
        with pytest.raises(OutgoingError, match="adresse web"):
            fetch(url)

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1", "127.1", "0x7f.1", "2130706433", "0.0.0.0", "localhost", "10.0.0.1", "192.168.1.1",
            "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "[::1]", "[::]",
            "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fc00::1]",
        ],
    )  # fmt: skip
    def test_every_way_to_write_an_address_inside(self, host):
        with pytest.raises(OutgoingError, match="Aucun serveur public"):
            fetch(f"http://{host}/")

    def test_inside_and_absent_are_the_same_sentence(self, names):
        names["interne.exemple"] = ["10.1.2.3"]
        with pytest.raises(OutgoingError) as inside:
            fetch("http://interne.exemple/")
        with pytest.raises(OutgoingError) as absent:
            fetch("http://absent.invalid/")
        assert inside.value.message == absent.value.message

    def test_a_redirect_inside_is_not_followed(self, site):
        for location in (
            "http://127.0.0.2/",
            "file:///etc/passwd",
            "//169.254.169.254/",
            "http://a@127.0.0.1/",
        ):
            site.pages["/"] = (302, {"Location": location}, b"")
            with pytest.raises(OutgoingError):
                fetch(site.url(), permitted=HERE)
        assert len(site.asked) == 4

    def test_a_name_is_resolved_once_so_it_cannot_change_its_mind(self, site, names):
        names["double.exemple"] = ["127.0.0.1", "169.254.169.254"]
        site.pages["/"] = (200, {}, b"ok")
        assert fetch(site.url("/", "double.exemple"), permitted=HERE).body == b"ok"
        assert names["_asked"] == ["double.exemple"]
        with pytest.raises(OutgoingError, match="Aucun serveur public"):
            fetch(site.url("/", "double.exemple"), permitted=HERE)

    @pytest.mark.parametrize(
        "said",
        [
            b"BONJOUR\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
            b"HTTP/1.1 200 " + b"a" * 70_000 + b"\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: //[::1/\r\nContent-Length: 0\r\n\r\n",
        ],
    )
    def test_a_server_that_says_anything_is_a_refusal_not_a_bug(self, site, said):
        def answer(handler):
            handler.wfile.write(said)
            handler.close_connection = True

        site.pages["/"] = answer
        with pytest.raises(OutgoingError):
            fetch(site.url(), permitted=HERE)

    def test_endless_redirects(self, site):
        site.pages["/"] = (302, {"Location": "/"}, b"")
        with pytest.raises(OutgoingError, match="sans fin"):
            fetch(site.url(), permitted=HERE)
        assert len(site.asked) == outgoing.MOST_REDIRECTS + 1

    def test_too_long_plain_or_once_unpacked(self, site):
        site.pages["/long"] = (200, {}, b"a" * 200_000)
        site.pages["/bombe"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"a" * 30_000_000))
        for path in ("/long", "/bombe"):
            with pytest.raises(OutgoingError, match="volumineux"):
                fetch(site.url(path), permitted=HERE, most=100_000)

    def test_a_server_that_drips_is_cut_off(self, site):
        stop = threading.Event()

        def drip(handler):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not stop.wait(0.02):
                handler.wfile.write(b"a")
                handler.wfile.flush()

        site.pages["/"] = drip
        try:
            with pytest.raises(OutgoingError, match="trop de temps"):
                fetch(site.url(), permitted=HERE, seconds=0.3)
        finally:
            stop.set()

    def test_nobody_listens(self, site):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        with pytest.raises(OutgoingError, match="ne répond pas"):
            fetch(f"http://127.0.0.1:{port}/", permitted=HERE)


class TestOnlyDoor:
    def test_no_other_module_calls_an_address_by_http(self):
        calling = re.compile(r"^\s*(import|from) (requests|urllib3|urllib\.request|httpx)\b", re.MULTILINE)
        found = [
            path.relative_to(APP).as_posix()
            for path in APP.rglob("*.py")
            if calling.search(path.read_text(encoding="utf-8"))
        ]
        assert [name for name in found if not name.startswith("security/guichet")] == [
            "operations/outgoing.py"
        ]


class TestAddresses:
    def test_a_permitted_network_is_reached_and_its_neighbour_is_not(self, names):
        names["interne.exemple"] = ["10.1.2.3", "10.2.2.3"]
        permitted = (ip_network("10.1.0.0/16"),)
        assert vetted_addresses("interne.exemple", 21, permitted=permitted) == ["10.1.2.3"]
        with pytest.raises(OutgoingError):
            vetted_addresses("interne.exemple", 21, permitted=permitted)

    def test_one_address_inside_condemns_the_name(self, monkeypatch):
        entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        both = [(*entry, ("93.184.216.34", 80)), (*entry, ("127.0.0.1", 80))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: both)
        with pytest.raises(OutgoingError):
            vetted_addresses("mixte.exemple", 80)
