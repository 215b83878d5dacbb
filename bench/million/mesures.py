"""What is measured of the console: statements, times, throughput beside Django, weight of a page."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.extensions import db
from bench.commun import Rapport
from bench.million import charge, poids, serveurs
from bench.million.gens import ACADEMIE, CORRESPONDANT
from bench.million.serveurs import Serveur
from bench.million.temoin import ACADEMIE as ECOLES_ACADEMIE
from bench.million.temoin import ECOLE as ECOLES_CORRESPONDANT
from bench.million.temoin import Attendu, Temoin, texte, verifier

INSTRUCTIONS = 10
FOIS_DJANGO = 2.0
PROFONDE = 2.0
SUGGESTION_MS = 30
PALETTE_MS = 60
VUE_ACADEMIE_MS = 150
POIDS_KIO = 150
LIGNES = 25
PROFONDEUR = 900_000
PREMIERES_LETTRES = "abd"
"""First of the alphabet: nobody found otherwise than by these letters stands before in the list."""
RONDES = 8
SECONDES = 1.5
RELEVES = 30
TYPES_COMPTES = 24
"""People whose name is typed letter by letter, in each perimeter."""


@dataclass
class Page:
    """A page to read, as whom, and what it must say, in order."""

    nom: str
    qui: str
    chemin: str
    attendus: list[str] = field(default_factory=list)
    fragment: bool = False
    """Asked by the scripts of a page, which show it inside another."""

    def verifier(self, statut: int, texte: str) -> None:
        """Check an answer."""
        assert statut == 200, f"{self.chemin} répond {statut}"
        verifier(texte, self.attendus, ou=self.chemin)


@dataclass
class Perimetre:
    """One person's lists: where they are, over which schools, and how the peer's is called."""

    qui: str
    mot: str
    liste: str
    suggestions: str
    ecoles: str
    profil: str
    pair: str
    """The peer's list, with what ours shows: how many each choice of a filter keeps, where ours says so."""
    pair_nu: str = ""
    """The same list of the peer without those numbers, when ours has them: measured too, held to nothing."""


def perimetres(temoin: Temoin) -> list[Perimetre]:
    """Return what the assistant and the correspondent look at."""
    uai = temoin.valeur("SELECT uai FROM etablissement WHERE id = 1")
    here = f"/etablissements/{uai}/utilisateurs"
    return [
        Perimetre(
            ACADEMIE, "académie", "/personnes/", "/personnes/suggestions",
            ECOLES_ACADEMIE, "", "/admin/pair/personne/",
        ),
        Perimetre(
            CORRESPONDANT, "établissement", f"{here}/eleves/", f"{here}/suggestions?liste=eleves",
            ECOLES_CORRESPONDANT, "eleve",
            "/admin/pair/rattachement/?_facets=True", "/admin/pair/rattachement/",
        ),
    ]  # fmt: skip


def pages(temoin: Temoin, where: Perimetre) -> dict[str, Page]:
    """Return the pages of people of one perimeter, with what the witness expects of each."""
    many = temoin.nombre(where.ecoles, where.profil)
    deep = PROFONDEUR if many > PROFONDEUR + LIGNES else many * 9 // 10
    first = temoin.presents(where.ecoles, 0, LIGNES, where.profil)
    before, *after = temoin.presents(where.ecoles, deep - 1, LIGNES + 1, where.profil)
    found = temoin.presents(where.ecoles, 0, LIGNES, where.profil, PREMIERES_LETTRES)
    begins = temoin.presents(where.ecoles, 0, 1, where.profil, "mar")
    somebody = after[0]
    count = "10 000" if many > 10_000 else f"{many:,}".replace(",", " ")
    cursor = urlencode({"apres": f"{before.cle}~{before.id}"})
    return {
        "première page": Page("première page", where.qui, where.liste, [count, *_names(first)]),
        "page profonde": Page(
            f"page à la profondeur {deep}", where.qui, f"{where.liste}?{cursor}", _names(after)
        ),
        "recherche": Page(
            "recherche par préfixe", where.qui, f"{where.liste}?q={PREMIERES_LETTRES}", _names(found)
        ),
        "fiche": Page("fiche", where.qui, f"{where.liste}{somebody.id}", [somebody.affiche]),
        "suggestions": Page("suggestions", where.qui, _typing(where, "mar"), _names(begins)),
    }


