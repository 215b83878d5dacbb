"""AAF directories, second degree: what is read, what is told, what is refused."""

from __future__ import annotations

import pytest

from app.errors import UserError
from app.operations.alimentation.fiches import Objet, Operation
from tests.imports.conftest import aaf, attr, eleve, etab, request

CLASSES = attr("ENTStructureClasses", "6A$SIXIEME A$10010012110", "6B$0$") + attr(
    "ENTStructureGroupes", "6AGR1$GROUPE 1$6A$6B"
)
PUPIL = (
    attr("ENTEleveINE", "123456789ab")
    + attr("ENTEleveStructRattachId", "77")
    + attr("ENTElevePersRelEleve", "3000$10$1$1$1$0", "3001$1$0$2$0$0")
    + attr("ENTEleveClasses", "43$6A")
    + attr("ENTEleveGroupes", "43$6AGR1")
    + attr("ENTEleveMEF", "10010012110")
    + attr("ENTEleveRegime", "DEMI-PENSIONNAIRE")
    + attr("ENTEleveCodeEnseignements", "030201", "020300")
    + attr("ENTEleveDateEntreeClasses", "43$01/09/2025$6A")
    + attr("ENTPersonAdresse", "1 rue des Lilas$Bâtiment B$$")
    + attr("personalTitle", "Mlle")
    + attr("mail")
)
STAFF = (
    attr("ENTPersonJointure", "500")
    + attr("sn", "MARTIN")
    + attr("ENTPersonNomPatro", "DUPONT")
    + attr("givenName", "Anne")
    + attr("mail", "anne.martin@ac-rennes.fr")
    + attr("ENTPersonStructRattach", "43")
    + attr("ENTAuxEnsDisciplinesPoste", "LETTRES MODERNES$L0202")
    + attr("ENTAuxEnsClassesMatieres", "43$6A$020700", "44$5B$020700")
    + attr("ENTAuxEnsClasses", "43$6A", "43$6B")
    + attr("ENTAuxEnsGroupesMatieres", "43$6AGR1$020700")
    + attr("ENTAuxEnsClassesPrincipal", "43$6A")
    + attr("ENTPersonFonctions", "43$ENS$ENSEIGNEMENT$L0202$LETTRES MODERNES")
)


@pytest.fixture
def annuaire(ecrire):
    """Two schools, nomenclatures, one pupil, two guardians, one teacher of both schools."""
    etabs = etab(extra=CLASSES) + etab("44", "0350002M")
    mefs = request(
        "MefEducNat", "10010012110", attr("ENTMefJointure", "10010012110") + attr("ENTLibelleMef", "6EME")
    )
    matieres = "".join(
        request("MatEducNat", code, attr("ENTMatJointure", code) + attr("ENTLibelleMatiere", f"M{code}"))
        for code in ("030201", "020300", "020700")
    )
    parents = "".join(
        request(
            "PersRelEleve",
            key,
            attr("sn", "LEFÈVRE") + attr("givenName", name) + attr("mobile", "+33 6 01 02"),
        )
        for key, name in (("3000", "Ève"), ("3001", "Luc"))
    )
    return [
        ecrire("E_Complet_20250916_PersEducNat_0000.xml", aaf(request("PersEducNat", "500", STAFF))),
        ecrire("E_Complet_20250916_PersRelEleve_0000.xml", aaf(parents)),
        ecrire("E_Complet_20250916_Eleve_0000.xml", aaf(eleve(extra=PUPIL))),
        ecrire("E_Complet_20250916_MatiereEducNat_0000.xml", aaf(matieres)),
        ecrire("E_Complet_20250916_MefEducNat_0000.xml", aaf(mefs)),
        ecrire("E_Complet_20250916_EtabEducNat_0000.xml", aaf(etabs)),
    ]


