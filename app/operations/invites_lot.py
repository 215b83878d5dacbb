"""Writing a lot of guests at once, and taking it back: bulk rows, one journal line and one mail each.

What it leaves is what ``operations.invites`` would have left, person by person.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from markupsafe import escape
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.database import allocate_ids, bulk_insert, bulk_update, instant, rows_of
from app.errors import UserError
from app.extensions import Base, now
from app.models import Etablissement, ImportInvites, LigneImport, Personne
from app.operations import coffre, invites, journal, liens, logins
from app.operations.deployment import Deployment
from app.operations.invites_lignes import Juge, Jugee
from app.operations.invites_saisie import CHAMPS
from app.operations.messages import SECRET, USE, Message, render
from app.operations.saisies import Actor
from app.operations.sessions import digest
from app.queries.invites import place_of
from app.queries.noms import name_variants

WHO, LOGIN = "\u2039qui\u203a", "\u2039login\u203a"
"""Marks a mail is drawn with once for all; nobody's name holds them."""


@dataclass(frozen=True, slots=True)
class Contexte:
    """What every lot of one application shares."""

    item: ImportInvites
    school: Etablissement
    acteur: Actor
    deployment: Deployment


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def appliquer_lot(session: Session, ctx: Contexte, juge: Juge, lignes: Sequence[LigneImport]) -> int:
    """Create or attach the guests of these lines, as they read today; return how many were made."""
    chosen = {ligne.numero: ligne for ligne in lignes}
    judged = juge.juger([(ligne.numero, list(ligne.cellules)) for ligne in lignes], ctx.item.colonnes)
    new: list[Jugee] = []
    attached: list[tuple[LigneImport, int]] = []
    for one in judged:
        ligne = chosen[one.numero]
        if one.etat != "valide":  # somebody wrote meanwhile what the preview did not show
            ligne.etat, ligne.choix, ligne.constats = one.etat, "", one.constats()
            ligne.remarque, ligne.personne_id = False, one.personne_id
        elif ligne.choix == "rattacher" and one.personne_id:
            attached.append((ligne, one.personne_id))
        else:
            new.append(one)
    ids = _create(session, ctx, new)
    for one, id_ in zip(new, ids, strict=True):
        _done(chosen[one.numero], id_, created=True)
    for ligne, id_ in attached:
        _attach(session, ctx, ligne, id_)
    session.flush()
    return len(new) + len(attached)


def _done(ligne: LigneImport, personne_id: int, *, created: bool) -> None:
    ligne.etat, ligne.personne_id, ligne.creee, ligne.remarque = "faite", personne_id, created, False


def _attach(session: Session, ctx: Contexte, ligne: LigneImport, personne_id: int) -> None:
    person = session.get(Personne, personne_id)
    try:
        if person is not None:
            invites.rattacher(
                session, ctx.school, person, dernier_jour=ctx.item.dernier_jour, acteur=ctx.acteur,
                deployment=ctx.deployment,
            )  # fmt: skip
            _done(ligne, personne_id, created=False)
    except UserError as error:
        ligne.etat, ligne.choix, ligne.remarque = "erreur", "", False
        ligne.constats = [{"champ": "nom", "texte": error.message, "erreur": True, "suggestion": ""}]


def _create(session: Session, ctx: Contexte, lines: Sequence[Jugee]) -> list[int]:
    if not lines:
        return []
    values = [line.lecture.valeurs for line in lines]
    ids = list(allocate_ids(session, _table("personne"), len(lines)))
    given = logins.allocate(session, [(str(one["prenom"]), str(one["nom"])) for one in values])
    moment, day = now(), invites.today().isoformat()
    stamp, last = instant(session, moment), ctx.item.dernier_jour
    columns = (
        "id", *CHAMPS, "nom_recherche", "login", "source", "code_generation", "cree_le", "modifie_le",
        "version",
    )  # fmt: skip
    bulk_insert(
        session,
        _table("personne"),
        columns,
        [
            (id_, *[_plain(one.get(name)) for name in CHAMPS], line.cle, login, "manuel", 1, stamp, stamp, 1)
            for id_, one, line, login in zip(ids, values, lines, given, strict=True)
        ],
    )
    variants = [
        (id_, key)
        for id_, one in zip(ids, values, strict=True)
        for key in name_variants(str(one["nom"]), None, str(one["prenom"]))
    ]
    bulk_insert(session, _table("variante_nom"), ("personne_id", "cle"), variants)
    bulk_insert(
        session,
        _table("rattachement"),
        ("personne_id", "cle", "etablissement_id", "profil", "source", "debut", "dernier_jour"),
        [
            (id_, line.cle, ctx.school.id, "invite", "manuel", day, _plain(last))
            for id_, line in zip(ids, lines, strict=True)
        ],
    )
    _note(session, ctx, ids, values)
    _write_mails(session, ctx, ids, values, given, moment)
    return ids


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _note(session: Session, ctx: Contexte, ids: Sequence[int], values: Sequence[dict[str, Any]]) -> None:
    until = {"dernier_jour": ctx.item.dernier_jour} if ctx.item.dernier_jour else {}
    journal.write_many(
        session,
        acte="invite.creer",
        acteur=ctx.acteur.nom,
        compte_id=ctx.acteur.compte_id,
        objet_type="personne",
        lignes=[
            journal.Ligne(
                id_,
                f"{str(one['nom']).upper()} {one['prenom']}",
                ctx.school.id,
                apres={
                    **{name: one[name] for name in ("nom", "prenom", "date_naissance", "email")},
                    **until, "import": ctx.item.id,
                },
            )
            for id_, one in zip(ids, values, strict=True)
        ],
    )  # fmt: skip


