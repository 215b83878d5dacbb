"""Guests from a file, step by step: read, mended, applied, given back, undone (U13, X4, X5)."""

import csv
import io
from datetime import date

import pytest
from sqlalchemy import func, select

from app.jobs import runner
from app.models import (
    Compte,
    Courriel,
    ImportInvites,
    Journal,
    LienMotDePasse,
    LigneImport,
    Personne,
    Rattachement,
    Tache,
    VarianteNom,
)
from app.operations import coffre, journal
from tests.views.conftest import rows, soup
from tests.views.test_invites import A, person, place, send, text

UPLOAD = f"{A}/invites/importer"
HEAD = "Nom;Prénom;Titre;Mail;Date de naissance;Adresse;Code Postal;Commune;Téléphone Portable"
GOOD = (
    "MARTIN;Zoé;Mademoiselle;zoe@exemple.fr;12/03/1980;1 rue;1000;BOURG;612345678\r\n"
    "de La Tour;Éloïse;;eloise@exemple.fr;1975-01-02;;;;\r\n"
    "MARTIN;Zoé;Mme;zoe2@exemple.fr;11/03/1980;;;;\r\n"
)


@pytest.fixture
def local(sign_in, session, ecoles):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    client.get(f"{A}/")  # the visit of the school is noted apart
    session.rollback()
    return client


def put(app, client, session, content, name="invités d’été.csv", **data):
    """Put a file down, have it read, and return the address of its page."""
    session.rollback()
    token = soup(client.get(UPLOAD)).select_one("main input[name=csrf_token]")["value"]
    session.rollback()
    raw = content.encode() if isinstance(content, str) else content
    sent = {"csrf_token": token, "fichier": (io.BytesIO(raw), name), **data}
    answer = client.post(UPLOAD, data=sent, content_type="multipart/form-data")
    assert answer.status_code == 302, text(answer)
    work(app, session)
    return answer.location


def work(app, session):
    """Do the last task asked for, as the worker does."""
    session.rollback()
    id_ = session.scalars(select(Tache.id).order_by(Tache.id.desc())).first()
    session.rollback()
    runner.run(app, id_)
    session.expire_all()
    task = session.get(Tache, id_)
    session.rollback()
    return task


def states(session):
    session.rollback()
    return dict(session.execute(select(LigneImport.numero, LigneImport.etat)).all())


def people(session):
    session.rollback()
    return session.scalar(select(func.count()).select_from(Personne))


class TestLire:
    def test_columns_by_name_or_in_the_order_of_the_source_whatever_wrote_them(self, app, local, session):
        line = "MARTIN;Zoé;Mademoiselle;zoe@exemple.fr;12/03/1980"
        named = "Prénom,Courriel,NOM,Remarque,Né(e) le\nZoé,zoe@exemple.fr,MARTIN,bla,12/03/1980"
        for content in (
            line, "\ufeff" + line, line.encode("cp1252"), line.encode("utf-16"), line.replace(";", "\t"),
            named, HEAD + "\r" + line + "\r\n\n", f'"{line.replace(";", chr(34) + ";" + chr(34))}"',
        ):  # fmt: skip
            page = local.get(put(app, local, session, content))
            (shown,) = rows(page)
            assert (shown["Nom"], shown["Prénom"], shown["État"]) == ("MARTIN", "Zoé", "Bonne"), content
        assert people(session) == 0

    def test_a_hostile_file_is_refused_in_a_sentence_with_its_line(self, app, local, session):
        start = f"{HEAD}\n{GOOD}".replace("\r\n", "\n")
        for content, sentence in (
            (
                start + '"ouvert;B;;c@d.fr;1/1/1980\n' + "A;B;;c@d.fr;1/1/1980\n" * 40,
                "Ligne 5 : un guillemet",
            ),
            (start + "A" * 400_000, "La ligne 5 est trop longue"),
            (start.encode() + b"A;\0B;;c@d.fr;1/1/1980", "La ligne 5 contient un caractère nul"),
            (start.encode() + b"A\x81;B", "La ligne 5 n’est lisible ni en UTF-8"),
            ("a;" * 5_000, "La ligne 1 compte 5001 colonnes"),
            (";" * 10_000, "aucune ligne"),
            ("bonjour\n", "n’a qu’une colonne"),
            (HEAD, "que les noms des colonnes"),
            (b"PK\x03\x04\0\0", "caractère nul"),
        ):
            page = text(local.get(put(app, local, session, content)))
            assert "Ce fichier n’a pas été lu." in page
            assert sentence in page, page
        assert session.scalar(select(func.count()).select_from(LigneImport)) == 0

    def test_errors_stand_on_their_line_and_column_and_hostile_cells_are_inert(self, app, local, session):
        wrong = (
            "<img src=x onerror=alert(1)>;=cmd|'!A1;Dr;zoe@gmail,com;12/31/1980;;;;abc\n"
            ";;;;;;;;\nMARTIN;Zoé;;z@exemple.fr;12/03/1980;;;;\nmartin;ZOÉ;;y@exemple.fr;12/03/1980;;;;\n"
        )
        address = put(app, local, session, f"{HEAD}\n{wrong}")
        page = local.get(address)
        shown = rows(page)
        assert [line["Ligne"].split(",")[0].strip() for line in shown] == ["2", "5"], (
            "blank lines are no lines"
        )
        assert shown[0]["Mail"] == "zoe@gmail,com"
        for said in (
            "Mail : « zoe@gmail,com » n’est pas une adresse mail complète. Peut-être : zoe@gmail.com",
            "Date de naissance : Le 12/31/1980 n’existe pas. Peut-être : 31/12/1980",
            "Téléphone portable : « abc » n’est pas un numéro",
            "Titre : Le titre « Dr » n’est ni M. ni Mme",
        ):
            assert said in shown[0]["Constats"]
        assert "déjà à la ligne 4" in shown[1]["Constats"]
        assert not soup(page).select("main img")
        given = local.get(f"{address}/rejets.csv")
        assert given.headers["Cache-Control"] == "no-store"
        (first, _second) = csv.DictReader(io.StringIO(given.get_data().decode("utf-8-sig")), delimiter=";")
        assert first["Prénom"] == "'=cmd|'!A1"
        assert first["Ligne"] == "2"
        assert "n’existe pas" in first["Motif"]