class TestReads:
    def test_order_is_the_order_of_application(self, annuaire, lire):
        order = list(dict.fromkeys(fiche.objet for fiche in lire(*annuaire).fiches))
        assert order == [
            Objet.ETABLISSEMENT, Objet.MEF, Objet.MATIERE, Objet.DIVISION, Objet.GROUPE,
            Objet.ELEVE, Objet.RESPONSABLE, Objet.PERSONNEL,
        ]  # fmt: skip

    def test_header(self, annuaire, lire):
        entete = lire(*annuaire).entete
        assert (entete.source, entete.espace, entete.mode, entete.academie) == (
            "aaf",
            "aaf:14",
            "complet",
            "14",
        )
        assert entete.date_export.isoformat() == "2025-09-16T00:00:00+02:00"
        assert entete.annee_scolaire == 2025
        assert entete.presents == {
            Objet.ETABLISSEMENT, Objet.MEF, Objet.MATIERE, Objet.DIVISION, Objet.GROUPE,
            Objet.ELEVE, Objet.RESPONSABLE, Objet.PERSONNEL,
        }  # fmt: skip

    def test_pupil(self, annuaire, lire):
        read = lire(*annuaire)
        fiche = next(f for f in read.fiches if f.objet is Objet.ELEVE)
        assert (fiche.cle, fiche.uai, fiche.ligne, fiche.operation) == (
            "2000",
            "0350001L",
            6,
            Operation.COMPLET,
        )
        assert fiche.lire() == {
            "identifiants": [
                ["eleve_id", "14", "77"],
                ["jointure", "14", "2000"],
                ["ine", "", "123456789AB"],
            ],
            "nom": "LEFÈVRE",
            "nom_usage": None,
            "prenom": "Zoé",
            "civilite": "Mme",
            "date_naissance": "2012-03-02",
            "email": None,
            "adresse": "1 rue des Lilas, Bâtiment B",
            "scolarites": [
                {
                    "uai": "0350001L",
                    "division": "6A",
                    "groupes": ["6AGR1"],
                    "mef": "10010012110",
                    "regime": "DEMI-PENSIONNAIRE",
                    "options": ["030201", "020300"],
                    "debut": "2025-09-01",
                }
            ],
            "responsables": [
                {
                    "cle": "3000",
                    "code_parente": "10",
                    "niveau": 1,
                    "financier": True,
                    "contact": True,
                    "paiement": False,
                },
                {
                    "cle": "3001",
                    "code_parente": "20",
                    "niveau": 1,
                    "financier": False,
                    "contact": False,
                    "paiement": False,
                },
            ],
        }
        assert read.anomalies == []

    def test_classes_and_groups(self, annuaire, lire):
        read = lire(*annuaire)
        assert read.of(Objet.DIVISION) == {
            "0350001L$6A": {"uai": "0350001L", "code": "6A", "libelle": "SIXIEME A", "mefs": ["10010012110"]},
            "0350001L$6B": {"uai": "0350001L", "code": "6B", "libelle": ""},
        }
        assert read.of(Objet.GROUPE)["0350001L$6AGR1"]["divisions"] == ["6A", "6B"]

    def test_teacher_of_two_schools(self, annuaire, lire):
        record = lire(*annuaire).of(Objet.PERSONNEL)["500"]
        assert (record["nom"], record["nom_usage"], record["profil"]) == ("DUPONT", "MARTIN", "enseignant")
        assert record["etablissements"] == ["0350001L", "0350002M"]
        assert record["services"] == [
            {"uai": "0350001L", "division": "6A", "matiere": "020700"},
            {"uai": "0350002M", "division": "5B", "matiere": "020700"},
            {"uai": "0350001L", "division": "6B"},
            {"uai": "0350001L", "groupe": "6AGR1", "matiere": "020700"},
        ]
        assert record["principal_de"] == [{"uai": "0350001L", "division": "6A"}]
        assert record["disciplines"] == [{"code": "L0202", "libelle": "LETTRES MODERNES"}]

    def test_school(self, annuaire, lire):
        record = lire(*annuaire).of(Objet.ETABLISSEMENT)["43"]
        assert (record["uai"], record["nom"], record["secteur"]) == ("0350001L", "CLG DES LILAS", "public")

    def test_same_object_same_digest_whatever_its_place_and_blanks(self, ecrire, lire):
        first = ecrire("a_Eleve_0000.xml", aaf(etab() + eleve()))
        other = ecrire(
            "b_Eleve_0000.xml", aaf(etab() + eleve("9") + "\n\n  " + eleve().replace("\n", "\n   "))
        )
        changed = ecrire("c_Eleve_0000.xml", aaf(etab() + eleve(naissance="03/03/2012")))
        digests = [
            {f.cle: f.empreinte for f in lire(path).fiches if f.objet is Objet.ELEVE}
            for path in (first, other, changed)
        ]
        assert digests[0]["2000"] == digests[1]["2000"]
        assert digests[0]["2000"] != digests[2]["2000"]
        assert len(digests[0]["2000"]) == 16

    def test_unknown_attributes_are_counted(self, ecrire, lire):
        body = etab() + eleve("1", attr("ENTEleveNouveau", "x")) + eleve("2", attr("ENTEleveNouveau", "y"))
        read = lire(ecrire("x.xml", aaf(body)))
        assert read.entete.attributs_inconnus == {"ENTEleveNouveau": 2}
        assert set(read.of(Objet.ELEVE)) == {"1", "2"}

    def test_split_files_are_read_in_order(self, ecrire, lire):
        ecrire("z.dtd", "")
        second = ecrire("x_Eleve_0001.xml", aaf(eleve("2")))
        first = ecrire("x_Eleve_0000.xml", aaf(eleve("1")))
        assert list(lire(second, first, structures={"43": "0350001L"}).of(Objet.ELEVE)) == ["1", "2"]

    def test_a_record_is_readable_long_after(self, ecrire, lire):
        body = "".join(eleve(str(key), nom=f"NOM{key}") for key in range(2500))
        read = lire(ecrire("x.xml", aaf(etab() + body)))
        assert read.of(Objet.ELEVE)["3"]["nom"] == "NOM3"

    def test_lines_stay_right_past_65535(self, ecrire, lire):
        read = lire(ecrire("x.xml", aaf(etab() + "\n" * 70_000 + eleve())))
        line = next(f.ligne for f in read.fiches if f.objet is Objet.ELEVE)
        assert 70_000 < line < 70_040


