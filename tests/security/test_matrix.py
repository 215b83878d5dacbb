"""Every route × every role × own, foreign and absent objects, against the reviewed ``matrice.csv``.

Pages are asked with the cookie of a role, the API with a key of that role.

A route without a line fails. After adding one, write the lines, read them, commit them:
``PREAU_ECRIRE_MATRICE=1 pytest -n0 tests/security/test_matrix.py``.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app import models as m
from app.extensions import Base, now
from app.operations import cles_api, journal
from app.operations.saisies import SYSTEME
from app.security.permissions import Resource
from app.security.roles import ROLE_PORTEES, Portee, Role
from tests.security.conftest import attribuer, compte, entrer, jeton

FILE = Path(__file__).with_name("matrice.csv")
WRITING = bool(os.environ.get("PREAU_ECRIRE_MATRICE"))
STRANGER = "anonyme"
ACTORS = [STRANGER, *(str(role) for role in Role)]
KEY = ("route", "methode", "objet")
ABSENT = 987_654
SKIPPED = {"static", "ConnexionView.login", "ConnexionView.logout", "sante.metriques"}
"""Routes proved elsewhere: they open or end the session itself, or read the machine's address."""

OF_RESOURCE = {
    Resource.ALIMENTATION: m.Alimentation,
    Resource.TACHE: m.Tache,
    Resource.ETABLISSEMENT: m.Etablissement,
    Resource.PERSONNE: m.Personne,
    Resource.DIVISION: m.Division,
    Resource.INVITE: m.Personne,
    Resource.SUPPRESSION: m.Personne,
    Resource.DOUBLON: m.Doublon,
    Resource.DONNEES: m.Personne,
    Resource.RESERVATION: m.Ressource,
}
OF_VIEW = {
    "AdministrateursLocaux": m.Attribution,
    "Administrateurs": m.Compte,
    "DroitsCompte": m.Compte,
    "RolesDonnes": m.Attribution,
    "Promesses": m.Nomination,
    "PromessesLocales": m.Nomination,
    "Fusions": m.Fusion,
    "ImportsInvites": m.ImportInvites,
    "ReinitialiserView": m.Compte,
    "PagesEcole": m.Logo,
    "Breves": m.Flux,
    "Redaction": m.Bloc,
    "ReglagesPagePublique": m.Personne,
    "ReservationsApi": m.Reservation,
    "SuiviReservations": m.Reservation,
}
"""Views whose numbers are not those of their resource."""

UAIS = {"sien": "0190001A", "etranger": "0180001B", "absent": "0999999Z"}
"""The schools of the cast, as addresses name them."""

SHARED = (m.Academie, m.Collectivite, m.Mef, m.Matiere, m.Discipline, m.Fonction, m.Traitement)


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """One engine: the wall itself is proved on both."""
    return request.param


