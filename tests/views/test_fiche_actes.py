"""The sheet of a person where one types and acts: saved, refused, disputed (U3–U7, D1, D7, D8, D10)."""

import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.extensions import now
from app.models import (
    Attribution,
    Compte,
    Courriel,
    EditeurPage,
    Journal,
    Personne,
    Rattachement,
    VerrouPersonne,
)
from tests.views.conftest import post, soup

A = "/etablissements/0190001A/utilisateurs"


@pytest.fixture
def gens(session, ecoles):
    """A teacher with an account, a pupil, a guest who administers, and a pupil of the other school."""
    made = SimpleNamespace()
    cast = (
        ("anne", "<img src=x onerror=alert(1)>", "Anne", "enseignant", ecoles.ecole_a),
        ("eleve", "DUPONT", "Zoé", "eleve", ecoles.ecole_a),
        ("invite", "ROUX", "Luc", "invite", ecoles.ecole_a),
        ("autre", "DURAND", "Éva", "eleve", ecoles.ecole_b),
    )
    for key, nom, prenom, profil, school in cast:
        row = Personne(
            nom=nom, prenom=prenom, nom_recherche=f"{key}", login=f"{prenom.lower()}.{key}", source="aaf"
        )
        session.add(row)
        session.flush()
        session.add(Rattachement(personne_id=row.id, etablissement_id=school, profil=profil, source="aaf"))
        setattr(made, key, row.id)
    for key in ("anne", "invite"):
        account = Compte(
            username=f"compte.{key}", first_name="A", last_name="B", email=f"{key}@x.fr", active=True,
            password="", personne_id=getattr(made, key),
        )  # fmt: skip
        session.add(account)
        session.flush()
        setattr(made, f"compte_{key}", account.id)
    session.add(
        Attribution(
            compte_id=made.compte_invite, role="correspondant", etablissement_id=ecoles.ecole_a,
            accordee_par="Gwenaëlle Le Bihan",
        )
    )  # fmt: skip
    session.commit()
    made.url = f"{A}/enseignants/{made.anne}"
    return made


@pytest.fixture
def correspondant(sign_in, session, ecoles):
    client = sign_in("correspondant", etablissement_id=ecoles.ecole_a)
    client.get(f"{A}/eleves/")  # the visit is noted
    session.rollback()
    return client


def sent(client, url):
    """Return what a browser would send back of the sheet, untouched."""
    form = soup(client.get(url)).select_one("form#fiche")
    fields = form.select("input:not([type=radio]):not([readonly]), input[type=radio][checked]")
    return {field["name"]: field.get("value", "") for field in fields if field.get("name")}


def save(client, url, **values):
    return client.post(url, data={**sent(client, url), **values})


def text(answer):
    return soup(answer).select_one("main").get_text(" ", strip=True)


def person(session, pk):
    session.rollback()
    return session.get_one(Personne, pk, populate_existing=True)


class TestFields:
    def test_each_profile_has_its_own_and_the_directory_s_are_greyed(self, correspondant, gens, statements):
        correspondant.get(gens.url)
        statements.clear()
        page = soup(correspondant.get(gens.url))
        assert len(statements) <= 11, "the frame, the sheet, the links sent"
        names = [field["name"] for field in page.select("#fiche input:not([type=hidden])[name]")]
        assert names == [
            "login", "email", "telephone_portable", "telephone_domicile", "poste_interne",
            "administrateur", "administrateur", "editeur", "editeur",
        ]  # fmt: skip
        greyed = page.select("#fiche input[readonly]")
        assert [field["id"] for field in greyed] == [
            "f-nom",
            "f-prenom",
            "f-date_naissance",
            "f-etablissement",
        ]
        for field in greyed:
            assert "AAF" in field["title"]
            assert page.select_one(f"#{field['aria-describedby']}") is not None
        assert page.select("img") == []
        expected = ["login", "email", "telephone_portable", "telephone_domicile"]
        for url in (f"{A}/eleves/{gens.eleve}", f"{A}/invites/{gens.invite}"):
            page = soup(correspondant.get(url))
            assert [f["name"] for f in page.select("#fiche input:not([type=hidden])[name]")] == expected
        assert "Administrateur local Autorisé par Gwenaëlle Le Bihan le" in text(correspondant.get(url))

    def test_the_head_reads_and_writes_nothing(self, sign_in, session, ecoles, gens):
        head = sign_in("chef_etablissement", etablissement_id=ecoles.ecole_a)
        page = soup(head.get(gens.url))
        assert page.select("main form[method=post]") == []
        assert "Suspendre" not in page.get_text()
        for url in (gens.url, f"{gens.url}/suspendre", f"{gens.url}/champs/email/rendre"):
            data = {"csrf_token": soup(head.get(gens.url)).select_one("[name=csrf_token]")["value"]}
            assert head.post(url, data=data | {"email": "x@x.fr", "motif": "x"}).status_code == 403
        assert person(session, gens.anne).email is None


