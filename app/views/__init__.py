"""The menu, in display order; the only place that registers views."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, current_app
from flask_appbuilder.menu import Menu

from app import api
from app.extensions import db
from app.security.manager import PreauAppBuilder, PreauSecurityManager
from app.views import (
    abonnements,
    academie,
    actes_en_nombre,
    administrateurs,
    administrateurs_module,
    administrateurs_nommer,
    administrateurs_roles,
    adresses,
    alimentation,
    alimentation_ecole,
    catalogue,
    choix,
    classes,
    cles_api,
    comptes,
    connexion,
    console,
    donnees_personnelles,
    doublons,
    droits_effectifs,
    ecole,
    erreurs,
    fiche_actes,
    frame,
    identifiants,
    imports_invites,
    invites,
    journal,
    medias,
    modeles,
    modeles_applications,
    modeles_comparaison,
    mon_espace,
    page_publique,
    pages_breves,
    pages_ecole,
    pages_publiques,
    pages_reglages,
    palette,
    personnes_perimetre,
    preferences,
    premiere,
    qui_peut_quoi,
    redaction,
    referentiel,
    registre,
    reglages,
    rendering,
    reservation,
    reservation_gestion,
    reservation_personnelle,
    reservation_suivi,
    sante,
    second_facteur,
    services,
    services_actes,
    suivi,
    suppressions,
    utilisateurs,
    vie_scolaire,
    volets,
    vues,
)
from app.views.accueil import AccueilView

SECTIONS = (
    connexion,
    premiere,
    second_facteur,
    adresses,
    pages_publiques,
    medias,
    page_publique,
    pages_ecole,
    pages_breves,
    pages_reglages,
    redaction,
    preferences,
    choix,
    console,
    administrateurs,
    journal,
    academie,
    modeles,
    modeles_comparaison,
    modeles_applications,
    utilisateurs,
    invites,
    imports_invites,
    identifiants,
    fiche_actes,
    personnes_perimetre,
    actes_en_nombre,
    suppressions,
    doublons,
    donnees_personnelles,
    classes,
    services,
    services_actes,
    droits_effectifs,
    reglages,
    vues,
    palette,
    alimentation_ecole,
    alimentation,
    suivi,
    comptes,
    cles_api,
    administrateurs_module,
    administrateurs_nommer,
    administrateurs_roles,
    qui_peut_quoi,
    registre,
    referentiel,
    catalogue,
    abonnements,
    mon_espace,
    reservation,
    reservation_gestion,
    reservation_suivi,
    reservation_personnelle,
    vie_scolaire,
)
"""Modules with a ``register(appbuilder)``, in the order of the menu."""


class ConsoleBuilder(PreauAppBuilder):
    """Flask-AppBuilder without its pages, its templates and its static files: ours replace them all."""

    def _add_global_static(self) -> None:
        current_app.register_blueprint(Blueprint("appbuilder", __name__))

    def _check_and_init(self, baseview: Any) -> Any:
        view = super()._check_and_init(baseview)
        view.template_folder = None
        return view

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)


def register(app: Flask) -> None:
    """Build Flask-AppBuilder on the application and add every view."""
    rendering.init_app(app)
    erreurs.init_app(app)
    app.register_blueprint(sante.blueprint)
    app.jinja_env.globals.update(
        console_frame=frame.console_frame,
        frame_ecole=ecole.school_of_page,
        mes_etablissements=frame.my_schools,
        allowed_here=ecole.allowed_here,
        volets=volets.volets,
        journal_choices=journal.choices,
        journal_options=journal.options,
    )
    appbuilder = ConsoleBuilder(
        app,
        db.session,
        menu=Menu(reverse=False),
        indexview=AccueilView,
        base_template="layouts/console.html",
        security_manager_class=PreauSecurityManager,
        update_perms=False,
    )
    api.register(appbuilder)
    for section in SECTIONS:
        section.register(appbuilder)