def _write_mails(
    session: Session,
    ctx: Contexte,
    ids: Sequence[int],
    values: Sequence[dict[str, Any]],
    given: Sequence[str],
    moment: datetime,
) -> None:
    """Write each guest's link, sealed in the mail that carries it; addresses were read strictly before."""
    model = _model(ctx.deployment)
    stamp, until = instant(session, moment), instant(session, moment + invites.LIEN_VALABLE)
    tokens = [secrets.token_urlsafe(32) for _id in ids]
    links = list(allocate_ids(session, _table("lien_mot_de_passe"), len(ids)))
    bulk_insert(
        session,
        _table("lien_mot_de_passe"),
        ("id", "empreinte", "usage", "personne_id", "cree_le", "expire_le"),
        [
            (link, digest(token), liens.ENT, id_, stamp, until)
            for link, token, id_ in zip(links, tokens, ids, strict=True)
        ],
    )
    mails = []
    for link, token, one, login in zip(links, tokens, values, given, strict=True):
        who, address = f"{one['prenom']} {one['nom']}", f"{ctx.deployment.adresse}/connexion/lien/{token}"
        mails.append(
            (
                ctx.school.id, one["email"], model.objet,
                model.texte.replace(WHO, who).replace(LOGIN, login),
                model.html.replace(WHO, str(escape(who))).replace(LOGIN, login),
                coffre.seal(ctx.deployment.cle, USE, address), f"lien:{link}", "attente", 0, stamp, stamp,
            )
        )  # fmt: skip
    bulk_insert(
        session,
        _table("courriel"),
        (
            "etablissement_id", "destinataire", "objet", "texte", "html", "secret", "cle", "etat", "essais",
            "cree_le", "prochain_le",
        ),
        mails,
    )  # fmt: skip


@lru_cache(maxsize=4)
def _model(deployment: Deployment) -> Message:
    """Draw once the mail of who has just been created, with marks where each person differs."""
    return render(
        "courriels/lien_mot_de_passe.html",
        deployment,
        qui=WHO,
        login=LOGIN,
        lien=SECRET,
        delai="sept\u00a0jours",
        demande="administrateur",
        activation=True,
    )


def defaire_lot(session: Session, ctx: Contexte, lignes: Sequence[LigneImport]) -> int:
    """Take the guests of these lines out; those created are removed, unless they activated meanwhile."""
    people = [ligne.personne_id for ligne in lignes if ligne.personne_id is not None]
    active = {row[0] for row in rows_of(session, _ACTIVE, ids=people)}
    created = [ligne.personne_id for ligne in lignes if ligne.creee and ligne.personne_id]
    gone = [id_ for id_ in created if id_ not in active]
    attached = [ligne.personne_id for ligne in lignes if not ligne.creee and ligne.personne_id]
    named = select(Personne.id, Personne.nom, Personne.prenom).where(Personne.id.in_(gone))
    names = {row.id: f"{row.nom.upper()} {row.prenom}" for row in session.execute(named)}
    _withdraw_mails(session, gone)
    # who is held elsewhere by now stays, out of this school only
    rows_of(
        session,
        "DELETE FROM rattachement WHERE profil = 'invite' AND etablissement_id = :school"
        " AND personne_id IN :ids",
        school=ctx.school.id,
        ids=gone,
    )
    rows_of(
        session,
        "DELETE FROM personne WHERE id IN :ids AND NOT EXISTS"
        " (SELECT 1 FROM rattachement r WHERE r.personne_id = personne.id)",
        ids=gone,
    )
    journal.write_many(
        session,
        acte="invite.annuler",
        acteur=ctx.acteur.nom,
        compte_id=ctx.acteur.compte_id,
        objet_type="personne",
        lignes=[
            journal.Ligne(id_, names.get(id_, ""), ctx.school.id, avant={"import": ctx.item.id})
            for id_ in gone
        ],
    )
    for id_ in attached:
        place = place_of(session, id_, ctx.school.id)
        if place is not None:
            invites.detacher(session, place, acteur=ctx.acteur)
    bulk_update(
        session, _table("ligne_import"), "id", ("etat",),
        [("defaite", ligne.id) for ligne in lignes if ligne.personne_id not in active],
    )  # fmt: skip
    session.expire_all()
    return len(gone) + len(attached)


_ACTIVE = "SELECT personne_id FROM ab_user WHERE personne_id IN :ids"


def _withdraw_mails(session: Session, ids: Iterable[int]) -> None:
    """Cancel the links of these people, and the mails that have not left with them."""
    links = rows_of(session, "SELECT id FROM lien_mot_de_passe WHERE personne_id IN :ids", ids=list(ids))
    rows_of(
        session,
        "UPDATE courriel SET etat = 'annule', secret = NULL"
        " WHERE cle IN :cles AND etat IN ('attente', 'echec')",
        cles=[f"lien:{row[0]}" for row in links],
    )
