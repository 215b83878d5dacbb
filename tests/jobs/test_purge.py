"""The round over «Suppressions»: by lots, killed and taken up again; the command that does it at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import reading
from app.extensions import now
from app.jobs import purge
from app.models import Etablissement, Identifiant, Journal, Personne, Rattachement
from app.operations import anonymisation, journal
from tests.jobs.conftest import until

PEOPLE = 2 * anonymisation.LOT + 20


def departed(session: Session, count: int, days: int = 91) -> None:
    school = Etablissement(uai="0379012V", nom="Collège", nom_recherche="college")
    session.add(school)
    session.flush()
    for number in range(count):
        gone = now() - timedelta(days=days)
        person = Personne(
            nom=f"NOM{number}", prenom="Ada", nom_recherche=f"nom{number} ada", supprime_le=gone
        )
        session.add(person)
        session.flush()
        session.add(Rattachement(personne_id=person.id, etablissement_id=school.id, profil="eleve", fin=gone))
        session.add(Identifiant(personne_id=person.id, type="uid", valeur=str(number), source="manuel"))
    session.commit()


def emptied(session: Session) -> int:
    with reading():  # the write lock belongs to the process that works
        count = session.scalar(select(func.count()).where(Personne.anonymise_le.is_not(None)))
        session.commit()
    return int(count or 0)


def test_killed_in_the_middle_the_next_round_goes_on(app: Flask, session: Session, spawn: Any) -> None:
    departed(session, PEOPLE)
    process = spawn("purge")
    until(lambda: emptied(session), seconds=90)
    process.kill()
    process.wait()
    done = emptied(session)
    assert done % anonymisation.LOT == 0 or done == PEOPLE, "a lot is whole or not at all"
    assert session.scalar(select(func.count()).select_from(Identifiant)) == PEOPLE - done
    session.commit()
    purge.due(app)
    assert emptied(session) == PEOPLE
    lines = session.scalars(select(Journal).where(Journal.acte == "personne.anonymiser")).all()
    assert sum(line.apres["personnes"] for line in lines) == PEOPLE
    assert journal.verify(session, lines[0].chaine) is None


def test_the_command_says_first_then_does(app: Flask, session: Session) -> None:
    departed(session, 2)
    run = app.test_cli_runner().invoke
    said = run(args=["preau", "purger", "--apercu"])
    assert said.output == "2 personnes à anonymiser : départ constaté depuis plus de 90 jours.\n"
    assert emptied(session) == 0
    assert run(args=["preau", "purger"]).output == "2 personnes anonymisées. Cela ne s’annule pas.\n"
    assert emptied(session) == 2


def test_nobody_is_due_before_the_delay(app: Flask, session: Session) -> None:
    departed(session, 1, days=89)
    assert purge.due(app) == 0
    app.extensions["reglages"].suppressions_jours = 80
    assert purge.due(app) == 1
