"""Everything held on one person and nothing of anybody else, whatever tables there are."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from sqlalchemy import select

from app.exports.donnees_personnelles import (
    COLONNES_EXCLUES,
    EXCLUES,
    PAS_SUIVIES,
    ROOTS,
    as_json,
    as_zip,
    dossier,
    excluded,
    sections,
)
from app.extensions import Base
from app.models import Compte, Etablissement, Identifiant, Personne, Rattachement, Responsabilite
from app.operations import journal
from app.operations.courriels import queue
from app.operations.sessions import open_session
from app.queries.references import UNDECLARED, references_to
from tests.support.lignes import add_row


@pytest.fixture
def family(session):
    """A pupil, her separated parents, and the school they share."""
    school = Etablissement(uai="0379012V", nom="Collège Balzac", nom_recherche="college")
    session.add(school)
    people = {}
    for prenom, profil in (("Léa", "eleve"), ("Anne", "responsable"), ("Marc", "responsable")):
        person = Personne(
            nom=f"FAMILLE{prenom.upper()}", prenom=prenom, nom_recherche=prenom.lower(),
            email=f"{prenom.lower()}@exemple.fr", telephone_portable=f"06{len(people)}",
        )  # fmt: skip
        session.add(person)
        session.flush()
        session.add(Rattachement(personne_id=person.id, etablissement_id=school.id, profil=profil))
        session.add(Identifiant(personne_id=person.id, type="uid", valeur=f"uid-{prenom}", source="manuel"))
        people[prenom] = person
    for parent in ("Anne", "Marc"):
        session.add(
            Responsabilite(eleve_id=people["Léa"].id, responsable_id=people[parent].id, code_parente="10")
        )
    anne = people["Anne"]
    account = Compte(
        username="anne", first_name="Anne", last_name="FAMILLEANNE", email="anne@exemple.fr", active=True,
        password="empreinte-secrete", personne_id=anne.id,
    )  # fmt: skip
    session.add(account)
    session.flush()
    open_session(session, account, adresse="192.0.2.7")
    queue(session, destinataire="anne@exemple.fr", objet="Votre mot de passe", texte="https://x/jeton-secret")
    for objet_type, pk, name in (("personne", anne.id, str(anne)), ("personne", people["Marc"].id, "MARC")):
        journal.write(
            session, acte="essai", acteur="Secrétaire Dupont", objet_type=objet_type, objet_id=pk, objet=name,
            etablissement_id=school.id, apres={"email": "nouveau@exemple.fr", "responsables": ["Marc"]},
        )  # fmt: skip
    journal.write(
        session, acte="compte.suspendre", acteur="Anne", compte_id=account.id, objet_type="personne",
        objet_id=people["Marc"].id, objet="FAMILLEMARC Marc", apres={"motif": "raison de Marc"},
    )  # fmt: skip
    session.commit()
    return people, account


def test_everything_of_one_and_nothing_of_the_others(session, family):
    people, _account = family
    found = dossier(session, people["Anne"].id)
    text = as_json(found)
    for mine in (
        "FAMILLEANNE",
        "anne@exemple.fr",
        "uid-Anne",
        "192.0.2.7",
        "Collège Balzac",
        "nouveau@exemple.fr",
    ):
        assert mine in text
    for other in ("Marc", "MARC", "Léa", "marc@", "Dupont", "secret", "raison de Marc"):
        assert other not in json.dumps(found.tables, ensure_ascii=False), other
    assert found.tables["responsabilite"][0]["responsable"] == "vous"
    assert "eleve" not in found.tables["responsabilite"][0]
    assert [line.get("sur") for line in found.tables["journal"]] == ["vous", None]
    child = json.dumps(dossier(session, people["Léa"].id).tables, ensure_ascii=False)
    assert all(word not in child for word in ("Anne", "Marc", "exemple.fr/"))


def test_every_table_that_names_a_person_or_an_account_is_in_it(session, family):
    """A new table is found by itself; left out on purpose, it has its reason."""
    people, account = family
    anne = people["Anne"].id
    known = {"personne": people["Marc"].id, "ab_user": account.id}
    walked = []
    for root, own in (("personne", anne), ("ab_user", account.id)):
        for column in references_to(root):
            name = column.table.name
            if name in (*ROOTS, *EXCLUES) or (name, column.name) in PAS_SUIVIES:
                continue
            add_row(session.connection(), column.table, known, **{column.name: own})
            walked.append(name)
        for table, column in UNDECLARED[root]:
            if table not in EXCLUES and table != "journal":
                add_row(session.connection(), Base.metadata.tables[table], known, **{column: own})
                walked.append(table)
    session.commit()
    found = dossier(session, anne)
    assert set(walked) - set(found.tables) == set()
    assert next(name for name, _rows in sections(found)) == "personne"


def test_what_is_left_out_exists_and_has_a_reason():
    assert all(EXCLUES.values())
    assert set(EXCLUES) <= set(Base.metadata.tables)
    for (table, column), why in COLONNES_EXCLUES.items():
        tables = Base.metadata.tables.values() if table == "*" else [Base.metadata.tables[table]]
        assert why
        assert any(column in one.c for one in tables), column
    assert excluded("ab_user", "password")


def test_the_file_holds_both_a_page_and_the_data(session, family):
    found = dossier(session, family[0]["Anne"].id)
    with zipfile.ZipFile(io.BytesIO(as_zip(found, "<h1>Page</h1>"))) as archive:
        assert sorted(archive.namelist()) == ["donnees.html", "donnees.json"]
        read = json.loads(archive.read("donnees.json"))
    assert read["donnees"]["personne"][0]["nom"] == "FAMILLEANNE"
    assert read["laisse_de_cote"]["courriel.texte"]


def test_an_account_without_a_person_has_its_data_too(session, family):
    alone = Compte(
        username="seule", first_name="S", last_name="S", email="s@exemple.fr", active=True, password=""
    )
    session.add(alone)
    session.commit()
    assert dossier(session, None, alone.id).tables["ab_user"][0]["username"] == "seule"
    assert session.scalars(select(Personne.id)).first() is not None
