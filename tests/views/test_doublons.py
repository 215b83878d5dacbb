"""«Doublons»: the list, the comparison, the act, its undoing; who may, and who must ask."""

from __future__ import annotations

from datetime import date

import pytest
from flask import g
from sqlalchemy import func, select

from app.models import Attribution, Compte, Courriel, Doublon, Fusion, Personne, Rattachement, VerrouPersonne
from tests.views.conftest import rows, soup

HOSTILE = "<img src=x onerror=alert(1)>"
UAI = "0190001A"


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """One engine: the acts are proved on both in their own tests."""
    return request.param


@pytest.fixture
def pair(session, ecoles):
    """Two pupils of school A who may be one; their numbers."""
    return make_pair(session, ecoles.ecole_a, ecoles.ecole_a)


def make_pair(session, *schools):
    ids = []
    for number, school in enumerate(schools):
        person = Personne(
            nom=HOSTILE, prenom="Léa" if number else "Lea", nom_recherche="x lea",
            date_naissance=date(2012, 3, 4), email=f"lea{number}@x.fr", login=f"lea.x{number}",
        )  # fmt: skip
        session.add(person)
        session.flush()
        session.add(Rattachement(personne_id=person.id, etablissement_id=school, profil="eleve"))
        ids.append(person.id)
    row = Doublon(personne_a_id=ids[0], personne_b_id=ids[1], motifs=["naissance"])
    session.add(row)
    session.commit()
    return row.id, *ids


def post(session, client, address, data, act=""):
    """Fill the form of a page; the page's reading ends before, as it does in a browser."""
    g.pop("csrf_token", None)  # that of another client of the same test
    form = soup(client.get(address)).select_one("main form[method=post]")
    hidden = {field["name"]: field.get("value", "") for field in form.select("input[type=hidden]")}
    session.rollback()
    return client.post(act or address, data={**hidden, **data})


def page(pk, act="", uai=UAI):
    return f"/etablissements/{uai}/doublons/{pk}{act}"


def test_a_correspondent_compares_chooses_merges_and_undoes(sign_in, session, ecoles, pair):
    pk, a, b = pair
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    home = client.get("/").get_data(as_text=True)
    assert "1 doublon possible" in home
    listed = rows(client.get(f"/etablissements/{UAI}/doublons/"))
    assert [(line["Pourquoi"], line["État"]) for line in listed] == [
        ("même date de naissance, noms proches", "À comparer")
    ]
    shown = client.get(page(pk))
    assert "<img src=x" not in shown.get_data(as_text=True)
    table = {line["Champ"]: line for line in rows(shown)}
    assert [len(soup(shown).select(f"input[name=c_{name}]")) for name in ("prenom", "email", "nom")] == [
        2,
        2,
        0,
    ]
    assert "Collège A" in next(iter(table["Établissements"].values())) + str(table["Établissements"])
    answer = post(session, client, page(pk), {"c_prenom": "b", "c_email": "a"}, page(pk, "/reunir"))
    assert answer.location == f"/etablissements/{UAI}/doublons/"
    assert "sont réunies" in client.get(answer.location).get_data(as_text=True)
    session.rollback()
    kept = session.scalars(select(Personne).where(Personne.id.in_([a, b]))).one()
    assert (kept.id, kept.prenom, kept.email) == (a, "Léa", "lea0@x.fr")
    assert sorted(session.scalars(select(VerrouPersonne.champ))) == ["email", "prenom"]
    fusion = session.scalars(select(Fusion.id)).one()
    session.rollback()
    done = rows(client.get("/doublons/?etat=fusions"))
    assert done[0]["Fiche absorbée"] == f"{HOSTILE.upper()} Léa"
    assert post(session, client, f"/fusions/{fusion}/annuler", {}).location == "/doublons/?etat=fusions"
    assert session.scalar(select(func.count()).where(Personne.id.in_([a, b]))) == 2
    assert session.scalars(select(Doublon.etat)).one() == "propose"