def _names(people: Sequence[Attendu]) -> list[str]:
    return [person.affiche for person in people]


def _typing(where: Perimetre, text: str) -> str:
    mark = "&" if "?" in where.suggestions else "?"
    return f"{where.suggestions}{mark}q={quote(text)}"


def typed(temoin: Temoin, where: Perimetre) -> list[Page]:
    """Return what people type, letter by letter and otherwise, and whom each whole name must find."""
    many = temoin.nombre(where.ecoles, where.profil)
    queries = []
    for person in temoin.dispersees(where.ecoles, where.profil, many, TYPES_COMPTES):
        queries += [(person.cle[:size], []) for size in range(1, min(5, len(person.cle)))]
        queries += [(word, []) for word in person.cle.split()]
        whole = [person.cle, f"{person.prenom} {person.nom}", person.login]
        queries += [(word, [person.affiche]) for word in [*whole, *([person.email] if person.email else [])]]
    return [Page("suggestions", where.qui, _typing(where, text), names) for text, names in queries]


def palette(typing: Sequence[Page]) -> list[Page]:
    """Return the same typed in the palette, which answers those who are called so, in any order."""
    asked = []
    for page in typing:
        text = parse_qs(urlsplit(page.chemin).query)["q"][0]
        asked.append(Page("palette", page.qui, f"/palette?q={quote(text)}", page.attendus, fragment=True))
    return asked


# -- statements


def instructions(app: Flask, wanted: Sequence[Page]) -> dict[str, int]:
    """Return how many SQL statements each page costs, its answer checked."""
    statements: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    clients: dict[str, FlaskClient] = {}
    found = {}
    try:
        for page in wanted:
            if page.qui not in clients:
                clients[page.qui] = _signed_in(app, page.qui)
            client = clients[page.qui]
            client.get(page.chemin)
            statements.clear()
            answer = client.get(page.chemin)
            page.verifier(answer.status_code, answer.get_data(as_text=True))
            found[f"{page.nom}, {page.qui}"] = sum(not text.startswith("BEGIN") for text in statements)
    finally:
        event.remove(engine, "before_cursor_execute", note)
        engine.dispose()
    return found


def _signed_in(app: Flask, compte: str) -> FlaskClient:
    client = app.test_client()
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/connexion").get_data(as_text=True))
    assert found, "pas de jeton sur la page de connexion"
    values = {"identifiant": compte, "mdp": charge.MOT_DE_PASSE, "csrf_token": found[1]}
    assert client.post("/connexion", data=values).status_code == 302, f"connexion de {compte} refusée"
    return client


# -- times


def temps(server: Serveur, wanted: Sequence[Page], times: int) -> list[list[float]]:
    """Return the milliseconds each page takes, pages read in turn so that all meet the same machine."""
    found: list[list[float]] = [[] for _ in wanted]
    for page in wanted:
        for _ in range(2 * serveurs.PROCESSUS):
            server.lire(page.qui, page.chemin, fragment=page.fragment)
    for _ in range(times):
        for page, measures in zip(wanted, found, strict=True):
            answer = server.lire(page.qui, page.chemin, fragment=page.fragment)
            page.verifier(answer.statut, answer.texte)
            measures.append(answer.secondes * 1000)
    return found


def p95(measures: Sequence[float]) -> float:
    """Return the time 95 answers out of 100 keep to."""
    return statistics.quantiles(measures, n=20)[-1]


def rapport_debit(ours: Serveur, peer: Serveur, where: Perimetre, rapport: Rapport) -> None:
    """Serve the list from both sides in turn; the ratio is the median of the rounds."""
    counted = "Jamais activé (" in texte(peer.lire(where.qui, where.pair).texte)
    assert counted == bool(where.pair_nu), "the two lists do not show the same"
    compare(ours, peer, where, where.pair, rapport, "l’admin de Django", FOIS_DJANGO)
    if where.pair_nu:
        compare(ours, peer, where, where.pair_nu, rapport, "l’admin de Django sans ses effectifs", None)