class TestCorriger:
    def test_suggestions_lines_and_columns_are_mended_before_anything_is_written(self, app, local, session):
        content = "Zoé;MARTIN;;zoe@gmail,com;12/31/1980\nLuc;PETIT;;luc@exemple.fr;faux"
        address = put(app, local, session, content)
        turned = {"colonne-0": "prenom", "colonne-1": "nom", "colonne-3": "email"}
        page = send(local, session, f"{address}/colonnes", **turned)
        assert "Dites quelle colonne est : Date de naissance." in text(page)
        send(local, session, f"{address}/colonnes", **turned, **{"colonne-4": "date_naissance"})
        assert "En attente" in text(local.get(address))
        work(app, session)
        session.rollback()
        token = soup(local.get(address)).select_one("main input[name=csrf_token]")["value"]
        session.rollback()
        local.post(f"{address}/suggestions", data={"csrf_token": token})
        work(app, session)
        assert states(session) == {1: "valide", 2: "erreur"}
        line = f"{address}/lignes/2"
        send(local, session, line, acte="corriger", date_naissance="toujours faux")
        assert states(session)[2] == "erreur"
        same = {"nom": "MARTIN", "prenom": "Zoé", "date_naissance": "31/12/1980"}
        send(local, session, line, acte="corriger", **same)
        assert "déjà à la ligne 1" in text(local.get(line))
        fixed = {"nom": "PETIT", "prenom": "Luc", "date_naissance": "01/02/1970"}
        send(local, session, line, acte="corriger", **fixed)
        assert states(session) == {1: "valide", 2: "valide"}
        send(local, session, line, acte="ecarter")
        assert states(session)[2] == "ecartee"
        send(local, session, line, acte="garder")
        assert states(session)[2] == "valide"
        assert people(session) == 0


