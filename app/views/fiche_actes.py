"""Acts from the sheet of a person: save it, suspend, reactivate, give a field back to feeds (U5, U7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.errors import UserError
from app.extensions import db
from app.models import Etablissement, Personne
from app.operations import liens, personnes, pouvoirs, suspensions
from app.queries.lieux import Lieu
from app.security.delegation import current_pouvoirs
from app.security.permissions import Resource
from app.views import fiche_saisie as forms
from app.views.actors import actor, deployment
from app.views.acts import run_act
from app.views.arguments import checked_pk
from app.views.base import PreauBaseView, commit_act
from app.views.ecole import current_school
from app.views.fiche_page import chosen_list, sheet_in, sheet_page
from app.views.fiche_personne import FichePersonne
from app.views.listes_gens import PeopleList, list_args
from app.views.rendering import number, plural

LONGEST_REASON = 300


class ActesFiche(PreauBaseView):
    """Acts on one person of a school; whoever may write people there does them."""

    resource = Resource.PERSONNE
    route_base = "/etablissements"
    default_view = "suspendre"

    @expose("/<uai>/utilisateurs/<liste>/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def enregistrer(self, uai: str, liste: str, pk: int) -> Any:
        """Write what was typed; what is refused is kept, what somebody changed meanwhile is asked for."""
        chosen, school, sheet, here = self._present(uai, liste, pk, locked=True)
        person, profil = sheet.personne, here.profil
        names = forms.editable(person, profil)
        if not names:
            abort(404)
        held = forms.stored(person, sheet.faits, names)
        typed = forms.typed_in(request.form, held)
        stale = forms.conflict(person, profil, typed, held)
        if stale is not None:
            return sheet_page(self, chosen, school, pk, stale), 409
        soi = request.form.get("soi") == "1"
        done, refusal = run_act(lambda: forms.write(person, school, profil, typed, held, soi=soi))
        if refusal is not None:
            school = current_school(uai)
            sheet, _row = sheet_in(chosen, school, pk)
            saisie = forms.form_of(sheet.personne, sheet.faits, profil, typed, refusal)
            return sheet_page(self, chosen, school, pk, saisie)
        said = f"{number(done)} {plural(done, 'modification enregistrée', 'modifications enregistrées')}."
        flash(said if done else "Rien n’a changé.", "success" if done else "info")
        return redirect(_back(uai, liste, pk))

    @expose("/<uai>/utilisateurs/<liste>/<int:pk>/champs/<champ>/rendre", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def rendre(self, uai: str, liste: str, pk: int, champ: str) -> Response:
        """Let the feeds fill a field again."""
        _chosen, school, sheet, here = self._present(uai, liste, pk)
        if champ not in personnes.CHAMPS[here.profil]:
            abort(404)
        school_id = school.id
        commit_act(
            lambda: personnes.rendre(
                db.session(), sheet.personne, champ, etablissement_id=school_id, acteur=actor()
            ),
            message=f"« {forms.LABELS[champ]} » suivra la prochaine alimentation.",
        )
        return redirect(_back(uai, liste, pk))

    @expose("/<uai>/utilisateurs/<liste>/<int:pk>/suspendre", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def suspendre(self, uai: str, liste: str, pk: int) -> Any:
        """Say what suspending does and ask why; only a post does it."""
        motif = request.form.get("motif", "")[:LONGEST_REASON]

        def act(person: Personne, school_id: int) -> None:
            suspensions.suspendre(
                db.session(),
                person,
                motif,
                etablissement_id=school_id,
                detenus=current_pouvoirs(),
                acteur=actor(),
            )

        return self._confirmed(uai, liste, pk, act, "suspendre", "Le compte de {} est suspendu.", motif)

    @expose("/<uai>/utilisateurs/<liste>/<int:pk>/reactiver", methods=["GET", "POST"])
    @has_access
    @permission_name("ecrire")
    def reactiver(self, uai: str, liste: str, pk: int) -> Any:
        """Say what «Réactivation du compte» does; only a post does it."""

        def act(person: Personne, school_id: int) -> None:
            suspensions.reactiver(
                db.session(), person, etablissement_id=school_id, detenus=current_pouvoirs(), acteur=actor()
            )

        return self._confirmed(uai, liste, pk, act, "reactiver", "Le compte de {} est rendu tel qu’il était.")

    @expose("/<uai>/utilisateurs/<liste>/<int:pk>/mot-de-passe/<usage>", methods=["POST"])
    @has_access
    @permission_name("ecrire")
    def mot_de_passe(self, uai: str, liste: str, pk: int, usage: str) -> Response:
        """Send the person a link to choose a new password; nobody here ever sees one (U10)."""
        _chosen, school, sheet, _here = self._present(uai, liste, pk)
        if usage not in liens.USAGES:
            abort(404)
        person, school_id = sheet.personne, school.id
        who = f"{person.prenom} {person.nom_courant}"

        def act() -> None:
            pouvoirs.verifier(db.session(), person.id, current_pouvoirs())
            liens.USAGES[usage](
                db.session(), person, actor(), deployment=deployment(), etablissement_id=school_id
            )

        sent = commit_act(act, message=f"Un lien est parti vers l’adresse de {who}, valable une seule fois.")
        # A refusal stands at the top of the page: the anchor would scroll past it, and the button look dead.
        return redirect(f"{_back(uai, liste, pk)}{'#mots-de-passe' if sent else ''}")

    def _confirmed(
        self,
        uai: str,
        liste: str,
        pk: int,
        act: Callable[[Personne, int], None],
        name: str,
        done: str,
        motif: str = "",
    ) -> Any:
        """Ask before an act, do it when the answer comes; the dialog holds the question, or its page."""
        _chosen, school, sheet, _here = self._present(uai, liste, pk)
        person, school_id = sheet.personne, school.id
        who = f"{person.prenom} {person.nom_courant}"
        refusal: UserError | None = None
        if request.method == "POST":
            _nothing, refusal = run_act(lambda: act(person, school_id))
            if refusal is None:
                flash(done.format(who), "success")
                return redirect(_back(uai, liste, pk))
            school = current_school(uai)
        fragment = request.headers.get("HX-Request") == "true"
        return self.render_template(
            "utilisateurs/_question.html" if fragment else "utilisateurs/question.html",
            title={"suspendre": "Suspendre le compte", "reactiver": "Réactivation du compte"}[name],
            acte=name,
            qui=who,
            ecole=school,
            motif=motif,
            refus=refusal,
            action=url_for(f".{name}", uai=uai, liste=liste, pk=pk, **list_args()),
            retour=_back(uai, liste, pk),
        )

    def _present(
        self, uai: str, liste: str, pk: int, *, locked: bool = False
    ) -> tuple[PeopleList, Etablissement, FichePersonne, Lieu]:
        """Return a person present in the school, as its list shows them; 404 for whoever is not there."""
        chosen, school, number_ = chosen_list(liste), current_school(uai), checked_pk(pk)
        if locked:  # nobody writes this person until the act is over
            statement = select(Personne).where(Personne.id == number_).with_for_update()
            db.session.scalars(statement.execution_options(populate_existing=True)).first()
        sheet, _row = sheet_in(chosen, school, number_)
        if sheet.ici is None or sheet.ici.fin is not None:
            abort(404)
        return chosen, school, sheet, sheet.ici


def _back(uai: str, liste: str, pk: int) -> str:
    return url_for("Utilisateurs.fiche", uai=uai.upper(), liste=liste, pk=pk, **list_args())


def register(appbuilder: Any) -> None:
    """Add the acts; they are reached from the sheet."""
    appbuilder.add_view_no_menu(ActesFiche)