class TestSave:
    def test_works_and_says_how_many(self, correspondant, session, gens):
        answer = save(
            correspondant, gens.url, telephone_portable="+33 6 39 98 14 07", poste_interne="2148",
            email="anne@Exemple.fr", login="Anne.Nouvelle", editeur="oui", administrateur="oui",
        )  # fmt: skip
        assert answer.status_code == 302
        page = correspondant.get(answer.location)
        assert "6 modifications enregistrées." in soup(page).get_text()
        found = sent(correspondant, gens.url)
        assert (found["telephone_portable"], found["administrateur"]) == ("06 39 98 14 07", "oui")
        saved = person(session, gens.anne)
        assert (saved.telephone_portable, saved.email, saved.login) == (
            "0639981407", "anne@exemple.fr", "anne.nouvelle",
        )  # fmt: skip
        assert session.scalars(select(EditeurPage.personne_id)).all() == [gens.anne]
        assert sorted(session.scalars(select(Journal.acte))) == [
            "page.designer", "personne.modifier", "role.attribuer",
        ]  # fmt: skip
        assert sorted(session.scalars(select(VerrouPersonne.champ))) == ["email", "telephone_portable"]
        assert "Saisi à la main le" in text(page)
        back = post(correspondant, gens.url, {}, f"{gens.url}/champs/email/rendre")
        assert "suivra la prochaine alimentation" in soup(correspondant.get(back.location)).get_text()
        assert session.scalars(select(VerrouPersonne.champ)).all() == ["telephone_portable"]
        answer = save(correspondant, gens.url)
        assert "Rien n’a changé." in soup(correspondant.get(answer.location)).get_text()

    @pytest.mark.parametrize(
        ("field", "typed", "sentence"),
        [
            ("login", "аnne.x", "« а »"),
            ("login", "zoé.eleve", "« é »"),
            ("login", "luc.invite", "déjà pris"),
            ("login", "compte.invite", "déjà pris"),
            ("email", "anne@", "n’est pas valable"),
            ("email", "a" * 5000, "255 au plus"),
            ("telephone_domicile", "12", "n’existe pas"),
            ("telephone_portable", "06\x0039", "invisible"),
            ("poste_interne", "12 bis", "poste interne"),
            ("login", "\ud800.x", ""),
        ],
    )
    def test_what_is_refused_is_said_on_its_field_and_kept(
        self, correspondant, session, gens, field, typed, sentence
    ):
        if field == "login" and typed == "\ud800.x":
            answer = correspondant.post(
                gens.url, data={**sent(correspondant, gens.url), field: b"\xed\xa0\x80.x"}
            )
        else:
            answer = save(correspondant, gens.url, **{field: typed, "poste_interne": "99"} | {field: typed})
        assert answer.status_code == 200
        page = soup(answer)
        control = page.select_one(f"#fiche [name={field}]")
        assert control["aria-invalid"] == "true"
        assert sentence in page.select_one(f"#{field}-erreur").get_text()
        assert page.select_one("[role=alert]") is not None
        if field != "poste_interne" and typed != "\ud800.x":
            assert page.select_one("#fiche [name=poste_interne]")["value"] == "99"
        assert person(session, gens.anne).poste_interne is None
        assert session.scalars(select(Journal)).all() == []

    def test_out_of_the_perimeter_is_404_and_changes_nothing(self, correspondant, session, gens):
        data = sent(correspondant, gens.url) | {"email": "x@x.fr"}
        for url in (
            f"{A}/eleves/{gens.autre}",
            f"/etablissements/0180001B/utilisateurs/eleves/{gens.autre}",
            f"{A}/eleves/{gens.anne}",
            f"{A}/inconnu/{gens.anne}",
            f"{A}/eleves/999999999999",
        ):
            assert correspondant.post(url, data=data).status_code == 404, url
            for act in ("suspendre", "reactiver", "champs/email/rendre"):
                assert correspondant.post(f"{url}/{act}", data=data | {"motif": "x"}).status_code == 404
        assert person(session, gens.autre).email is None
        assert person(session, gens.autre).suspendu_le is None


