"""What the sheet of a person says, read within one school or over the whole perimeter (U3, U4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import Row

from app.extensions import db
from app.models import Compte, Journal, Personne
from app.queries import fiches, journal
from app.queries.fiches import Fait, Faits, as_instant
from app.queries.lieux import Lieu
from app.queries.personnes import IDENTIFIANT_LABELS, NIVEAU_LABELS, PARENTE_LABELS, PROFIL_LABELS
from app.security.manager import allowed, use_perimetre_for
from app.security.permissions import Resource, Verb
from app.views.ecole import allowed_here
from app.views.gens_cellules import full_name
from app.views.labels import CHAMPS, CIVILITES, SEXES, SOURCES
from app.views.listes_gens import LISTE_DU_PROFIL
from app.views.rendering import day, instant, telephone

LINES = 5


@dataclass(frozen=True)
class Champ:
    """One field the directory fills: greyed, with who filled it."""

    cle: str
    label: str
    valeur: str


@dataclass(frozen=True)
class Proche:
    """A guardian or a child, and where their sheet is."""

    nom: str
    url: str
    lien: str
    classe: str
    contact: str
    ici: bool


@dataclass(frozen=True)
class Enseignement:
    """What is taught to one class or group."""

    matiere: str
    a: str
    url: str


@dataclass(frozen=True)
class Histoire:
    """What the journal says last of the person, and where the rest is."""

    lines: Sequence[Journal]
    url: str


@dataclass(frozen=True)
class FichePersonne:
    """Everything the template of a sheet shows."""

    personne: Personne
    compte: Compte | None
    etat: str
    ici: Lieu | None
    faits: Faits
    responsables: Sequence[Proche]
    enfants: Sequence[Proche]
    uai: str
    journal: Histoire | None

    @property
    def source(self) -> str:
        """Return where the identity comes from, in words."""
        return SOURCES.get(self.personne.source, self.personne.source)

    @property
    def origine(self) -> str:
        """Return who fills the greyed fields and when they last spoke, for who points at one."""
        if self.personne.source == "manuel":
            return "Fiche saisie à la main"
        read_on = self.faits.read_on
        return f"Annuaire : {self.source}" + (f" du {instant(read_on)}" if read_on else "")

    @property
    def profils(self) -> list[str]:
        """Return what the person is, here or anywhere when outside a school."""
        rows = [self.ici] if self.ici else [row for row in self.faits.lieux if row.fin is None]
        return list(dict.fromkeys(PROFIL_LABELS[row.profil] for row in rows))

    @property
    def ailleurs(self) -> list[Lieu]:
        """Return the other places of the person in the perimeter."""
        return [row for row in self.faits.lieux if row is not self.ici]

    @property
    def identite(self) -> list[Champ]:
        """Return the fields of the directory."""
        p = self.personne
        fields = [
            Champ("nom", "Nom", p.nom),
            Champ("nom_usage", "Nom d’usage", p.nom_usage or ""),
            Champ("prenom", "Prénom", p.prenom),
            Champ("autres_prenoms", "Autres prénoms", p.autres_prenoms or ""),
            Champ("date_naissance", "Date de naissance", day(p.date_naissance) if p.date_naissance else ""),
            Champ("civilite", "Civilité", CIVILITES.get(p.civilite or "", p.civilite or "")),
            Champ("sexe", "Sexe", SEXES.get(p.sexe or "", "") if not p.civilite else ""),
        ]
        if self.ici is not None and self.ici.profil == "eleve":
            fields.append(Champ("classe", "Classe", self.ici.classe or ""))
            fields += [
                Champ("uid", "UID", fact.c) for fact in self.faits.identifiant if fact.a == "jointure"
            ][:1]
        if self.ici is not None and self.ici.profil in {"enseignant", "personnel"}:
            fields.append(Champ("etablissement", "Établissement de rattachement", self.ici.etablissement))
        always = {"nom", "prenom", "date_naissance", "classe"}
        return [field for field in fields if field.valeur or field.cle in always]

    @property
    def coordonnees(self) -> list[tuple[str, str]]:
        """Return the login and how to reach the person, what is empty said in one place."""
        p = self.personne
        return [
            ("Identifiant", p.login or "–"),
            ("E-mail", p.email or "Non renseigné"),
            ("Téléphone portable", telephone(p.telephone_portable)),
            ("Téléphone du domicile", telephone(p.telephone_domicile)),
            *([("Poste interne", p.poste_interne)] if p.poste_interne else []),
            *self.autres_coordonnees,
            *self.administration,
        ]

    @property
    def autres_coordonnees(self) -> list[tuple[str, str]]:
        """Return what the sheet never lets one type: the directory's address and telephone at work."""
        p = self.personne
        abroad = "" if (p.pays or "").upper() == "FRANCE" else p.pays
        address = ", ".join(
            text for text in (p.adresse, " ".join(filter(None, (p.code_postal, p.commune))), abroad) if text
        )
        return [
            *([("Téléphone professionnel", telephone(p.telephone_travail))] if p.telephone_travail else []),
            *([("Adresse", address)] if address else []),
        ]

    @property
    def administration(self) -> list[tuple[str, str]]:
        """Return who authorised a guest to administer the school, and when: read-only (U6)."""
        if self.ici is None or self.ici.profil != "invite":
            return []
        return [
            (
                "Administrateur local",
                f"Autorisé par {fact.a or 'le système'} le {instant(as_instant(fact.b))}",
            )
            for fact in self.faits.administrateur
        ]

    @property
    def identifiants(self) -> list[tuple[str, str, str]]:
        """Return the identifiers outside systems give the person: what, whose, value."""
        return [
            (IDENTIFIANT_LABELS.get(fact.a, fact.a), fact.b, fact.c)
            for fact in sorted(self.faits.identifiant, key=lambda fact: (fact.a, fact.b, fact.c))
        ]

    @property
    def verrous(self) -> str:
        """Return the fields kept because somebody typed them, in words."""
        names = [f"{CHAMPS.get(fact.a, fact.a).lower()} ({fact.b or '–'})" for fact in self.faits.verrou]
        return ", ".join(names)

    @property
    def fonctions(self) -> list[str]:
        """Return the functions held, with their discipline."""
        return list(dict.fromkeys(" – ".join(filter(None, (fact.a, fact.b))) for fact in self.faits.fonction))

    @property
    def enseignements(self) -> list[Enseignement]:
        """Return what the teacher teaches, class by class."""
        return [
            Enseignement(fact.a or "Matière non précisée", fact.b or fact.c, self._class_url(fact))
            for fact in self.faits.service
        ]

    @property
    def principal(self) -> list[tuple[str, str]]:
        """Return the classes the teacher is in charge of."""
        return [(fact.a, class_url(self.uai, fact.id)) for fact in self.faits.principal]

    @property
    def groupes(self) -> list[tuple[str, str, str]]:
        """Return the timetable groups and why the person is in them."""
        learnt = [(fact.a, "Élève du groupe", group_url(self.uai, fact.id)) for fact in self.faits.groupe]
        taught = [
            (lesson.a, f"Y enseigne : {lesson.matiere}", lesson.url)
            for lesson, fact in zip(self.enseignements, self.faits.service, strict=True)
            if fact.c
        ]
        return list(dict.fromkeys([*learnt, *taught]))

    def _class_url(self, fact: Fait) -> str:
        return class_url(self.uai, fact.id) if fact.b else group_url(self.uai, fact.id)


