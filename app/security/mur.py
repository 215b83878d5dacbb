"""Which rows a perimeter contains, table by table. ``app.security.perimetres`` applies it.

A mapped class with a school, a person or an account in it that is missing here fails
``tests/security/test_mur.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, ClassVar, cast

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import ColumnElement, Select, Table, and_, exists, false, literal_column, or_, select, true
from sqlalchemy.orm import LoaderCriteriaOption
from sqlalchemy.sql.cache_key import anon_map
from sqlalchemy.sql.selectable import AliasedReturnsRows, FromClause

from app import models as m

Clause = ColumnElement[bool]
Rule = Callable[["Perimetre", Any], ColumnElement[bool]]


@dataclass(frozen=True)
class Perimetre:
    """The rows an actor reaches: everything, or the union of what the sets name."""

    tout: bool = False
    academies: frozenset[int] = frozenset()
    collectivites: frozenset[int] = frozenset()
    etablissements: frozenset[int] = frozenset()
    personne_id: int | None = None
    compte_id: int | None = None

    def __or__(self, other: Perimetre) -> Perimetre:
        """Return the union. Two perimeters of one actor: the person and account are the same."""
        return Perimetre(
            tout=self.tout or other.tout,
            academies=self.academies | other.academies,
            collectivites=self.collectivites | other.collectivites,
            etablissements=self.etablissements | other.etablissements,
            personne_id=self.personne_id or other.personne_id,
            compte_id=self.compte_id or other.compte_id,
        )

    def etablissement_clause(self, id_column: Any) -> Clause:
        """Return the condition «this school id is mine»."""
        if self.tout:
            return true()
        parts: list[Clause] = []
        if self.etablissements:
            parts.append(_among(id_column, self.etablissements))
        table = _table(m.Etablissement).alias("mur_etablissement")
        held = [
            _among(table.c[column], ids)
            for column, ids in (("academie_id", self.academies), ("collectivite_id", self.collectivites))
            if ids
        ]
        if held:  # looked up by its key: as a list, SQLite would try each school for every row
            parts.append(_exists(table, and_(table.c.id == id_column, or_(*held))))
        return _any(parts)

    def personne_clause(self, id_column: Any) -> Clause:
        """Return the condition «this person id is mine»: oneself, or attached to a school of mine."""
        if self.tout:
            return true()
        parts: list[Clause] = []
        if self.personne_id is not None:
            parts.append(id_column == self.personne_id)
        if self.schools_possible:
            link = _table(m.Rattachement).alias("mur_rattachement")
            here = self.etablissement_clause(link.c.etablissement_id)
            parts.append(_exists(link, and_(link.c.personne_id == id_column, here)))
        return _any(parts)

    @property
    def schools_possible(self) -> bool:
        """Tell whether the perimeter can contain a school at all."""
        return bool(self.tout or self.academies or self.collectivites or self.etablissements)

    @property
    def named_schools(self) -> tuple[int, ...]:
        """Return the schools when the perimeter names them one by one, few enough to start from them."""
        if self.tout or self.academies or self.collectivites:
            return ()
        return tuple(sorted(self.etablissements)) or (0,)


TOUT = Perimetre(tout=True)
RIEN = Perimetre()


def _any(parts: list[Clause]) -> Clause:
    return or_(*parts) if parts else false()


def _exists(table: Any, condition: Clause) -> Clause:
    statement: Select[Any] = select(literal_column("1")).select_from(table).where(condition)
    return exists(statement.correlate_except(table))


def _table(entity: Any) -> Table:
    return cast(Table, entity.__table__)


def _among(column: Any, ids: frozenset[int]) -> Clause:
    """Return «one of these»; of one alone, as most people hold, a plain equality: a list costs more."""
    first, *others = sorted(ids)
    return column.in_([first, *others]) if others else column == first


def _equal(column: Any, value: int | None) -> Clause:
    return false() if value is None else column == value


def _school(p: Perimetre, t: Any) -> Clause:
    return p.etablissement_clause(t.etablissement_id)


def _etablissement(p: Perimetre, t: Any) -> Clause:
    parts: list[Clause] = [
        _among(column, ids)
        for column, ids in (
            (t.id, p.etablissements),
            (t.academie_id, p.academies),
            (t.collectivite_id, p.collectivites),
        )
        if ids
    ]
    if p.personne_id is not None:
        link = _table(m.Rattachement).alias("mur_rattachement")
        here = and_(link.c.etablissement_id == t.id, link.c.fin.is_(None))
        mine = and_(here, link.c.personne_id == p.personne_id)
        parts.append(_exists(link, mine))
    return _any(parts)


def _rattachement(p: Perimetre, t: Any) -> Clause:
    return or_(_school(p, t), _equal(t.personne_id, p.personne_id))


def _responsabilite(p: Perimetre, t: Any) -> Clause:
    return or_(p.personne_clause(t.eleve_id), _equal(t.responsable_id, p.personne_id))


def _alimentation(p: Perimetre, t: Any) -> Clause:
    """A feed of one's school, of one's whole académie, or that touches a school of one's own."""
    parts = [_school(p, t)]
    if p.academies:
        parts.append(and_(t.etablissement_id.is_(None), _among(t.academie_id, p.academies)))
    if p.schools_possible:
        touched = _table(m.AlimentationEtablissement).alias("mur_alimentation_etablissement")
        parts.append(_exists(touched, and_(touched.c.alimentation_id == t.id, _school(p, touched.c))))
    return _any(parts)


