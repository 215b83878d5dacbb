"""AAF deltas, and the directories of the first degree."""

# ruff: noqa: E501 - XML as exporters write it

from __future__ import annotations

import pytest

from app.errors import UserError
from app.operations.alimentation.fiches import Objet, Operation
from tests.imports.conftest import aaf, attr, eleve, etab, request

STRUCTURES = {"43": "0350001L", "44": "0350002M"}


def modify(key: str, changes: str, category: str = "Eleve") -> str:
    return (
        f'<modifyRequest><operationalAttributes><attr name="categoriePersonne"><value>{category}</value></attr>'
        f"</operationalAttributes><identifier><id>{key}</id></identifier><modifications>{changes}</modifications>"
        "</modifyRequest>\n"
    )


def change(name: str, *values: str) -> str:
    return (
        attr(name, *values)
        .replace("<attr ", '<modification operation="replace" ')
        .replace("</attr>", "</modification>")
    )


def delete(key: str) -> str:
    return (
        '<deleteRequest><operationalAttributes><attr name="categoriePersonne"><value>Eleve</value></attr>'
        f"</operationalAttributes><identifier><id>{key}</id></identifier></deleteRequest>\n"
    )


class TestDelta:
    def test_states_only_what_changes(self, ecrire, lire):
        body = (
            modify("1", change("ENTEleveClasses", "44$5B") + change("mail", "z@example.org"))
            + delete("2")
            + eleve("3")
        )
        read = lire(ecrire("E_Delta_20250917_Eleve_0000.xml", aaf(body)), structures=STRUCTURES)
        assert (read.entete.mode, read.entete.presents) == ("delta", set())
        operations = {f.cle: (f.operation, f.uai) for f in read.fiches}
        assert operations == {
            "1": (Operation.MODIFICATION, "0350002M"),
            "2": (Operation.SUPPRESSION, None),
            "3": (Operation.COMPLET, "0350001L"),
        }
        assert read.of(Objet.ELEVE)["1"] == {
            "identifiants": [["jointure", "14", "1"]],
            "email": "z@example.org",
            "scolarites": [{"uai": "0350002M", "division": "5B"}, {"uai": None, "division": None}],
        }
        assert read.of(Objet.ELEVE)["2"] == {}

    def test_emptied_groups_without_a_school(self, ecrire, lire):
        read = lire(ecrire("d.xml", aaf(modify("1", change("ENTEleveGroupes")))), structures=STRUCTURES)
        assert read.of(Objet.ELEVE)["1"]["scolarites"] == [{"uai": None, "groupes": []}]

    def test_main_school_and_classes_together_state_every_school(self, ecrire, lire):
        moved = change("ENTPersonStructRattach", "44") + change("ENTEleveClasses", "44$5B")
        record = lire(ecrire("d.xml", aaf(modify("1", moved))), structures=STRUCTURES).of(Objet.ELEVE)["1"]
        assert record["scolarites_entieres"] is True
        assert record["scolarites"][0] == {"uai": "0350002M", "division": "5B"}

    def test_an_unknown_school_says_nothing_of_the_known_ones(self, ecrire, lire):
        moved = (
            change("ENTPersonStructRattach", "99")
            + change("ENTEleveClasses", "99$5B")
            + change("ENTEleveMEF", "1")
        )
        record = lire(ecrire("d.xml", aaf(modify("1", moved))), structures=STRUCTURES).of(Objet.ELEVE)["1"]
        assert "scolarites_entieres" not in record
        assert not record.get("scolarites")

    def test_new_usual_name_alone(self, ecrire, lire):
        record = lire(ecrire("d.xml", aaf(modify("1", change("sn", "NEUF")))), structures=STRUCTURES).of(
            Objet.ELEVE
        )["1"]
        assert record["nom_usage"] == "NEUF"
        assert "nom" not in record

    def test_a_late_change_in_a_complete_file_is_refused(self, ecrire, lire):
        body = etab() + "".join(eleve(str(key)) for key in range(1000)) + delete("1")
        with pytest.raises(UserError, match="envoi partiel"):
            lire(ecrire("x.xml", aaf(body)))

    def test_sample(self, exemples, lire):
        read = lire(
            exemples / "synthetique" / "ENT_Delta_20250915_Eleve_0000.xml", structures={"1": "0160001A"}
        )
        assert read.of(Objet.ELEVE)["2000000"]["scolarites"] == [
            {"uai": "0160001A", "division": "1BPAQUA", "groupes": []},
            {"uai": None, "division": None, "groupes": []},
        ]
        assert read.entete.espace == "aaf:13"


class TestFirstDegree:
    def test_reads_its_own_names(self, ecrire, lire):
        school = request(
            "EtabEducNat",
            "43",
            attr("ENTStructureUAI", "0350001L")
            + attr("ENTStructureNomCourant", "ECOLE DES LILAS")
            + attr("ENTStructureVille", "RENNES")
            + attr("ENTStructureTelephone", "02 99 00 00 00"),
        )
        pupil = request(
            "Eleve",
            "1",
            attr("ENTPersonNom", "LEFÈVRE")
            + attr("ENTPersonPrenom", "Zoé")
            + attr("ENTPersonDateNaissance", "02/03/2018")
            + attr("ENTPersonStructRattach", "43")
            + attr("ENTPersonClasses", "43$CP A")
            + attr("ENTEleveAutoriteParentale", "3000", "3001")
            + attr("ENTEleveNiveau", "CP"),
        )
        parent = request(
            "PersRelEleve",
            "3000",
            attr("ENTPersonNom", "LEFÈVRE")
            + attr("ENTPersonPrenom", "Ève")
            + attr("ENTPersonMail", "eve@example.org")
            + attr("ENTPersRelEleveTelMobile", "06 01 02 03 04"),
        )
        read = lire(ecrire("ENT1D.xml", aaf(school + pupil + parent)))
        assert (read.entete.source, read.entete.espace) == ("aaf1d", "aaf1d:14")
        assert read.anomalies == []
        assert read.of(Objet.ETABLISSEMENT)["43"]["telephone"] == "0299000000"
        record = read.of(Objet.ELEVE)["1"]
        assert (record["nom"], record["prenom"]) == ("LEFÈVRE", "Zoé")
        assert record["scolarites"] == [{"uai": "0350001L", "division": "CP A"}]
        assert [(r["cle"], r["niveau"]) for r in record["responsables"]] == [("3000", 1), ("3001", 1)]
        assert read.of(Objet.RESPONSABLE)["3000"]["telephone_portable"] == "0601020304"

    def test_both_degrees_together_are_refused(self, ecrire, lire):
        first = request("Eleve", "1", attr("ENTPersonNom", "A") + attr("ENTPersonPrenom", "B"))
        with pytest.raises(UserError, match="sources différentes"):
            lire(ecrire("a.xml", aaf(first)), ecrire("b.xml", aaf(etab())))
