"""What the tests of models share: a right one turns, and schools in number."""

from __future__ import annotations

from app.models import Etablissement, ModeleServices
from app.operations import applications, modeles
from app.operations.droits_services import Changement, enregistrer_droits
from app.operations.modeles import Portee
from app.operations.saisies import Actor
from app.queries.droits import services_of
from app.queries.etats_services import schools

WHO = Actor("Claire Montagné")
CELL = ("forum", "lecteur", "responsable")
LINES = {
    "etat:chat": True,
    "droit:chat.acces:eleve": True,
    "droit:forum.lecteur:responsable": True,
    "droit:blog.lecteur:eleve": False,
}


def case(session, school, cell=CELL):
    """Return a cell of a school."""
    (found,) = services_of(session, school, service=cell[0])
    return found.role(cell[1]).case(cell[2])


def set_cell(session, school, cell, value):
    """Turn a cell as a person does on the page of the school."""
    change = Changement(case(session, school, cell).role_id, cell[2], value)
    return enregistrer_droits(session, school, [change], acteur=Actor("Quelqu’un"))


def make(session, lines=LINES) -> ModeleServices:
    """Write a model."""
    return modeles.creer(session, nom="Collèges", lignes=lines, portee=Portee("plateforme"), acteur=WHO)


def prepare(session, modele, ids, acteur=WHO):
    """Work out what it would change in schools."""
    found = schools(session, [Etablissement.id.in_(list(ids))])
    return applications.preparer(session, modele, found, selection="Essai", acteur=acteur)


def do(session, application, acteur=WHO):
    """Confirm an act and do it whole."""
    applications.confirmer(session, application, acteur=acteur)
    while applications.lot(session, application, acteur=acteur):
        pass
    session.expire_all()


def many(session, count, **values):
    """Write schools."""
    rows = [
        Etablissement(uai=f"{n:07d}X", nom=f"Collège {n:04d}", nom_recherche=f"college {n:04d}", **values)
        for n in range(1, count + 1)
    ]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]
