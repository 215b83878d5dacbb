"""One school as STS-web exports it (``sts_emp_UAI_AAAA.xml``): staff, divisions, services."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from app.exports.fictif.lexique import ACADEMIE_CODE, ACADEMIE_NOM
from app.exports.fictif.personnes import Personnel, Service
from app.exports.fictif.plan import Etablissement
from app.exports.fictif.siecle import ENCODAGE, subjects_of


def write(path: Path, school: Etablissement, staff: list[Personnel], annee: int) -> Path:
    """Write the STS file of a school, whose ``staff`` includes teachers other schools employ."""
    with path.open("w", encoding=ENCODAGE, newline="\n") as file:
        file.write(_opening(school, annee))
        for person in staff:
            file.write(_individu(person, school))
        file.write("</INDIVIDUS>\n<SUPPLEANTS/>\n<STRUCTURE>\n<DIVISIONS>\n")
        services = _by_structure(school, staff)
        for division in school.divisions:
            file.write(
                f'<DIVISION CODE="{division.code}">\n'
                f"<LIBELLE_LONG>{escape(division.libelle)}</LIBELLE_LONG>\n"
                f"<EFFECTIF_PREVU>{division.effectif}</EFFECTIF_PREVU>\n"
                f'<MEFS_APPARTENANCE><MEF_APPARTENANCE CODE="{division.niveau.mef}"/></MEFS_APPARTENANCE>\n'
                f"{_services(services.get((division.code, None), []))}</DIVISION>\n"
            )
        file.write("</DIVISIONS>\n<GROUPES>\n")
        for groupe in school.groupes:
            members = "".join(f'<DIVISION_APPARTENANCE CODE="{d.code}"/>' for d in groupe.divisions)
            file.write(
                f'<GROUPE CODE="{groupe.code}">\n<LIBELLE_LONG>{escape(groupe.libelle)}</LIBELLE_LONG>\n'
                f"<DIVISIONS_APPARTENANCE>{members}</DIVISIONS_APPARTENANCE>\n"
                f"{_services(services.get((None, groupe.code), []))}</GROUPE>\n"
            )
        file.write("</GROUPES>\n</STRUCTURE>\n</DONNEES>\n</STS_EDT>\n")
    return path


def _opening(school: Etablissement, annee: int) -> str:
    subjects = "".join(
        f'<MATIERE CODE="{m.code}"><CODE_GESTION>{m.court}</CODE_GESTION>'
        f"<LIBELLE_COURT>{escape(m.libelle[:20])}</LIBELLE_COURT><LIBELLE_LONG>{escape(m.libelle)}</LIBELLE_LONG>"
        f"<LIBELLE_EDITION>{escape(m.libelle)}</LIBELLE_EDITION></MATIERE>\n"
        for m in subjects_of(school)
    )
    mefs = "".join(
        f'<MEF CODE="{n.mef}"><FORMATION>{escape(n.formation)}</FORMATION>'
        f"<LIBELLE_LONG>{escape(n.libelle)}</LIBELLE_LONG>"
        f"<LIBELLE_EDITION>{escape(n.libelle)}</LIBELLE_EDITION></MEF>\n"
        for n in school.type.niveaux
    )
    town = school.commune
    return f"""<?xml version="1.0" encoding="ISO-8859-15"?>
<STS_EDT>
<PARAMETRES>
<UAJ CODE="{school.uai}">
<ACADEMIE><CODE>{ACADEMIE_CODE}</CODE><LIBELLE>{ACADEMIE_NOM.upper()}</LIBELLE></ACADEMIE>
<SIGLE>{school.type.sigle}</SIGLE>
<DENOM_PRINC>{escape(school.nom)}</DENOM_PRINC>
<DENOM_COMPL></DENOM_COMPL>
<ADRESSE>{escape(school.voie)}</ADRESSE>
<COMMUNE>{escape(town.nom)}</COMMUNE>
<CODE_POSTAL>{town.code_postal}</CODE_POSTAL>
<TELEPHONE>{school.telephone}</TELEPHONE>
</UAJ>
<ANNEE_SCOLAIRE ANNEE="{annee}">
<DATE_DEBUT>{annee}-09-01</DATE_DEBUT>
<DATE_FIN>{annee + 1}-07-04</DATE_FIN>
</ANNEE_SCOLAIRE>
</PARAMETRES>
<NOMENCLATURES>
<MATIERES>
{subjects}</MATIERES>
<MEFS>
{mefs}</MEFS>
</NOMENCLATURES>
<DONNEES>
<INDIVIDUS>
"""


def _individu(p: Personnel, school: Etablissement) -> str:
    post = next(poste for place, poste in p.postes if place is school)
    code, label = (p.matiere.discipline if p.matiere else ("", "")) if post is None else ("", "")
    main = "".join(
        f"<PROF_PRINC><CODE_STRUCTURE>{division}</CODE_STRUCTURE></PROF_PRINC>"
        for place, division in p.principal_de
        if place is school
    )
    disciplines = (
        f'<DISCIPLINES><DISCIPLINE CODE="{code}"><LIBELLE_COURT>{escape(label)}</LIBELLE_COURT>'
        "<NB_HEURES>18.00</NB_HEURES></DISCIPLINE></DISCIPLINES>\n"
        if code
        else ""
    )
    return f"""<INDIVIDU ID="{p.epp}" TYPE="epp">
<SEXE>{1 if p.sexe == "M" else 2}</SEXE>
<CIVILITE>{1 if p.sexe == "M" else 2}</CIVILITE>
<NOM_USAGE>{escape(p.nom_usage)}</NOM_USAGE>
<NOM_PATRONYMIQUE>{escape(p.nom)}</NOM_PATRONYMIQUE>
<PRENOM>{escape(p.prenom)}</PRENOM>
<DATE_NAISSANCE>{p.naissance.isoformat()}</DATE_NAISSANCE>
<FONCTION>{post.fonction if post else "ENS"}</FONCTION>
{f"<PROFS_PRINC>{main}</PROFS_PRINC>" if main else "<PROFS_PRINC/>"}
{disciplines}</INDIVIDU>
"""


Structure = tuple[str | None, str | None]


def _by_structure(
    school: Etablissement, staff: list[Personnel]
) -> dict[Structure, list[tuple[Service, Personnel]]]:
    found: dict[Structure, list[tuple[Service, Personnel]]] = {}
    for person in staff:
        for service in person.services:
            if service.etablissement is school:
                found.setdefault((service.division, service.groupe), []).append((service, person))
    return found


def _services(services: list[tuple[Service, Personnel]]) -> str:
    inner = "".join(
        f'<SERVICE CODE_MATIERE="{service.matiere.code}" CODE_MOD_COURS="CG"><ENSEIGNANTS>'
        f'<ENSEIGNANT ID="{person.epp}" TYPE="epp"/></ENSEIGNANTS></SERVICE>\n'
        for service, person in services
    )
    return f"<SERVICES>\n{inner}</SERVICES>\n" if inner else "<SERVICES/>\n"
