"""Small files written for the tests, and one way to read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from app.imports import open_sources
from app.operations.alimentation.fiches import Anomalie, EnTete, Fiche, Objet

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"


def attr(name: str, *values: str) -> str:
    inner = "".join(f"<value>{value}</value>" for value in values) or "<value/>"
    return f'<attr name="{name}">{inner}</attr>\n'


def request(category: str, key: str, attributes: str) -> str:
    kind = {"EtabEducNat": "Structure", "MefEducNat": "Mef", "MatEducNat": "Matiere"}.get(
        category, "Personne"
    )
    return (
        f'<addRequest>\n<operationalAttributes><attr name="categorie{kind}"><value>{category}</value></attr>'
        f"</operationalAttributes>\n<identifier><id>{key}</id></identifier>\n<attributes>\n{attributes}"
        "</attributes>\n</addRequest>\n"
    )


def aaf(body: str, *, encoding: str = "UTF-8", academie: str = "14", prologue: bool = True) -> str:
    head = f'<?xml version="1.0" encoding="{encoding}"?>\n' if prologue else ""
    return (
        f'{head}<!DOCTYPE ficAlimMENESR SYSTEM "ficAlimMENESR.dtd">\n<ficAlimMENESR>\n'
        f'<!-- codeAcademieExport="{academie}" -->\n<!-- dateGenerationExport="16/09/2025" -->\n'
        f"{body}</ficAlimMENESR>\n"
    )


def etab(key: str = "43", uai: str = "0350001L", extra: str = "") -> str:
    return request(
        "EtabEducNat",
        key,
        attr("ENTStructureJointure", key)
        + attr("ENTStructureUAI", uai)
        + attr("ENTStructureNomCourant", "CLG$CLG DES LILAS$RENNES")
        + attr("ENTStructureTypeStruct", "COLLEGE")
        + attr("ENTEtablissementContrat", "PU")
        + attr("postalCode", "35000")
        + extra,
    )


def eleve(key: str = "2000", extra: str = "", *, nom: str = "LEFÈVRE", naissance: str = "02/03/2012") -> str:
    return request(
        "Eleve",
        key,
        attr("ENTPersonJointure", key)
        + attr("ENTPersonDateNaissance", naissance)
        + attr("ENTPersonNomPatro", nom)
        + attr("sn", nom)
        + attr("givenName", "Zoé")
        + attr("ENTPersonStructRattach", "43")
        + extra,
    )


def siecle(root: str, donnees: str, *, uai: str = "0350001L", annee: str = "2025") -> bytes:
    return (
        f'<?xml version="1.0" encoding="ISO-8859-15"?>\n<{root} VERSION="3.0">\n<PARAMETRES><UAJ>{uai}</UAJ>'
        f"<ANNEE_SCOLAIRE>{annee}</ANNEE_SCOLAIRE><DATE_EXPORT>02/09/2025</DATE_EXPORT>"
        "<HORODATAGE>02/09/2025 "
        f"18:05:00</HORODATAGE></PARAMETRES>\n<DONNEES>\n{donnees}</DONNEES>\n</{root}>\n"
    ).encode("iso8859-15")


class Lu:
    """What a set of files gave."""

    def __init__(self, entete: EnTete, items: Iterable[Fiche | Anomalie]) -> None:
        self.entete = entete
        self.items = list(items)
        self.fiches = [item for item in self.items if isinstance(item, Fiche)]
        self.anomalies = [item for item in self.items if isinstance(item, Anomalie)]

    def of(self, objet: Objet) -> dict[str, dict]:
        return {fiche.cle: fiche.lire() for fiche in self.fiches if fiche.objet is objet}

    def codes(self) -> list[str]:
        return [anomalie.code for anomalie in self.anomalies]


@pytest.fixture
def lire() -> Callable[..., Lu]:
    def read(*paths: Path, **options: object) -> Lu:
        with open_sources(list(paths), **options) as source:
            return Lu(source.entete, source.objets())

    return read


@pytest.fixture
def ecrire(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def exemples() -> Path:
    if not SAMPLES.is_dir():
        pytest.skip("les fichiers d’exemple ne sont pas à côté du dépôt")
    return SAMPLES
