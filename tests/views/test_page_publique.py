"""The public page and its pictures, as anybody gets them (ATTACKS W1, W4, T1)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import AdressePage, Etablissement, EtatService, Image, PagePublique, Service
from app.operations import blocs, logos, page_publique, services
from app.operations.page_publique import Choix
from app.operations.saisies import Actor
from app.queries.pages import REDIRIGEE
from tests.operations.test_images import drawing, picture
from tests.views.conftest import soup

CLAIRE = Actor("Claire Montagné")
HOSTILE = "<img src=x onerror=alert(1)>"


def choix(**more):
    values = {"active": True, "adresse": "college-a", "modele": "vitrine", "entete": True, "accroche": ""}
    return Choix(**{**values, **more})


@pytest.fixture
def page(session, ecoles, catalogue):
    """The open page of school A: two blocks (one hidden), a logo, a service."""
    school = session.get(Etablissement, ecoles.ecole_a)
    forum = session.scalars(select(Service.id).where(Service.code == "forum")).one()
    made = page_publique.enregistrer(
        session, school, choix(accroche=HOSTILE, services=frozenset({forum})), version=0, acteur=CLAIRE
    )
    for titre, visible in ((HOSTILE, True), ("Caché", False)):
        blocs.creer(
            session, school.id, titre=titre, texte=f"**Gras** {HOSTILE}", visible=visible, acteur=CLAIRE
        )
    picture_ = drawing('<rect width="5" height="5" onclick="x()"/><script>alert(1)</script>')
    logos.ajouter(
        session, school.id, "publique", picture_, texte="Ville", url="", visible=True, acteur=CLAIRE
    )
    session.commit()
    return made


def anonymous(app, path="/p/college-a", **headers):
    return app.test_client().get(path, headers=headers)


class TestPage:
    def test_anybody_reads_it_and_every_cache_may_keep_it(self, app, page):
        answer = anonymous(app)
        assert answer.status_code == 200
        assert "public" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        said = soup(answer)
        assert said.select_one("h1").text == "Collège A"
        assert "Caché" not in said.text
        assert [one.text for one in said.select(".pp-services strong")] == ["Forum"]

    def test_it_is_the_same_for_somebody_signed_in(self, app, page, admin):
        with admin.session_transaction() as cookie:
            assert cookie["jeton"]
        mine = admin.get("/p/college-a", headers={"Cookie": "preau_theme=dark"})
        assert mine.data == anonymous(app).data

    def test_nothing_typed_runs(self, app, page):
        said = soup(anonymous(app))
        assert not said.select("script, [onerror], [onclick]")
        assert [tag["src"] for tag in said.select("img")] == [said.select_one(".pp-logos img")["src"]]

    def test_it_names_nobody_and_no_version(self, app, page):
        answer = anonymous(app)
        everything = answer.get_data(as_text=True) + str(answer.headers)
        assert "Montagné" not in everything
        assert not re.search(r"Werkzeug/|Flask|Python/|generator", everything.replace("Server: Werkzeug", ""))

    def test_who_has_it_already_is_told_so_until_it_changes(self, app, page, session):
        mark = anonymous(app).headers["ETag"]
        again = anonymous(app, **{"If-None-Match": mark})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", mark)
        assert "public" in again.headers["Cache-Control"]
        blocs.creer(session, page.etablissement_id, titre="Neuf", texte="", visible=True, acteur=CLAIRE)
        session.commit()
        assert anonymous(app, **{"If-None-Match": mark}).status_code == 200

    def test_a_change_of_the_school_or_of_a_service_changes_it(self, app, page, session):
        marks = [anonymous(app).headers["ETag"]]
        session.get(Etablissement, page.etablissement_id).telephone = "0247000000"
        session.commit()
        marks.append(anonymous(app).headers["ETag"])
        forum = session.scalars(select(Service).where(Service.code == "forum")).one()
        if forum.nature == "optionnel":
            services.basculer(session, page.etablissement_id, "forum", True, acteur=CLAIRE)
        else:
            forum.retire_le = now()
        session.commit()
        marks.append(anonymous(app).headers["ETag"])
        assert len(set(marks)) == 3

    def test_off_or_unknown_it_is_not_found(self, app, page, session):
        school = session.get(Etablissement, page.etablissement_id)
        page_publique.enregistrer(session, school, choix(active=False), version=1, acteur=CLAIRE)
        session.commit()
        for path in ("/p/college-a", "/p/autre", "/p/" + "a" * 5000, "/p/%00", "/p/COLLEGE-A'"):
            assert anonymous(app, path).status_code in {400, 404}, path

    def test_the_old_address_leads_to_the_new_one_for_a_while(self, app, page, session):
        school = session.get(Etablissement, page.etablissement_id)
        page_publique.enregistrer(session, school, choix(adresse="balzac"), version=1, acteur=CLAIRE)
        session.commit()
        moved = anonymous(app)
        assert (moved.status_code, moved.location) == (301, "/p/balzac")
        assert anonymous(app, "/p/balzac").status_code == 200
        left = session.scalars(select(AdressePage).where(AdressePage.adresse == "college-a")).one()
        left.quittee_le = now() - REDIRIGEE - timedelta(days=1)
        session.commit()
        assert anonymous(app).status_code == 404

    @pytest.mark.parametrize("modele", ["vitrine", "journal", "essentiel"])
    @pytest.mark.parametrize("entete", [True, False])
    def test_each_model_with_and_without_the_band(self, app, page, session, modele, entete):
        page.modele, page.entete = modele, entete
        session.commit()
        said = soup(anonymous(app))
        assert said.body["data-modele"] == modele
        assert bool(said.select_one(".pp-entete")) is entete

    def test_it_costs_four_statements_and_two_when_known(self, app, page, statements):
        mark = anonymous(app).headers["ETag"]
        statements.clear()
        anonymous(app)
        assert len(statements) == 4  # the page and its school, services, blocks, logos
        statements.clear()
        anonymous(app, **{"If-None-Match": mark})
        assert len(statements) == 2  # the page and its school, services

    def test_a_service_switched_off_is_not_named(self, app, page, session):
        blog = session.scalars(select(Service).where(Service.nature == "optionnel")).first()
        school = session.get(Etablissement, page.etablissement_id)
        wanted = choix(services=frozenset({blog.id}))
        page_publique.enregistrer(session, school, wanted, version=1, acteur=CLAIRE)
        session.commit()
        assert not soup(anonymous(app)).select(".pp-services")
        session.add(EtatService(etablissement_id=school.id, service_id=blog.id, actif=True))
        session.commit()
        assert [one.text for one in soup(anonymous(app)).select(".pp-services strong")] == [blog.nom]


class TestMedia:
    def test_a_picture_is_served_for_ever_and_nothing_in_it_runs(self, app, page, session):
        digest = session.scalars(select(Image.empreinte)).one()
        answer = anonymous(app, f"/media/{digest}")
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
        assert b"script" not in answer.data
        policy = answer.headers["Content-Security-Policy"]
        assert "sandbox" in policy
        assert "default-src 'none'" in policy
        assert "nonce" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        again = anonymous(app, f"/media/{digest}", **{"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")

    def test_what_is_sent_under_another_name_is_served_as_what_it_is(self, app, page, session):
        logos.ajouter(
            session, page.etablissement_id, "publique", picture("GIF") + b"<script>", texte="x", url="",
            visible=True, acteur=CLAIRE,
        )  # fmt: skip
        session.commit()
        digest = session.scalars(select(Image.empreinte).order_by(Image.id.desc())).first()
        answer = anonymous(app, f"/media/{digest}")
        assert answer.mimetype == "image/webp"
        assert b"script" not in answer.data

    @pytest.mark.parametrize("digest", ["0" * 64, "x", "../../etc", "A" * 64])
    def test_absent(self, app, page, digest):
        assert anonymous(app, f"/media/{digest}").status_code == 404

    def test_the_page_of_a_school_that_never_opened_one(self, app, session):
        assert session.scalars(select(PagePublique)).all() == []
        assert anonymous(app).status_code == 404
