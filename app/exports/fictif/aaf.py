"""The académie in AAF («ENT2D … Complet»), streamed file after file of 20 000 objects."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

from app.exports.fictif.lexique import ACADEMIE_CODE, ACADEMIE_NOM, international
from app.exports.fictif.matieres import MATIERES
from app.exports.fictif.nomenclature import NIVEAUX
from app.exports.fictif.personnes import Eleve, Personnel, Responsable, Scolarite, Service
from app.exports.fictif.plan import Etablissement

PAR_FICHIER = 20_000
LOT = 400
REGIMES = {
    0: "EXTERNE LIBRE",
    2: "DEMI-PENSIONNAIRE",
    3: "INTERNE DANS L’ÉTABLISSEMENT",
}
_HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE ficAlimMENESR SYSTEM "ficAlimMENESR.dtd">
<ficAlimMENESR>
<!-- versionAF="AAF-VE2607" -->
<!-- versionSDET="Annexe 4bis version 6.4" -->
<!-- codeAcademieExport="{code}" -->
<!-- degre="2D" -->
<!-- dateGenerationExport="{date}" -->
"""
_FOOTER = "</ficAlimMENESR>\n"


class Flux:
    """One kind of object, written to numbered files, each cut at ``PAR_FICHIER`` objects."""

    def __init__(self, folder: Path, kind: str, jour: date, category: tuple[str, str]) -> None:
        self._folder, self._kind, self._jour = folder, kind, jour
        self._opening = (
            f'<addRequest>\n<operationalAttributes><attr name="{category[0]}"><value>{category[1]}'
            "</value></attr></operationalAttributes>\n<identifier><id>"
        )
        self._file: BinaryIO | None = None
        self._lot: list[str] = []
        self.total = 0
        self.fichiers: list[Path] = []

    def write(self, key: int | str, body: str) -> None:
        """Write one object."""
        if self.total % PAR_FICHIER == 0:
            self._next_file()
        self._lot.append(
            f"{self._opening}{key}</id></identifier>\n<attributes>\n{body}</attributes>\n</addRequest>\n"
        )
        self.total += 1
        if len(self._lot) >= LOT:
            self._flush()

    def close(self) -> None:
        """End the last file; an empty kind still gets one."""
        if self._file is None:
            self._next_file()
        self._end_file()

    def _next_file(self) -> None:
        if self._file is not None:
            self._end_file()
        name = f"ENT2DVA-ENT{ACADEMIE_CODE}_Complet_{self._jour:%Y%m%d}_{self._kind}"
        path = self._folder / f"{name}_{len(self.fichiers):04d}.xml"
        self.fichiers.append(path)
        self._file = path.open("wb")
        header = _HEADER.format(code=ACADEMIE_CODE, date=f"{self._jour:%d/%m/%Y}")
        self._file.write(header.encode())

    def _flush(self) -> None:
        if self._file is None:
            return
        self._file.write("".join(self._lot).encode())
        self._lot.clear()

    def _end_file(self) -> None:
        if self._file is None:
            return
        self._flush()
        self._file.write(_FOOTER.encode())
        self._file.close()
        self._file = None


def _attr(name: str, *values: str) -> str:
    if not values or values == ("",):
        return f'<attr name="{name}"><value/></attr>\n'
    inner = "".join([f"<value>{escape(value)}</value>" for value in values])
    return f'<attr name="{name}">{inner}</attr>\n'


def etablissement(school: Etablissement) -> str:
    """Return the attributes of a school, its divisions and groups among them."""
    return "".join(
        [
            _attr("ENTStructureJointure", str(school.jointure)),
            _attr("ENTStructureUAI", school.uai),
            _attr("ENTEtablissementUAI", school.uai),
            _attr("ENTStructureSIREN", school.siret),
            _attr("ENTStructureNomCourant", f"{school.type.nom}${school.patron}${school.commune.nom}"),
            _attr("ENTStructureTypeStruct", school.type.type),
            _attr("ENTStructureCodeTypeStruct", school.type.code),
            _attr("ENTEtablissementMinistereTutelle", "MINISTERE DE L'EDUCATION NATIONALE"),
            _attr("ENTEtablissementCodeMinistereTutelle", "06"),
            _attr("ENTEtablissementContrat", "PR" if school.prive else "PU"),
            _attr("postOfficeBox", ""),
            _attr("street", school.voie),
            _attr("postalCode", school.commune.code_postal),
            _attr("l", school.commune.nom),
            _attr("telephoneNumber", international(school.telephone)),
            _attr("facsimileTelephoneNumber", ""),
            _attr("ENTStructureMailSI", school.courriel),
            _attr("ENTEtablissementStructRattachFctl", ""),
            _attr("ENTEtablissementBassin", f"{ACADEMIE_CODE}{school.bassin:03d}$BASSIN {school.bassin + 1}"),
            _attr("ENTServAcAcademie", ACADEMIE_NOM.upper()),
            _attr("ENTServAcCodeAcademie", f"0{ACADEMIE_CODE}"),
            _attr(
                "ENTStructureClasses",
                *[f"{d.code}${d.libelle}${d.niveau.mef}" for d in school.divisions],
            ),
            _attr(
                "ENTStructureGroupes",
                *["$".join([g.code, g.libelle, *(d.code for d in g.divisions)]) for g in school.groupes],
            ),
        ]
    )


