"""STS files, and the open data directory of schools."""

# ruff: noqa: E501 - XML as exporters write it

from __future__ import annotations

import pytest

from app.errors import UserError
from app.operations.alimentation.fiches import Objet
from tests.imports.conftest import siecle

STS = """<?xml version="1.0" encoding="UTF-8"?>
<STS_EDT><PARAMETRES><UAJ CODE="0350001L"><DENOM_PRINC>COLLEGE</DENOM_PRINC><DENOM_COMPL>DES LILAS</DENOM_COMPL></UAJ>
<ANNEE_SCOLAIRE ANNEE="2025"/></PARAMETRES>
<NOMENCLATURES><MATIERES><MATIERE CODE="030101"><LIBELLE_EDITION>ALLEMAND LV1</LIBELLE_EDITION></MATIERE></MATIERES>
<MEFS><MEF CODE="10010012110"><LIBELLE_LONG>SIXIEME</LIBELLE_LONG></MEF></MEFS></NOMENCLATURES>
<DONNEES><INDIVIDUS>
<INDIVIDU ID="1" TYPE="epp"><SEXE>1</SEXE><CIVILITE>1</CIVILITE><NOM_USAGE>DURAND</NOM_USAGE>
<NOM_PATRONYMIQUE>DURAND</NOM_PATRONYMIQUE><PRENOM>Michel</PRENOM><DATE_NAISSANCE>1975-03-12</DATE_NAISSANCE>
<FONCTION>ENS</FONCTION><PROFS_PRINC><PROF_PRINC><CODE_STRUCTURE>6A</CODE_STRUCTURE></PROF_PRINC></PROFS_PRINC>
<DISCIPLINES><DISCIPLINE CODE="L0421"><LIBELLE_COURT>ALLEMAND</LIBELLE_COURT></DISCIPLINE></DISCIPLINES></INDIVIDU>
<INDIVIDU ID="2" TYPE="epp"><CIVILITE>2</CIVILITE><NOM_USAGE>PETIT</NOM_USAGE><PRENOM>Ève</PRENOM>
<FONCTION>DIR</FONCTION></INDIVIDU>
<INDIVIDU ID="1" TYPE="local"><SEXE/><NOM_USAGE>ZETO</NOM_USAGE><PRENOM>Mélanie</PRENOM></INDIVIDU>
</INDIVIDUS><STRUCTURE><DIVISIONS><DIVISION CODE="6A"><LIBELLE_LONG>SIXIEME A</LIBELLE_LONG>
<SERVICES><SERVICE CODE_MATIERE="030101"><ENSEIGNANTS><ENSEIGNANT ID="1" TYPE="epp"/></ENSEIGNANTS></SERVICE></SERVICES>
<MEFS_APPARTENANCE><MEF CODE="10010012110"/></MEFS_APPARTENANCE></DIVISION></DIVISIONS>
<GROUPES><GROUPE CODE="G1"><DIVISIONS_APPARTENANCE><DIVISION_APPARTENANCE CODE="6A"/></DIVISIONS_APPARTENANCE>
</GROUPE></GROUPES></STRUCTURE></DONNEES></STS_EDT>"""

HEADER = "Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code postal;Nom_commune;Code_academie;etat;etablissement_multi_lignes"
LINE = "0350001L;École des Lilas;Ecole;Privé;01000;Bourg;14;OUVERT;0"


class TestSts:
    def test_staff(self, ecrire, lire):
        people = lire(ecrire("s.xml", STS)).of(Objet.PERSONNEL)
        assert set(people) == {"epp:1", "epp:2", "local:1"}
        assert people["epp:1"] == {
            "nom": "DURAND",
            "nom_usage": None,
            "prenom": "Michel",
            "civilite": "M.",
            "sexe": "M",
            "date_naissance": "1975-03-12",
            "identifiants": [["sts", "0350001L", "epp:1"]],
            "profil": "enseignant",
            "etablissements": ["0350001L"],
            "fonctions": [
                {
                    "uai": "0350001L",
                    "code": "ENS",
                    "libelle": "Enseignement",
                    "discipline_code": "L0421",
                    "discipline_libelle": "ALLEMAND",
                }
            ],
            "disciplines": [{"code": "L0421", "libelle": "ALLEMAND"}],
            "services": [{"uai": "0350001L", "division": "6A", "matiere": "030101"}],
            "principal_de": [{"uai": "0350001L", "division": "6A"}],
        }
        assert [people[key]["profil"] for key in ("epp:2", "local:1")] == ["personnel", "enseignant"]

    def test_school_classes_nomenclature(self, ecrire, lire):
        read = lire(ecrire("s.xml", STS))
        assert read.of(Objet.ETABLISSEMENT)["0350001L"]["nom"] == "COLLEGE DES LILAS"
        assert read.of(Objet.MEF)["10010012110"]["libelle"] == "SIXIEME"
        assert read.of(Objet.DIVISION)["0350001L$6A"]["mefs"] == ["10010012110"]
        assert read.of(Objet.GROUPE)["0350001L$G1"]["divisions"] == ["6A"]
        assert (read.entete.espace, read.entete.annee_scolaire, read.entete.date_export) == (
            "sts:0350001L",
            2025,
            None,
        )
        assert Objet.PERSONNEL in read.entete.presents

    def test_the_other_direction_is_refused(self, ecrire, lire):
        with pytest.raises(UserError, match="Il faut l’autre sens"):
            lire(ecrire("s.xml", "<EDT_STS></EDT_STS>"))

    def test_mixed_sources(self, ecrire, lire):
        with pytest.raises(UserError, match=r"« s.xml » \(STS\).*« e.xml » \(SIECLE\)"):
            lire(ecrire("s.xml", STS), ecrire("e.xml", siecle("BEE_ELEVES", "")))

    def test_samples(self, exemples, lire):
        for name in ("sts/sts_emp_0750001A_2026.xml", "synthetique/sts_emp_0750001A_2026.variante.xml"):
            read = lire(exemples / name)
            assert read.of(Objet.DIVISION)["0750001A$6E1"]["mefs"] == ["10010012110"]
            assert len(read.of(Objet.PERSONNEL)["epp:8949"]["services"]) == 2


