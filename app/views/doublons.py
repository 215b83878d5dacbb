"""«Doublons», of a school and of a perimeter: compare two people, make them one, undo, or tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from werkzeug.wrappers import Response

from app.errors import UserError
from app.extensions import db
from app.models import Doublon, Fusion, Personne
from app.operations import doublons as acts
from app.operations import fusion as merging
from app.operations import taches
from app.queries import doublons as reads
from app.queries.personnes import IDENTIFIANT_LABELS, PROFIL_LABELS
from app.security.manager import current_account
from app.security.permissions import Resource
from app.views.actors import actor
from app.views.acts import run_act
from app.views.arguments import as_id, checked_pk, choice_arg, id_arg
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import current_school, school_of_page
from app.views.labels import CHAMPS, CIVILITES, SEXES
from app.views.rendering import day, telephone

PAGE = 50
ONGLETS = {"": "À traiter", "distincts": "Dits distincts", "fusions": "Réunis"}
ADRESSE = ("adresse", "code_postal", "commune", "pays")


@dataclass(frozen=True)
class Champ:
    """One field of the comparison."""

    cle: str
    label: str
    valeurs: tuple[str, str]
    choix: bool
    garde: int
    """Whether there is something to choose, and the person whose value is proposed."""


class Doublons(PreauBaseView):
    """Pairs of people who may be one."""

    resource = Resource.DOUBLON
    route_base = ""
    default_view = "liste"

    @expose("/doublons/")
    @expose("/etablissements/<uai>/doublons/")
    @has_access
    @permission_name("lire")
    def liste(self, uai: str = "") -> str:
        """Show the pairs of a school, or of the perimeter."""
        school_id = school_here(uai)
        onglet, avant = choice_arg("etat", ONGLETS), id_arg("avant")
        session = db.session()
        statement: Any
        if onglet == "fusions":
            statement = reads.merges(school_id)
        else:
            statement = reads.pairs(school_id, ("distinct",) if onglet else reads.A_TRAITER)
        rows = reads.page(session, statement, avant, PAGE)
        people = [pk for row in rows[:PAGE] for pk in people_of(row)]
        return self.render_template(
            "doublons/liste.html",
            title="Doublons",
            onglets=[
                (label, address(".liste", uai, etat=key or None), key == onglet)
                for key, label in ONGLETS.items()
            ],
            onglet=onglet,
            lignes=rows[:PAGE],
            lieux=reads.where(session, people),
            nombre=reads.count(session, school_id, reads.A_TRAITER),
            suivante=address(".liste", uai, etat=onglet or None, avant=rows[PAGE - 1].id)
            if len(rows) > PAGE
            else "",
            debut=address(".liste", uai, etat=onglet or None) if avant else "",
            motifs=acts.MOTIFS,
            **frame_of(uai),
        )

    @expose("/doublons/<int:pk>")
    @expose("/etablissements/<uai>/doublons/<int:pk>")
    @has_access
    @permission_name("lire")
    def comparer(self, pk: int, uai: str = "") -> str:
        """Show two people side by side."""
        return self._compare(found_pair(pk, uai), uai)

    @expose("/doublons/<int:pk>/reunir", methods=["POST"])
    @expose("/etablissements/<uai>/doublons/<int:pk>/reunir", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def reunir(self, pk: int, uai: str = "") -> str | Response:
        """Make the two one, with the values chosen."""
        merged, refusal = run_act(lambda: self._merge(found_pair(pk, uai)))
        if refusal is None:
            flash(f"Les deux fiches de {merged} sont réunies. Cela s’annule depuis « Réunis ».", "success")
            return redirect(address(".liste", uai))
        pair = reads.pair(db.session(), pk, school_here(uai))
        if pair is None:
            flash(refusal.message, "danger")
            return redirect(address(".liste", uai))
        return self._compare(pair, uai, refusal)

    def _merge(self, pair: Doublon) -> str:
        why = cannot_merge(pair)
        if why:
            raise UserError(why)
        ids = (pair.personne_a_id, pair.personne_b_id)
        versions = {
            pk: as_id(request.form.get(f"version_{side}", "")) or 0
            for side, pk in zip("ab", ids, strict=True)
        }
        sides = dict(zip("ab", ids, strict=True))
        values = {
            name: sides[chosen]
            for name in merging.CHOIX
            if (chosen := request.form.get(f"c_{name}", "")) in sides
        }
        account = sides.get(request.form.get("compte", ""))
        acts.repondre(db.session(), pair)
        fusion = merging.fusionner(
            db.session(), *ids, merging.Decision(versions, values, account), acteur=actor()
        )
        person = db.session.get(Personne, fusion.personne_id)
        return f"{person.prenom} {person.nom_courant}" if person else fusion.libelle

    @expose("/doublons/<int:pk>/distinguer", methods=["POST"])
    @expose("/etablissements/<uai>/doublons/<int:pk>/distinguer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def distinguer(self, pk: int, uai: str = "") -> Response:
        """Say that the two are two."""
        commit_act(
            lambda: acts.distinguer(db.session(), found_pair(pk, uai), acteur=actor()),
            message="Ces deux personnes sont dites distinctes : elles ne seront plus proposées.",
        )
        return redirect(address(".liste", uai))

    @expose("/doublons/<int:pk>/demander", methods=["POST"])
    @expose("/etablissements/<uai>/doublons/<int:pk>/demander", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def demander(self, pk: int, uai: str = "") -> Response:
        """Ask whoever reaches both people whole to merge them."""
        done = commit_act(
            lambda: acts.demander(
                db.session(), found_pair(pk, uai), request.form.get("message", ""), acteur=actor()
            ),
            message="La demande est transmise aux services académiques. Vous recevrez la réponse par e-mail.",
        )
        return redirect(address(".liste", uai) if done else address(".comparer", uai, pk=pk))

    @expose("/doublons/chercher", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def chercher(self) -> Response:
        """Search the whole base now."""
        account = current_account()
        label = "Recherche des doublons"
        commit_act(
            lambda: taches.request(
                db.session(),
                acts.CHERCHER,
                libelle=label,
                parametres={},
                compte_id=account.id if account else None,
            ),
            message="La recherche est lancée. Les doublons trouvés s’ajoutent ici.",
        )
        back = request.form.get("uai", "")
        return redirect(address(".liste", back if back.isalnum() else ""))

    def _compare(self, pair: Doublon, uai: str, refusal: UserError | None = None) -> str:
        sides = reads.sides(db.session(), pair)
        accounts = [side for side in sides if side.compte is not None]
        return self.render_template(
            "doublons/comparer.html",
            title="Comparer deux fiches",
            pair=pair,
            sides=list(zip("ab", sides, strict=True)),
            champs=fields(pair, sides),
            empeche=cannot_merge(pair),
            deux_comptes=len(accounts) == 2,
            deux_ine=len({ine for side in sides if (ine := ines_of(side))}) == 2,
            compte_garde=accounts[0].personne.id if len(accounts) == 1 else None,
            refusal=refusal,
            motifs=acts.MOTIFS,
            profils=PROFIL_LABELS,
            identifiants=IDENTIFIANT_LABELS,
            address=address,
            **frame_of(uai),
        )


class Fusions(PreauBaseView):
    """Merges that may be undone."""

    resource = Resource.DOUBLON
    route_base = "/fusions"
    default_view = "annuler"

    @expose("/<int:pk>/annuler", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def annuler(self, pk: int) -> str | Response:
        """Say what undoing gives back; only a post does it."""
        fusion = reads.merge(db.session(), checked_pk(pk))
        if fusion is None:
            abort(404)
        back, name = url_for("Doublons.liste", etat="fusions"), fusion.libelle
        if request.method == "POST":
            commit_act(
                lambda: self._undo(fusion),
                message=f"Les deux fiches sont rendues telles qu’elles étaient, celle de {name} comprise.",
            )
            return redirect(back)
        return self.render_template(
            "doublons/annuler.html", title="Annuler une réunion", fusion=fusion, back=back
        )

    def _undo(self, fusion: Fusion) -> None:
        if not reads.within(db.session(), [fusion.personne_id]):
            raise UserError(OUTSIDE)
        merging.annuler(db.session(), fusion, acteur=actor())


OUTSIDE = (
    "L’une de ces personnes est aussi, ou a des droits, hors de votre périmètre. Demandez la réunion de ces"
    " fiches aux services académiques."
)
ONESELF = "L’une de ces fiches est la vôtre. Demandez à quelqu’un d’autre de les réunir."


def cannot_merge(pair: Doublon) -> str:
    """Return why this person may not merge the two, empty when they may."""
    ids, account = (pair.personne_a_id, pair.personne_b_id), current_account()
    if account is not None and account.personne_id in ids:
        return ONESELF
    return "" if reads.within(db.session(), ids) else OUTSIDE


def found_pair(pk: int, uai: str) -> Doublon:
    """Return the pair of the address, 404 out of the perimeter or of the school."""
    pair = reads.pair(db.session(), checked_pk(pk), school_here(uai))
    if pair is None:
        abort(404)
    return pair


def school_here(uai: str) -> int | None:
    """Return the school of the address, None for the whole perimeter."""
    return current_school(uai).id if uai else None


def address(endpoint: str, uai: str, **values: Any) -> str:
    """Return a page of the same frame: in the school, or over the perimeter."""
    if uai:
        values["uai"] = uai
    return url_for(f"Doublons{endpoint}", **values)


def frame_of(uai: str) -> dict[str, Any]:
    """Return what the templates need to stand in a school or not."""
    school = school_of_page()
    layout = "layouts/etablissement.html" if uai else "layouts/console.html"
    return {
        "cadre": layout,
        "uai": uai,
        "ecole_nom": school.nom if school else "",
        "liste_url": address(".liste", uai),
    }


def people_of(row: Doublon | Fusion) -> tuple[int, ...]:
    """Return the people a line is about."""
    if isinstance(row, Fusion):
        return (row.personne_id,)
    return row.personne_a_id, row.personne_b_id


def fields(pair: Doublon, sides: Sequence[reads.Cote]) -> list[Champ]:
    """Return the fields compared: those that differ to be chosen, the others for information."""
    found = []
    for name, columns in merging.CHOIX.items():
        raw = [tuple(getattr(side.personne, column) for column in columns) for side in sides]
        if not any(any(one) for one in raw):
            continue
        said = request.form.get(f"c_{name}", "")
        proposed = 0 if any(raw[0]) else 1
        texts = (shown(name, sides[0].personne), shown(name, sides[1].personne))
        found.append(
            Champ(name, CHAMPS.get(name, name), texts, raw[0] != raw[1], {"a": 0, "b": 1}.get(said, proposed))
        )
    return found


def ines_of(side: reads.Cote) -> frozenset[str]:
    """Return the national identifiers of one of the two."""
    return frozenset(key.valeur for key in side.identifiants if key.type == "ine")


def shown(name: str, person: Personne) -> str:
    """Return a field in words."""
    value: Any = getattr(person, name)
    match name:
        case "date_naissance":
            return day(value) if value else ""
        case "civilite":
            return CIVILITES.get(value or "", value or "")
        case "sexe":
            return SEXES.get(value or "", value or "")
        case "adresse":
            return ", ".join(text for column in ADRESSE if (text := getattr(person, column)))
        case _ if name.startswith("telephone"):
            return telephone(value) if value else ""
        case _:
            return str(value or "")


def register(appbuilder: Any) -> None:
    """Add the list of the perimeter to the menu; that of a school is in its tree."""
    appbuilder.add_view(Doublons, "Doublons", icon="copy", category="Établissements")
    appbuilder.add_view_no_menu(Fusions)