def test_a_stale_comparison_is_refused_with_what_was_chosen(sign_in, session, ecoles, pair):
    pk, a, _b = pair
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    form = soup(client.get(page(pk))).select_one("#reunir")
    data = {field["name"]: field["value"] for field in form.select("input[type=hidden]")} | {"c_prenom": "b"}
    session.rollback()
    person = session.get(Personne, a)
    person.commune = "Tours"
    session.commit()
    session.rollback()
    shown = soup(client.post(page(pk, "/reunir"), data=data))
    assert "a changé pendant que vous compariez" in shown.select_one("[role=alert]").get_text()
    assert shown.select_one("input[name=c_prenom][checked]")["value"] == "b"


def test_told_apart_leaves_the_list(sign_in, session, ecoles, pair):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    assert post(session, client, page(pair[0]), {}, page(pair[0], "/distinguer")).status_code == 302
    assert rows(client.get("/doublons/")) == []
    assert "Dites distinctes" in client.get("/doublons/?etat=distincts").get_data(as_text=True)


@pytest.mark.parametrize("why", ["place elsewhere", "wide role", "oneself"])
def test_who_does_not_reach_both_whole_may_only_ask(sign_in, session, ecoles, pair, why):
    pk, a, b = pair
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    if why == "place elsewhere":
        session.add(Rattachement(personne_id=b, etablissement_id=ecoles.ecole_b, profil="eleve"))
    elif why == "wide role":
        account = Compte(
            username="n2", first_name="N", last_name="D", email="n2@x.fr", active=True, password="",
            personne_id=b,
        )  # fmt: skip
        session.add(account)
        session.flush()
        session.add(Attribution(compte_id=account.id, role="assistant_n2"))
    else:
        session.scalars(select(Compte).where(Compte.username == "correspondant1")).one().personne_id = a
    session.commit()
    shown = soup(client.get(page(pk)))
    assert shown.select("input[type=radio][name^=c_]") == []
    expected = "est la vôtre" if why == "oneself" else "hors de votre périmètre"
    assert expected in shown.select_one(".pr-note[data-tone=warn]").get_text()
    assert post(session, client, page(pk), {"c_prenom": "b"}, page(pk, "/reunir")).status_code == 200
    assert session.scalar(select(func.count()).where(Personne.id.in_([a, b]))) == 2
    session.rollback()
    asked = client.post(
        page(pk, "/demander"),
        data={"csrf_token": shown.select_one("input[name=csrf_token]")["value"], "message": "La même Léa"},
    )
    assert asked.status_code == 302
    admin = sign_in("assistant_n2")
    assert "1 réunion de fiches demandée" in admin.get("/").get_data(as_text=True)
    assert "La même Léa" in admin.get(f"/doublons/{pk}").get_data(as_text=True)
    done = post(session, admin, f"/doublons/{pk}", {"compte": "b"}, f"/doublons/{pk}/reunir")
    assert done.status_code == 302, soup(done).select_one("[role=alert]").get_text()
    assert session.scalar(select(func.count()).where(Personne.id.in_([a, b]))) == 1
    assert session.scalars(select(Courriel.destinataire)).all() == ["correspondant@exemple.fr"]


def test_out_of_the_perimeter_it_does_not_exist(sign_in, session, ecoles):
    pk, *_ids = make_pair(session, ecoles.ecole_a, ecoles.ecole_b)
    for role, where, code in (
        ("correspondant", {"etablissement_id": ecoles.ecole_a}, 404),
        ("chef_etablissement", {"etablissement_id": ecoles.ecole_a}, 403),
        ("enseignant", {}, 403),
    ):
        client = sign_in(role, **where)
        for address in (f"/doublons/{pk}", page(pk), page(pk, uai="0180001B")):
            assert client.get(address).status_code == code
        if code == 404:
            assert rows(client.get("/doublons/")) == []
            assert post(session, client, "/doublons/", {}, f"/doublons/{pk}/reunir").status_code == 404