@pytest.fixture
def objets(session, cast):
    """One row of every kind a page shows, in school A and in school B."""
    rows: dict[type, dict[str, int]] = {}

    def keep(letter, row):
        session.add(row)
        session.flush()
        rows.setdefault(type(row), {})[letter] = row.id
        return row

    for entity in (m.Mef, m.Matiere, m.Discipline, m.Fonction):
        row = keep("a", entity(code="X1", libelle="Partagée"))
        rows[entity]["b"] = row.id
    rows[m.Traitement] = dict.fromkeys("ab", 1)
    for letter in "ab":
        school, pupil = getattr(cast, f"ecole_{letter}"), getattr(cast, f"eleve_{letter}")
        here = {"etablissement_id": school}
        for entity, name in ((m.Academie, "academie"), (m.Collectivite, "collectivite")):
            rows.setdefault(entity, {})[letter] = getattr(cast, f"{name}_{letter}")
        rows.setdefault(m.Etablissement, {})[letter] = school
        rows.setdefault(m.Personne, {})[letter] = pupil
        places = select(m.Rattachement.id).where(m.Rattachement.personne_id == pupil)
        rows.setdefault(m.Rattachement, {})[letter] = session.scalars(places).one()
        division = select(m.Division.id).where(m.Division.etablissement_id == school)
        rows.setdefault(m.Division, {})[letter] = session.scalars(division).one()
        keep(letter, m.GroupeEnseignement(code="G1", **here))
        parent = getattr(cast, f"parent_{letter}")
        keep(letter, m.Doublon(personne_a_id=pupil, personne_b_id=parent, motifs=[]))
        keep(letter, m.Fusion(personne_id=pupil, absorbee=0, empreinte=""))
        keep(letter, m.Courriel(destinataire="x@exemple.fr", objet="o", texte="t", cle=letter, **here))
        keep(letter, m.Tache(type="essai", libelle="Essai", **here))
        keep(letter, m.Alimentation(source="siecle", cle_portee=f"siecle:{letter}", etat="apercu", **here))
        keep(letter, m.ImportInvites(fichier="a.csv", etat="apercu", **here))
        line = journal.write(session, acte="essai", etablissement_id=school)
        rows.setdefault(m.Journal, {})[letter] = line.id
        person = session.get(m.Personne, getattr(cast, f"parent_{letter}"))
        user = compte(session, f"agent.{letter}", personne=person)
        rows.setdefault(m.Compte, {})[letter] = user.id
        grant = attribuer(session, user, "correspondant", **here)
        rows.setdefault(m.Attribution, {})[letter] = grant.id
        keep(letter, m.Nomination(personne_id=pupil, role="correspondant", **here))
        key, _secret = make_key(session, user, "correspondant", here)
        rows.setdefault(m.CleApi, {})[letter] = key.id
        lent = keep(letter, m.Ressource(nom="Salle", categorie="Salles", **here))
        instants = {"debut": now() + timedelta(days=1), "fin": now() + timedelta(days=2)}
        keep(letter, m.Reservation(ressource_id=lent.id, personne_id=pupil, cle=letter, **instants, **here))
        keep(letter, m.ActeEnNombre(acte="suspendre", acteur="x", selection="Essai", **here))
        sides = dict.fromkeys(("largeur", "hauteur", "taille"), 1)
        image = keep(letter, m.Image(empreinte=letter * 64, type="image/webp", contenu=b"x", **sides, **here))
        keep(letter, m.Logo(page="accueil", image_id=image.id, texte="Logo", **here))
        keep(letter, m.Flux(url="https://exemple.fr/flux", titre="Flux", **here))
        keep(letter, m.Bloc(titre="Bloc", texte="", rendu="", **here))
        academie = {"academie_id": getattr(cast, f"academie_{letter}")}
        keep(letter, m.ModeleServices(nom="Essai", portee="academie", **academie))
        keep(letter, m.ApplicationModele(modele="Essai", **academie))
    session.commit()
    return rows


def make_key(session, maker, role: str, where: dict[str, int]):
    """Make an API key of a role, in the name of somebody who holds it."""
    over = cles_api.Portee(**where)
    more = {"compte": maker, "acteur": SYSTEME, "ecriture": True, "jours": 30}
    return cles_api.creer(session, nom="Essai", role=role, portee=over, **more)


def perimeter(role: str, cast) -> dict[str, int]:
    """Return where a role is held: always on the side of school A."""
    match ROLE_PORTEES[Role(role)]:
        case Portee.ACADEMIE:
            return {"academie_id": cast.academie_a}
        case Portee.COLLECTIVITE:
            return {"collectivite_id": cast.collectivite_a}
        case Portee.ETABLISSEMENT:
            return {"etablissement_id": cast.ecole_a}
        case _:
            return {}


OF_VIEW |= {
    "ActesEnNombre": m.ActeEnNombre,
    "Modeles": m.ModeleServices,
    "Comparaison": m.ModeleServices,
    "Applications": m.ApplicationModele,
}


def entity_of(app, endpoint: str):
    """Return what the pages of a view are about, if the view says it."""
    blueprint = endpoint.partition(".")[0]
    view = next((v for v in app.extensions["appbuilder"].baseviews if v.endpoint == blueprint), None)
    entity = OF_VIEW.get(blueprint) or getattr(getattr(view, "datamodel", None), "obj", None)
    return entity or OF_RESOURCE.get(getattr(view, "resource", None))