class TestAppliquer:
    def test_all_or_none_then_the_good_lines_each_with_login_mail_and_journal(
        self, app, local, session, ecoles
    ):
        known = person(session, "Connu", "Luc", "invite", ecoles.ecole_b, date(1970, 1, 1))
        here = person(session, "Present", "Eve", "enseignant", ecoles.ecole_a, date(1971, 1, 1))
        more = (
            "CONNU;Luc;;luc@exemple.fr;01/01/1970;;;;\nPRÉSENT;Ève;;eve@exemple.fr;1/1/1971;;;;\n"
            ";Sans;;x@exemple.fr;1/1/1980;;;;\n"
        )
        address = put(app, local, session, f"{HEAD}\n{GOOD}{more}")
        assert states(session) == {2: "valide", 3: "valide", 4: "valide", 5: "valide", 6: "deja", 7: "erreur"}
        assert "est invité d’un autre établissement" in text(local.get(f"{address}?onglet=remarque"))
        refused = send(local, session, f"{address}/appliquer", lignes="toutes")
        assert "1 ligne est à corriger" in local.get(refused.location).get_data(as_text=True)
        assert people(session) == 2
        send(local, session, f"{address}/appliquer", lignes="valides")
        assert work(app, session).resultat["invites"] == 4
        assert states(session) == {2: "faite", 3: "faite", 4: "faite", 5: "faite", 6: "deja", 7: "erreur"}
        made = session.scalars(select(Personne).where(Personne.nom == "MARTIN").order_by(Personne.id)).all()
        assert [one.login for one in made] == ["zoe.martin", "zoe.martin2"]
        first = made[0]
        assert (first.code_postal, first.telephone_portable, first.civilite) == ("01000", "0612345678", "Mme")
        held = place(session, first.id, ecoles.ecole_a)
        assert (held.profil, held.source, held.cle) == ("invite", "manuel", first.nom_recherche)
        assert place(session, known, ecoles.ecole_a).profil == "invite"
        assert place(session, here, ecoles.ecole_a).profil == "enseignant"
        assert {"tour eloise", "latour eloise"} <= set(session.scalars(select(VarianteNom.cle)))
        self.mails(app, session, first)
        lines = session.scalars(select(Journal).where(Journal.acte == "invite.creer")).all()
        assert [line.objet for line in lines] == ["MARTIN Zoé", "DE LA TOUR Éloïse", "MARTIN Zoé"]
        assert lines[0].acteur == "Claire Montagné"
        assert journal.verify(session, ecoles.ecole_a) is None
        session.rollback()
        page = local.get(address)
        assert "4 invités enregistrés" in text(page)
        assert [line["État"] for line in rows(local.get(f"{address}?onglet=tout"))][-1] == "Rejetée"
        session.rollback()
        self.undone(app, local, session, address, known, first.id, ecoles)

    def mails(self, app, session, first):
        """Each guest's mail names them, and keeps its link sealed."""
        links = {link.personne_id: link for link in session.scalars(select(LienMotDePasse))}
        assert len(links) == 4
        mail = session.scalars(select(Courriel).where(Courriel.cle == f"lien:{links[first.id].id}")).one()
        assert mail.destinataire == "zoe@exemple.fr"
        assert "Zoé MARTIN" in mail.texte
        assert "zoe.martin" in mail.html
        link = coffre.unseal(app.extensions["reglages"].code_key(), "courriel", mail.secret)
        assert link.rpartition("/")[2] not in mail.texte + mail.html

    def undone(self, app, local, session, address, known, first, ecoles):
        """As long as nobody activated, everything is taken back; then nothing is."""
        account = Compte(
            username="x", first_name="x", last_name="x", email="x@exemple.fr", active=True, password="",
            personne_id=first,
        )  # fmt: skip
        session.add(account)
        session.commit()
        assert "1 invité a activé son compte" in self.refusal(local, session, address)
        session.delete(account)
        session.commit()
        send(local, session, f"{address}/annuler")
        assert work(app, session).etat == "finie"
        assert people(session) == 2, "who was there before stays"
        assert place(session, known, ecoles.ecole_a).fin is not None
        assert place(session, known, ecoles.ecole_b).fin is None
        waiting = session.scalars(select(Courriel.etat).where(Courriel.cle.startswith("lien:"))).all()
        assert sorted(waiting) == ["annule", "annule", "annule", "attente"]
        assert "Annulé" in text(local.get(address))
        assert journal.verify(session, ecoles.ecole_a) is None

    def refusal(self, local, session, address):
        answer = send(local, session, f"{address}/annuler")
        page = local.get(answer.location).get_data(as_text=True)
        session.rollback()
        return page

    def test_cancelled_half_way_keeps_what_is_done_and_gives_back_the_rest(self, app, local, session):
        body = "".join(f"MARTIN;Zoe{n:04};;z{n}@exemple.fr;12/03/1980\n" for n in range(1200))
        body = body.replace("Zoe", "Zo")
        address = put(app, local, session, "Nom;Prénom;Titre;Mail;Date de naissance\n" + body)
        send(local, session, f"{address}/appliquer")
        task = session.scalars(select(Tache).order_by(Tache.id.desc())).first()
        task.annulation_demandee = True
        session.commit()
        assert work(app, session).etat == "annulee"
        done = list(states(session).values())
        assert (done.count("faite"), done.count("ecartee")) == (500, 700)
        assert people(session) == 500
        given = local.get(f"{address}/rejets.csv").get_data(as_text=True)
        assert given.count("Import arrêté avant cette ligne.") == 700

    def test_a_far_last_day_is_refused_before_the_file_is_kept(self, local, session):
        session.rollback()
        token = soup(local.get(UPLOAD)).select_one("main input[name=csrf_token]")["value"]
        session.rollback()
        file = (io.BytesIO(GOOD.encode()), "a.csv")
        sent = {"csrf_token": token, "fichier": file, "dernier_jour": "2020-01-01"}
        answer = local.post(UPLOAD, data=sent, content_type="multipart/form-data")
        assert "est passé" in text(answer)
        assert session.scalars(select(ImportInvites)).all() == []

    def test_another_school_answers_as_an_unknown_one(self, app, local, sign_in, session, ecoles):
        address = put(app, local, session, GOOD)
        other = sign_in("accompagnement", academie_id=ecoles.academie_b)
        pk = address.rpartition("/")[2]
        for page in ("", "/colonnes", "/lignes/1", "/appliquer", "/rejets.csv", "/annuler"):
            assert other.get(f"{address}{page}").status_code == 404
            assert other.get(f"/etablissements/0180001B/invites/imports/{pk}{page}").status_code == 404
        assert session.scalars(select(Rattachement)).all() == []
