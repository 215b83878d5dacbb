"""Reader of the open data file «fr-en-annuaire-education»: one school per line."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from app.errors import RuleViolationError, UserError
from app.imports.aaf_header import DATE_IN_NAME
from app.imports.academies import ACADEMIES, academie_code, academie_of
from app.imports.detection import Detected, normalise_column
from app.imports.findings import Item, Record, fiche
from app.imports.text import clean, parse_date, parse_instant, phone
from app.imports.uai import is_uai, uai_key_is_right
from app.operations.alimentation.fiches import Anomalie, EnTete, Objet
from app.operations.saisies import clean_url

MAX_LINE = 200_000
_KNOWN = frozenset(
    [
        "identifiant_de_l_etablissement", "nom_etablissement", "type_etablissement", "statut_public_prive",
        "adresse_1", "adresse_2", "adresse_3", "code_postal", "code_commune", "nom_commune",
        "code_departement", "code_academie", "code_region", "ecole_maternelle", "ecole_elementaire",
        "voie_generale", "voie_technologique", "voie_professionnelle", "telephone", "fax", "web", "mail",
        "restauration", "hebergement", "ulis", "apprentissage", "segpa", "section_arts", "section_cinema",
        "section_theatre", "section_sport", "section_internationale", "section_europeenne", "lycee_agricole",
        "lycee_militaire", "lycee_des_metiers", "post_bac", "appartenance_education_prioritaire", "greta",
        "siren_siret", "nombre_d_eleves", "fiche_onisep", "position", "type_contrat_prive",
        "libelle_departement", "libelle_academie", "libelle_region", "coordonnee_x", "coordonnee_y", "epsg",
        "coordx_origine", "coordy_origine", "epsg_origine", "nom_circonscription", "latitude", "longitude",
        "precision_localisation", "date_ouverture", "date_maj_ligne", "etat", "ministere_tutelle",
        "multi_uai", "etablissement_multi_lignes", "rpi_concentre", "rpi_disperse", "code_nature",
        "libelle_nature", "code_type_contrat_prive", "pial", "etablissement_mere",
        "type_rattachement_etablissement_mere", "code_circonscription", "code_zone_animation_pedagogique",
        "libelle_zone_animation_pedagogique", "code_bassin_formation", "libelle_bassin_formation",
    ]
)  # fmt: skip
_NEEDED = ("identifiant_de_l_etablissement", "nom_etablissement")
_STATES = {"OUVERT": "ouvert", "A FERMER": "ouvert", "À FERMER": "ouvert", "FERME": "ferme", "FERMÉ": "ferme"}


class SourceAnnuaire:
    """One or several annuaire files seen as one source."""

    def __init__(self, files: list[Detected]) -> None:
        self._files = files
        self._unknown: dict[str, int] = {}
        stamps = [found.group(1) for file in files if (found := DATE_IN_NAME.search(file.name))]
        self.entete = EnTete(
            source="annuaire",
            espace="annuaire",
            date_export=parse_instant(min(stamps)) if stamps else None,
            presents={Objet.ETABLISSEMENT},
            fichiers=[{"nom": f.name, "nature": "annuaire", "taille": f.entry.size} for f in files],
            attributs_inconnus=self._unknown,
        )

    def objets(self) -> Iterator[Item]:
        """Yield each school once; a school on several lines is stated by its first one."""
        seen: set[str] = set()
        for file in self._files:
            for line, row in self._rows(file):
                uai = clean(row.get("identifiant_de_l_etablissement", "")).upper()
                name = clean(row.get("nom_etablissement", ""))[:160]
                several = uai in seen and row.get("etablissement_multi_lignes") == "1"
                if finding := None if several else _finding(uai, seen):
                    yield Anomalie(
                        Objet.ETABLISSEMENT, uai[:80], name or uai[:20], line, *finding, None, file.name
                    )
                if is_uai(uai) and uai not in seen:
                    yield fiche(Objet.ETABLISSEMENT, uai, school_of(row, uai, name), line, uai)
                seen.add(uai)

    def _rows(self, file: Detected) -> Iterator[tuple[int, dict[str, str]]]:
        stream = file.stream()
        try:
            lines = _Lines(stream_lines(stream), file.name)
            reader = csv.reader(lines, delimiter=";", strict=True)
            columns = [normalise_column(label) for label in next(reader)]
            self._check_columns(file, columns)
            start = lines.number + 1
            for cells in reader:
                if len(cells) == len(columns):
                    yield start, dict(zip(columns, cells, strict=True))
                elif cells:
                    raise UserError(
                        f"« {file.name} », ligne {start} : {len(cells)} colonnes au lieu de "
                        f"{len(columns)}. Le fichier "
                        "est abîmé ou incomplet ; téléchargez-le de nouveau."
                    )
                stream.met_object()
                start = lines.number + 1
        except csv.Error as error:
            raise UserError(
                f"« {file.name} », ligne {start} : un guillemet ouvert n’est pas refermé, ou une case "
                "est démesurée. "
                "Téléchargez de nouveau le fichier."
            ) from error
        finally:
            stream.close()

    def _check_columns(self, file: Detected, columns: list[str]) -> None:
        for needed in _NEEDED:
            if needed not in columns:
                raise UserError(
                    f"« {file.name} » n’a pas de colonne « {needed} ». Il faut l’export CSV complet du jeu "
                    "« fr-en-annuaire-education »."
                )
        for column in columns:
            if column not in _KNOWN:
                self._unknown[column[:80]] = self._unknown.get(column[:80], 0) + 1


class _Lines:
    """Lines handed to the CSV parser, counted."""

    def __init__(self, lines: Iterator[str], name: str) -> None:
        self._lines, self._name, self.number = lines, name, 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if len(line) > MAX_LINE:
            raise UserError(
                f"« {self._name} », ligne {self.number} : la ligne est démesurée. Le fichier est abîmé ; "
                "téléchargez-le de nouveau."
            )
        return line


def stream_lines(stream: object) -> Iterator[str]:
    """Cut a flow of UTF-8 bytes into lines, whatever their ends; a giant line comes in one slice."""
    rest = b""
    while data := stream.read():  # type: ignore[attr-defined]
        rest += data
        if b"\r" in rest:
            held = rest.endswith(b"\r")
            rest = (rest[:-1] if held else rest).replace(b"\r\n", b"\n").replace(b"\r", b"\n") + b"\r" * held
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace") + "\n"
        if len(rest) > 4 * MAX_LINE:
            yield rest.decode("utf-8", "replace")
            rest = b""
    if rest.strip():
        yield rest.rstrip(b"\r").decode("utf-8", "replace")


def _finding(uai: str, seen: set[str]) -> tuple[str, str] | None:
    if not is_uai(uai):
        return (
            "uai_invalide",
            f"L’UAI « {uai[:20]} » n’a pas la forme attendue (7 chiffres et une lettre) : ligne "
            "laissée de côté.",
        )
    if uai in seen:
        return "uai_double", f"L’UAI {uai} est sur plusieurs lignes : la première est retenue."
    if not uai_key_is_right(uai):
        return (
            "uai_cle",
            f"La lettre de contrôle de l’UAI {uai} n’est pas la bonne : vérifiez-le. Il est lu tel quel.",
        )
    return None


def _web(text: str) -> str | None:
    """Return a web address a page may link to, None for any other: anybody reads it on the public page."""
    try:
        return clean_url(clean(text), field="site_web")
    except RuleViolationError:
        return None


def school_of(row: dict[str, str], uai: str, name: str) -> Record:
    """Convert a line of the annuaire."""
    record: Record = {"uai": uai, "nom": name or uai}
    for key, length, column in (
        ("type", 60, "type_etablissement"),
        ("code_nature", 4, "code_nature"),
        ("code_postal", 10, "code_postal"),
        ("commune", 80, "nom_commune"),
        ("email", 255, "mail"),
        ("siren", 14, "siren_siret"),
    ):
        if column in row:
            record[key] = clean(row[column])[:length] or None
    if "web" in row:
        record["site_web"] = _web(row["web"])
    record["type"] = record.get("type") or ""
    if sector := {"public": "public", "privé": "prive", "prive": "prive"}.get(
        clean(row.get("statut_public_prive", "")).lower()
    ):
        record["secteur"] = sector
    if "etat" in row:
        record["etat"] = _STATES.get(clean(row["etat"]).upper(), "ouvert")
    lines = [clean(row.get(f"adresse_{rank}", "")) for rank in (1, 2)]
    record["adresse"] = ", ".join(line for line in lines if line)[:255] or None
    if "telephone" in row:
        record["telephone"] = phone(clean(row["telephone"])) or None
    code = academie_code(row.get("code_academie", "")) if row.get("code_academie", "").strip() else None
    found = (code, ACADEMIES[code]) if code else academie_of(uai)
    if found:
        record["academie_code"], record["academie_nom"] = found
    mother = clean(row.get("etablissement_mere", "")).upper()
    record["mere_uai"] = mother if is_uai(mother) else None
    count = row.get("nombre_d_eleves", "").strip()
    if count.isdigit():
        record["nombre_eleves"] = int(count)
    if opened := parse_date(row.get("date_ouverture", "").strip()):
        record["ouvert_le"] = opened
    return record