def cases(app, role: str, objets) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Yield every (route, method, object) with the address to ask."""
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if rule.endpoint in SKIPPED:
            continue
        entity = entity_of(app, rule.endpoint)
        numbered = [name for name in rule.arguments if name in {"pk", "tache_id", "uai"}]
        kinds = ["-"] if not numbered else ["sien", "etranger", "absent"]
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            for kind in kinds:
                shared = entity in SHARED and "uai" not in numbered
                if kind == "etranger" and (role == "assistant_n2" or shared):
                    continue
                if method != "GET" and kind in {"sien", "-"}:
                    continue  # acts on one's own rows belong to the tests of each act
                values = {**dict.fromkeys(rule.arguments, "absent"), "liste": "eleves", "ligne": 1}
                for name in numbered:
                    if name == "uai":
                        values[name] = UAIS[kind]
                        continue
                    known = objets.get(m.Tache if name == "tache_id" else entity, {})
                    values[name] = {"sien": known.get("a"), "etranger": known.get("b")}.get(kind) or ABSENT
                address = re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda found: str(values[found[1]]), str(rule))  # noqa: B023
                yield (str(rule), method, kind), address


def observed(app, session, cast, objets, role: str) -> dict[tuple[str, str, str], str]:
    """Ask everything as one role and return the codes."""
    client = app.test_client()
    headers: dict[str, str] = {}
    if role == STRANGER:
        token = jeton(client)
    else:
        actor, where = compte(session, f"acteur.{role}"), perimeter(role, cast)
        attribuer(session, actor, role, **where)
        if ROLE_PORTEES[Role(role)] is not Portee.SOI:
            headers = {"Authorization": f"Bearer {make_key(session, actor, role, where)[1]}"}
        session.commit()
        entrer(client, f"acteur.{role}")
        token = jeton(client, "/deconnexion")
    found = {}
    for key, address in cases(app, role, objets):
        data = {"csrf_token": token} if key[1] != "GET" else None
        asked = headers if address.startswith("/api/") else {}
        with client.open(address, method=key[1], data=data, headers=asked) as answer:
            code = str(answer.status_code)
            if code == "302" and "/connexion" in (answer.location or ""):
                code = "connexion"
            found[key] = code
    return found


def read_file() -> dict[tuple[str, str, str], dict[str, str]]:
    if not FILE.exists():
        return {}
    with FILE.open(encoding="utf-8", newline="") as lines:
        return {tuple(row[name] for name in KEY): row for row in csv.DictReader(lines, delimiter=";")}  # type: ignore[misc]


def write_column(role: str, codes: dict[tuple[str, str, str], str]) -> None:
    table = read_file()
    for key, code in codes.items():
        table.setdefault(key, dict(zip(KEY, key, strict=True)))[role] = code
    if role == ACTORS[0]:
        table = {key: row for key, row in table.items() if key in codes}
    with FILE.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, [*KEY, *ACTORS], restval="", delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows(table[key] for key in sorted(table))


def rows_of_b(session, objets) -> list[tuple]:
    """Return everything written about school B, to see that nothing moved."""
    session.rollback()
    found = []
    for entity, ids in sorted(objets.items(), key=lambda item: item[0].__name__):
        table = Base.metadata.tables[entity.__tablename__]
        line = session.execute(select(table).where(table.c.id == ids["b"])).one_or_none()
        found.append((entity.__name__, tuple(line) if line else None))
    session.rollback()
    return found


@pytest.mark.parametrize("role", ACTORS)
def test_matrix(app, session, cast, objets, role):
    before = rows_of_b(session, objets)
    codes = observed(app, session, cast, objets, role)
    if role != "assistant_n2":
        assert rows_of_b(session, objets) == before, "a row of the other school changed"
    if WRITING:
        write_column(role, codes)
        return
    reviewed = read_file()
    missing = sorted({key for key in codes if role not in (reviewed.get(key) or {})})
    assert missing == [], "routes without a reviewed line: see the top of this file"
    differences = {
        key: (reviewed[key][role], code) for key, code in codes.items() if reviewed[key][role] != code
    }
    assert differences == {}, "(reviewed, observed)"


def test_no_reviewed_line_ever_shows_a_foreign_or_an_absent_object():
    wrong = [
        (key, role, row[role])
        for key, row in read_file().items()
        if key[2] != "-" and key[2] != "sien"
        for role in ACTORS
        if row[role] not in {"", "401", "403", "404", "connexion"}
    ]
    assert wrong == []


def test_no_reviewed_line_is_a_fault():
    assert [
        key for key, row in read_file().items() if any(row[role].startswith("5") for role in ACTORS)
    ] == []


def test_strangers_read_public_pages_only():
    opened = {
        key[0]
        for key, row in read_file().items()
        if row[STRANGER] not in {"connexion", "401", "403", "404", "405"}
    }
    assert opened == {
        "/sante",
        "/sante/pret",
        "/aide",
        "/accessibilite",
        "/donnees-personnelles",
        "/api/v1/openapi.json",
        "/connexion/adresse/",
        "/connexion/lien/",
        "/connexion/oubli/",
        "/connexion/premiere/",
        "/connexion/premiere/mot-de-passe",
    }