def _structured(scolarites: list[Scolarite]) -> tuple[str, str, str]:
    """Return the values of classes, groups and dates of entry of a pupil."""
    classes, groups, entries = [], [], []
    for s in scolarites:
        key = s.etablissement.jointure
        classes.append(f"<value>{key}${s.division.code}</value>")
        entries.append(f"<value>{key}${s.entree:%d/%m/%Y}${s.division.code}</value>")
        groups += [f"<value>{key}${code}</value>" for code in s.groupes]
    return "".join(classes), "".join(groups) or "<value/>", "".join(entries)


def eleve(e: Eleve) -> str:
    """Return the attributes of a pupil."""
    first = e.scolarites[0]
    niveau = first.division.niveau
    classes, groups, entries = _structured(e.scolarites)
    links = "".join(
        [
            f"<value>{x.responsable.jointure}${x.parente}${x.financier:d}${x.niveau}${x.contact:d}"
            f"${x.paiement:d}</value>"
            for x in e.liens
        ]
    )
    others = "".join([f"<value>{name}</value>" for name in e.autres_prenoms]) or "<value/>"
    subjects = [matiere for s in e.scolarites for matiere in s.options]
    labels = "".join([f"<value>{m.libelle}</value>" for m in subjects]) or "<value/>"
    codes = "".join([f"<value>{m.code}</value>" for m in subjects]) or "<value/>"
    ine = f'<attr name="ENTEleveINE"><value>{e.ine}</value></attr>\n' if e.ine else ""
    home, born = e.adresse, e.naissance
    return f"""<attr name="ENTPersonJointure"><value>{e.jointure}</value></attr>
{ine}<attr name="ENTEleveStructRattachId"><value>{e.eleve_id}</value></attr>
<attr name="ENTPersonDateNaissance"><value>{born.day:02d}/{born.month:02d}/{born.year}</value></attr>
<attr name="ENTPersonNomPatro"><value>{e.nom}</value></attr>
<attr name="sn"><value>{e.nom}</value></attr>
<attr name="givenName"><value>{e.prenom}</value></attr>
<attr name="ENTPersonAutresPrenoms">{others}</attr>
<attr name="personalTitle"><value>{"M." if e.sexe == "M" else "Mme"}</value></attr>
<attr name="ENTElevePersRelEleve">{links or "<value/>"}</attr>
<attr name="ENTEleveBoursier"><value>{"O" if e.boursier else "N"}</value></attr>
<attr name="ENTEleveRegime"><value>{REGIMES[e.regime]}</value></attr>
<attr name="ENTEleveTransport"><value>{"O" if e.transport else "N"}</value></attr>
<attr name="mail"><value>{e.email or ""}</value></attr>
<attr name="mobile"><value>{international(e.portable)}</value></attr>
<attr name="ENTPersonAdresse"><value>{home.ligne}${home.complement}$$</value></attr>
<attr name="ENTPersonCodePostal"><value>{home.commune.code_postal}</value></attr>
<attr name="ENTPersonVille"><value>{home.commune.nom}</value></attr>
<attr name="ENTPersonPays"><value>FRANCE</value></attr>
<attr name="ENTEleveStatutEleve"><value>SCOLAIRE</value></attr>
<attr name="ENTEleveMEF"><value>{niveau.mef}</value></attr>
<attr name="ENTEleveLibelleMEF"><value>{niveau.libelle}</value></attr>
<attr name="ENTEleveNivFormation"><value>{niveau.formation}</value></attr>
<attr name="ENTEleveFiliere"><value>{niveau.filiere}</value></attr>
<attr name="ENTEleveEnseignements">{labels}</attr>
<attr name="ENTEleveCodeEnseignements">{codes}</attr>
<attr name="ENTPersonStructRattach"><value>{first.etablissement.jointure}</value></attr>
<attr name="ENTEleveDateEntreeStructRattach"><value>{first.entree:%d/%m/%Y}</value></attr>
<attr name="ENTEleveDateEntreeClasses">{entries}</attr>
<attr name="ENTEleveClasses">{classes}</attr>
<attr name="ENTEleveGroupes">{groups}</attr>
"""


