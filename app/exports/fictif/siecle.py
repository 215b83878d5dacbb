"""One school as SIECLE exports it: pupils, guardians, structures and nomenclature, ISO-8859-15.

Files have several sections fed by the same pupil; each section is spooled and joined at the end,
so a school of any size costs the same memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from xml.sax.saxutils import escape

from app.exports.fictif.matieres import Matiere
from app.exports.fictif.personnes import Adresse, Eleve, Lien, Responsable, Scolarite
from app.exports.fictif.plan import Etablissement

ENCODAGE = "iso-8859-15"
MEMOIRE_SECTION = 256 * 1024


class Fichier:
    """A SIECLE file being written, section after section."""

    def __init__(
        self,
        racine: str,
        version: str,
        school: Etablissement,
        annee: int,
        jour: date,
        sections: Iterable[str],
    ) -> None:
        self._racine = racine
        self._opening = (
            f'<?xml version="1.0" encoding="ISO-8859-15"?>\n<{racine} VERSION="{version}">\n<PARAMETRES>\n'
            f"<UAJ>{school.uai}</UAJ>\n<ANNEE_SCOLAIRE>{annee}</ANNEE_SCOLAIRE>\n"
            f"<DATE_EXPORT>{jour:%d/%m/%Y}</DATE_EXPORT>\n"
            f"<HORODATAGE>{jour:%d/%m/%Y} 04:00:00</HORODATAGE>\n</PARAMETRES>\n<DONNEES>\n"
        )
        self._sections: dict[str, BinaryIO] = {
            name: cast(BinaryIO, SpooledTemporaryFile(MEMOIRE_SECTION))  # noqa: SIM115 (closed by save)
            for name in sections
        }

    def add(self, section: str, text: str) -> None:
        """Add objects to a section."""
        self._sections[section].write(text.encode(ENCODAGE))

    def save(self, path: Path) -> Path:
        """Join the sections into ``path``."""
        with path.open("wb") as target:
            target.write(self._opening.encode(ENCODAGE))
            for name, section in self._sections.items():
                target.write(f"<{name}>\n".encode())
                section.seek(0)
                shutil.copyfileobj(section, target)
                section.close()
                target.write(f"</{name}>\n".encode())
            target.write(f"</DONNEES>\n</{self._racine}>\n".encode())
        return path


def _tag(name: str, value: str | None) -> str:
    return "" if value is None else f"<{name}>{escape(value)}</{name}>\n"


class Ecole:
    """The files of one school."""

    def __init__(self, school: Etablissement, annee: int, jour: date) -> None:
        self.school = school
        self._annee, self._jour = annee, jour
        self._eleves = self._open(
            "BEE_ELEVES", "3.0", ("ELEVES", "OPTIONS", "STRUCTURES", "BOURSES", "ADRESSES")
        )
        self._responsables = self._open("BEE_RESPONSABLES", "2.1", ("PERSONNES", "RESPONSABLES", "ADRESSES"))
        self._adresses: set[int] = set()
        self._adresses_responsables: set[int] = set()
        self._personnes: set[int] = set()
        self.eleves = self.responsables = 0

    def _open(self, racine: str, version: str, sections: Iterable[str]) -> Fichier:
        return Fichier(racine, version, self.school, self._annee, self._jour, sections)

    def add(self, eleve: Eleve, place: Scolarite) -> None:
        """Write a pupil of the school, with the adults who answer for them."""
        self.eleves += 1
        self._eleves.add("ELEVES", _eleve(eleve, place))
        key = f'ELEVE_ID="{eleve.eleve_id}"'
        options = "".join(_option(rank, m) for rank, m in enumerate(place.options, 1))
        if options:
            self._eleves.add("OPTIONS", f"<OPTION {key}>\n{options}</OPTION>\n")
        structures = [(place.division.code, "D"), *((code, "G") for code in place.groupes)]
        inner = "".join(
            f"<STRUCTURE><CODE_STRUCTURE>{code}</CODE_STRUCTURE><TYPE_STRUCTURE>{kind}</TYPE_STRUCTURE>"
            "</STRUCTURE>\n"
            for code, kind in structures
        )
        self._eleves.add("STRUCTURES", f"<STRUCTURES_ELEVE {key}>\n{inner}</STRUCTURES_ELEVE>\n")
        self._address(self._eleves, self._adresses, eleve.adresse)
        for lien in eleve.liens:
            self._link(eleve, lien)

    def save(self, folder: Path) -> list[Path]:
        """Write the four files."""
        return [
            self._eleves.save(folder / "ElevesAvecAdresses.xml"),
            self._responsables.save(folder / "ResponsablesAvecAdresses.xml"),
            self._structures().save(folder / "Structures.xml"),
            self._nomenclature().save(folder / "Nomenclature.xml"),
        ]

    def _address(self, file: Fichier, known: set[int], adresse: Adresse) -> None:
        if adresse.cle not in known:
            known.add(adresse.cle)
            file.add("ADRESSES", _adresse(adresse))

    def _link(self, eleve: Eleve, lien: Lien) -> None:
        adult = lien.responsable
        if adult.personne_id not in self._personnes:
            self._personnes.add(adult.personne_id)
            self.responsables += 1
            self._responsables.add("PERSONNES", _personne(adult))
            self._address(self._responsables, self._adresses_responsables, adult.adresse)
        self._responsables.add(
            "RESPONSABLES",
            f"<RESPONSABLE_ELEVE>\n<ELEVE_ID>{eleve.eleve_id}</ELEVE_ID>\n"
            f"<PERSONNE_ID>{adult.personne_id}</PERSONNE_ID>\n"
            f"<NIVEAU_RESPONSABILITE>{lien.niveau}</NIVEAU_RESPONSABILITE>\n"
            f"<CODE_PARENTE>{lien.parente}</CODE_PARENTE>\n"
            f"<PAIE_FRAIS_SCOLAIRES>{'true' if lien.financier else 'false'}</PAIE_FRAIS_SCOLAIRES>\n"
            f"<PERCOIT_LES_AIDES>{'true' if lien.paiement else 'false'}</PERCOIT_LES_AIDES>\n"
            f"<HEBERGE_ELEVE>{'true' if adult.adresse is eleve.adresse else 'false'}</HEBERGE_ELEVE>\n"
            f"<A_CONTACTER_EN_PRIORITE>{'true' if lien.contact else 'false'}</A_CONTACTER_EN_PRIORITE>\n"
            "</RESPONSABLE_ELEVE>\n",
        )

    def _structures(self) -> Fichier:
        file = self._open("BEE_STRUCTURES", "2.0", ("DIVISIONS", "GROUPES"))
        for division in self.school.divisions:
            file.add(
                "DIVISIONS",
                f'<DIVISION CODE_STRUCTURE="{division.code}">'
                f"<LIBELLE_LONG>{escape(division.libelle)}</LIBELLE_LONG><MEFS_APPARTENANCE><MEF_APPARTENANCE>"
                f"<CODE_MEF>{division.niveau.mef}</CODE_MEF></MEF_APPARTENANCE></MEFS_APPARTENANCE>"
                "</DIVISION>\n",
            )
        for groupe in self.school.groupes:
            members = "".join(
                f"<DIVISION_APPARTENANCE><CODE_STRUCTURE>{d.code}</CODE_STRUCTURE></DIVISION_APPARTENANCE>"
                for d in groupe.divisions
            )
            file.add(
                "GROUPES",
                f'<GROUPE CODE_STRUCTURE="{groupe.code}">'
                f"<LIBELLE_LONG>{escape(groupe.libelle)}</LIBELLE_LONG>"
                f"<DIVISIONS_APPARTENANCE>{members}</DIVISIONS_APPARTENANCE></GROUPE>\n",
            )
        return file

    def _nomenclature(self) -> Fichier:
        file = self._open("BEE_NOMENCLATURES", "3.1", ("MEFS", "MATIERES"))
        for niveau in self.school.type.niveaux:
            file.add(
                "MEFS",
                f'<MEF CODE_MEF="{niveau.mef}">\n<FORMATION>{escape(niveau.formation)}</FORMATION>\n'
                f"<LIBELLE_LONG>{escape(niveau.libelle)}</LIBELLE_LONG>\n"
                f"<LIBELLE_EDITION>{escape(niveau.libelle)}</LIBELLE_EDITION>\n"
                f"<MEF_RATTACHEMENT>{niveau.mef}</MEF_RATTACHEMENT>\n</MEF>\n",
            )
        for matiere in subjects_of(self.school):
            file.add("MATIERES", _matiere(matiere))
        return file


def subjects_of(school: Etablissement) -> list[Matiere]:
    """Return the subjects taught in a school, each once."""
    found: dict[Matiere, None] = {}
    for niveau in school.type.niveaux:
        found |= dict.fromkeys(niveau.matieres)
        found |= {matiere: None for langues in niveau.langues for matiere in langues}
        found |= {matiere: None for matiere, _share in niveau.options}
    return list(found)


def _matiere(matiere: Matiere) -> str:
    return (
        f'<MATIERE CODE_MATIERE="{matiere.code}">\n<CODE_GESTION>{matiere.court}</CODE_GESTION>\n'
        f"<LIBELLE_COURT>{escape(matiere.libelle[:20])}</LIBELLE_COURT>\n"
        f"<LIBELLE_LONG>{escape(matiere.libelle)}</LIBELLE_LONG>\n"
        f"<LIBELLE_EDITION>{escape(matiere.libelle)}</LIBELLE_EDITION>\n</MATIERE>\n"
    )


def _option(rank: int, matiere: Matiere) -> str:
    return (
        f"<OPTIONS_ELEVE><NUM_OPTION>{rank}</NUM_OPTION><CODE_MODALITE_ELECT>O</CODE_MODALITE_ELECT>"
        f"<CODE_MATIERE>{matiere.code}</CODE_MATIERE></OPTIONS_ELEVE>\n"
    )


def _eleve(e: Eleve, place: Scolarite) -> str:
    first_names = "".join(_tag(f"PRENOM{rank}", name) for rank, name in enumerate(e.autres_prenoms[:2], 2))
    ine = f"<ID_NATIONAL>{e.ine}</ID_NATIONAL>\n<INE_RNIE>{e.ine}</INE_RNIE>\n" if e.ine else ""
    return f"""<ELEVE ELEVE_ID="{e.eleve_id}">
{ine}<NOM_DE_FAMILLE>{escape(e.nom)}</NOM_DE_FAMILLE>
<PRENOM>{escape(e.prenom)}</PRENOM>
{first_names}<DATE_NAISS>{e.naissance:%d/%m/%Y}</DATE_NAISS>
<DOUBLEMENT>{e.doublement:d}</DOUBLEMENT>
<CODE_PAYS>100</CODE_PAYS>
{_tag("TEL_PORTABLE", e.portable)}<ACCEPTE_SMS>{e.portable is not None:d}</ACCEPTE_SMS>
<CODE_REGIME>{e.regime}</CODE_REGIME>
<DATE_ENTREE>{place.entree:%d/%m/%Y}</DATE_ENTREE>
<VILLE_NAISS></VILLE_NAISS>
{_tag("MEL", e.email)}<ADRESSE_ID>{e.adresse.cle}</ADRESSE_ID>
<CODE_SEXE>{1 if e.sexe == "M" else 2}</CODE_SEXE>
<CODE_PAYS_NAT>100</CODE_PAYS_NAT>
<CODE_STATUT>ST</CODE_STATUT>
<CODE_MEF>{place.division.niveau.mef}</CODE_MEF>
<ADHESION_TRANSPORT>{e.transport:d}</ADHESION_TRANSPORT>
</ELEVE>
"""


def _personne(r: Responsable) -> str:
    usage = _tag("NOM_USAGE", r.nom_usage) if r.nom_usage != r.nom else ""
    return f"""<PERSONNE PERSONNE_ID="{r.personne_id}">
