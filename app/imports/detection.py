"""What a file is, told by its content: root element, categories of its objects, CSV header."""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from dataclasses import dataclass, field

from app.errors import UserError
from app.imports.archives import Entry
from app.imports.streams import Utf8Stream, canonical_encoding, hostile

HEAD = 1 << 18

SIECLE_ROOTS = {
    "BEE_ELEVES": "Élèves",
    "BEE_RESPONSABLES": "Responsables",
    "BEE_STRUCTURES": "Structures",
    "BEE_NOMENCLATURES": "Nomenclature",
    "BEE_COMMUN": "Communs",
    "BEE_COMMUNS": "Communs",
    "BEE_GEOGRAPHIQUE": "Géographique",
    "BEE_ETABLISSEMENTS": "Établissements",
    "BEE_ETABLISSEMENTS_ELEVES": "Établissements des élèves",
}
SIECLE_READ = ("BEE_ELEVES", "BEE_RESPONSABLES", "BEE_STRUCTURES", "BEE_NOMENCLATURES")
AAF_ORDER = ("EtabEducNat", "MefEducNat", "MatEducNat", "Eleve", "PersRelEleve", "PersEducNat")

_DECLARATION = re.compile(r"\s*+<\?xml\b[^>]*?\?>")
_BLANK = re.compile(r"\s*+")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._\-]+)["']""")
_DOCTYPE = re.compile(
    r"""<!DOCTYPE\s++[\w:.\-]++\s*+"""
    r"""(?:SYSTEM\s*+(?:"[^"<]*"|'[^'<]*')\s*+|PUBLIC\s*+"[^"<]*"\s*+(?:"[^"<]*")?\s*+)?>"""
)
_ROOT = re.compile(r"<([A-Za-z_][\w:.\-]*)([^<>]*)>")
_AAF_COMMENT = re.compile(r'<!--\s*(\w+)\s*=\s*"([^"]*)"\s*-->')
_CATEGORY = re.compile(r'<attr\s+name\s*=\s*["\'](?:categorie\w+)["\']\s*>\s*<value>\s*(\w+)\s*</value>')
_AAF1D = re.compile(r'name\s*=\s*["\'](?:ENTPersonNom|ENTPersonPrenom|ENTStructureVille|ENTEcole\w+)["\']')
_PARAMETER = re.compile(r"<(UAJ|ANNEE_SCOLAIRE|DATE_EXPORT|HORODATAGE)>([^<]*)</\1>")