def class_url(uai: str, division_id: int) -> str:
    """Return the page of a class of the school, empty for who may not open it."""
    if not uai or not allowed_here(Resource.DIVISION):
        return ""
    return url_for("Classes.fiche", uai=uai, pk=division_id)


def group_url(uai: str, groupe_id: int) -> str:
    """Return the page of a timetable group of the school, empty for who may not open it."""
    if not uai or not allowed_here(Resource.DIVISION):
        return ""
    return url_for("Classes.groupe", uai=uai, pk=groupe_id)


def sheet_of(
    pk: int, etablissement_id: int | None, uai: str, known: tuple[Personne, Compte | None] | None = None
) -> FichePersonne | None:
    """Read the sheet of a person, None when they are not in the perimeter; ``known`` was read already."""
    session = db.session()
    found = known or fiches.person(session, pk)
    if found is None:
        return None
    personne, compte = found
    facts = fiches.facts(session, pk, etablissement_id)
    here = next((row for row in facts.lieux if row.etablissement_id == etablissement_id), None)
    relatives = fiches.relatives(session, pk, etablissement_id)
    state = "suspendu" if personne.suspendu_le else "jamais" if compte is None else "actif"
    return FichePersonne(
        personne,
        compte,
        state,
        here,
        facts,
        [_relative(row, uai, "responsable") for row in relatives if row.sens],
        [_relative(row, uai, "eleve") for row in relatives if not row.sens],
        uai,
        _history(personne, etablissement_id, uai),
    )


def _history(personne: Personne, etablissement_id: int | None, uai: str) -> Histoire | None:
    """Read the journal of the person as far as this reader may; None for who may not read one here."""
    session = db.session()
    if uai:
        if not allowed_here(Resource.JOURNAL):
            return None
        url = url_for("JournalEtablissement.liste", uai=uai, personne=personne.id)
        return Histoire(journal.last_about(session, personne.id, etablissement_id, limit=LINES), url)
    if not allowed(Verb.LIRE, Resource.JOURNAL):
        return None
    use_perimetre_for(Resource.JOURNAL)
    lines = journal.last_about(session, personne.id, None, limit=LINES)
    use_perimetre_for(Resource.PERSONNE)
    return Histoire(lines, url_for("JournalView.list", q=str(personne)))


def _relative(row: Row[Any], uai: str, profil: str) -> Proche:
    here = row.place is not None
    if here:
        url = url_for("Utilisateurs.fiche", uai=uai, liste=LISTE_DU_PROFIL[profil], pk=row.id)
    else:
        url = url_for("Personnes.fiche", pk=row.id) if allowed(Verb.LIRE, Resource.PERSONNE) else ""
    words = [PARENTE_LABELS.get(row.code_parente, "Autre lien"), NIVEAU_LABELS[row.niveau].lower()]
    words += ["à contacter en priorité"] if row.contact else []
    words += ["paie les frais"] if row.financier else []
    reach = ""
    if profil == "responsable":
        reach = telephone(row.telephone_portable) if row.telephone_portable else row.email or ""
    return Proche(full_name(row), url, ", ".join(words), row.classe or "", reach, here)