def _ecart(p: Perimetre, t: Any) -> Clause:
    if not p.academies:
        return _school(p, t)
    feed = _table(m.Alimentation).alias("mur_alimentation")
    whole = _exists(feed, and_(feed.c.id == t.alimentation_id, _among(feed.c.academie_id, p.academies)))
    return or_(_school(p, t), and_(t.etablissement_id.is_(None), whole))


def _tache(p: Perimetre, t: Any) -> Clause:
    return or_(_school(p, t), _equal(t.compte_id, p.compte_id))


def _ligne_acte(p: Perimetre, t: Any) -> Clause:
    """A row of an act one sees, about somebody one still reaches."""
    act = _table(m.ActeEnNombre).alias("mur_acte_en_nombre")
    return and_(_exists(act, and_(act.c.id == t.acte_id, _tache(p, act.c))), p.personne_clause(t.personne_id))


def _modele(p: Perimetre, t: Any) -> Clause:
    """Everybody's, one's own, and those of an académie one is over, or over a school of."""
    parts = [t.portee == "plateforme", _equal(t.compte_id, p.compte_id)]
    if p.academies:
        parts.append(t.academie_id.in_(sorted(p.academies)))
    if p.etablissements or p.collectivites:
        school = _table(m.Etablissement).alias("mur_etablissement_modele")
        here = p.etablissement_clause(school.c.id)
        parts.append(_exists(school, and_(school.c.academie_id == t.academie_id, here)))
    return or_(*parts) if p.schools_possible else false()


def _application(p: Perimetre, t: Any) -> Clause:
    """One's own, and those that stay within an académie one is over."""
    parts = [_equal(t.compte_id, p.compte_id)]
    if p.academies:
        parts.append(t.academie_id.in_(sorted(p.academies)))
    return or_(*parts)


def _attribution(p: Perimetre, t: Any) -> Clause:
    parts = [_school(p, t), _equal(t.compte_id, p.compte_id)]
    parts += [
        _among(column, ids)
        for column, ids in ((t.academie_id, p.academies), (t.collectivite_id, p.collectivites))
        if ids
    ]
    return or_(*parts)


def _abonnement(p: Perimetre, t: Any) -> Clause:
    """A subscription shows to who sees its school, or one of the schools of its collectivité."""
    school = _table(m.Etablissement).alias("mur_abonne")
    theirs = and_(school.c.collectivite_id == t.collectivite_id, p.etablissement_clause(school.c.id))
    return or_(_school(p, t), _exists(school, theirs))


def _compte(p: Perimetre, t: Any) -> Clause:
    parts = [_equal(t.id, p.compte_id), p.personne_clause(t.personne_id)]
    if p.schools_possible:
        held = _table(m.Attribution).alias("mur_attribution")
        parts.append(_exists(held, and_(held.c.compte_id == t.id, _attribution(p, held.c))))
    return or_(*parts)


