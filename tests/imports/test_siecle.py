"""SIECLE exports of one school: pupils, guardians, structures, nomenclature."""

# ruff: noqa: E501 - XML as exporters write it

from __future__ import annotations

import pytest

from app.errors import UserError
from app.operations.alimentation.fiches import Objet
from tests.imports.conftest import siecle


def pupil(key: str, *, nom: str = "LEFÈVRE", extra: str = "", mef: str = "10010012110") -> str:
    return (
        f'<ELEVE ELEVE_ID="{key}"><ID_NATIONAL>1234567{key}AB</ID_NATIONAL><NOM_DE_FAMILLE>{nom}</NOM_DE_FAMILLE>'
        f"<PRENOM>Zoé</PRENOM><PRENOM2>Anne</PRENOM2><DATE_NAISS>02/03/2012</DATE_NAISS><CODE_REGIME>2</CODE_REGIME>"
        f"<CODE_SEXE>2</CODE_SEXE><CODE_MEF>{mef}</CODE_MEF><ADRESSE_ID>9</ADRESSE_ID>{extra}</ELEVE>\n"
    )


def places(key: str, *codes: tuple[str, str]) -> str:
    inner = "".join(
        f"<STRUCTURE><CODE_STRUCTURE>{code}</CODE_STRUCTURE><TYPE_STRUCTURE>{kind}</TYPE_STRUCTURE></STRUCTURE>"
        for kind, code in codes
    )
    return f'<STRUCTURES_ELEVE ELEVE_ID="{key}">{inner}</STRUCTURES_ELEVE>\n'


ADDRESS = (
    '<ADRESSES><ADRESSE ADRESSE_ID="9"><LIGNE1_ADRESSE>1 rue d’Œuf</LIGNE1_ADRESSE><CODE_POSTAL>35000</CODE_POSTAL>'
    "<LL_PAYS>FRANCE</LL_PAYS><LIBELLE_POSTAL>RENNES</LIBELLE_POSTAL></ADRESSE></ADRESSES>"
).replace("’", "'")


def eleves(pupils: str, structures: str, options: str = "") -> bytes:
    return siecle(
        "BEE_ELEVES",
        f"<ELEVES>{pupils}</ELEVES><OPTIONS>{options}</OPTIONS><STRUCTURES>{structures}</STRUCTURES>{ADDRESS}",
    )


def person(key: str, nom: str = "ROCK") -> str:
    return (
        f'<PERSONNE PERSONNE_ID="{key}"><LC_CIVILITE>MME</LC_CIVILITE><NOM_DE_FAMILLE>{nom}</NOM_DE_FAMILLE>'
        "<PRENOM>Ada</PRENOM><TEL_PORTABLE>06 01 02 03 "
        "04</TEL_PORTABLE><MEL/><ADRESSE_ID>9</ADRESSE_ID></PERSONNE>"
    )


def link(eleve: str, personne: str, rest: str) -> str:
    return (
        f"<RESPONSABLE_ELEVE><ELEVE_ID>{eleve}</ELEVE_ID><PERSONNE_ID>{personne}</PERSONNE_ID>{rest}"
        "</RESPONSABLE_ELEVE>\n"
    )


def responsables(people: str, links: str) -> bytes:
    return siecle(
        "BEE_RESPONSABLES", f"<PERSONNES>{people}</PERSONNES><RESPONSABLES>{links}</RESPONSABLES>{ADDRESS}"
    )


NEW = "<NIVEAU_RESPONSABILITE>1</NIVEAU_RESPONSABILITE><CODE_PARENTE>10</CODE_PARENTE>"
OPTION = (
    '<OPTION ELEVE_ID="10"><OPTIONS_ELEVE><NUM_OPTION>1</NUM_OPTION><CODE_MATIERE>030201</CODE_MATIERE>'
    "</OPTIONS_ELEVE></OPTION>"
)


