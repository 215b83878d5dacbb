"""Rights that end with a departure: who leaves a school no longer administers it, at once (D5)."""

from __future__ import annotations

from app.database import rows_of
from app.operations import journal
from app.operations.alimentation.ecritures import now_of
from app.operations.alimentation.gens import Contexte
from app.operations.sessions import MotifFin

PRESENTS = ["enseignant", "personnel", "invite"]
"""Profiles whose holders may be given a right over their school."""


def fermer_droits(ctx: Contexte, acteur: str) -> None:
    """End the roles over this school of those who have no place in it any more, and their sessions.

    Somebody who left every school keeps no session either.
    """
    people = sorted(set(ctx.fermees))
    if not people:
        return
    moment = now_of(ctx.session)
    held = rows_of(
        ctx.session,
        "SELECT a.id, a.compte_id, a.role, u.username FROM attribution a JOIN ab_user u ON u.id = a.compte_id"
        " WHERE a.etablissement_id = :school AND u.personne_id IN :ids"
        " AND (a.jusqua IS NULL OR a.jusqua > :moment)"
        " AND NOT EXISTS (SELECT 1 FROM rattachement r WHERE r.personne_id = u.personne_id"
        " AND r.etablissement_id = :school AND r.fin IS NULL AND r.profil IN :profils)",
        school=ctx.etablissement_id,
        ids=people,
        moment=moment,
        profils=PRESENTS,
    )
    rows_of(
        ctx.session,
        "UPDATE attribution SET jusqua = :moment WHERE id IN :ids",
        moment=moment,
        ids=[row[0] for row in held],
    )
    gone = rows_of(
        ctx.session,
        "SELECT u.id FROM ab_user u JOIN personne p ON p.id = u.personne_id"
        " WHERE p.id IN :ids AND p.supprime_le IS NOT NULL",
        ids=people,
    )
    rows_of(
        ctx.session,
        "UPDATE session_compte SET fin = :moment, motif_fin = :motif WHERE fin IS NULL AND compte_id IN :ids",
        moment=moment,
        motif=str(MotifFin.DROITS),
        ids=sorted({row[1] for row in held} | {row[0] for row in gone}),
    )
    for _id, compte_id, role, login in held:
        journal.write(
            ctx.session,
            acte="role.retirer",
            acteur=acteur,
            objet_type="compte",
            objet_id=compte_id,
            objet=str(login),
            etablissement_id=ctx.etablissement_id,
            avant={"rôle": role},
        )