def compare(
    ours: Serveur,
    peer: Serveur,
    where: Perimetre,
    path: str,
    rapport: Rapport,
    name: str,
    threshold: float | None,
) -> None:
    """Add how many pages a second each side serves, and how many times more we do."""
    for server, warmed in ((ours, where.liste), (peer, path)):
        server.debit(where.qui, [warmed], SECONDES)
    rounds = [
        (ours.debit(where.qui, [where.liste], SECONDES), peer.debit(where.qui, [path], SECONDES))
        for _ in range(RONDES)
    ]
    here, there = (statistics.median(side) for side in zip(*rounds, strict=True))
    rapport.ajouter(f"{where.mot} : liste servie", here, "pages/s")
    rapport.ajouter(f"{where.mot} : liste de {name}", there, "pages/s")
    ratio = statistics.median(mine / other for mine, other in rounds)
    rapport.ajouter(f"{where.mot} : liste, fois {name}", ratio, "×", threshold, ">=")


def measure(app: Flask, folder: Path, base: str, rapport: Rapport) -> None:
    """Measure one base and add its figures to the report."""
    temoin = Temoin(folder, base)
    places = perimetres(temoin)
    people = {where.qui: pages(temoin, where) for where in places}
    academie = vue_academie(temoin)
    words = {where.qui: typed(temoin, where) for where in places}
    temoin.close()
    everything = [page for found in people.values() for page in found.values()]
    for name, count in instructions(app, [*everything, academie]).items():
        rapport.ajouter(f"{name} : instructions SQL", count, "", INSTRUCTIONS)
    with serveurs.preau(folder, base, ACADEMIE, CORRESPONDANT) as ours:
        for where in places:
            found = people[where.qui]
            measured = dict(zip(found, temps(ours, list(found.values()), RELEVES), strict=True))
            for name, measures in measured.items():
                rapport.ajouter(f"{where.mot} : {found[name].nom}, p50", statistics.median(measures), "ms")
            deep, first = (statistics.median(measured[name]) for name in ("page profonde", "première page"))
            rapport.ajouter(f"{where.mot} : page profonde, fois la première", deep / first, "×", PROFONDE)
            answers = [measures[0] for measures in temps(ours, words[where.qui], 1)]
            rapport.ajouter(f"{where.mot} : suggestions, p95", p95(answers), "ms", SUGGESTION_MS)
            answers = [measures[0] for measures in temps(ours, palette(words[where.qui]), 1)]
            rapport.ajouter(f"{where.mot} : palette, p95", p95(answers), "ms", PALETTE_MS)
        weight, hosts, asked = poids.peser(ours, CORRESPONDANT, "/")
        rapport.ajouter(f"première page de la console, {asked} requêtes", weight, "Kio", POIDS_KIO)
        rapport.ajouter("autres hôtes appelés par le navigateur", len(hosts), "", 0)
        (measures,) = temps(ours, [academie], RELEVES)
        rapport.ajouter("vue académie, p50", statistics.median(measures), "ms", VUE_ACADEMIE_MS)
        with serveurs.pair(folder, base, ACADEMIE, CORRESPONDANT) as peer:
            for where in places:
                rapport_debit(ours, peer, where, rapport)


def vue_academie(temoin: Temoin) -> Page:
    """Return the académie view: how many schools, the first ones in the order of their names."""
    schools = temoin.valeur(f"SELECT COUNT(*) FROM ({ECOLES_ACADEMIE}) AS mine")
    names = temoin.lignes(
        "SELECT nom FROM etablissement WHERE academie_id = 1 ORDER BY nom_recherche, id LIMIT 5"
    )
    count = f"{schools:,}".replace(",", " ")
    return Page("vue académie", ACADEMIE, "/etablissements/", [count, *[row[0] for row in names]])