class TestEleves:
    def test_options_classes_and_address_come_from_other_sections(self, ecrire, lire):
        read = lire(
            ecrire(
                "e.xml",
                eleves(pupil("10"), places("10", ("G", "6AGR1"), ("D", "6 A"), ("D", "Inactifs")), OPTION),
            )
        )
        assert read.of(Objet.ELEVE)["10"] == {
            "nom": "LEFÈVRE",
            "nom_usage": None,
            "prenom": "Zoé",
            "autres_prenoms": "Anne",
            "date_naissance": "2012-03-02",
            "sexe": "F",
            "identifiants": [["eleve_id", "14", "10"], ["ine", "", "123456710AB"]],
            "adresse": "1 rue d'Œuf",
            "code_postal": "35000",
            "commune": "RENNES",
            "pays": "FRANCE",
            "scolarites": [
                {
                    "uai": "0350001L",
                    "mef": "10010012110",
                    "regime": "DEMI-PENSIONNAIRE",
                    "division": "6 A",
                    "groupes": ["6AGR1"],
                    "options": ["030201"],
                }
            ],
        }
        assert read.anomalies == []

    def test_header(self, ecrire, lire):
        entete = lire(ecrire("e.xml", eleves(pupil("10"), places("10", ("D", "6A"))))).entete
        assert (entete.source, entete.espace, entete.uai, entete.annee_scolaire) == (
            "siecle", "siecle:0350001L", "0350001L", 2025,
        )  # fmt: skip
        assert entete.date_export.isoformat() == "2025-09-02T18:05:00+02:00"
        assert entete.presents == {Objet.ELEVE}

    @pytest.mark.parametrize(
        ("body", "structures"),
        [
            (pupil("10", extra="<DATE_SORTIE>01/09/2025</DATE_SORTIE>"), places("10", ("D", "6A"))),
            (pupil("10", mef=""), places("10", ("D", "6A"))),
            (pupil("10"), places("10", ("G", "6A"))),
        ],
    )
    def test_who_is_not_enrolled_is_not_read(self, ecrire, lire, body, structures):
        read = lire(ecrire("e.xml", eleves(body, structures)))
        assert read.of(Objet.ELEVE) == {}
        assert read.anomalies == []

    def test_two_divisions(self, ecrire, lire):
        read = lire(ecrire("e.xml", eleves(pupil("10"), places("10", ("D", "6A"), ("D", "6B")))))
        assert [(a.code, a.libelle) for a in read.anomalies] == [("deux_divisions", "LEFÈVRE Zoé")]
        assert read.of(Objet.ELEVE)["10"]["scolarites"][0]["division"] == "6A"


class TestResponsables:
    def read(self, ecrire, lire, links):
        people = person("1") + person("2")
        return lire(ecrire("r.xml", responsables(people, links)))

    def test_person_and_address(self, ecrire, lire):
        record = self.read(ecrire, lire, link("10", "1", NEW)).of(Objet.RESPONSABLE)["1"]
        assert (record["civilite"], record["telephone_portable"], record["commune"]) == (
            "Mme",
            "0601020304",
            "RENNES",
        )
        assert record["identifiants"] == [["personne_id", "14", "1"]]
        assert record["email"] is None

    @pytest.mark.parametrize(
        ("rest", "expected"),
        [
            (NEW + "<A_CONTACTER_EN_PRIORITE>true</A_CONTACTER_EN_PRIORITE>", ("10", 1, True)),
            ("<RESP_LEGAL>1</RESP_LEGAL><CODE_PARENTE>1</CODE_PARENTE>", ("20", 1, False)),
            ("<RESP_LEGAL>2</RESP_LEGAL><CODE_PARENTE>2</CODE_PARENTE>", ("10", 1, False)),
            ("<RESP_LEGAL>0</RESP_LEGAL><CODE_PARENTE>4</CODE_PARENTE>", ("39", 3, False)),
            ("<NIVEAU_RESPONSABILITE>2</NIVEAU_RESPONSABILITE>", ("90", 2, False)),
        ],
    )
    def test_links_of_both_periods(self, ecrire, lire, rest, expected):
        record = self.read(ecrire, lire, link("10", "1", rest)).of(Objet.LIEN)["10$1"]
        assert (record["code_parente"], record["niveau"], record["contact"]) == expected

    @pytest.mark.parametrize(
        ("links", "code", "kept"),
        [
            (
                link("10", "1", "<RESP_LEGAL>1</RESP_LEGAL>") + link("10", "2", "<RESP_LEGAL>1</RESP_LEGAL>"),
                "legaux_multiples",
                2,
            ),
            (link("10", "1", NEW) + link("10", "1", NEW), "responsable_double", 1),
            (link("10", "1", NEW.replace("10<", "70<")), "parent_eleve", 0),
            (link("10", "99", NEW), "responsable_absent", 0),
        ],
    )
    def test_anomalies(self, ecrire, lire, links, code, kept):
        read = self.read(ecrire, lire, links)
        assert read.codes() == [code]
        assert len(read.of(Objet.LIEN)) == kept

    def test_links_of_pupils_gone_say_nothing(self, ecrire, lire):
        gone = pupil("11", extra="<DATE_SORTIE>01/09/2025</DATE_SORTIE>")
        structures = places("10", ("D", "6A")) + places("11", ("D", "6A"))
        read = lire(
            ecrire("e.xml", eleves(pupil("10") + gone, structures)),
            ecrire(
                "r.xml",
                responsables(person("1"), link("10", "1", NEW) + link("11", "1", NEW) + link("12", "1", NEW)),
            ),
        )
        assert list(read.of(Objet.LIEN)) == ["10$1"]
        assert read.codes() == ["eleve_absent"]
        assert read.entete.presents == {Objet.ELEVE, Objet.RESPONSABLE, Objet.LIEN}