class TestConflict:
    def test_the_second_editor_sees_chooses_and_loses_nothing(self, correspondant, session, gens):
        mine = sent(correspondant, gens.url)
        save(correspondant, gens.url, email="premier@x.fr", poste_interne="11")
        answer = correspondant.post(
            gens.url, data=mine | {"email": "second@x.fr", "telephone_domicile": "0247000000"}
        )
        assert answer.status_code == 409
        page = soup(answer)
        rows = {
            row.select_one("th").get_text(): [cell.get_text(strip=True) for cell in row.select("td")]
            for row in page.select("tbody tr")
        }
        assert rows == {"E-mail": ["second@x.fr", "premier@x.fr"], "Poste interne": ["(vide)", "11"]}
        assert "Claire Montagné a modifié cette fiche" in text(answer)
        form = page.select_one("main form:has(#conflit-titre)")
        again = {f["name"]: f.get("value", "") for f in form.select("input[type=hidden], input[checked]")}
        assert (again["choix-email"], again["choix-poste_interne"]) == ("moi", "serveur")
        assert correspondant.post(gens.url, data=again).status_code == 302
        saved = person(session, gens.anne)
        assert (saved.email, saved.poste_interne, saved.telephone_domicile) == (
            "second@x.fr", "11", "0247000000",
        )  # fmt: skip

    def test_the_same_value_typed_twice_or_another_act_is_no_dispute(self, correspondant, session, gens):
        mine = sent(correspondant, gens.url)
        save(correspondant, gens.url, telephone_portable="0639981407")
        post(correspondant, f"{gens.url}/suspendre", {"motif": "x"})
        answer = correspondant.post(
            gens.url, data=mine | {"telephone_portable": "06.39.98.14.07", "poste_interne": "12"}
        )
        assert answer.status_code == 302
        assert person(session, gens.anne).poste_interne == "12"

    def test_two_at_the_same_instant_one_is_written_and_one_is_asked(self, app, correspondant, session, gens):
        mine = sent(correspondant, gens.url)
        with correspondant.session_transaction() as cookie:
            kept = dict(cookie)
        together, codes = threading.Barrier(2), []

        def edit(value):
            client = app.test_client()
            with client.session_transaction() as cookie:
                cookie.update(kept)
            together.wait()
            codes.append(client.post(gens.url, data=mine | {"email": value}).status_code)

        threads = [threading.Thread(target=edit, args=[f"{n}@x.fr"]) for n in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == [302, 409]


class TestAdministrator:
    def test_rules_are_said_on_the_switch(self, correspondant, session, ecoles, gens):
        session.get_one(Compte, gens.compte_anne).personne_id = None
        session.commit()
        answer = save(correspondant, gens.url, administrateur="oui")
        assert "n’a pas encore activé" in soup(answer).select_one("#administrateur-erreur").get_text()
        account = session.get_one(Compte, gens.compte_anne)
        account.personne_id = gens.anne
        other = session.scalars(select(Attribution).where(Attribution.compte_id == gens.compte_invite)).one()
        other.jusqua = now()
        mine = session.scalars(
            select(Attribution).where(Attribution.compte_id.not_in([gens.compte_invite]))
        ).one()
        session.commit()
        assert save(correspondant, gens.url, administrateur="oui").status_code == 302
        me = session.get_one(Compte, mine.compte_id)
        account.personne_id = None
        session.flush()
        me.personne_id = gens.anne
        grant = session.scalars(select(Attribution).where(Attribution.compte_id == gens.compte_anne)).one()
        session.commit()
        answer = save(correspondant, gens.url, administrateur="non")
        assert soup(answer).select_one("#fiche input[name=soi]") is not None
        assert "les vôtres" in text(answer)
        session.delete(grant)
        session.commit()
        answer = save(correspondant, gens.url, administrateur="non", soi="1")
        assert "seul administrateur" in text(answer)


class TestSuspend:
    def test_asks_why_then_does_it_and_gives_back(self, correspondant, session, gens):
        page = correspondant.get(f"{gens.url}/suspendre")
        assert "sessions ouvertes s’arrêtent" in text(page)
        assert person(session, gens.anne).suspendu_le is None
        fragment = correspondant.get(f"{gens.url}/suspendre", headers={"HX-Request": "true"})
        assert soup(fragment).select_one("html") is None
        answer = post(correspondant, f"{gens.url}/suspendre", {"motif": " "})
        assert answer.status_code == 200
        assert "Dites pourquoi" in soup(answer).select_one("#motif-erreur").get_text()
        answer = post(correspondant, f"{gens.url}/suspendre", {"motif": "Départ <b>"})
        shown = correspondant.get(answer.location)
        assert "est suspendu." in soup(shown).get_text()
        assert "Compte suspendu" in text(shown)
        assert "Réactivation du compte" in text(shown)
        assert "Suspendu" in text(correspondant.get(f"{A}/enseignants/"))
        answer = post(correspondant, f"{gens.url}/reactiver")
        assert "rendu tel qu’il était" in soup(correspondant.get(answer.location)).get_text()
        assert person(session, gens.anne).suspendu_le is None
        assert session.scalars(select(Journal.acte).order_by(Journal.id)).all() == [
            "compte.suspendre", "compte.retablir",
        ]  # fmt: skip

    def test_refusals_are_said_in_the_question(self, correspondant, session, ecoles, gens):
        session.add(
            Attribution(compte_id=gens.compte_anne, role="accompagnement", academie_id=ecoles.academie_a)
        )
        session.commit()
        answer = post(correspondant, f"{gens.url}/suspendre", {"motif": "x"})
        assert answer.status_code == 200
        assert "droits que vous n’avez pas" in soup(answer).select_one("[role=alert]").get_text()
        answer = save(correspondant, gens.url, email="vol@x.fr")
        assert "droits que vous n’avez pas" in soup(answer).select_one("[role=alert]").get_text()
        assert person(session, gens.anne).email is None


class TestPasswords:
    def test_a_link_leaves_by_mail_and_the_tick_says_so(self, correspondant, session, gens):
        pupil = f"{A}/eleves/{gens.eleve}"
        refused = post(correspondant, pupil, {}, f"{pupil}/mot-de-passe/ent")
        assert refused.location.endswith(pupil), "an anchor would hide the refusal, at the top of the page"
        assert (
            "adresse"
            in soup(correspondant.get(refused.location)).select_one(".pr-note[data-tone=bad]").get_text()
        )
        save(correspondant, gens.url, email="anne@x.fr")
        for usage in ("ent", "scolarite"):
            sent_ = post(correspondant, gens.url, {}, f"{gens.url}/mot-de-passe/{usage}")
            assert "#mots-de-passe" in sent_.location
        page = correspondant.get(gens.url)
        assert text(page).count("Lien envoyé") == 2
        session.rollback()
        mails = session.scalars(select(Courriel)).all()
        assert {mail.destinataire for mail in mails} == {"anne@x.fr"}
        assert len(mails) == 2
        assert (
            correspondant.post(
                f"{gens.url}/mot-de-passe/autre", data=sent(correspondant, gens.url)
            ).status_code
            == 404
        )
