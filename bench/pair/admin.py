"""The two lists of people: the same columns, filters, counts and perimeters as the console's.

The count over an académie stops where the console's stops, which makes Django faster than it is out of
the box. Neither side counts beside the choices of the académie's filters; in a school the console does,
and Django's list does when asked (``?_facets``): the bench asks it with and without.
"""

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.utils.functional import cached_property

from bench.pair.models import Division, Personne, Rattachement

PLAFOND = 10_000
PROFILS = {
    "eleve": "Élève",
    "enseignant": "Enseignant",
    "personnel": "Personnel",
    "responsable": "Parent ou responsable",
    "invite": "Invité",
}


class Plafonne(Paginator):
    """Counts as the console does, no further than the cap."""

    @cached_property
    def count(self):
        return self.object_list.order_by()[: PLAFOND + 1].count()


class Etat(admin.SimpleListFilter):
    """Never activated, active or suspended."""

    title, parameter_name, through = "compte", "etat", ""

    def lookups(self, request, model_admin):
        return [("actif", "Actif"), ("jamais", "Jamais activé"), ("suspendu", "Suspendu")]

    def queryset(self, request, queryset):
        never = Q(**{f"{self.through}compte__isnull": True})
        free = Q(**{f"{self.through}suspendu_le__isnull": True})
        conditions = {"jamais": never & free, "actif": ~never & free, "suspendu": ~free}
        return queryset.filter(conditions[self.value()]) if self.value() else queryset


class EtatEleve(Etat):
    through = "personne__"


class Email(admin.SimpleListFilter):
    """Those without an e-mail."""

    title, parameter_name, through = "e-mail", "email", ""

    def lookups(self, request, model_admin):
        return [("sans", "Sans e-mail")]

    def queryset(self, request, queryset):
        return queryset.filter(**{f"{self.through}email__isnull": True}) if self.value() else queryset


class EmailEleve(Email):
    through = "personne__"


class Profil(admin.SimpleListFilter):
    """One profile of the people present."""

    title, parameter_name = "profil", "profil"

    def lookups(self, request, model_admin):
        return list(PROFILS.items())

    def queryset(self, request, queryset):
        here = Rattachement.objects.filter(personne=OuterRef("pk"), profil=self.value(), fin=None)
        return queryset.filter(Exists(here)) if self.value() else queryset


class Classe(admin.SimpleListFilter):
    """The classes of the school."""

    title, parameter_name = "classe", "classe"

    def lookups(self, request, model_admin):
        here = Division.objects.filter(rattachement__in=model_admin.get_queryset(request).order_by())
        return [(row.pk, str(row)) for row in here.distinct().order_by("libelle")]

    def queryset(self, request, queryset):
        return queryset.filter(division=self.value()) if self.value() else queryset


def account(person):
    """Say the state of the account as the console does."""
    if person.suspendu_le:
        return "Suspendu"
    compte = getattr(person, "compte", None)
    return "Jamais activé" if compte is None or compte.supprime_le else "Actif"


@admin.register(Personne)
class PersonneAdmin(admin.ModelAdmin):
    """People of the académie."""

    list_display = ["nom_complet", "date_naissance", "profils", "etablissements", "login", "email", "etat"]
    list_filter = [Profil, Etat, Email]
    list_select_related = ["compte"]
    search_fields = ["nom_recherche__startswith"]
    ordering = ["nom_recherche", "id"]
    list_per_page = 25
    paginator = Plafonne
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_queryset(self, request):
        present = Rattachement.objects.filter(fin=None, etablissement__academie_id=1)
        places = present.select_related("etablissement", "division")
        mine = super().get_queryset(request).filter(Exists(present.filter(personne=OuterRef("pk"))))
        return mine.prefetch_related(Prefetch("rattachements", places, to_attr="places"))

    @admin.display(ordering="nom_recherche", description="Nom")
    def nom_complet(self, person):
        return str(person)

    @admin.display(description="Profil")
    def profils(self, person):
        return ", ".join(dict.fromkeys(PROFILS[place.profil] for place in person.places))

    @admin.display(description="Établissement")
    def etablissements(self, person):
        said = [
            f"{place.etablissement} ({place.division})" if place.division else str(place.etablissement)
            for place in person.places
        ]
        return ", ".join(dict.fromkeys(said))

    @admin.display(description="Compte")
    def etat(self, person):
        return account(person)


@admin.register(Rattachement)
class EleveAdmin(admin.ModelAdmin):
    """Pupils of the first school."""

    list_display = ["nom_complet", "naissance", "classe", "niveau", "mef", "login", "etat"]
    list_filter = [Classe, "mef__niveau", EtatEleve, EmailEleve]
    list_select_related = ["personne", "personne__compte", "division", "mef"]
    search_fields = ["personne__nom_recherche__startswith"]
    ordering = ["personne__nom_recherche", "personne_id"]
    list_per_page = 25
    show_full_result_count = False
    show_facets = admin.ShowFacets.ALLOW

    def get_queryset(self, request):
        return super().get_queryset(request).filter(etablissement=1, profil="eleve", fin=None)

    @admin.display(ordering="personne__nom_recherche", description="Nom")
    def nom_complet(self, place):
        return str(place.personne)

    @admin.display(description="Naissance")
    def naissance(self, place):
        return place.personne.date_naissance

    @admin.display(description="Classe")
    def classe(self, place):
        return str(place.division)

    @admin.display(description="Niveau")
    def niveau(self, place):
        return place.mef.niveau if place.mef else "–"

    @admin.display(description="Identifiant")
    def login(self, place):
        return place.personne.login

    @admin.display(description="Compte")
    def etat(self, place):
        return account(place.personne)
