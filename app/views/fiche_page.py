"""The page of a person in a list of a school: the people around them, their sheet, what was typed in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, url_for
from sqlalchemy import Row

from app.extensions import db
from app.models import Etablissement
from app.queries import fiches
from app.queries import gens as reads
from app.queries.gens import etat_of
from app.queries.invites import place_of
from app.queries.personnes import PROFIL_LABELS
from app.security.permissions import Resource, Verb
from app.views.actes import changes, said
from app.views.departs import sheet_note
from app.views.ecole import allowed_here
from app.views.fiche_personne import FichePersonne, sheet_of
from app.views.fiche_saisie import Saisie, form_of
from app.views.gens_cellules import badge, full_name
from app.views.listes_gens import LISTE_DU_PROFIL, LISTES, PeopleList, criteres_of, list_args
from app.views.marking import marked
from app.views.rendering import day

BEFORE, AFTER = 5, 9
LINKS = {"compte.envoyer_lien": "ent", "compte.envoyer_lien_scolarite": "scolarite"}
WORDS: dict[str, Any] = {
    "profils": PROFIL_LABELS,
    "listes_des_profils": LISTE_DU_PROFIL,
    "said": said,
    "changes": changes,
}


def chosen_list(key: str) -> PeopleList:
    """Return a list by its name in addresses; another name is a page that does not exist."""
    if key not in LISTES:
        abort(404)
    return LISTES[key]


def sheet_in(chosen: PeopleList, school: Etablissement, pk: int) -> tuple[FichePersonne, Row[Any]]:
    """Return the sheet of a person of a list and their row in it; 404 when they are not in it."""
    criteres = criteres_of(chosen, school.id)
    row = fiches.position(db.session(), criteres, reads.tri_in_school(criteres), pk)
    sheet = None if row is None else sheet_of(pk, school.id, school.uai, (row.Personne, row.Compte))
    if row is None or sheet is None:
        abort(404)
    return sheet, row


def sheet_page(
    view: Any, chosen: PeopleList, school: Etablissement, pk: int, saisie: Saisie | None = None
) -> str:
    """Draw the sheet, with the people around it in the list one comes from."""
    sheet, row = sheet_in(chosen, school, pk)
    if saisie is None and sheet.ici is not None and sheet.ici.fin is None:
        saisie = form_of(sheet.personne, sheet.faits, sheet.ici.profil)
    criteres, args = criteres_of(chosen, school.id), list_args()
    before, after = fiches.around(db.session(), criteres, reads.tri_in_school(criteres), row, BEFORE, AFTER)
    around = [
        suggested(one, criteres.q, school.uai, chosen, one.poste, args) for one in (*before, row, *after)
    ]
    around[len(before)]["ici"] = True
    page: str = view.render_template(
        "utilisateurs/fiche.html",
        title=str(sheet.personne),
        liste=chosen,
        ecole=school,
        place=place_of(db.session(), pk, school.id) if _steers_guests(chosen) else None,
        depart=sheet_note(sheet.personne, school.uai) if chosen.departs else None,
        fiche=sheet,
        saisie=saisie,
        envois=links_sent(sheet),
        voisins=around,
        **WORDS,
        precedent=around[len(before) - 1]["url"] if before else "",
        suivant=around[len(before) + 1]["url"] if after else "",
        retour=url_for("Utilisateurs.liste", uai=school.uai, liste=chosen.key, **args),
        ici={"uai": school.uai, "liste": chosen.key, "pk": pk, **args},
        criteres=criteres,
    )
    return page


def links_sent(sheet: FichePersonne) -> dict[str, datetime]:
    """Return when a link was last sent, by the password it renews, as the journal of the sheet tells."""
    lines = sheet.journal.lines if sheet.journal else ()
    sent: dict[str, datetime] = {}
    for line in lines:
        if usage := LINKS.get(line.acte):
            sent.setdefault(usage, line.instant)
    return sent


def _steers_guests(liste: PeopleList) -> bool:
    return liste.profil == "invite" and allowed_here(Resource.INVITE, Verb.ECRIRE)


def suggested(
    row: Any,
    typed: str,
    uai: str,
    chosen: PeopleList | None,
    post: str | None,
    args: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return somebody as suggestions and neighbours show them."""
    etat, departs = etat_of(row), bool(chosen and chosen.departs)
    profil = "" if chosen and not departs else PROFIL_LABELS[row.profil]
    key = chosen.key if chosen else LISTE_DU_PROFIL[row.profil]
    return {
        "nom": marked(full_name(row), typed),
        "naissance": day(row.date_naissance) if row.date_naissance else "",
        "detail": ", ".join(text for text in (profil, row.classe or post) if text),
        "etat": "" if etat == "actif" or departs else badge(etat),
        "url": url_for("Utilisateurs.fiche", uai=uai, liste=key, pk=row.id, **(args or {})),
    }
