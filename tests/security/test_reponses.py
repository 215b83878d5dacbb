"""What every answer says to the browser, and what an address outside the perimeter answers."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
from sqlalchemy import event, select

from app import create_app
from app.extensions import db
from app.models import Journal
from tests.security.conftest import attribuer, compte, connecte, entrer


@pytest.fixture
def claire(session, cast):
    row = compte(session, "claire.montagne")
    attribuer(session, row, "correspondant", etablissement_id=cast.ecole_a)
    session.commit()
    return row


class TestEntetes:
    @pytest.mark.parametrize(
        "path", ["/connexion", "/absente", "/static/preau.css", "/mon-espace/mot-de-passe"]
    )
    def test_on_every_answer(self, client, path):
        with client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        for part in (
            "default-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ):
            assert part in policy
        for directive in ("script-src", "style-src"):
            assert re.search(rf"{directive} 'self' 'nonce-[\w-]{{16,}}'(;|$)", policy)
        assert "unsafe" not in policy
        assert "*" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]

    def test_the_nonce_changes_and_pages_carry_it(self, client):
        pages = [client.get("/connexion") for _ in range(2)]
        nonces = [re.search(r"nonce-([\w-]+)", page.headers["Content-Security-Policy"])[1] for page in pages]
        assert nonces[0] != nonces[1]
        assert all(f'nonce="{nonce}"' in page.text for nonce, page in zip(nonces, pages, strict=True))
        assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*nonce)", pages[0].text)

    def test_pages_are_not_kept(self, client, claire):
        entrer(client, "claire.montagne")
        assert client.get("/mon-espace/mot-de-passe").headers["Cache-Control"] == "no-store"

    def test_cookie_flags_in_clear_and_in_https(self, reglages, client):
        flags = client.get("/connexion").headers["Set-Cookie"]
        assert "HttpOnly" in flags
        assert "SameSite=Lax" in flags
        strict = create_app(
            **{
                **reglages,
                "demo": False,
                "base": reglages.get("base") or f"sqlite:///{reglages['dossier']}/preau.db",
                "cle_secrete": "s" * 40,
                "cle_codes": "c" * 40,
                "hotes": "console.ac-exemple.fr",
                "courriel_serveur": "smtp.ac-exemple.fr:587",
                "courriel_expediteur": "ne-pas-repondre@ac-exemple.fr",
            }
        ).test_client()
        strict_client = strict
        base = {"base_url": "https://console.ac-exemple.fr"}
        answer = strict_client.get("/connexion", **base)
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
        clear = strict_client.get("/connexion", base_url="http://console.ac-exemple.fr")
        assert clear.location == "https://console.ac-exemple.fr/connexion"
        assert strict_client.get("/connexion", base_url="https://localhost").status_code == 400

    def test_proxies_are_believed_only_when_declared(self, reglages):
        forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        for count, expected in ((0, "127.0.0.1"), (1, "203.0.113.9")):
            application = create_app(**reglages, mandataires=count)
            seen = []
            application.before_request_funcs[None].insert(0, lambda: seen.append(_address()))  # noqa: B023
            application.test_client().get("/static/preau.css", headers=forged).close()
            assert seen == [expected]

    def test_a_body_too_large(self, app, client):
        app.config["MAX_CONTENT_LENGTH"] = 1000
        answer = client.post("/connexion", data={"identifiant": "x" * 2000, "csrf_token": "x"})
        assert answer.status_code == 413
        assert "Content-Security-Policy" in answer.headers


def _address():
    from flask import request

    return request.remote_addr


class TestMonteeEnCharge:
    STOCK = re.compile(
        r"^/(users|roles|permissions|viewmenus|permissionviews|registeruser|resetpassword|resetmypassword"
        r"|userinfoeditview|userstats|groups|swagger|lang|api/v1/(security|menu|_openapi))"
    )

    def test_no_stock_page_of_the_framework_is_reachable(self, app, client, claire):
        assert [str(rule) for rule in app.url_map.iter_rules() if self.STOCK.match(str(rule))] == []
        entrer(client, "claire.montagne")
        for path in (
            "/users/list/",
            "/roles/list/",
            "/api/v1/security/login",
            "/swagger/v1",
            "/register/form",
        ):
            assert client.get(path).status_code == 404

    def test_building_the_application_asks_the_database_nothing(self, reglages, tmp_path):
        code = (
            "import sys\n"
            "from sqlalchemy import event, Engine\n"
            "seen = []\n"
            "event.listen(Engine, 'before_cursor_execute', lambda *a: seen.append(a[2]))\n"
            "from app import create_app\n"
            f"create_app(demo=True, dossier={str(tmp_path / 'vide')!r})\n"
            "print(seen)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_building_takes_little(self, reglages):
        times = []
        for _ in range(3):
            begin = time.process_time()
            create_app(**reglages)
            times.append(time.process_time() - begin)
        assert min(times) < 1.5

    def test_a_page_reads_the_account_and_its_roles_in_one_statement(self, app, client, claire):
        entrer(client, "claire.montagne")
        seen = []
        with app.app_context():
            engine = db.engine

        def note(_c, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        assert connecte(client)
        event.remove(engine, "before_cursor_execute", note)
        seen = [statement for statement in seen if not statement.startswith(("BEGIN", "PRAGMA"))]
        # the session, its account, its roles, and the panes as this person left them;
        # then what this page alone asks: how many API keys fall with the password
        assert len(seen) == 2, seen
        assert "cle_api" in seen[1]
        assert "session_compte" in seen[0]
        assert "preference" in seen[0]
        assert not any("ab_role" in s or "ab_permission" in s for s in seen)


class TestHorsPerimetre:
    def test_a_foreign_and_an_absent_object_answer_alike_and_are_journalled_once(
        self, client, claire, session, cast
    ):
        entrer(client, "claire.montagne")
        for pk in (cast.ecole_b, cast.ecole_b, 987654):
            answer = client.get(f"/referentiel/etablissements/show/{pk}")
            assert answer.status_code == 404
            assert "Collège B" not in answer.text
        assert client.get(f"/referentiel/etablissements/show/{cast.ecole_a}").status_code == 200
        lines = session.execute(
            select(Journal.acteur, Journal.objet).where(Journal.acte == "acces.refuser")
        ).all()
        assert lines == [
            ("MONTAGNE Claire", f"GET /referentiel/etablissements/show/{cast.ecole_b}"),
            ("MONTAGNE Claire", "GET /referentiel/etablissements/show/987654"),
        ]

    def test_lists_searches_and_exports_stay_inside(self, client, claire, cast):
        entrer(client, "claire.montagne")
        for path in (
            "/referentiel/etablissements/list/",
            "/referentiel/etablissements/export",
            "/referentiel/personnes/list/",
            "/referentiel/personnes/export",
            "/referentiel/rattachements/list/?_flt_0_etablissement=" + str(cast.ecole_b),
            "/referentiel/rattachements/choix/etablissement?q=coll",
        ):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "Collège B" not in answer.text, path
            assert "ELEVEB" not in answer.text.upper(), path

    def test_a_right_held_on_one_school_does_not_act_on_another(self, client, session, cast):
        row = compte(session, "chef.etcorrespondant")
        attribuer(session, row, "correspondant", etablissement_id=cast.ecole_a)
        attribuer(session, row, "chef_etablissement", etablissement_id=cast.ecole_b)
        session.commit()
        entrer(client, "chef.etcorrespondant")
        for verb, a, b in (("show", 200, 200), ("edit", 200, 404)):
            path = f"/referentiel/etablissements/{verb}"
            assert client.get(f"{path}/{cast.ecole_a}").status_code == a
            assert client.get(f"{path}/{cast.ecole_b}").status_code == b


class TestArgumentsHostiles:
    ARGUMENTS = (
        "psize_{v}=100000000",
        "psize_{v}=abc",
        "page_{v}=abc",
        "page_{v}=99999999999999999999",
        "page_{v}=-1",
        "_oc_{v}=nom'",
        "_oc_{v}=password&_od_{v}=asc",
        "_od_{v}=x",
        "_flt_0_nom=%00",
        "_flt_0_nom=%ED%A0%80",
        "_flt_0_compte=1",
        "_flt_99_nom=x",
        "_flt_0_id=999999999999999999999",
        "q=%25_%5C*",
        "q=" + "x" * 5000,
    )

    @pytest.mark.parametrize("argument", ARGUMENTS)
    @pytest.mark.parametrize(
        ("view", "path"), [("PersonneView", "personnes"), ("EtablissementView", "etablissements")]
    )
    def test_clamped_or_refused_never_a_fault(self, client, claire, cast, view, path, argument):
        entrer(client, "claire.montagne")
        answer = client.get(f"/referentiel/{path}/list/?{argument.format(v=view)}")
        assert answer.status_code in {200, 302, 400, 404}
        assert "Collège B" not in answer.text
        assert "ELEVEB" not in answer.text.upper()

    @pytest.mark.parametrize("pk", ["99999999999999999999", "abc", "-1", "%00", "1%27", "1;2"])
    def test_hostile_identifiers_are_absent_objects(self, client, claire, pk):
        entrer(client, "claire.montagne")
        assert client.get(f"/referentiel/personnes/show/{pk}").status_code in {400, 404}
