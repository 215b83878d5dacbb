"""The files of the fictional académie: same bytes for a seed, read without an anomaly, and one truth."""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from app.errors import UserError
from app.exports.fictif import Options, aaf, generate
from app.imports import open_sources
from app.operations.alimentation.fiches import Anomalie, Fiche
from tests.exports.conftest import GRAINE


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def records(*paths: Path) -> tuple[dict[str, list[dict[str, Any]]], list[Anomalie]]:
    """Read files with the product's own readers."""
    found: dict[str, list[dict[str, Any]]] = {}
    anomalies = []
    with open_sources(list(paths)) as source:
        for read in source.objets():
            if isinstance(read, Fiche):
                found.setdefault(read.objet.value, []).append(read.lire())
            else:
                anomalies.append(read)
    return found, anomalies


class TestDeterminisme:
    @pytest.mark.parametrize("format_", ["aaf", "siecle", "annuaire"])
    def test_same_seed_gives_the_same_bytes(self, tmp_path: Path, format_: str) -> None:
        options = Options(etablissements=3, eleves=200, graine=5, format=format_)
        generate(tmp_path / "a", options)
        generate(tmp_path / "b", options)
        assert digests(tmp_path / "a") == digests(tmp_path / "b")

    def test_another_seed_gives_other_people(self, tmp_path: Path) -> None:
        for graine in (1, 2):
            generate(tmp_path / str(graine), Options(etablissements=2, eleves=50, graine=graine, zip=False))
        first, second = (records(tmp_path / name)[0]["eleve"] for name in ("1", "2"))
        assert {(e["nom"], e["prenom"]) for e in first} != {(e["nom"], e["prenom"]) for e in second}


class TestAaf:
    def test_readers_find_no_anomaly_and_everybody(self, fichiers: dict[str, Path]) -> None:
        found, anomalies = records(fichiers["aaf"])
        assert anomalies == []
        assert len(found["etablissement"]) == 6
        assert len(found["eleve"]) == 700
        assert len({e["identifiants"][0][2] for e in found["eleve"]}) == 700
        assert {"division", "groupe", "mef", "matiere", "responsable", "personnel"} <= set(found)

    def test_every_code_cited_is_declared(self, fichiers: dict[str, Path]) -> None:
        found, _ = records(fichiers["aaf"])
        mefs = {m["code"] for m in found["mef"]}
        subjects = {m["code"] for m in found["matiere"]}
        divisions = {(d["uai"], d["code"]) for d in found["division"]}
        groups = {(g["uai"], g["code"]) for g in found["groupe"]}
        for eleve in found["eleve"]:
            for place in eleve["scolarites"]:
                assert (place["uai"], place["division"]) in divisions
                assert {(place["uai"], code) for code in place.get("groupes", [])} <= groups
                assert place.get("mef") in mefs | {None}
                assert set(place.get("options") or []) <= subjects
        for person in found["personnel"]:
            for service in person["services"]:
                assert service["matiere"] in subjects
                known = divisions if service.get("division") else groups
                assert (service["uai"], service.get("division") or service.get("groupe")) in known

    def test_the_archive_holds_the_same_files(self, tmp_path: Path, fichiers: dict[str, Path]) -> None:
        bilan = generate(tmp_path, Options(etablissements=6, eleves=700, graine=GRAINE))
        (archive,) = bilan.fichiers
        with zipfile.ZipFile(archive) as packed:
            assert packed.testzip() is None
            for name in packed.namelist():
                assert packed.read(name) == (fichiers["aaf"] / name).read_bytes()
        assert [path.name for path in tmp_path.iterdir()] == [archive.name]

    def test_files_are_cut_every_twenty_thousand_objects(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(aaf, "PAR_FICHIER", 100)
        bilan = generate(tmp_path, Options(etablissements=2, eleves=250, zip=False))
        counts = [len(etree.parse(p).getroot()) - 5 for p in bilan.fichiers if "_Eleve_" in p.name]
        assert counts == [100, 100, 50]
        assert len(records(tmp_path)[0]["eleve"]) == 250

    def test_the_header_says_where_and_when(self, tmp_path: Path) -> None:
        generate(tmp_path, Options(etablissements=1, eleves=20, jour=date(2027, 3, 2), zip=False))
        with open_sources([tmp_path]) as source:
            assert source.entete.academie == "18"
            assert source.entete.mode == "complet"
            assert source.entete.date_export is not None
            assert source.entete.date_export.date() == date(2027, 3, 2)
            assert source.entete.attributs_inconnus == {}


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, Any]]]:
    """The first export and the two next ones, pupils by key."""
    found = []
    for rang, variante in ((1, 0), (1, 10), (2, 10)):
        folder = tmp_path_factory.mktemp("export")
        options = Options(6, 700, GRAINE, variante=variante, rang=rang, zip=False)
        generate(folder, options)
        read, anomalies = records(folder)
        assert anomalies == []
        found.append({e["identifiants"][0][2]: e for e in read["eleve"]})
    return found


class TestVariante:
    def test_pupils_come_leave_come_back_and_change_class(
        self, exports: list[dict[str, dict[str, Any]]]
    ) -> None:
        first, second, third = exports
        assert set(second) - set(first)
        assert set(first) - set(second)
        assert (set(first) - set(second)) & set(third)
        kept = set(first) & set(second)
        moved = [k for k in kept if first[k]["scolarites"] != second[k]["scolarites"]]
        relocated = [k for k in kept if first[k]["adresse"] != second[k]["adresse"]]
        assert moved
        assert relocated
        same = sum(first[k] == second[k] for k in kept)
        assert 0.8 <= same / len(first) < 1

    def test_who_came_stays_and_the_date_moves_on(
        self, exports: list[dict[str, dict[str, Any]]], tmp_path: Path
    ) -> None:
        first, second, third = exports
        came = set(second) - set(first)
        assert came <= set(third)
        options = Options(etablissements=1, eleves=20, jour=date(2026, 11, 16), variante=5, rang=2)
        assert options.jour_export == date(2026, 11, 30)


