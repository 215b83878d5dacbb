"""Opening a feed, closing its preview: stale exports, departures, thresholds, homonyms (I2, I3)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import rows_of
from app.errors import ConflictError
from app.extensions import PARIS, now
from app.models import Academie, Alimentation, AlimentationEtablissement, Etablissement
from app.operations import journal
from app.operations.alimentation.champs import PROFILS_DE
from app.operations.alimentation.fiches import EnTete
from app.operations.alimentation.registre import COMPTES, Registre
from app.operations.alimentation.structures_accord import stated_elsewhere

UN_JOUR = timedelta(days=1)
SEUIL_POURCENT = 5.0
SEUIL_PERSONNES = 5
"""Fewer departures than this never stop a feed, whatever their share."""

HOMONYME = "Même nom et même date de naissance qu’un autre nouvel élève du fichier."
INE_DOUBLE = (
    "porté par plusieurs fiches. C’est une seule personne si le nom et la date de naissance concordent ;"
    " sinon l’INE n’est donné qu’à la première."
)

EN_COURS = ("lecture", "apercu", "application")


def ouvrir(session: Session, entete: EnTete, *, acteur: str) -> Alimentation:
    """Open a feed; ``etat`` is ``refusee`` with its reason when a newer export was applied (I3).

    One feed of a scope is under way at a time: an older one not applied is abandoned, one applied
    in part is closed as it stands (its schools not applied are read again by this one). Whoever asked
    for the older one reads who took its place; the journal says so too.
    """
    replaced = _close_others(session, entete.espace, acteur)
    alimentation = Alimentation(
        source=entete.source,
        mode=entete.mode,
        cle_portee=entete.espace,
        date_export=entete.date_export,
        fichiers=entete.fichiers,
        demandee_par=acteur[:160],
        etablissement_id=_id_of(session, Etablissement.id, Etablissement.uai, entete.uai),
        academie_id=_id_of(session, Academie.id, Academie.code, entete.academie),
        motif=replaced,
    )
    session.add(alimentation)
    newest = session.scalars(
        select(Alimentation.date_export)
        .where(
            Alimentation.cle_portee == entete.espace,
            Alimentation.etat == "appliquee",
            Alimentation.date_export.is_not(None),
        )
        .order_by(Alimentation.date_export.desc())
        .limit(1)
    ).first()
    if entete.date_export is not None and entete.date_export > now() + UN_JOUR:
        alimentation.etat = "refusee"
        alimentation.motif = (
            f"Cet export date du {_local(entete.date_export)}, dans le futur : les suivants seraient tous"
            " refusés comme plus anciens. Vérifiez la date du fichier, puis demandez un nouvel export."
        )
    elif newest is not None and entete.date_export is not None and entete.date_export < newest:
        alimentation.etat = "refusee"
        alimentation.motif = (
            f"Cet export date du {_local(entete.date_export)} ; un export plus récent, du"
            f" {_local(newest)}, a déjà été appliqué. Demandez un nouvel export à la source."
        )
    session.flush()
    return alimentation


def _local(value: datetime) -> str:
    return f"{value.astimezone(PARIS):%d/%m/%Y %H:%M}"


def _id_of(session: Session, id_column: Any, column: Any, value: str | None) -> int | None:
    return session.scalar(select(id_column).where(column == value)) if value else None


def _close_others(session: Session, portee: str, acteur: str) -> str | None:
    """Close what is under way of a scope; return the sentence of what somebody else loses by it."""
    lost = None
    for other in session.scalars(
        select(Alimentation).where(Alimentation.cle_portee == portee, Alimentation.etat.in_(EN_COURS))
    ):
        applied = session.scalar(
            select(AlimentationEtablissement.id)
            .where(
                AlimentationEtablissement.alimentation_id == other.id,
                AlimentationEtablissement.applique_le.is_not(None),
            )
            .limit(1)
        )
        if applied is None:
            lost = _replace(session, other, acteur) or lost
            continue
        other.etat = "appliquee"
        other.motif = "Application interrompue : les établissements restants viennent de la lecture suivante."
    return lost


def _replace(session: Session, other: Alimentation, acteur: str) -> str | None:
    """Drop a preview for a newer reading, and say to each who did it."""
    abandonner(session, other)
    other.motif = (
        f"Remplacée par la lecture que {acteur or 'le système'} a demandée le {_local(now())}."
        " Rien n’en avait été écrit."
    )
    journal.write(
        session,
        acte="alimentation.abandonner",
        acteur=acteur or "Système",
        objet_type="alimentation",
        objet_id=other.id,
        objet=str(other),
        etablissement_id=other.etablissement_id,
        apres={"motif": other.motif},
    )
    if other.demandee_par in {"", acteur}:
        return None
    return (
        f"Cette lecture remplace celle que {other.demandee_par} avait demandée le {_local(other.cree_le)}"
        " et qui n’était pas appliquée. Prévenez cette personne si elle y travaillait."
    )


def abandonner(session: Session, alimentation: Alimentation) -> None:
    """Drop a preview: nothing of it was applied, its difference rows go."""
    if alimentation.etat not in EN_COURS:
        raise ConflictError("Cette alimentation n’est plus en cours.")
    alimentation.etat = "abandonnee"
    session.flush()
    rows_of(session, "DELETE FROM ecart WHERE alimentation_id = :feed", feed=alimentation.id)
    rows_of(session, "DELETE FROM citation_responsable WHERE alimentation_id = :feed", feed=alimentation.id)
    rows_of(
        session, "UPDATE fiche_source SET absente_de = NULL WHERE absente_de = :feed", feed=alimentation.id
    )


def refuser(session: Session, alimentation: Alimentation, motif: str) -> None:
    """Refuse a feed whose files could not be read to the end: nothing of it remains but why."""
    if alimentation.etat == "lecture":
        abandonner(session, alimentation)
        alimentation.etat = "refusee"
        alimentation.motif = motif
        session.flush()


def clore_apercu(
    session: Session, alimentation: Alimentation, *, seuil_pourcent: float = SEUIL_POURCENT
) -> None:
    """Stage the departures and the homonyms, check the thresholds, and open the preview."""
    if alimentation.etat != "lecture":
        raise ConflictError("Cette alimentation n’est plus en lecture.")
    lines = {
        line.uai: line
        for line in session.scalars(
            select(AlimentationEtablissement).where(
                AlimentationEtablissement.alimentation_id == alimentation.id
            )
        )
    }
    registre = Registre(session, alimentation)
    for kind, counts in alimentation.comptes.items():
        registre.comptes[kind].update(counts)
    for uai, line in lines.items():
        for kind, counts in line.comptes.items():
            registre.par_ecole[uai][kind].update(counts)
        if line.etablissement_id is not None:
            registre.ecoles[uai] = line.etablissement_id
    whole = {uai for uai, line in lines.items() if line.entier} if alimentation.mode == "complet" else None
    for kind, profils in PROFILS_DE.items():
        _people_who_left(session, alimentation, registre, kind, list(profils), whole)
    for kind, table in (("division", "division"), ("groupe", "groupe_enseignement")):
        _classes_gone(session, alimentation, registre, kind, table)
    _links_gone(session, alimentation, registre)
    _homonyms(session, alimentation, registre)
    registre.vider()
    _thresholds(session, alimentation, lines, registre, seuil_pourcent)
    for uai, line in lines.items():
        line.comptes = {kind: dict(counts) for kind, counts in registre.par_ecole[uai].items()}
    alimentation.comptes = {kind: dict(counts) for kind, counts in registre.comptes.items()}
    rows_of(session, "DELETE FROM citation_responsable WHERE alimentation_id = :feed", feed=alimentation.id)
    alimentation.etat = "apercu"
    session.flush()


def _people_who_left(
    session: Session,
    alimentation: Alimentation,
    registre: Registre,
    kind: str,
    profils: list[str],
    whole: set[str] | None,
) -> None:
    """Stage one departure per open attachment of a person whose every key was missed."""
    rows = rows_of(
        session,
        "SELECT f.cle, f.personne_id, e.uai, p.nom, p.nom_usage, p.prenom,"
        " CAST(p.date_naissance AS VARCHAR) FROM fiche_source f"
        " JOIN rattachement r ON r.personne_id = f.personne_id AND r.fin IS NULL"
        " AND r.source = :source AND r.profil IN :profils"
        " JOIN etablissement e ON e.id = r.etablissement_id JOIN personne p ON p.id = f.personne_id"
        " WHERE f.espace = :espace AND f.objet = :objet AND f.absente_de = :feed AND f.presente"
        " AND NOT EXISTS (SELECT 1 FROM fiche_source o WHERE o.personne_id = f.personne_id"
        " AND o.espace = f.espace AND o.objet = f.objet AND o.presente"
        " AND (o.absente_de IS NULL OR o.absente_de <> :feed)"
        # two pupils made one: the key of this school is missed, the other tells of another school
        " AND NOT (f.objet = 'eleve' AND f.etablissement_id = r.etablissement_id"
        " AND o.etablissement_id IS NOT NULL AND o.etablissement_id <> r.etablissement_id))"
        " AND NOT EXISTS (SELECT 1 FROM ecart x WHERE x.alimentation_id = :feed AND x.uai = e.uai"
        " AND x.objet = :objet AND x.nature = 'depart' AND x.personne_id = f.personne_id)"
        " ORDER BY e.uai, f.id",
        source=alimentation.source,
        espace=alimentation.cle_portee,
        objet=kind,
        profils=profils,
        feed=alimentation.id,
    )
    done: set[tuple[int, str]] = set()
    by_person: dict[tuple[str, int], list[str]] = defaultdict(list)
    names: dict[tuple[str, int], str] = {}
    for cle, pid, uai, nom, usage, prenom, born in rows:
        if (whole is not None and uai not in whole) or (pid, uai) in done:
            continue
        done.add((pid, uai))
        by_person[cle, pid].append(uai)
        name = f"{(usage or nom).upper()} {prenom}"
        names[cle, pid] = f"{name} – {born[8:10]}/{born[5:7]}/{born[:4]}" if born else name
    for (cle, pid), uais in by_person.items():
        registre.ajouter("depart", kind, cle, uais, libelle=names[cle, pid], identifiant=cle, personne_id=pid)


def _classes_gone(
    session: Session, alimentation: Alimentation, registre: Registre, kind: str, table: str
) -> None:
    """Stage the classes a source stops stating, unless another source states them still."""
    gone = rows_of(
        session,
        f"SELECT f.cle, e.uai, t.code FROM fiche_source f JOIN etablissement e ON e.id = f.etablissement_id"
        f" JOIN {table} t ON t.etablissement_id = e.id AND f.cle = e.uai || '$' || t.code AND t.active"
        " WHERE f.espace = :espace AND f.objet = :objet AND f.absente_de = :feed AND f.presente"
        " ORDER BY e.uai, t.code",
        espace=alimentation.cle_portee,
        objet=kind,
        feed=alimentation.id,
    )
    kept = stated_elsewhere(session, alimentation.cle_portee, kind, [row[0] for row in gone])
    for cle, uai, code in gone:
        if cle in kept:
            continue
        registre.ajouter(
            "depart", kind, cle, [uai], libelle=code, identifiant=cle,
            donnees=orjson.dumps({"uai": uai, "code": code}),
        )  # fmt: skip


def _links_gone(session: Session, alimentation: Alimentation, registre: Registre) -> None:
    """Stage the links a source that lists them apart no longer states."""
    rows = rows_of(
        session,
        "SELECT f.cle, e.uai FROM fiche_source f JOIN etablissement e ON e.id = f.etablissement_id"
        " WHERE f.espace = :espace AND f.objet = 'lien' AND f.absente_de = :feed AND f.presente"
        " ORDER BY f.id",
        espace=alimentation.cle_portee,
        feed=alimentation.id,
    )
    for cle, uai in rows:
        eleve, _, responsable = cle.partition("$")
        registre.ajouter(
            "depart", "lien", cle, [uai], identifiant=cle,
            libelle=f"Élève {eleve} – responsable {responsable}",
            donnees=orjson.dumps({"eleve_cle": eleve, "responsable_cle": responsable}),
        )  # fmt: skip


def _homonyms(session: Session, alimentation: Alimentation, registre: Registre) -> None:
    """Flag the new pupils of one name and birth date, and those of one INE."""
    for column, code in (("libelle", "homonyme"), ("identifiant", "ine_double")):
        mine = "alimentation_id = :feed AND nature = 'cree' AND objet = 'eleve'"
        mine += " AND identifiant <> cle" if code == "ine_double" else " AND libelle LIKE '%/%/%'"
        shared = [
            row[0]
            for row in rows_of(
                session,
                f"SELECT {column} FROM ecart WHERE {mine} GROUP BY {column} HAVING COUNT(DISTINCT cle) > 1",
                feed=alimentation.id,
            )
        ]
        if not shared:
            continue
        for cle, uai, libelle, identifiant, ligne in rows_of(
            session,
            "SELECT cle, MIN(uai), MIN(libelle), MIN(identifiant), MIN(ligne) FROM ecart"
            f" WHERE {mine} AND {column} IN :shared GROUP BY cle ORDER BY 3, 1",
            feed=alimentation.id,
            shared=shared,
        ):
            registre.ajouter(
                "anomalie",
                "eleve",
                cle,
                [uai] if uai else [],
                libelle=libelle,
                identifiant=identifiant,
                ligne=ligne,
                code=code,
                message=HOMONYME if code == "homonyme" else f"INE {identifiant} : {INE_DOUBLE}",
            )


def _thresholds(
    session: Session,
    alimentation: Alimentation,
    lines: dict[str, AlimentationEtablissement],
    registre: Registre,
    percent: float,
) -> None:
    """Block a school when too large a share of one kind of its people would leave (I3)."""
    for kind, profils in PROFILS_DE.items():
        left = {
            uai: counts[kind]["departs"]
            for uai, counts in registre.par_ecole.items()
            if kind in counts and counts[kind]["departs"] >= SEUIL_PERSONNES
        }
        if not left:
            continue
        for uai, total in rows_of(
            session,
            "SELECT e.uai, COUNT(*) FROM etablissement e JOIN rattachement r ON r.etablissement_id = e.id"
            " WHERE e.uai IN :uais AND r.profil IN :profils AND r.fin IS NULL GROUP BY e.uai",
            uais=sorted(left),
            profils=list(profils),
        ):
            if left[uai] > ceil(total * percent) / 100 and uai in lines:
                lines[uai].depart_bloque = True


def etablissements_a_appliquer(
    session: Session, alimentation: Alimentation
) -> list[AlimentationEtablissement]:
    """Return the schools with something left to apply, by UAI."""
    statement = (
        select(AlimentationEtablissement)
        .where(
            AlimentationEtablissement.alimentation_id == alimentation.id,
            AlimentationEtablissement.applique_le.is_(None),
        )
        .order_by(AlimentationEtablissement.uai)
    )
    return [line for line in session.scalars(statement) if _work_in(line.comptes)]


def _work_in(comptes: dict[str, dict[str, int]]) -> bool:
    changes = ("crees", "modifies", "reconnus", "departs", "retours")
    return any(counts.get(name) for counts in comptes.values() for name in changes)


def total(comptes: dict[str, dict[str, int]]) -> dict[str, int]:
    """Return the counts of every kind of object added up."""
    return {name: sum(counts.get(name, 0) for counts in comptes.values()) for name in COMPTES}
