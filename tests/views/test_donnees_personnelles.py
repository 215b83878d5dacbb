"""A person's data: exported, corrected on request, erased; one's own; the register of processing."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from flask import g
from pypdf import PdfReader
from sqlalchemy import func, select

from app.models import Compte, Journal, Personne, Rattachement, Traitement
from tests.views.conftest import rows, soup

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """One engine: what is gathered is proved on both in its own tests."""
    return request.param


@pytest.fixture
def person(session, ecoles):
    row = Personne(nom=HOSTILE, prenom="Ada", nom_recherche="x ada", email="ada@x.fr")
    session.add(row)
    session.flush()
    session.add(Rattachement(personne_id=row.id, etablissement_id=ecoles.ecole_a, profil="invite"))
    session.commit()
    return row.id


def send(session, client, page, data=None, act=""):
    g.pop("csrf_token", None)
    token = soup(client.get(page)).select_one("main input[name=csrf_token]")["value"]
    session.rollback()
    answer = client.post(act or page, data={"csrf_token": token, **(data or {})})
    session.rollback()
    return answer


def opened(answer):
    archive = zipfile.ZipFile(io.BytesIO(answer.get_data()))
    return json.loads(archive.read("donnees.json"))["donnees"], archive.read("donnees.html").decode()


def test_one_click_gives_everything_and_is_journalled(sign_in, session, ecoles, person):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    page = f"/personnes/{person}/donnees"
    answer = send(session, client, page, act=f"{page}/exporter")
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/zip", "no-store")
    data, html = opened(answer)
    assert data["personne"][0]["email"] == "ada@x.fr"
    assert HOSTILE not in html
    assert "&lt;img" in html
    line = session.scalars(select(Journal).where(Journal.acte == "donnees.exporter")).one()
    assert (line.objet_id, line.apres) == (person, None)


def test_a_correction_asked_for_is_written_down(sign_in, session, ecoles, person):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    page = f"/personnes/{person}/donnees"
    refused = send(session, client, page, {"demande": " "}, f"{page}/rectifier")
    assert "Dites ce que la personne demande" in refused.get_data(as_text=True)
    assert send(session, client, page, {"demande": "Mon prénom"}, f"{page}/rectifier").status_code == 302
    line = session.scalars(select(Journal).where(Journal.acte == "donnees.rectifier")).one()
    assert line.apres == {"demande": "Mon prénom"}


def test_erasing_asks_for_the_name_typed_and_for_the_right(sign_in, session, ecoles, person):
    page = f"/personnes/{person}/donnees/effacer"
    local = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    assert local.get(page).status_code == 403
    client = sign_in("accompagnement", academie_id=ecoles.academie_a)
    refused = send(session, client, page, {"confirmation": "Ada"})
    assert "tapez exactement" in soup(refused).select_one(".pr-error").get_text()
    place = session.scalars(select(Rattachement).where(Rattachement.personne_id == person)).one()
    place.source = "aaf"
    session.commit()
    named = {"confirmation": f"ada {HOSTILE}"}
    assert "L’annuaire nomme encore" in send(session, client, page, named).get_data(as_text=True)
    place = session.scalars(select(Rattachement).where(Rattachement.personne_id == person)).one()
    place.source = "manuel"
    session.commit()
    assert send(session, client, page, named).location == "/personnes/"
    assert session.scalars(select(Personne.nom).where(Personne.id == person)).one() == "Personne"
    assert client.get(f"/personnes/{person}/donnees").status_code == 404


def test_who_is_also_elsewhere_is_for_the_academic_roles(sign_in, session, ecoles, person):
    session.add(Rattachement(personne_id=person, etablissement_id=ecoles.ecole_b, profil="invite"))
    session.commit()
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    page = f"/personnes/{person}/donnees"
    assert "hors de votre périmètre" in client.get(page).get_data(as_text=True)
    answer = send(session, client, page, act=f"{page}/exporter")
    assert (answer.status_code, answer.location) == (302, page)
    assert sign_in("assistant_n2").get(f"{page}/effacer").status_code == 200
    assert sign_in("enseignant").get(page).status_code == 403


def test_anybody_exports_their_own_data(sign_in, session, ecoles, person):
    client = sign_in("eleve")
    account = session.scalars(select(Compte).where(Compte.username == "eleve0")).one()
    account.personne_id = person
    session.commit()
    assert "/mon-espace/donnees/" in client.get("/mon-espace/").get_data(as_text=True)
    data, _html = opened(send(session, client, "/mon-espace/donnees/", act="/mon-espace/donnees/exporter"))
    assert (data["personne"][0]["prenom"], data["ab_user"][0]["username"]) == ("Ada", "eleve0")


def test_the_register_is_read_kept_and_printed(sign_in, session, ecoles):
    reader = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    titles = [line["Traitement"] for line in rows(reader.get("/registre/list/"))]
    assert "Journal" in titles
    assert len(titles) == session.scalar(select(func.count()).select_from(Traitement)) == 9
    assert reader.get("/registre/add").status_code == 403
    pdf = PdfReader(io.BytesIO(reader.get("/registre/registre.pdf").get_data()))
    assert "Base légale" in "".join(page.extract_text() for page in pdf.pages)
    admin = sign_in("assistant_n2")
    first = session.scalars(select(Traitement).order_by(Traitement.id)).first()
    values = {c: getattr(first, c) for c in ("nom", "base_legale", "personnes", "donnees", "destinataires")}
    values |= {"finalite": "Autre finalité", "conservation": "Un an", "securite": ""}
    assert send(session, admin, f"/registre/edit/{first.id}", values).status_code == 302
    line = session.scalars(select(Journal).where(Journal.acte == "traitement.modifier")).one()
    assert line.apres["finalite"] == "Autre finalité"
    assert line.avant["finalite"].startswith("Tenir à jour")