class TestSiecle:
    def test_siecle_and_aaf_describe_the_same_people(self, fichiers: dict[str, Path]) -> None:
        found, _ = records(fichiers["aaf"])
        wanted = {
            next(v for t, _s, v in e["identifiants"] if t == "eleve_id"): (
                e["nom"], e["prenom"], e["date_naissance"], e["commune"],
                sorted((s["uai"], s["division"]) for s in e["scolarites"]),
                sorted((x["code_parente"], x["niveau"]) for x in e["responsables"]),
            )
            for e in found["eleve"]
        }  # fmt: skip
        assert self._pupils(fichiers["siecle"]) == wanted

    def _pupils(self, folder: Path) -> dict[str, tuple[Any, ...]]:
        people: dict[str, tuple[Any, ...]] = {}
        for path in sorted(folder.glob("0*/ElevesAvecAdresses.xml")):
            uai, tree = path.parent.name, etree.parse(path)
            towns = {a.get("ADRESSE_ID"): a.findtext("LIBELLE_POSTAL") for a in tree.iter("ADRESSE")}
            divisions = {
                s.get("ELEVE_ID"): s.findtext("STRUCTURE/CODE_STRUCTURE")
                for s in tree.iter("STRUCTURES_ELEVE")
            }
            adults = etree.parse(path.parent / "ResponsablesAvecAdresses.xml")
            links: dict[str, list[tuple[str, int]]] = {}
            for link in adults.iter("RESPONSABLE_ELEVE"):
                kind = (link.findtext("CODE_PARENTE"), int(link.findtext("NIVEAU_RESPONSABILITE")))
                links.setdefault(link.findtext("ELEVE_ID"), []).append(kind)
            for eleve in tree.iter("ELEVE"):
                key = eleve.get("ELEVE_ID")
                day, month, year = eleve.findtext("DATE_NAISS").split("/")
                places = [*(people[key][4] if key in people else []), (uai, divisions[key])]
                people[key] = (
                    eleve.findtext("NOM_DE_FAMILLE"), eleve.findtext("PRENOM"), f"{year}-{month}-{day}",
                    towns[eleve.findtext("ADRESSE_ID")], sorted(places), sorted(links[key]),
                )  # fmt: skip
        return people

    def test_every_file_is_iso_8859_15_and_its_links_hold(self, fichiers: dict[str, Path]) -> None:
        folders = sorted(fichiers["siecle"].glob("0*"))
        assert len(folders) == 6
        for folder in folders:
            for path in folder.glob("*.xml"):
                assert path.read_bytes().startswith(b'<?xml version="1.0" encoding="ISO-8859-15"?>')
            adults = etree.parse(folder / "ResponsablesAvecAdresses.xml")
            people = [p.get("PERSONNE_ID") for p in adults.iter("PERSONNE")]
            assert len(set(people)) == len(people)
            assert {link.findtext("PERSONNE_ID") for link in adults.iter("RESPONSABLE_ELEVE")} == set(people)
            addresses = {a.get("ADRESSE_ID") for a in adults.iter("ADRESSE")}
            assert {p.findtext("ADRESSE_ID") for p in adults.iter("PERSONNE")} <= addresses

    def test_sts_services_name_its_own_staff_and_structures(self, fichiers: dict[str, Path]) -> None:
        paths = sorted((fichiers["siecle"] / "sts").glob("sts_emp_*_2026.xml"))
        assert len(paths) == 6
        seen: Counter[str] = Counter()
        for path in paths:
            tree = etree.parse(path)
            staff = {i.get("ID") for i in tree.iter("INDIVIDU")}
            seen.update(staff)
            assert {e.get("ID") for e in tree.iter("ENSEIGNANT")} <= staff
            subjects = {m.get("CODE") for m in tree.iter("MATIERE")}
            assert {s.get("CODE_MATIERE") for s in tree.iter("SERVICE")} <= subjects
        assert 2 in seen.values()


class TestAnnuaire:
    def test_columns_are_those_of_the_open_data_file(self, fichiers: dict[str, Path]) -> None:
        (path,) = fichiers["annuaire"].iterdir()
        text = path.read_bytes().decode("utf-8-sig")
        rows = [line.split(";") for line in text.split("\r\n") if line]
        assert rows[0][0] == "Identifiant_de_l_etablissement"
        assert {len(row) for row in rows} == {69}
        assert len(rows) == 1 + 6 + 2
        assert {row[rows[0].index("Libelle_academie")] for row in rows[1:]} == {"Touraine-Berry"}


class TestRefus:
    @pytest.mark.parametrize(("etablissements", "eleves"), [(0, 10), (5000, 10_000), (12, 5)])
    def test_impossible_plans_are_refused_in_french(
        self, tmp_path: Path, etablissements: int, eleves: int
    ) -> None:
        with pytest.raises(UserError, match="établissement"):
            generate(tmp_path, Options(etablissements=etablissements, eleves=eleves))


def test_memory_does_not_grow_with_the_number_of_pupils(tmp_path: Path) -> None:
    """What is allocated at the peak is the same for five times as many pupils in as many schools."""
    import tracemalloc

    peaks = []
    for count in (1, 5):
        tracemalloc.start()
        generate(tmp_path / str(count), Options(etablissements=6 * count, eleves=800 * count, zip=False))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