class TestAnnuaire:
    def test_fields(self, ecrire, lire):
        read = lire(ecrire("a.csv", f"\ufeff{HEADER}\r\n{LINE}\r\n"))
        assert read.of(Objet.ETABLISSEMENT) == {
            "0350001L": {
                "uai": "0350001L",
                "nom": "École des Lilas",
                "type": "Ecole",
                "secteur": "prive",
                "code_postal": "01000",
                "commune": "Bourg",
                "etat": "ouvert",
                "adresse": None,
                "academie_code": "14",
                "academie_nom": "Rennes",
                "mere_uai": None,
            }
        }
        assert (read.entete.source, read.entete.presents) == ("annuaire", {Objet.ETABLISSEMENT})

    def test_lower_case_names_and_unknown_columns(self, ecrire, lire):
        read = lire(ecrire("a.csv", f"{HEADER.lower()};nouvelle_colonne\n{LINE};x\n"))
        assert "0350001L" in read.of(Objet.ETABLISSEMENT)
        assert read.entete.attributs_inconnus == {"nouvelle_colonne": 1}

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("www.college.fr", "https://www.college.fr"),
            ("http://college.fr/a", "http://college.fr/a"),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("http://a@college.fr", None),
            ("", None),
        ],
    )
    def test_a_web_address_is_one_a_page_may_link_to(self, ecrire, lire, typed, kept):
        read = lire(ecrire("a.csv", f"{HEADER};web\n{LINE};{typed}\n"))
        assert read.of(Objet.ETABLISSEMENT)["0350001L"]["site_web"] == kept

    def test_bad_and_double_uai(self, ecrire, lire):
        lines = "\n".join(
            (LINE, LINE, LINE[:-1] + "1", LINE.replace("0350001L", "XX"), LINE.replace("L;", "A;", 1))
        )
        read = lire(ecrire("a.csv", f"{HEADER}\n{lines}\n"))
        assert [(a.code, a.ligne) for a in read.anomalies] == [
            ("uai_double", 3),
            ("uai_invalide", 5),
            ("uai_cle", 6),
        ]
        assert set(read.of(Objet.ETABLISSEMENT)) == {"0350001L", "0350001A"}

    def test_windows_encoding_and_mixed_line_ends(self, ecrire, lire):
        content = f"{HEADER}\r\n{LINE}\n{LINE.replace('0350001L', '0350002M')}\r".encode("cp1252")
        read = lire(ecrire("a.csv", content))
        assert [f.ligne for f in read.fiches] == [2, 3]
        assert read.of(Objet.ETABLISSEMENT)["0350002M"]["nom"] == "École des Lilas"

    @pytest.mark.parametrize(
        ("lines", "sentence"),
        [
            (f'{LINE}\n0350002M;"jamais fermé;x\n', "ligne 3 .* guillemet"),
            (f'{LINE}\n0350002M;"' + "x;\n" * 90_000, "ligne 3 .* guillemet"),
            (f"{LINE}\n{'x' * 10_000_000}\n", "ligne 3 .* démesurée"),
            (f"{LINE}\n0350002M;a;b\n", "ligne 3 : 3 colonnes au lieu de 9"),
        ],
    )
    def test_damage_is_told_with_its_line(self, ecrire, lire, lines, sentence):
        with pytest.raises(UserError, match=sentence):
            lire(ecrire("a.csv", f"{HEADER}\n{lines}"))

    @pytest.mark.parametrize(
        ("header", "sentence"),
        [
            ("numero_uai;appellation_officielle", "adresse et géolocalisation"),
            (HEADER.replace(";", ","), "point-virgule"),
            ("a;b", "n’est pas reconnu"),
            ("Identifiant_de_l_etablissement;x", "nom_etablissement"),
        ],
    )
    def test_other_csv(self, ecrire, lire, header, sentence):
        with pytest.raises(UserError, match=sentence):
            lire(ecrire("a.csv", f"{header}\n"))

    def test_sample(self, exemples, lire):
        read = lire(exemples / "annuaire")
        assert len(read.of(Objet.ETABLISSEMENT)) + read.codes().count("uai_double") >= 398
        assert "uai_cle" not in read.codes()
        assert read.entete.attributs_inconnus == {}