<LC_CIVILITE>{"M." if r.sexe == "M" else "MME"}</LC_CIVILITE>
<LL_CIVILITE>{"MONSIEUR" if r.sexe == "M" else "MADAME"}</LL_CIVILITE>
<NOM_DE_FAMILLE>{escape(r.nom)}</NOM_DE_FAMILLE>
{usage}<PRENOM>{escape(r.prenom)}</PRENOM>
{_tag("TEL_PERSONNEL", r.domicile)}{_tag("TEL_PORTABLE", r.portable)}{_tag("TEL_PROFESSIONNEL", r.travail)}\
<ACCEPTE_SMS>{r.sms:d}</ACCEPTE_SMS>
{_tag("MEL", r.email)}<COMMUNICATION_ADRESSE>{r.diffusion:d}</COMMUNICATION_ADRESSE>
<ADRESSE_ID>{r.adresse.cle}</ADRESSE_ID>
</PERSONNE>
"""


def _adresse(a: Adresse) -> str:
    town = a.commune
    return f"""<ADRESSE ADRESSE_ID="{a.cle}">
<LIGNE1_ADRESSE>{escape(a.ligne)}</LIGNE1_ADRESSE>
<LIGNE2_ADRESSE>{escape(a.complement)}</LIGNE2_ADRESSE>
<CODE_POSTAL>{town.code_postal}</CODE_POSTAL>
<CODE_PAYS>100</CODE_PAYS>
<CODE_COMMUNE_INSEE>{town.insee}</CODE_COMMUNE_INSEE>
<LL_PAYS>FRANCE</LL_PAYS>
<CODE_DEPARTEMENT>{town.departement}</CODE_DEPARTEMENT>
<LIBELLE_POSTAL>{escape(town.nom)}</LIBELLE_POSTAL>
</ADRESSE>
"""