def _session_compte(p: Perimetre, t: Any) -> Clause:
    return _equal(t.compte_id, p.compte_id)


def _mine_here(p: Perimetre, t: Any) -> Clause:
    """A school kept at hand shows only while it is in the perimeter."""
    return and_(_equal(t.compte_id, p.compte_id), _school(p, t))


def _through(entity: Any, key: str, rule: Rule) -> Rule:
    """Return the rule «visible when the row it hangs on is»."""

    def clause(p: Perimetre, t: Any) -> Clause:
        parent = _table(entity).alias(f"mur_{_table(entity).name}")
        return _exists(parent, and_(parent.c.id == getattr(t, key), rule(p, parent.c)))

    return clause


def _doublon(p: Perimetre, t: Any) -> Clause:
    """A pair shows to who sees both."""
    return and_(p.personne_clause(t.personne_a_id), p.personne_clause(t.personne_b_id))


def _lent(p: Perimetre, t: Any) -> Clause:
    """What a school lends shows to those of the school; the service then tells who may use it."""
    parts = [_school(p, t)]
    if p.personne_id is not None:
        link = _table(m.Rattachement).alias("mur_rattachement")
        here = and_(link.c.etablissement_id == t.etablissement_id, link.c.fin.is_(None))
        parts.append(_exists(link, and_(here, link.c.personne_id == p.personne_id)))
    return or_(*parts)


def _nobody(_p: Perimetre, _t: Any) -> Clause:
    return false()


RULES: dict[Any, Rule] = {
    m.Etablissement: _etablissement,
    m.VerrouEtablissement: _school,
    m.Division: _school,
    m.GroupeEnseignement: _school,
    m.ServiceEnseigne: _school,
    m.AlimentationEtablissement: _ecart,
    m.FicheSource: _school,
    m.Journal: _school,
    m.Courriel: _school,
    m.Personne: lambda p, t: p.personne_clause(t.id),
    m.VerrouPersonne: lambda p, t: p.personne_clause(t.personne_id),
    m.Identifiant: lambda p, t: p.personne_clause(t.personne_id),
    m.Rattachement: _rattachement,
    m.Responsabilite: _responsabilite,
    m.EleveGroupe: _through(m.Rattachement, "rattachement_id", _rattachement),
    m.OptionSuivie: _through(m.Rattachement, "rattachement_id", _rattachement),
    m.FonctionExercee: _through(m.Rattachement, "rattachement_id", _rattachement),
    m.ProfesseurPrincipal: _through(m.Division, "division_id", _school),
    m.DivisionMef: _through(m.Division, "division_id", _school),
    m.GroupeDivision: _through(m.GroupeEnseignement, "groupe_id", _school),
    m.Alimentation: _alimentation,
    m.Ecart: _ecart,
    m.Tache: _tache,
    m.ActeEnNombre: _tache,
    m.LigneActeEnNombre: _ligne_acte,
    m.EditeurPage: _school,
    m.EtatService: _school,
    m.DroitService: _school,
    m.ComposantEtablissement: _school,
    m.ReglageService: _school,
    m.GestionnaireService: _school,
    m.Image: _school,
    m.Logo: _school,
    m.ServicePage: _school,
    m.Flux: _school,
    m.Breve: _through(m.Flux, "flux_id", _school),
    m.PagePublique: _school,
    m.AdressePage: _school,
    m.Bloc: _school,
    m.VersionBloc: _through(m.Bloc, "bloc_id", _school),
    m.EssaiService: _school,
    m.Abonnement: _abonnement,
    m.ModeleServices: _modele,
    m.LigneModele: _through(m.ModeleServices, "modele_id", _modele),
    m.ApplicationModele: _application,
    m.EtablissementApplication: _school,
    m.Attribution: _attribution,
    m.Nomination: _school,
    m.CleApi: _attribution,
    m.SessionCompte: _session_compte,
    m.VarianteNom: lambda p, t: p.personne_clause(t.personne_id),
    m.Doublon: _doublon,
    m.Fusion: lambda p, t: p.personne_clause(t.personne_id),
    m.Preference: _session_compte,
    m.Favori: _mine_here,
    m.Visite: _mine_here,
    m.VueEnregistree: _session_compte,
    m.BilanEtablissement: _school,
    m.BilanNiveau: _school,
    m.ImportInvites: _school,
    m.LigneImport: _through(m.ImportInvites, "import_id", _school),
    m.CitationResponsable: _through(m.Alimentation, "alimentation_id", _alimentation),
    m.SecondFacteur: _session_compte,
    m.CodeSecours: _session_compte,
    m.MotDePasseScolarite: _session_compte,
    m.AdresseAConfirmer: _nobody,
    m.Ressource: _lent,
    m.Reservation: _lent,
    m.Occupation: _through(m.Reservation, "reservation_id", _lent),
    m.AdresseCalendrier: lambda p, t: _equal(t.personne_id, p.personne_id),
    m.LienMotDePasse: _nobody,
    m.DemandeLien: _nobody,
    m.EssaiConnexion: _nobody,
    m.AssertionRecue: _nobody,
    User: _compte,
}
"""Mapped class → which of its rows a perimeter contains (``User`` stands for ``Compte`` too)."""