def responsable(r: Responsable) -> str:
    """Return the attributes of an adult of a family."""
    home = r.adresse
    return f"""<attr name="ENTPersonJointure"><value>{r.jointure}</value></attr>
<attr name="ENTPersonNomPatro"><value>{r.nom}</value></attr>
<attr name="sn"><value>{r.nom_usage}</value></attr>
<attr name="givenName"><value>{r.prenom}</value></attr>
<attr name="personalTitle"><value>{"M." if r.sexe == "M" else "Mme"}</value></attr>
<attr name="homePhone"><value>{international(r.domicile)}</value></attr>
<attr name="telephoneNumber"><value>{international(r.travail)}</value></attr>
<attr name="mobile"><value>{international(r.portable)}</value></attr>
<attr name="ENTPersonMobileSMS"><value>{international(r.portable) if r.sms else ""}</value></attr>
<attr name="mail"><value>{r.email or ""}</value></attr>
<attr name="ENTPersonAdresse"><value>{home.ligne}${home.complement}$$</value></attr>
<attr name="ENTPersonCodePostal"><value>{home.commune.code_postal}</value></attr>
<attr name="ENTPersonVille"><value>{home.commune.nom}</value></attr>
<attr name="ENTPersonPays"><value>FRANCE</value></attr>
<attr name="ENTPersonAdresseDiffusion"><value>{"O" if r.diffusion else "N"}</value></attr>
"""


def personnel(p: Personnel) -> str:
    """Return the attributes of a member of staff."""
    teaching = p.matiere is not None
    discipline = p.matiere.discipline if p.matiere else ("", "")
    functions, disciplines = [], []
    for school, poste in p.postes:
        if poste is None:
            functions.append(
                f"{school.jointure}$ENS$ENSEIGNEMENT DEVANT ELEVES${discipline[0]}${discipline[1]}"
            )
            disciplines.append(f"{discipline[1]}${discipline[0]}")
        else:
            functions.append(
                f"{school.jointure}${poste.fonction}${poste.libelle}${poste.discipline}"
                f"${poste.discipline_libelle}"
            )
            disciplines.append(f"{poste.discipline_libelle}${poste.discipline}")
    services = [(s.etablissement.jointure, s) for s in p.services]
    subjects = dict.fromkeys(f"{key}${s.matiere.libelle}" for key, s in services)
    in_front = teaching or any(poste and poste.fonction == "DOC" for _school, poste in p.postes)
    born = p.naissance
    return "".join(
        [
            _attr("ENTPersonJointure", str(p.jointure)),
            _attr("ENTPersonDateNaissance", f"{born:%d/%m/%Y}"),
            _attr("ENTPersonNomPatro", p.nom),
            _attr("sn", p.nom_usage),
            _attr("givenName", p.prenom),
            _attr("ENTPersonAutresPrenoms"),
            _attr("personalTitle", "M." if p.sexe == "M" else "Mme"),
            _attr("mail", p.email),
            _attr("ENTPersonStructRattach", str(p.postes[0][0].jointure)),
            _attr("ENTAuxEnsCategoDiscipline", f"{discipline[0]}${discipline[1]}" if teaching else ""),
            _attr("ENTAuxEnsDisciplinesPoste", *dict.fromkeys(disciplines)),
            _attr("ENTAuxEnsMEF"),
            _attr("ENTAuxEnsMatiereEnseignEtab", *subjects),
            _attr("ENTAuxEnsClasses", *_codes(services, "division")),
            _attr("ENTAuxEnsGroupes", *_codes(services, "groupe")),
            _attr("ENTAuxEnsClassesMatieres", *_codes(services, "division", subject=True)),
            _attr("ENTAuxEnsGroupesMatieres", *_codes(services, "groupe", subject=True)),
            _attr(
                "ENTAuxEnsClassesPrincipal",
                *[f"{school.jointure}${code}" for school, code in p.principal_de],
            ),
            _attr("ENTPersonFonctions", *functions),
            _attr("ENTPersonCategorieEnseignant", "O" if in_front else "N"),
            _attr("PersEducNatPresenceDevantEleves", "O" if in_front else "N"),
        ]
    )


def _codes(services: list[tuple[int, Service]], kind: str, *, subject: bool = False) -> list[str]:
    values = []
    for key, service in services:
        code = getattr(service, kind)
        if code:
            values.append(f"{key}${code}${service.matiere.code}" if subject else f"{key}${code}")
    return list(dict.fromkeys(values))


def nomenclatures(folder: Path, jour: date) -> list[Flux]:
    """Write the MEF and subjects, and return their files."""
    mefs = Flux(folder, "MefEducNat", jour, ("categorieMef", "MefEducNat"))
    for niveau in NIVEAUX:
        mefs.write(
            niveau.mef,
            _attr("ENTMefJointure", niveau.mef)
            + _attr("ENTLibelleMef", niveau.libelle)
            + _attr("ENTMEFRattach", niveau.mef)
            + _attr("ENTMEFSTAT11", f"2{niveau.mef[:10]}")
            + _attr("ENTNivFormation", niveau.formation)
            + _attr("ENTFiliere", niveau.filiere),
        )
    matieres = Flux(folder, "MatiereEducNat", jour, ("categorieMatiere", "MatEducNat"))
    for matiere in MATIERES:
        matieres.write(
            matiere.code,
            _attr("ENTMatJointure", matiere.code)
            + _attr("ENTLibelleMatiere", matiere.libelle)
            + _attr("ENTMatiereRattach", matiere.code),
        )
    for flux in (mefs, matieres):
        flux.close()
    return [mefs, matieres]
