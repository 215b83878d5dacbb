"""Figures of schools computed ahead, by set-based statements: pages read one row per school (C7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.database import instant, lock, rows_of
from app.extensions import now

LOT = 250
"""Schools computed in one transaction: the write lock of SQLite is held for a fraction of a second."""

SANS_NIVEAU = "Niveau non renseigné"

_PEOPLE = """
    SELECT r.etablissement_id,
        SUM(CASE WHEN r.profil = 'eleve' THEN 1 ELSE 0 END) AS eleves,
        SUM(CASE WHEN r.profil = 'enseignant' THEN 1 ELSE 0 END) AS enseignants,
        SUM(CASE WHEN r.profil = 'personnel' THEN 1 ELSE 0 END) AS personnels,
        SUM(CASE WHEN r.profil = 'responsable' THEN 1 ELSE 0 END) AS responsables,
        SUM(CASE WHEN r.profil = 'invite' THEN 1 ELSE 0 END) AS invites,
        COUNT(c.id) AS actives
    FROM rattachement r
    LEFT JOIN ab_user c ON c.personne_id = r.personne_id AND c.supprime_le IS NULL
    WHERE r.fin IS NULL AND r.etablissement_id IN :ids
    GROUP BY r.etablissement_id"""

_CLASSES = """
    SELECT etablissement_id, COUNT(*) AS divisions FROM division
    WHERE active AND etablissement_id IN :ids GROUP BY etablissement_id"""

_FEEDS = """
    SELECT t.etablissement_id, t.uai, t.alimentation_id, t.applique_le,
        ROW_NUMBER() OVER (PARTITION BY t.etablissement_id ORDER BY t.applique_le DESC, t.id DESC) AS rang
    FROM alimentation_etablissement t
    WHERE t.applique_le IS NOT NULL AND t.etablissement_id IN :ids"""

_ANOMALIES = """
    SELECT alimentation_id, uai, COUNT(*) AS anomalies FROM ecart
    WHERE nature = 'anomalie' AND uai IS NOT NULL
        AND alimentation_id IN (SELECT alimentation_id FROM dernier WHERE rang = 1)
    GROUP BY alimentation_id, uai"""

_ADMINISTRATORS = """
    SELECT a.etablissement_id, COUNT(DISTINCT a.compte_id) AS administrateurs
    FROM attribution a JOIN ab_user c ON c.id = a.compte_id LEFT JOIN personne p ON p.id = c.personne_id
    WHERE a.role = 'correspondant' AND a.etablissement_id IN :ids
        AND a.depuis <= :debut AND (a.jusqua IS NULL OR a.jusqua > :fin)
        AND c.supprime_le IS NULL
        AND c.suspendu_seul_le IS NULL AND p.suspendu_le IS NULL
    GROUP BY a.etablissement_id"""

_SCHOOLS = f"""
    WITH dernier AS ({_FEEDS})
    INSERT INTO bilan_etablissement (etablissement_id, eleves, enseignants, personnels, responsables, invites,
        divisions, actives, anomalies, administrateurs, services_inactifs, alimente_le, calcule_le)
    SELECT e.id, COALESCE(g.eleves, 0), COALESCE(g.enseignants, 0), COALESCE(g.personnels, 0),
        COALESCE(g.responsables, 0), COALESCE(g.invites, 0), COALESCE(d.divisions, 0), COALESCE(g.actives, 0),
        COALESCE(x.anomalies, 0), COALESCE(m.administrateurs, 0), 0, f.applique_le, :calcule_le
    FROM etablissement e
    LEFT JOIN ({_PEOPLE}) g ON g.etablissement_id = e.id
    LEFT JOIN ({_CLASSES}) d ON d.etablissement_id = e.id
    LEFT JOIN dernier f ON f.etablissement_id = e.id AND f.rang = 1
    LEFT JOIN ({_ANOMALIES}) x ON x.alimentation_id = f.alimentation_id AND x.uai = f.uai
    LEFT JOIN ({_ADMINISTRATORS}) m ON m.etablissement_id = e.id
    WHERE e.id IN :ids"""

_SERVICES = """
    UPDATE bilan_etablissement SET services_inactifs = (
        SELECT COUNT(*)
        FROM etablissement e
        JOIN service s ON s.nature = 'optionnel' AND s.retire_le IS NULL
        LEFT JOIN etat_service t ON t.etablissement_id = e.id AND t.service_id = s.id AND t.fin IS NULL
        WHERE e.id = bilan_etablissement.etablissement_id AND (t.actif IS NULL OR NOT t.actif)
            AND EXISTS (
                SELECT 1 FROM service_collectivite o
                WHERE o.service_id = s.id AND o.fin IS NULL
                    AND (o.collectivite_id IS NULL OR o.collectivite_id = e.collectivite_id)))
    WHERE etablissement_id IN :ids"""

_LEVELS = """
    INSERT INTO bilan_niveau (etablissement_id, niveau, eleves, actives)
    SELECT r.etablissement_id, COALESCE(NULLIF(m.niveau, ''), :sans_niveau), COUNT(*), COUNT(c.id)
    FROM rattachement r
    LEFT JOIN mef m ON m.id = r.mef_id
    LEFT JOIN ab_user c ON c.personne_id = r.personne_id AND c.supprime_le IS NULL
    WHERE r.fin IS NULL AND r.profil = 'eleve' AND r.etablissement_id IN :ids
    GROUP BY 1, 2"""


def lots(session: Session, ids: Iterable[int] | None = None) -> list[list[int]]:
    """Return the schools to compute, cut in lots of one transaction each; every school by default."""
    chosen = (
        [row[0] for row in rows_of(session, "SELECT id FROM etablissement ORDER BY id")]
        if ids is None
        else sorted(set(ids))
    )
    return [chosen[start : start + LOT] for start in range(0, len(chosen), LOT)]


def calculer(session: Session, ids: Sequence[int], *, moment: datetime | None = None) -> None:
    """Write the figures of these schools anew. The caller commits, and limits ``ids`` to a lot."""
    if not ids:
        return
    lock(session, "bilans")
    session.flush()
    stamp = instant(session, moment or now())
    chosen = list(ids)
    for table in ("bilan_niveau", "bilan_etablissement"):
        rows_of(session, f"DELETE FROM {table} WHERE etablissement_id IN :ids", ids=chosen)
    rows_of(session, _SCHOOLS, ids=chosen, debut=stamp, fin=stamp, calcule_le=stamp)
    rows_of(session, _SERVICES, ids=chosen)
    rows_of(session, _LEVELS, ids=chosen, sans_niveau=SANS_NIVEAU)


def compter_services(session: Session, ids: Sequence[int]) -> None:
    """Count again the services these schools have off, after an act on them. The caller commits."""
    session.flush()
    rows_of(session, _SERVICES, ids=list(ids))


def fed_schools(session: Session, alimentation_id: int) -> list[int]:
    """Return the schools a feed touched."""
    rows = rows_of(
        session,
        "SELECT DISTINCT etablissement_id FROM alimentation_etablissement"
        " WHERE alimentation_id = :feed AND etablissement_id IS NOT NULL",
        feed=alimentation_id,
    )
    return [row[0] for row in rows]


def est_perime(session: Session, *, avant: datetime) -> bool:
    """Tell whether a school has figures older than ``avant``, or none."""
    rows = rows_of(
        session,
        "SELECT 1 FROM etablissement e LEFT JOIN bilan_etablissement b ON b.etablissement_id = e.id"
        " WHERE b.etablissement_id IS NULL OR b.calcule_le < :avant LIMIT 1",
        avant=instant(session, avant),
    )
    return bool(rows)
