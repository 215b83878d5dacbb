from __future__ import annotations

import re
import time
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import create_app
from app.imports import open_sources
from app.jobs import comptes_demonstration, demonstration
from app.models import (
    Alimentation,
    Attribution,
    BilanEtablissement,
    Compte,
    Ecart,
    Etablissement,
    Journal,
    Personne,
    Rattachement,
    Responsabilite,
)
from app.operations.alimentation.fiches import Anomalie
from app.security.passwords import verify_password
from app.security.regle_mot_de_passe import check_new_password
from app.security.roles import ROLE_LABELS, ROLE_PORTEES, Portee, Role


def demo(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["preau", "demo"])
    assert result.exit_code == 0, result.output
    return result.output


def count(session: Session, column: object) -> int:
    return session.scalar(select(func.count(column))) or 0  # type: ignore[arg-type]


def test_refused_outside_demo_mode(tmp_path: Path) -> None:
    key = "une-cle-bien-assez-longue-pour-les-essais"
    app = create_app(
        demo=False,
        dossier=tmp_path,
        base=f"sqlite:///{tmp_path / 'preau.db'}",
        cle_secrete=key,
        cle_codes=key[::-1],
        hotes="console.exemple.fr",
        courriel_serveur="127.0.0.1:25",
        courriel_expediteur="ne-pas-repondre@exemple.fr",
    )
    result = app.test_cli_runner().invoke(args=["preau", "demo"])
    assert result.exit_code == 1
    assert "PREAU_DEMO=1" in result.output
    assert not (tmp_path / "demo").exists()


def test_the_password_obeys_the_rule_of_the_product() -> None:
    check_new_password(comptes_demonstration.MOT_DE_PASSE)


class TestDemo:
    def test_fills_an_empty_base(self, app: Flask, session: Session, reglages: dict[str, object]) -> None:
        output = demo(app)
        assert count(session, Etablissement.id) >= demonstration.ETABLISSEMENTS
        eleves = select(func.count()).where(Rattachement.profil == "eleve", Rattachement.fin.is_(None))
        assert (session.scalar(eleves) or 0) >= demonstration.ELEVES
        assert count(session, Responsabilite.id) > demonstration.ELEVES
        states = session.execute(
            select(Alimentation.source, Alimentation.etat).order_by(Alimentation.id)
        ).all()
        assert [tuple(row) for row in states] == [
            ("annuaire", "appliquee"),
            ("aaf", "appliquee"),
            ("aaf", "apercu"),
        ]
        waiting = session.scalar(select(func.max(Alimentation.id)))
        natures = set(
            session.scalars(select(Ecart.nature).where(Ecart.alimentation_id == waiting).distinct())
        )
        assert {"cree", "modifie", "depart"} <= natures
        self._accounts(session, output, Path(str(reglages["dossier"])))
        self._schools_differ(session)
        self._second_run_is_quiet(app, session)

    def _accounts(self, session: Session, output: str, folder: Path) -> None:
        accounts = comptes_demonstration.demo_accounts(session)
        assert [role for role, *_ in accounts] == [ROLE_LABELS[role] for role in Role]
        for role, login, password in accounts:
            assert re.search(rf"{role} +{login}\n", output)
            assert re.fullmatch(r"[a-z]+\.[a-z]+\d*", login)
            compte = session.scalars(select(Compte).where(Compte.username == login)).one()
            assert verify_password(compte.password, password)
            assert compte.personne is not None
            assert compte.personne.login == login
        for row in session.scalars(select(Attribution)):
            portee = ROLE_PORTEES[Role(row.role)]
            assert (row.academie_id is not None) == (portee is Portee.ACADEMIE)
            assert (row.etablissement_id is not None) == (portee is Portee.ETABLISSEMENT)
            assert (row.collectivite_id is not None) == (portee is Portee.COLLECTIVITE)
        assert (folder / "comptes-demo.txt").read_text(encoding="utf-8") in output
        acts = select(func.count()).where(Journal.acte == "compte.creer")
        assert session.scalar(acts) == len(Role)

    def _schools_differ(self, session: Session) -> None:
        """Somebody trying the console sees what is well, what is late and what is missing."""
        figures = session.scalars(select(BilanEtablissement).where(BilanEtablissement.eleves > 0)).all()
        rates = [row.actives / row.eleves for row in figures]
        assert min(rates) < max(rates) / 3
        assert {0, 1, 2} <= {row.administrateurs for row in figures}
        assert session.scalar(select(func.count()).where(Personne.suspendu_le.is_not(None))) == 2
        assert session.scalar(select(func.count()).where(Attribution.jusqua.is_not(None))) > 0

    def _second_run_is_quiet(self, app: Flask, session: Session) -> None:
        before = (count(session, Personne.id), count(session, Compte.id), count(session, Alimentation.id))
        session.rollback()
        start = time.monotonic()
        assert demo(app) == ""
        assert time.monotonic() - start < 1
        after = (count(session, Personne.id), count(session, Compte.id), count(session, Alimentation.id))
        assert before == after


def test_example_files_can_be_read(tmp_path: Path) -> None:
    paths = demonstration.write_examples(tmp_path, demonstration.Options(3, 200, 5))
    assert {path.suffix for path in paths} == {".zip", ".xml", ".csv"}
    sources = []
    for path in paths:
        with open_sources([path]) as source:
            read = list(source.objets())
            sources.append(source.entete.source)
        assert read
        assert not [item for item in read if isinstance(item, Anomalie)]
    assert sorted(sources) == ["aaf", "annuaire", "siecle", "sts"]
    text = (tmp_path / "exemples" / "LISEZ-MOI.txt").read_text(encoding="utf-8")
    assert all(path.name in text for path in paths)
    assert {path.name for path in tmp_path.iterdir()} == {"exemples"}