class TestTells:
    """Each anomaly names the pupil, the line and what to do; the object stays when usable."""

    @pytest.mark.parametrize(
        ("extra", "code"),
        [
            (attr("ENTEleveINE", "12"), "ine_invalide"),
            (attr("ENTEleveClasses", "43$6A", "43$6B"), "deux_divisions"),
            (attr("ENTEleveClasses", "99$6A"), "structure_inconnue"),
            (attr("ENTElevePersRelEleve", "2000$70$1$1$1$1"), "parent_eleve"),
            (
                attr("ENTElevePersRelEleve", "1$10$1$1$1$1", "2$20$1$1$1$1", "3$50$1$1$1$1"),
                "legaux_multiples",
            ),
            (attr("ENTElevePersRelEleve", "1$10$1$1$1$1", "1$10$1$1$1$1"), "responsable_double"),
        ],
    )
    def test_pupil(self, ecrire, lire, extra, code):
        read = lire(ecrire("x.xml", aaf(etab() + eleve(extra=extra))))
        assert read.codes() == [code]
        anomalie = read.anomalies[0]
        assert (anomalie.libelle, anomalie.cle, anomalie.fichier) == ("LEFÈVRE Zoé", "2000", "x.xml")
        assert anomalie.ligne
        assert "2000" in read.of(Objet.ELEVE)

    def test_birth_date_that_does_not_exist(self, ecrire, lire):
        read = lire(ecrire("x.xml", aaf(etab() + eleve(naissance="31/02/2012"))))
        assert read.codes() == ["date_invalide"]
        assert read.of(Objet.ELEVE)["2000"]["date_naissance"] is None

    def test_no_name_is_no_person(self, ecrire, lire):
        read = lire(ecrire("x.xml", aaf(etab() + eleve(nom=""))))
        assert read.codes() == ["nom_absent"]
        assert read.of(Objet.ELEVE) == {}

    def test_mef_and_subject_not_described(self, ecrire, lire):
        other = request("MefEducNat", "1", attr("ENTMefJointure", "1")) + request(
            "MatEducNat", "2", attr("ENTMatJointure", "2")
        )
        pupil = eleve(extra=attr("ENTEleveMEF", "9") + attr("ENTEleveCodeEnseignements", "8"))
        assert lire(ecrire("x.xml", aaf(etab() + other + pupil))).codes() == ["mef_absent", "matiere_absente"]

    def test_same_ine_twice(self, ecrire, lire):
        ine = attr("ENTEleveINE", "123456789AB")
        read = lire(ecrire("x.xml", aaf(etab() + eleve("1", ine) + eleve("2", ine))))
        assert [(a.code, a.cle) for a in read.anomalies] == [("ine_double", "2")]

    def test_class_declared_twice(self, ecrire, lire):
        read = lire(
            ecrire("x_EtabEducNat.xml", aaf(etab(extra=attr("ENTStructureClasses", "6A$A$", "6A$B$"))))
        )
        assert read.codes() == ["classe_double"]
        assert read.of(Objet.DIVISION)["0350001L$6A"]["libelle"] == "A"

    def test_wrong_control_letter_is_a_warning(self, ecrire, lire):
        read = lire(ecrire("x.xml", aaf(etab(uai="0350001Z"))))
        assert read.codes() == ["uai_cle"]
        assert "43" in read.of(Objet.ETABLISSEMENT)

    def test_unknown_category_is_counted(self, ecrire, lire):
        read = lire(ecrire("x.xml", aaf(etab() + request("Autre", "1", attr("x", "y")))))
        assert read.entete.attributs_inconnus == {"categorie:Autre": 1}


