"""The demo académie: files written by the generator, read and applied as any other, accounts on top.

Each step may be run again: killed in the middle, the next run goes on from the files.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import UserError
from app.exports.fictif import Options, generate
from app.exports.fictif.generation import JOURS_ENTRE_EXPORTS, pack
from app.extensions import now
from app.jobs import alimentation as alimentation_job
from app.jobs import (
    bilans,
    comptes_demonstration,
    pages_demonstration,
    reservations_demonstration,
    services_demonstration,
    usages_demonstration,
)
from app.models import Academie, Alimentation, Compte, Etablissement

ACTEUR = "Démonstration"
GRAINE = 37
ETABLISSEMENTS, ELEVES = 12, 2400
VARIANTE = 3.0
LISEZMOI = """Fichiers d’essai de l’académie fictive de Touraine-Berry. Personne n’y existe.

Connectez-vous, ouvrez « Alimentation », déposez l’un de ces fichiers : Préau montre ce qui
changerait avant de rien écrire.

{aaf}
    Export AAF de toute l’académie, une semaine après celui qui attend déjà votre accord.
{siecle}
    Export SIECLE d’un seul collège : élèves, responsables, structures, nomenclature.
{sts}
    Fichier STS du même collège : personnels, services, professeurs principaux.
{annuaire}
    Annuaire de l’éducation : les établissements de l’académie, écoles comprises.
"""

Say = Callable[[str], None]


def is_needed(session: Session) -> bool:
    """Tell whether the base is empty, or holds a demo that was not finished."""
    if session.scalar(select(Etablissement.id).limit(1)) is None:
        return True
    started = session.scalar(select(Alimentation.id).where(Alimentation.demandee_par == ACTEUR).limit(1))
    return started is not None and session.scalar(select(Compte.id).limit(1)) is None


def create(session: Session, folder: Path, say: Say, *, jour: date | None = None) -> None:
    """Fill the base: schools, two feeds (one applied, one to confirm), accounts, example files."""
    first = (jour or now().date()) - timedelta(days=2 * JOURS_ENTRE_EXPORTS + 1)
    base = Options(ETABLISSEMENTS, ELEVES, GRAINE, jour=first)
    say("J’écris les fichiers de l’académie fictive…")
    shutil.rmtree(folder, ignore_errors=True)
    directory = generate(folder / "annuaire", replace(base, format="annuaire")).fichiers
    complete = generate(folder / "aaf", base).fichiers
    later = generate(folder / "aaf-suivant", replace(base, variante=VARIANTE)).fichiers
    _name_academie(session)
    say("Je lis et j’applique l’annuaire puis l’export AAF…")
    feed(session, directory, apply=True)
    feed(session, complete, apply=True)
    comptes_demonstration.share_schools(session)
    session.commit()
    say("Je prépare l’export suivant, à confirmer dans « Alimentation »…")
    feed(session, later, apply=False)
    write_examples(folder, base)
    say("J’ouvre les services des établissements…")
    services_demonstration.create(session, GRAINE)
    comptes_demonstration.create(session)
    usages_demonstration.live(session, GRAINE)
    pages_demonstration.create(session, comptes_demonstration.COLLEGE)
    reservations_demonstration.live(session, comptes_demonstration.COLLEGE)
    session.commit()
    bilans.refresh(session)


def feed(session: Session, paths: list[Path], *, apply: bool) -> Alimentation:
    """Read files through the product's readers, compare, and apply when asked.

    :raises UserError: when a school refuses what the generator wrote.
    """
    feeding = alimentation_job.read_and_compare(session, paths, acteur=ACTEUR)
    if apply:
        refused = alimentation_job.apply(session, feeding, acteur=ACTEUR)
        if refused:
            raise UserError(refused[0])
    return feeding


def write_examples(folder: Path, base: Options) -> list[Path]:
    """Leave files a newcomer can upload, with a word on each."""
    examples, scratch = folder / "exemples", folder / "brouillon"
    examples.mkdir(parents=True, exist_ok=True)
    later = replace(base, variante=VARIANTE, rang=2)
    (aaf,) = generate(scratch, later).fichiers
    school = replace(base, format="siecle", variante=VARIANTE, zip=False)
    generate(scratch, school)
    uai = comptes_demonstration.COLLEGE
    siecle = examples / f"SIECLE_{uai}.zip"
    pack(siecle, sorted((scratch / uai).iterdir()), school.jour_export)
    (sts,) = (scratch / "sts").glob(f"sts_emp_{uai}_*.xml")
    (annuaire,) = generate(scratch, replace(later, format="annuaire")).fichiers
    kept = [path.rename(examples / path.name) for path in (aaf, sts, annuaire)]
    shutil.rmtree(scratch)
    text = LISEZMOI.format(aaf=kept[0].name, siecle=siecle.name, sts=kept[1].name, annuaire=kept[2].name)
    (examples / "LISEZ-MOI.txt").write_text(text, encoding="utf-8")
    return [*kept, siecle]


def _name_academie(session: Session) -> None:
    """The real académie of the same code has another name; ours is invented."""
    if session.scalar(select(Academie.id).where(Academie.code == "18")) is None:
        session.add(Academie(code="18", nom="Touraine-Berry"))
        session.commit()
