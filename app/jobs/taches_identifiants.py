"""The cards of first connection: new codes first if they were asked for, then the pages, on the disk.

Killed while codes are renewed, it goes on from its cursor; killed while drawing, the file is drawn again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from app.errors import NotFoundError, RuleViolationError, UserError
from app.exports.cartes import Carte, Enfant, Entete, draw
from app.extensions import now
from app.jobs.context import Contexte, TacheAnnuleeError
from app.jobs.registry import handler
from app.models import Etablissement
from app.operations import codes, sorties
from app.operations.identifiants import IMPRIMER, renew_codes
from app.operations.saisies import Actor
from app.queries import identifiants as reads
from app.queries.identifiants import LOT, Choix
from app.queries.personnes import PROFIL_LABELS
from app.security.perimetres import Perimetre, perimetre

FICHIER = "cartes-premiere-connexion.pdf"


@handler(IMPRIMER)
def print_cards(context: Contexte) -> dict[str, Any]:
    """Draw the cards of those who never activated into a file kept a day."""
    asked = context.parametres["choix"]
    choix = Choix(**{**asked, "places": tuple(asked["places"])})
    school = context.session.get(Etablissement, choix.etablissement_id)
    if school is None:
        raise NotFoundError("Cet établissement n’existe plus.")
    entete = Entete(school.nom, context.parametres["adresse"])
    held = Perimetre(etablissements=frozenset({choix.etablissement_id}))
    with perimetre(context.session, held):
        ids = reads.place_ids(context.session, choix, never_activated=True)
    if context.parametres["nouveaux"]:
        _renew(context, ids, choix.etablissement_id)
    settings = current_app.extensions["reglages"]
    cursor = dict(context.cursor or {})
    if "sortie" in cursor:
        path = sorties.again(settings.dossier, cursor["sortie"], FICHIER)
    else:
        cursor["sortie"], path = sorties.new(settings.dossier, FICHIER)
    context.progress(0, len(ids), cursor=cursor)
    drawn = Drawing(context, choix, ids, settings.code_key())
    try:
        with path.open("wb") as output, perimetre(context.session, held):
            pages = draw(output, drawn.cards(), entete, par_page=context.parametres["par_page"])
        if not drawn.done:
            raise RuleViolationError("Toutes ces personnes ont activé leur compte entre-temps.")
    except (TacheAnnuleeError, UserError):
        sorties.discard(settings.dossier, cursor["sortie"])
        raise
    expires = sorties.expiry(now()).isoformat()
    return {
        "sortie": cursor["sortie"], "fichier": FICHIER, "cartes": drawn.done, "pages": pages,
        "expire_le": expires,
    }  # fmt: skip


def _renew(context: Contexte, ids: list[int], etablissement_id: int) -> None:
    """Give everybody a new code, once whatever happens: the cursor moves with each lot."""
    acteur = Actor(context.parametres["acteur"], context.parametres["acteur_id"])
    start = (context.cursor or {}).get("renouveles", 0)
    for position in range(start, len(ids), LOT):
        renew_codes(context.session, ids[position : position + LOT], etablissement_id, acteur=acteur)
        cursor = {**(context.cursor or {}), "renouveles": position + LOT}
        context.progress(0, len(ids), cursor=cursor)


class Drawing:
    """The cards of a run, with the progress told lot by lot."""

    def __init__(self, context: Contexte, choix: Choix, ids: list[int], key: str) -> None:
        self.context, self.choix, self.ids, self.key = context, choix, ids, key
        self.done = 0

    def cards(self) -> Iterator[Carte]:
        """Yield the card of each person who has still not activated."""
        session: Session = self.context.session
        for start in range(0, len(self.ids), LOT):
            part = self.ids[start : start + LOT]
            for row, children in reads.with_children(session, self.choix, part):
                if row.compte_id is None and row.suspendu_le is None:
                    self.done += 1
                    yield card_of(row, children, self.key)
            self.context.progress(min(start + LOT, len(self.ids)), len(self.ids))


def card_of(row: Any, children: Any, key: str) -> Carte:
    """Return what the card of a line says."""
    town = " ".join(text for text in (row.code_postal, row.commune) if text)
    asked = ", ".join(
        text
        for text in (
            f"Code postal {row.code_postal}" if row.code_postal else "",
            f"commune {row.commune}" if row.commune else "",
        )
        if text
    )
    return Carte(
        nom=f"{(row.nom_usage or row.nom).upper()} {row.prenom}",
        detail=row.classe or PROFIL_LABELS[row.profil],
        login=row.login or "–",
        code=codes.written(codes.code_at(row.id, row.code_generation, key)),
        enfants=tuple(child_of(child, key) for child in children),
        adresse=tuple(text for text in (row.adresse, town) if text),
        rappel=asked if row.profil == "responsable" else "",
    )


def child_of(child: Any, key: str) -> Enfant:
    """Return what a guardian's card says of a pupil: no code once the pupil activated."""
    code = codes.written(codes.code_at(child.id, child.code_generation, key))
    nom = f"{(child.nom_usage or child.nom).upper()} {child.prenom}"
    return Enfant(nom, child.classe or "", "" if child.compte_id or child.suspendu_le else code)