SHARED = {
    m.Academie,
    m.Collectivite,
    m.Mef,
    m.Matiere,
    m.Discipline,
    m.Fonction,
    m.RacineLogin,
    m.Battement,
    m.Traitement,
    m.Service,
    m.ServiceCollectivite,
    m.RoleService,
    m.CelluleService,
    m.ComposantService,
}
"""Mapped classes everybody may read: nomenclatures, names of territories, signs of life."""


@cache
def walled_tables(*, written: bool = False) -> frozenset[str]:
    """Return the names of walled tables; ``written``: those that carry a school of their own."""
    own = (m.PerimetreEtablissement, m.VerrouEtablissement, m.Attribution)
    return frozenset(entity.__tablename__ for entity in RULES if not written or issubclass(entity, own))


@lru_cache(maxsize=512)
def criteria(perimetre: Perimetre) -> dict[str, Any]:
    """Return the loader criteria of a perimeter by table, for every walled class."""
    return {
        entity.__tablename__: Criterion(
            entity, rule(perimetre, m.Compte if entity is User else entity), include_aliases=True
        )
        for entity, rule in RULES.items()
    }


class Criterion(LoaderCriteriaOption):
    """A loader criterion that knows its cache key: thirty of them go with every statement of a page.

    Its key, worked out once, is a number that stands for its form; its values follow as bound
    parameters, as those of any criterion do, so perimeters of one form share compiled statements.
    """

    forms: ClassVar[dict[Any, int]] = {}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        values: list[Any] = []
        key = LoaderCriteriaOption(*args, **options)._gen_cache_key(anon_map(), values)
        self._form = (Criterion, self.forms.setdefault(key, len(self.forms)))
        self._values = tuple(values)

    def _resolve_where_criteria(self, ext_info: Any) -> Any:
        """Say the criterion of the alias it limits: SQLAlchemy does so for what is selected, not joined."""
        clause = super()._resolve_where_criteria(ext_info)
        return ext_info._adapt_element(clause) if ext_info.is_aliased_class else clause

    def _gen_cache_key(self, anon_map: Any, bindparams: list[Any]) -> Any:
        bindparams.extend(self._values)
        return self._form


def row_clause(perimetre: Perimetre, table: FromClause) -> Clause | None:
    """Return the condition a row of ``table`` (or of an alias of it) is in the perimeter."""
    return _table_clause(perimetre, table) if isinstance(table, Table) else _any_clause(perimetre, table)


@lru_cache(maxsize=4096)
def _table_clause(perimetre: Perimetre, table: Table) -> Clause | None:
    return _any_clause(perimetre, table)


def _any_clause(perimetre: Perimetre, table: FromClause) -> Clause | None:
    base = table.element if isinstance(table, AliasedReturnsRows) else table
    rule = _rules_by_table().get(base.name) if isinstance(base, Table) else None
    return None if rule is None else rule(perimetre, table.c)


@cache
def _rules_by_table() -> dict[str, Rule]:
    return {entity.__tablename__: rule for entity, rule in RULES.items()}