class TestTogether:
    def test_structures_and_nomenclature(self, ecrire, lire):
        structures = siecle(
            "BEE_STRUCTURES",
            '<DIVISIONS><DIVISION CODE_STRUCTURE="6A"><LIBELLE_LONG>SIXIÈME A</LIBELLE_LONG><MEFS_APPARTENANCE>'
            "<MEF_APPARTENANCE><CODE_MEF>10010012110</CODE_MEF></MEF_APPARTENANCE></MEFS_APPARTENANCE></DIVISION>"
            '<DIVISION CODE_STRUCTURE="6A"/></DIVISIONS><GROUPES><GROUPE CODE_STRUCTURE="G1"><DIVISIONS_APPARTENANCE>'
            "<DIVISION_APPARTENANCE><CODE_STRUCTURE>6A</CODE_STRUCTURE></DIVISION_APPARTENANCE>"
            "</DIVISIONS_APPARTENANCE></GROUPE></GROUPES>",
        )
        nomenclature = siecle(
            "BEE_NOMENCLATURES",
            '<MEFS><MEF CODE_MEF="1"><FORMATION>5G</FORMATION><LIBELLE_EDITION>5ème</LIBELLE_EDITION></MEF></MEFS>'
            '<MATIERES><MATIERE CODE_MATIERE="020300"><LIBELLE_COURT>LATIN</LIBELLE_COURT></MATIERE></MATIERES>',
        )
        read = lire(
            ecrire("n.xml", nomenclature),
            ecrire("s.xml", structures),
            ecrire("e.xml", eleves(pupil("10"), places("10", ("D", "6A")), OPTION)),
        )
        assert read.of(Objet.DIVISION)["0350001L$6A"]["mefs"] == ["10010012110"]
        assert read.of(Objet.GROUPE)["0350001L$G1"]["divisions"] == ["6A"]
        assert read.of(Objet.MEF)["1"] == {"code": "1", "libelle": "5ème", "niveau": "5G"}
        assert read.codes() == ["classe_double", "mef_absent", "matiere_absente"]

    def test_two_schools_are_named(self, ecrire, lire):
        one = ecrire("e.xml", eleves("", ""))
        other = ecrire("r.xml", responsables("", "").replace(b"0350001L", b"0350002M"))
        with pytest.raises(UserError, match=r"« e.xml » \(0350001L\), « r.xml » \(0350002M\)"):
            lire(one, other)

    def test_the_same_file_of_two_schools_names_both(self, ecrire, lire):
        one = ecrire("e.xml", eleves("", ""))
        other = ecrire("f.xml", eleves("", "").replace(b"0350001L", b"0350002M"))
        with pytest.raises(UserError, match=r"plusieurs.*« e.xml » \(0350001L\), « f.xml » \(0350002M\)"):
            lire(one, other)

    def test_two_years(self, ecrire, lire):
        other = responsables("", "").replace(b">2025<", b">2024<")
        with pytest.raises(UserError, match="plusieurs années scolaires"):
            lire(ecrire("e.xml", eleves("", "")), ecrire("r.xml", other))

    def test_twice_the_same_kind(self, ecrire, lire):
        with pytest.raises(UserError, match="Deux fichiers Élèves"):
            lire(ecrire("a.xml", eleves("", "")), ecrire("b.xml", eleves("", "")))

    @pytest.mark.parametrize(
        ("root", "sentence"),
        [
            ("BEE_NOMENCLATURES", "Ceci est un fichier Nomenclature .* il faut Élèves"),
            ("BEE_GEOGRAPHIQUE", "Ceci est un fichier Géographique .* il faut Élèves"),
        ],
    )
    def test_the_wrong_file_is_named(self, ecrire, lire, root, sentence):
        with pytest.raises(UserError, match=sentence):
            lire(ecrire("ElevesAvecAdresses.xml", siecle(root, "")))

    def test_samples(self, exemples, lire):
        read = lire(exemples / "siecle" / "eleves_avec_adresse_simple.FIXED.xml")
        assert read.of(Objet.ELEVE)["1559191"]["scolarites"][0]["options"] == ["030201", "030602", "061300"]
        links = lire(exemples / "siecle" / "test_fixtures_files_responsables_avec_adresses_simple.xml").of(
            Objet.LIEN
        )
        assert len(links) == 3
        with pytest.raises(UserError, match=r"à la ligne \d+"):
            lire(exemples / "siecle" / "test_fixtures_files_eleves_avec_adresse_simple.xml")
        assert lire(exemples / "synthetique" / "Structures.xml").of(Objet.DIVISION).keys() == {
            "0750680G$6E1", "0750680G$6E2",
        }  # fmt: skip