class TestRefuses:
    def test_hole_in_a_split_set(self, ecrire, lire):
        paths = [ecrire(f"x_Eleve_{n}.xml", aaf(eleve(n))) for n in ("0000", "0002")]
        with pytest.raises(UserError, match=r"Il manque « x_Eleve_0001.xml »"):
            lire(*paths)

    def test_truncated_file_names_its_line(self, ecrire, lire):
        text = aaf(etab() + eleve())
        with pytest.raises(UserError, match=r"« x.xml » est incomplet ou abîmé à la ligne \d+"):
            lire(ecrire("x.xml", text[:-40]))

    def test_two_academies(self, ecrire, lire):
        paths = [ecrire("a.xml", aaf(etab(), academie="14")), ecrire("b.xml", aaf(eleve(), academie="13"))]
        with pytest.raises(UserError, match="plusieurs académies"):
            lire(*paths)

    def test_unknown_academie(self, ecrire, lire):
        with pytest.raises(UserError, match="Joignez le fichier EtabEducNat"):
            lire(ecrire("a.xml", aaf(eleve(), academie="")))

    def test_samples(self, exemples, lire):
        read = lire(exemples / "aaf-2020")
        assert read.of(Objet.ELEVE)["2000000"]["identifiants"][-1] == ["ine", "", "100000000AA"]
        staff = lire(exemples / "aaf-2024" / "before").of(Objet.PERSONNEL)
        assert staff["314159"]["fonctions"][0]["uai"] == "0123456A"
        with pytest.raises(UserError, match="ligne 86"):
            lire(exemples / "aaf-tronque")
