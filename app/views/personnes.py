"""People: search, read-only sheet with the source of each field, attachments, «Suppressions» (U1, U4, U8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import selectinload

from app.extensions import db
from app.models import Personne, Rattachement
from app.queries import personnes as reads
from app.queries.recherche import matching
from app.security.permissions import Resource
from app.views.base import READ_ONLY, DomainInterface, PreauModelView
from app.views.labels import CIVILITES, MOTIFS_FIN, SEXES, SOURCES
from app.views.rendering import day, telephone

IDENTITE = ["nom", "nom_usage", "prenom", "autres_prenoms", "civilite", "sexe", "date_naissance"]
CONTACT = [
    "login",
    "email",
    "telephone_portable",
    "telephone_domicile",
    "telephone_travail",
    "adresse",
    "code_postal",
    "commune",
    "pays",
]
LABELS = {
    "personne": "Personne",
    "nom": "Nom",
    "nom_courant": "Nom",
    "nom_usage": "Nom d’usage",
    "prenom": "Prénom",
    "autres_prenoms": "Autres prénoms",
    "civilite": "Civilité",
    "sexe": "Sexe",
    "date_naissance": "Date de naissance",
    "login": "Identifiant",
    "email": "E-mail",
    "telephone_portable": "Téléphone portable",
    "telephone_domicile": "Téléphone du domicile",
    "telephone_travail": "Téléphone professionnel",
    "adresse": "Adresse",
    "code_postal": "Code postal",
    "commune": "Commune",
    "pays": "Pays",
    "source": "Source",
    "supprime_le": "Départ constaté",
    "rattachements": "Établissements",
}


def places(rows: Sequence[Rattachement]) -> str:
    """Return the schools a person is in, or was in when they are in none."""
    now_in = [row for row in rows if row.fin is None] or list(rows)
    said = [f"{reads.PROFIL_LABELS[row.profil]}, {row.etablissement.nom}" for row in now_in]
    return " ; ".join(dict.fromkeys(said)) or "–"


class RattachementView(PreauModelView):
    """Attachments of people to the schools of the perimeter."""

    resource = Resource.RATTACHEMENT
    route_base = "/referentiel/rattachements"
    datamodel = DomainInterface(Rattachement)
    include_route_methods = READ_ONLY
    list_title = "Rattachements"
    list_columns = ["personne", "profil", "etablissement", "division", "mef", "debut", "fin", "source"]
    order_columns = ["profil", "debut", "fin"]
    search_columns = ["profil", "etablissement", "source", "fin"]
    search_hint = "Premières lettres du nom"
    base_order = ("id", "desc")
    choices_columns = {"profil": reads.PROFIL_LABELS, "source": SOURCES, "motif_fin": MOTIFS_FIN}
    label_columns = {
        "personne": "Personne",
        "profil": "Profil",
        "etablissement": "Établissement",
        "division": "Classe",
        "mef": "MEF",
        "regime": "Régime",
        "debut": "Début",
        "fin": "Fin",
        "motif_fin": "Motif de fin",
        "source": "Source",
    }
    show_columns = [
        "personne",
        "profil",
        "etablissement",
        "division",
        "mef",
        "regime",
        "debut",
        "fin",
        "motif_fin",
        "source",
    ]
    empty_title = "Aucun rattachement"
    empty_text = "Un rattachement lie une personne à un établissement sous un profil."

    def search_condition(self, typed: str) -> ColumnElement[bool]:
        return Rattachement.personne.has(matching(db.session(), typed))

    def item_title(self, item: Any) -> str:
        return f"{item.personne}, {reads.PROFIL_LABELS[item.profil].lower()}"


class Known(DomainInterface):
    """People, those whose fields were emptied left out."""

    def narrow(self, statement: Any, filters: Any) -> Any:
        return super().narrow(statement, filters).where(Personne.anonymise_le.is_(None))


class PersonneView(PreauModelView):
    """People of the perimeter; what the directory says is read-only (U4)."""

    resource = Resource.PERSONNE
    route_base = "/referentiel/personnes"
    datamodel = Known(Personne)
    include_route_methods = READ_ONLY
    show_template = "personnes/fiche.html"
    list_title = "Personnes"
    list_columns = ["nom_courant", "prenom", "date_naissance", "rattachements", "login", "source"]
    order_columns = ["nom_courant", "date_naissance"]
    search_columns = ["source"]
    search_hint = "Premières lettres du nom, INE, identifiant ou e-mail"
    base_order = ("nom_courant", "asc")
    choices_columns = {"source": SOURCES, "civilite": CIVILITES, "sexe": SEXES}
    formatters_columns = {
        "rattachements": places,
        "telephone_portable": telephone,
        "telephone_domicile": telephone,
        "telephone_travail": telephone,
    }
    label_columns = LABELS
    show_columns = [*IDENTITE, *CONTACT]
    show_fieldsets = [("Identité", {"fields": IDENTITE}), ("Compte et coordonnées", {"fields": CONTACT})]
    empty_title = "Aucune personne"
    empty_text = "Les personnes arrivent avec les alimentations de l’AAF, de SIECLE ou de STS."

    def search_condition(self, typed: str) -> ColumnElement[bool]:
        return matching(db.session(), typed)

    def loads(self) -> Sequence[Any]:
        return [selectinload(Personne.rattachements).joinedload(Rattachement.etablissement)]

    def item_title(self, item: Any) -> str:
        born = f" – {day(item.date_naissance)}" if item.date_naissance else ""
        return f"{item}{born}"

    def sheet(self, item: Personne) -> dict[str, Any]:
        """Return what the sheet shows beyond its columns."""
        session = db.session()
        attachments = reads.attachments(session, item.id)
        profils = {row.profil for row in attachments}
        staff = bool(profils & {"enseignant", "personnel"})
        return {
            "attachments": attachments,
            "functions": reads.functions(session, [row.id for row in attachments]) if staff else [],
            "services": reads.services(session, item.id) if staff else [],
            "main_of": reads.main_teacher_of(session, item.id) if staff else [],
            "guardians": reads.guardians(session, item.id) if "eleve" in profils else [],
            "children": reads.children(session, item.id) if "responsable" in profils else [],
            "identifiants": sorted(item.identifiants, key=lambda row: (row.type, row.portee, row.valeur)),
            "locks": reads.locked_fields(session, item.id),
            "account": reads.account_of(session, item.id),
            "feed": reads.last_feed(session, item.id),
            "words": reads,
            "sources": SOURCES,
            "motifs": MOTIFS_FIN,
            "labels": LABELS,
        }


class Departed(Known):
    """People the feeds stopped naming."""

    def narrow(self, statement: Any, filters: Any) -> Any:
        return super().narrow(statement, filters).where(Personne.supprime_le.is_not(None))


class SuppressionView(PersonneView):
    """«Suppressions»: who left; never deleted here, comes back as the same account (U8, I4)."""

    route_base = "/referentiel/suppressions"
    datamodel = Departed(Personne)
    list_title = "Suppressions"
    list_columns = ["nom_courant", "prenom", "date_naissance", "rattachements", "supprime_le"]
    order_columns = ["nom_courant", "date_naissance", "supprime_le"]
    search_columns = ["supprime_le", "source"]
    base_order = ("supprime_le", "desc")
    empty_title = "Aucune suppression"
    empty_text = (
        "Les personnes que les alimentations ne nomment plus sont gardées ici, avec leur compte,"
        " et le retrouvent si elles reviennent."
    )
