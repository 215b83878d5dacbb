"""Acts on many accounts: chosen in a list, confirmed on their page, followed, reported, undone (U7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import Select

from app.errors import UserError
from app.extensions import db
from app.models import ActeEnNombre, Etablissement, Personne
from app.operations import actes_en_nombre as acts
from app.operations import taches
from app.queries import actes_en_nombre as reads
from app.queries import gens
from app.queries.gens import Criteres
from app.queries.recherche import matching
from app.security.delegation import current_pouvoirs
from app.security.manager import current_perimetre
from app.security.permissions import Resource
from app.views.actors import actor, deployment, may_steer
from app.views.acts import run_act
from app.views.arguments import checked_pk, id_arg, ids_arg
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import current_school
from app.views.fiche_page import chosen_list
from app.views.listes_gens import criteres_of, criteres_perimetre, list_args
from app.views.rendering import instant, number, plural
from app.views.streams import csv_response

EXPORT = "export"
NOMS = {
    "suspendre": "Suspension de comptes",
    "reactiver": "Réactivation de comptes",
    "mot_de_passe": "Nouveaux mots de passe ENT",
}
VERBES = {
    "suspendre": "Suspendre",
    "reactiver": "Réactiver",
    "mot_de_passe": "Envoyer un lien à",
}
FAITS = {
    "suspendre": ("compte suspendu", "comptes suspendus"),
    "reactiver": ("compte réactivé", "comptes réactivés"),
    "mot_de_passe": ("lien envoyé", "liens envoyés"),
}
ETATS = {"attente": "À faire", "fait": "Fait", "refus": "Refusé"}
PAGE = 50
WORDS = {"noms": NOMS, "verbes": VERBES, "mots_faits": FAITS, "etats": ETATS}


class ActesDeListe(PreauBaseView):
    """What is done to the lines ticked in a list of a school, or to the whole of it."""

    resource = Resource.PERSONNE
    route_base = "/etablissements"
    default_view = "preparer"

    @expose("/<uai>/utilisateurs/<liste>/actes", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def preparer(self, uai: str, liste: str) -> Any:
        """Freeze who was chosen, and go and ask; an export is but the file of the lines."""
        chosen, school = chosen_list(liste), current_school(uai)
        if chosen.departs:
            abort(404)
        criteres = criteres_of(chosen, school.id)
        back = url_for("Utilisateurs.liste", uai=school.uai, liste=chosen.key, **list_args())
        if request.form.get("acte") == EXPORT:
            return redirect(_file("Utilisateurs.export", uai=school.uai, liste=chosen.key, **list_args()))
        everything = Criteres(school.id, chosen.profil)
        statement = gens.school_list(criteres if _all_of_it() else everything)
        said = f"{chosen.title}, {school.nom}" + (
            " (liste filtrée)" if _all_of_it() and criteres.filtered else ""
        )
        return _prepared(statement, said, school, back)


class ActesEnNombre(PreauBaseView):
    """Acts on many accounts: what is asked before, how far it is, what it did, the way back."""

    resource = Resource.PERSONNE
    route_base = "/personnes/actes"
    default_view = "liste"

    @expose("/", methods=["GET"])
    @has_access
    @permission_name("lire")
    def liste(self) -> str:
        """Show the acts of the perimeter, newest first."""
        found = reads.acts(db.session(), before=id_arg("apres"), limit=PAGE + 1)
        return self.render_template(
            "actes/liste.html",
            title="Actes en nombre",
            actes=found[:PAGE],
            suite=found[PAGE - 1].id if len(found) > PAGE else None,
            **WORDS,
        )

    @expose("/", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def preparer(self) -> Any:
        """Freeze who was chosen over the whole perimeter, and go and ask."""
        args = {**list_args(), "etablissement": id_arg("etablissement")}
        if request.form.get("acte") == EXPORT:
            return redirect(_file("Personnes.export", **args))
        schools = current_perimetre().named_schools
        criteres = criteres_perimetre(schools)
        if _all_of_it():
            match = matching(db.session(), criteres.q) if criteres.q else None
            statement, said = gens.perimeter_list(criteres, match), "Personnes de plusieurs établissements"
        else:
            statement = gens.perimeter_list(Criteres(ecoles=schools))
            said = "Personnes choisies dans plusieurs établissements"
        return _prepared(statement, said, None, url_for("Personnes.liste", **args))

    @expose("/<int:pk>")
    @has_access
    @permission_name("lire")
    def fiche(self, pk: int) -> str:
        """Show what an act will do, is doing, or did."""
        return self._page(_act(pk))

    @expose("/<int:pk>/confirmer", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def confirmer(self, pk: int) -> Any:
        """Do a short act at once, start a long one."""
        acte = _own(pk)

        def start() -> None:
            acts.confirmer(db.session(), acte, request.form.get("motif", "")[:300], acteur=actor())
            if acte.tache_id is None:
                held = current_pouvoirs()
                while acts.lot(db.session(), acte, detenus=held, deployment=deployment(), acteur=actor()):
                    pass

        _done, refusal = run_act(start)
        acte = _own(pk)
        if refusal is not None and acte.confirme_le is None:
            return self._page(acte, refusal)
        if refusal is not None:
            flash(refusal.message, "danger")
        return redirect(url_for(".fiche", pk=pk))

    @expose("/<int:pk>/abandonner", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def abandonner(self, pk: int) -> Any:
        """Forget an act that was not confirmed."""
        acte = _own(pk)
        back = _list_of(acte)
        done = commit_act(lambda: acts.abandonner(db.session(), acte), message="Rien n’a été fait.")
        return redirect(back if done else url_for(".fiche", pk=pk))

    @expose("/<int:pk>/arreter", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def arreter(self, pk: int) -> Any:
        """Stop an act after the slice in hand; what is done stays done."""
        return self._steer(pk, taches.cancel, "L’acte s’arrête : ce qui est fait est gardé.")

    @expose("/<int:pk>/reprendre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def reprendre(self, pk: int) -> Any:
        """Go on with an act that was stopped, from its first row that waits."""
        return self._steer(pk, taches.relaunch, "L’acte reprend où il s’était arrêté.")

    @expose("/<int:pk>/defaire", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def defaire(self, pk: int) -> Any:
        """Prepare the act that puts back what this one changed; it asks before doing."""
        acte = _act(pk)
        made, refusal = run_act(lambda: acts.defaire(db.session(), acte, acteur=actor()))
        if refusal is not None:
            flash(refusal.message, "danger")
            return redirect(url_for(".fiche", pk=pk))
        return redirect(url_for(".fiche", pk=made.id))

    @expose("/<int:pk>/compte-rendu.csv")
    @has_access
    @permission_name("lire")
    def compte_rendu(self, pk: int) -> Response:
        """Send the report, row by row."""
        number_ = _act(pk).id

        def rows() -> Iterator[Sequence[Any]]:
            yield ["Nom", "Prénom", "Identifiant", "Établissement", "Résultat", "Raison", "Le"]
            for row in reads.report(db.session(), number_):
                name, when = row.nom_usage or row.nom, instant(row.le) if row.le else ""
                yield [name, row.prenom, row.login, row.etablissement, ETATS[row.etat], row.raison, when]

        return csv_response(f"acte-{number_}.csv", rows())

    def _steer(self, pk: int, act: Any, message: str) -> Any:
        acte = _own(pk)
        task = acte.tache
        if task is None or not may_steer(task):
            abort(404)
        commit_act(lambda: act(db.session(), task, acteur=actor()), message=message)
        return redirect(url_for(".fiche", pk=pk))

    def _page(self, acte: ActeEnNombre, refusal: UserError | None = None) -> str:
        session = db.session()
        if acte.etablissement is not None:
            current_school(acte.etablissement.uai)  # its tree and its breadcrumb stay around the act
        counts = acts.comptes(session, acte.id)
        draft = acte.confirme_le is None
        fragment = request.headers.get("HX-Request") == "true"
        return self.render_template(
            "actes/_suivi.html" if fragment else "actes/fiche.html",
            title=NOMS[acte.acte],
            acte=acte,
            comptes=counts,
            sans_effet=reads.without_effect(session, acte) if draft else 0,
            premiers=reads.first_people(session, acte.id) if draft else (),
            refus=reads.refusals(session, acte.id) if counts["refus"] else (),
            defait=reads.undone_by(session, acte.id),
            agit=can_act(self),
            pilote=acte.tache is not None and may_steer(acte.tache),
            refusal=refusal,
            motif=request.form.get("motif", "")[:255],
            retour=_list_of(acte),
            phrase=sentence(acte, counts),
            **WORDS,
        )


def can_act(view: PreauBaseView) -> bool:
    """Tell whether this person may act on people at all."""
    return bool(view.appbuilder.sm.has_access("can_ecrire", view.class_permission_name))


def sentence(acte: ActeEnNombre, counts: dict[str, int]) -> str:
    """Say how an act stands: «22 comptes suspendus, 2 refusés»."""
    done, refused, left = counts["fait"], counts["refus"], counts["attente"]
    said = [f"{number(done)} {plural(done, *FAITS[acte.acte])}"]
    if refused:
        said.append(f"{number(refused)} {plural(refused, 'refusé')}")
    if left and acte.confirme_le is not None:
        said.append(f"{number(left)} à faire")
    return ", ".join(said)


def _all_of_it() -> bool:
    return request.form.get("tout") == "1"


def _prepared(statement: Select[Any], said: str, school: Etablissement | None, back: str) -> Any:
    """Read who was chosen within what this person may write, and keep them as a draft."""
    asked = request.form.get("acte", "")
    if asked not in NOMS:
        abort(404)
    if not _all_of_it():
        statement = statement.where(Personne.id.in_(ids_arg("rowid", request.form, limit=1000)))
    wanted = statement.with_only_columns(Personne.id).order_by(None).limit(acts.AU_PLUS + 1)
    ids = list(db.session.scalars(wanted))
    school_id = school.id if school is not None else None
    made, refusal = run_act(
        lambda: acts.preparer(
            db.session(),
            asked,
            ids,
            selection=f"{NOMS[asked]} : {said}",
            etablissement_id=school_id,
            acteur=actor(),
        )
    )
    if refusal is not None:
        flash(refusal.message, "warning")
        return redirect(back)
    return redirect(url_for("ActesEnNombre.fiche", pk=made.id))


def _file(endpoint: str, **values: Any) -> str:
    """Return the file of the lines ticked, or of the whole list."""
    ticked = [] if _all_of_it() else ids_arg("rowid", request.form, limit=1000)
    return url_for(endpoint, **values, rowid=ticked)


def _act(pk: int) -> ActeEnNombre:
    acte = reads.act(db.session(), checked_pk(pk))
    if acte is None:
        abort(404)
    return acte


def _own(pk: int) -> ActeEnNombre:
    """Return an act to carry on with: one's own, for its rows are checked against its author's rights."""
    acte = _act(pk)
    if acte.compte_id != actor().compte_id:
        abort(404)
    return acte


def _list_of(acte: ActeEnNombre) -> str:
    if acte.etablissement is None:
        return url_for("Personnes.liste")
    return url_for("Utilisateurs.index", uai=acte.etablissement.uai)


def register(appbuilder: Any) -> None:
    """Add the acts; they start from lists."""
    appbuilder.add_view_no_menu(ActesDeListe)
    appbuilder.add_view(ActesEnNombre, "Actes en nombre", icon="list-check", category="Suivi")