@dataclass(slots=True)
class Detected:
    """A file and what its beginning says of it: ``source`` (aaf, siecle…), ``part`` of that source."""

    entry: Entry
    source: str
    part: str
    encoding: str
    head: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name to show a person."""
        return self.entry.base

    @property
    def label(self) -> str:
        """Return what the file is, in the words of those who export it."""
        return SIECLE_ROOTS.get(self.part, self.part)

    def stream(self) -> Utf8Stream:
        """Open the file from its beginning, as UTF-8."""
        return Utf8Stream(self.entry.open(), self.encoding, self.name, xml=self.source != "annuaire")


def detect(entry: Entry) -> Detected:
    """Recognise a file, or refuse it with a sentence that says what it is and what is wanted."""
    raw = _first_bytes(entry)
    name = entry.base
    if not raw.strip():
        raise UserError(f"« {name} » est vide. Demandez un nouvel export.")
    encoding = _encoding(raw)
    head = _decode(raw, encoding)
    if not head.lstrip().startswith("<"):
        return _detect_text(entry, encoding, head)
    root, rest = _root_of(head, name)
    found = Detected(entry, *_source_of(root, name), encoding=encoding, head=head)
    if found.source == "aaf":
        _describe_aaf(found, head)
    else:
        found.settings = {key: value.strip() for key, value in _PARAMETER.findall(rest)}
    return found


def _first_bytes(entry: Entry) -> bytes:
    file = entry.open()
    try:
        pieces, total = [], 0
        while total < HEAD and (data := file.read(HEAD - total)):
            pieces.append(data)
            total += len(data)
        return b"".join(pieces)
    finally:
        file.close()


def _encoding(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if raw.startswith(codecs.BOM_UTF8):
        return "utf-8"
    declared = _DECLARED.match(raw[:512])
    return canonical_encoding(declared.group(1).decode() if declared else None)


def _decode(raw: bytes, encoding: str) -> str:
    text = codecs.getincrementaldecoder(encoding)("preau_western").decode(raw)
    return text.removeprefix("\ufeff")


def _root_of(head: str, name: str) -> tuple[str, str]:
    """Walk the prologue by hand: only comments, instructions and a bare DOCTYPE may precede the root."""
    position = found.end() if (found := _DECLARATION.match(head)) else 0
    while True:
        blank = _BLANK.match(head, position)
        position = blank.end() if blank else position
        if head.startswith("<!--", position):
            end = head.find("-->", position)
            position = end + 3 if end >= 0 else len(head)
        elif head.startswith("<?", position):
            end = head.find("?>", position)
            position = end + 2 if end >= 0 else len(head)
        elif head.startswith("<!", position):
            doctype = _DOCTYPE.match(head, position)
            if doctype is None:
                raise hostile(name)
            position = doctype.end()
        else:
            break
    root = _ROOT.match(head, position)
    if root is None:
        raise UserError(
            f"« {name} » n’est pas un fichier XML lisible : sa première balise est introuvable. "
            "Demandez un nouvel export."
        )
    return root.group(1), head[position:]


def _source_of(root: str, name: str) -> tuple[str, str]:
    if root == "ficAlimMENESR":
        return "aaf", ""
    if root in SIECLE_ROOTS:
        return "siecle", root
    if root == "STS_EDT":
        return "sts", root
    if root == "EDT_STS":
        raise UserError(
            f"« {name} » est le fichier que l’emploi du temps envoie vers STS (EDT_STS). Il faut "
            "l’autre sens : "
            "dans STS-web, choisissez « Exports », puis « Emploi du temps » (fichier sts_emp_…xml)."
        )
    if root == "IMPORT_ELEVES":
        raise UserError(
            f"« {name} » est un fichier d’import privé destiné à SIECLE (IMPORT_ELEVES). Il faut les exports "
            "XML de SIECLE : Élèves, Responsables, Structures, Nomenclature."
        )
    raise UserError(
        f"« {name} » n’est pas reconnu (sa première balise est « {root[:40]} »). Sont lus : les "
        "fichiers AAF, "
        "les exports XML de SIECLE, le fichier STS vers emploi du temps et l’annuaire de l’éducation en CSV."
    )


def _describe_aaf(found: Detected, head: str) -> None:
    found.settings = dict(_AAF_COMMENT.findall(head))
    category = _CATEGORY.search(head)
    found.part = _part_of(category.group(1)) if category else _part_from_name(found.name)
    if found.settings.get("degre", "").upper().startswith("1") or _AAF1D.search(head):
        found.source = "aaf1d"
    delta = "<modifyRequest" in head or "<deleteRequest" in head
    named = "delta" in found.name.lower() or "delta" in found.entry.holder.lower()
    found.settings["mode"] = "delta" if delta or named else "complet"


def _part_of(category: str) -> str:
    return {"MatiereEducNat": "MatEducNat"}.get(category, category)


def _part_from_name(name: str) -> str:
    """Fall back on the name for a file that holds no object at all."""
    for part in ("PersRelEleve", "PersEducNat", "EtabEducNat", "MefEducNat", "Eleve"):
        if part.lower() in name.lower():
            return part
    return "MatEducNat" if "mat" in name.lower() else ""


def normalise_column(label: str) -> str:
    """Return the name of a column as the API writes it: lower case, no accent, underscores."""
    plain = unicodedata.normalize("NFKD", label.strip()).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _detect_text(entry: Entry, encoding: str, head: str) -> Detected:
    first = head.split("\n", 1)[0].strip("\r")
    try:
        columns = {normalise_column(cell) for cell in next(csv.reader([first], delimiter=";"), [])}
    except csv.Error:  # one endless cell: no spreadsheet starts so
        columns = set()
    if "identifiant_de_l_etablissement" in columns:
        return Detected(entry, "annuaire", "annuaire", encoding, head)
    if "numero_uai" in columns:
        raise UserError(
            f"« {entry.base} » est le jeu « adresse et géolocalisation ». Il faut l’annuaire de "
            "l’éducation : "
            "jeu « fr-en-annuaire-education » de data.education.gouv.fr, export CSV."
        )
    if "identifiant_de_l_etablissement" in {normalise_column(c) for c in first.split(",")}:
        raise UserError(
            f"« {entry.base} » est séparé par des virgules. Exportez l’annuaire de l’éducation en CSV "
            "avec le "
            "point-virgule comme séparateur."
        )
    raise UserError(
        f"« {entry.base} » n’est pas reconnu. Sont lus : les fichiers AAF, les exports XML de SIECLE, le "
        "fichier STS vers emploi du temps et l’annuaire de l’éducation en CSV."
    )
