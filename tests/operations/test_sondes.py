"""«Tester» connects for real, and says in one sentence what failed (R4, R7; ATTACKS S2, S4, S8)."""

from __future__ import annotations

import socket
import threading
import time

import certifi
import pytest

from app.operations import sondes
from app.operations.sondes import Cible, essayer, target_of
from tests.support.certificats import autorite, serveur
from tests.support.ftp import LOGIN, PASSWORD, answering, serving_files
from tests.support.site import HERE, serving

AUTORITE = autorite("essai")
INCONNUE = autorite("inconnue")


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """The authority of the tests is one everybody knows."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text(AUTORITE.pem)
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))


@pytest.fixture
def named(monkeypatch):
    """A name that leads to this machine."""
    real = socket.getaddrinfo

    def resolve(host, port, *args, **more):
        return real("127.0.0.1" if host == "autre.exemple" else host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return "autre.exemple"


def tried(*, seconds=5.0, **cible):
    return essayer(Cible(**{"hote": "127.0.0.1", **cible} if "url" not in cible else cible),
                   permitted=HERE, seconds=seconds)  # fmt: skip


class TestWeb:
    @pytest.mark.parametrize(
        ("status", "good", "words"),
        [
            (200, True, "répond"), (204, True, "répond"), (401, False, "identifiant"), (403, False, "refuse"),
            (404, False, "n’existe pas"), (503, False, "en panne"), (429, False, "refuse"),
        ],
    )  # fmt: skip
    def test_a_status_is_told(self, status, good, words):
        with serving() as site:
            site.pages["/"] = (status, {}, b"ce que dit le serveur")
            found = tried(url=site.url())
        assert (found.reussi, found.statut) == (good, status)
        assert words in found.phrase
        assert "ce que dit" not in found.phrase
        assert 0 <= found.secondes < 5

    def test_what_the_certificate_lacks_is_told(self, tmp_path, trusted, named):
        good, other = serveur(AUTORITE, "127.0.0.1"), serveur(INCONNUE, "127.0.0.1")
        old = serveur(AUTORITE, "127.0.0.1", perime=True)
        for identity, host, words in (
            (good, "127.0.0.1", "répond"), (old, "127.0.0.1", "a expiré"), (good, named, "autre nom"),
            (other, "127.0.0.1", "autorité inconnue"), (INCONNUE, "127.0.0.1", "signé lui-même"),
        ):  # fmt: skip
            with serving(identity, tmp_path) as site:
                site.pages["/"] = (200, {}, b"")
                found = tried(url=site.url(host=host))
            assert words in found.phrase
            assert found.reussi == (words == "répond")

    def test_plain_where_tls_is_expected(self):
        with serving() as site:
            assert "HTTPS" in tried(url=site.url().replace("http:", "https:")).phrase

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        assert "refuse la connexion" in tried(url=f"http://127.0.0.1:{port}/").phrase
        assert "refuse la connexion" in tried(port=port).phrase

    def test_inside_and_absent_are_one_sentence(self):
        inside = essayer(Cible(url="http://10.0.0.1/")).phrase
        assert inside == essayer(Cible(url="http://absent.invalid/")).phrase
        assert inside == essayer(Cible(hote="10.0.0.1")).phrase == essayer(Cible(hote="localhost")).phrase
        assert essayer(Cible(url="file:///etc/passwd")).reussi is False

    def test_silence_is_bounded(self):
        with answering(lambda one: time.sleep(2)) as port:
            started = time.monotonic()
            found = tried(url=f"http://127.0.0.1:{port}/", seconds=0.3)
        assert "ne répond pas" in found.phrase
        assert time.monotonic() - started < 1.5


class TestFtp:
    def test_the_three_protocols_with_and_without_a_login(self, tmp_path, trusted):
        identity = serveur(AUTORITE, "127.0.0.1")
        for protocol, own, implicit in (
            ("ftp", None, False), ("ftpes", identity, False), ("ftps", identity, True),
        ):  # fmt: skip
            with serving_files(tmp_path, own, implicit=implicit) as port:
                found = tried(port=port, protocole=protocol)
                assert (found.reussi, found.phrase) == (True, "Le serveur répond.")
                known = {"port": port, "protocole": protocol, "identifiant": LOGIN}
                assert tried(**known, mot_de_passe=PASSWORD).phrase.endswith("accepte cet identifiant.")
                refused = tried(**known, mot_de_passe="faux")
                assert (refused.reussi, "refuse cet identifiant" in refused.phrase) == (False, True)

    def test_the_wrong_protocol_is_told(self, tmp_path, trusted):
        identity = serveur(AUTORITE, "127.0.0.1")
        with serving_files(tmp_path) as port:
            assert "sans chiffrement" in tried(port=port, protocole="ftps").phrase
            assert "refuse de passer en chiffré" in tried(port=port, protocole="ftpes").phrase
        with serving_files(tmp_path, identity, implicit=True) as port:
            assert "se tait" in tried(port=port, protocole="ftp", seconds=0.6).phrase

    def test_the_certificate_is_checked(self, tmp_path, trusted, named):
        for identity, host, words in (
            (serveur(INCONNUE, "127.0.0.1"), "127.0.0.1", "autorité inconnue"),
            (serveur(AUTORITE, "127.0.0.1", perime=True), "127.0.0.1", "a expiré"),
            (serveur(AUTORITE, "127.0.0.1"), named, "autre nom"),
        ):
            for protocol, implicit in (("ftpes", False), ("ftps", True)):
                with serving_files(tmp_path, identity, implicit=implicit) as port:
                    found = tried(hote=host, port=port, protocole=protocol, identifiant=LOGIN)
                assert (found.reussi, words in found.phrase) == (False, True), found

    def test_what_is_no_ftp_server(self):
        with answering(lambda one: one.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
            assert "ne parle pas FTP" in tried(port=port).phrase
        with answering(socket.socket.close) as port:
            assert "coupé" in tried(port=port).phrase

    def test_ports_of_other_protocols_are_left_alone(self):
        assert "port 21" in tried(port=25).phrase
        assert "port 21" in tried(port=22).phrase

    def test_a_server_that_drips_or_never_ends_is_cut_off(self):
        stop = threading.Event()

        def drip(one):
            while not stop.wait(0.02):
                one.sendall(b"2")

        def flood(one):
            while not stop.is_set():
                one.sendall(b"220-" + b"a" * 4000 + b"\r\n")

        try:
            with answering(drip) as port:
                started = time.monotonic()
                assert "ne répond pas" in tried(port=port, seconds=0.4).phrase
                assert time.monotonic() - started < 1.5
            with answering(flood) as port:
                assert "ne parle pas FTP" in tried(port=port).phrase
        finally:
            stop.set()


class TestTarget:
    SCHEMA = (
        {"code": "adresse", "libelle": "URL", "type": "url"},
        {"code": "numero", "libelle": "N°", "type": "texte", "remplace": "<id>"},
    )

    def test_the_number_of_the_school_stands_in_the_address(self):
        values = {"adresse": "https://<id>.exemple.fr/", "numero": "0190001a"}
        assert target_of(self.SCHEMA, values, {}) == Cible(url="https://0190001a.exemple.fr/")
        assert target_of(self.SCHEMA, {"adresse": None, "numero": None}, {}) is None

    def test_only_what_may_be_shown_is_shown(self):
        cible = Cible(
            hote="fichiers.exemple.fr", port=990, protocole="ftps", identifiant="a", mot_de_passe="b"
        )
        assert str(cible) == "fichiers.exemple.fr, port 990, FTP sécurisé"
        assert sondes.SECONDS <= 8
