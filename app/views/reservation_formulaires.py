"""The forms of bookings: native inputs, what was typed kept, hours of Paris."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from app.models import Ressource
from app.operations.images import MOST_BYTES
from app.operations.reservations import Demande, duration
from app.operations.ressources import DURATIONS, NOTICES, OUVERTURES
from app.queries import creneaux
from app.views.reservation_commun import clock_of, day_of

NEEDED = InputRequired("Ce champ est nécessaire.")
SLOTS = 2
"""Openings a day has room for in the form: before and after lunch."""


class DemandeForm(FlaskForm):
    """When, how many, why."""

    jour = StringField("Jour", [NEEDED], render_kw={"type": "date"})
    debut = StringField("De", [NEEDED], render_kw={"type": "time"})
    fin = StringField("À", [NEEDED], render_kw={"type": "time"})
    dernier = StringField(
        "Dernier jour",
        [Optional()],
        description="Pour plusieurs jours de suite ; l’heure de fin est celle de ce jour-là.",
        render_kw={"type": "date"},
    )
    nombre = StringField("Combien", [NEEDED], default="1", render_kw={"type": "number", "min": 1, "step": 1})
    motif = StringField(
        "Pour quoi faire",
        [Optional()],
        description="Lu par les validateurs. Exemple : exposés de la 4e B.",
        render_kw={"maxlength": 200},
    )
    jusqua = StringField(
        "Répéter chaque semaine jusqu’au",
        [Optional()],
        description="Même jour, mêmes heures. Les dates prises vous sont montrées avant d’être laissées.",
        render_kw={"type": "date"},
    )
    cle = HiddenField()

    def prepare(self, item: Ressource) -> None:
        """Fit the form to a resource, and to the slot of the address when it is opened."""
        self.nombre.render_kw = {**self.nombre.render_kw, "max": item.quantite}
        self.nombre.description = f"Il y en a {item.quantite}."
        if item.quantite == 1:
            del self.nombre
        if item.duree_max and item.duree_max < 24 * 60:
            del self.dernier
        if request.method == "GET":
            for name, read in (("jour", day_of), ("debut", clock_of), ("fin", clock_of)):
                typed = request.args.get(name, "")[:10]
                self[name].data = typed if read(typed) else ""
            self.cle.data = uuid4().hex

    def read(self) -> Demande | None:
        """Return what was typed, None when a field cannot be read; it says why."""
        days: dict[str, date | None] = {}
        for name in ("jour", "dernier", "jusqua"):
            raw = (self[name].data or "").strip() if name in self else ""
            days[name] = day_of(raw) if raw else None
            if raw and days[name] is None:
                self._wrong(name, "Cette date n’existe pas. Exemple : 30/06/2027.")
        hours = {name: clock_of((self[name].data or "").strip()) for name in ("debut", "fin")}
        for name, hour in hours.items():
            if hour is None:
                self._wrong(name, "Écrivez une heure. Exemple : 08:30.")
        raw = (self.nombre.data or "").strip() if "nombre" in self else "1"
        if not (raw.isascii() and raw.isdigit() and len(raw) < 6):
            self._wrong("nombre", "Écrivez un nombre entier.")
        if any(one.errors for one in self):
            return None
        assert days["jour"] and hours["debut"] is not None and hours["fin"] is not None  # noqa: S101, PT018
        return Demande(
            days["jour"],
            hours["debut"],
            hours["fin"],
            dernier=days["dernier"],
            nombre=int(raw),
            motif=self.motif.data or "",
            jusqua=days["jusqua"],
            sans_conflits=request.form.get("sans_conflits") == "1",
            cle=(self.cle.data or "")[:32],
        )

    def _wrong(self, name: str, sentence: str) -> None:
        self[name].errors = [*self[name].errors, sentence]


def _choices(values: tuple[int, ...], none: str) -> list[SelectChoice]:
    return [SelectChoice(str(value), duration(value) if value else none) for value in values]


class RessourceForm(FlaskForm):
    """A resource, as its managers describe it."""

    nom = StringField("Nom", [NEEDED], render_kw={"maxlength": 120})
    categorie = StringField(
        "Catégorie", [NEEDED], render_kw={"maxlength": 60, "list": "categories", "autocomplete": "off"}
    )
    lieu = StringField(
        "Où la trouver", [Optional()], description="Exemple : bâtiment B, salle 214.",
        render_kw={"maxlength": 120},
    )  # fmt: skip
    quantite = StringField(
        "Exemplaires", [NEEDED], default="1", description="Tous semblables : 15 tablettes, 2 véhicules…",
        render_kw={"type": "number", "min": 1, "max": 500, "step": 1},
    )  # fmt: skip
    description = TextAreaField("Description", [Optional()], render_kw={"rows": 3, "maxlength": 4000})
    regles = TextAreaField(
        "Règles d’emploi", [Optional()],
        description="Lues avant chaque demande. Markdown : **gras**, listes avec un tiret, [lien](https://…).",
        render_kw={"rows": 5, "maxlength": 4000},
    )  # fmt: skip
    a_valider = BooleanField("Chaque demande attend l’accord d’un validateur", default=True)
    duree_max = SelectField(
        "Durée au plus", [NEEDED], choices=_choices(DURATIONS, "Sans limite"), default="0"
    )
    preavis = SelectField(
        "À demander au moins", [NEEDED], choices=_choices(NOTICES, "Jusqu’au dernier moment"), default="0"
    )
    ouvertures = StringField("Ouverture", [Optional()])
    photo = FileField(
        "Photo", [Optional()],
        description="JPEG, PNG, WebP ou GIF, 4 Mio au plus ; refaite, sans lieu ni appareil.",
        render_kw={"accept": "image/jpeg,image/png,image/webp,image/gif"},
    )  # fmt: skip
    sans_photo = BooleanField("Retirer la photo")

    def fit(self, item: Ressource | None) -> None:
        """Offer the values already held beside the usual ones."""
        if item is None:
            return
        for name, none in (("duree_max", "Sans limite"), ("preavis", "Jusqu’au dernier moment")):
            held, known = getattr(item, name), [int(one.value) for one in self[name].choices]
            if held not in known:
                self[name].choices = _choices(tuple(sorted([*known, held])), none)

    def values(self) -> dict[str, Any]:
        """Return what was typed, as the operation takes it."""
        names = ("nom", "categorie", "lieu", "quantite", "description", "regles", "duree_max", "preavis")
        sent = self.photo.data
        content = b""
        if sent and getattr(sent, "filename", ""):
            with sent.stream as stream:  # a heavy one waits in a file of its own
                content = stream.read(MOST_BYTES + 1)
        return {
            **{name: self[name].data or "" for name in names},
            "a_valider": self.a_valider.data,
            "ouvertures": typed_openings(),
            "photo": content or (b"" if self.sans_photo.data else None),
        }


def typed_openings() -> list[list[int | str]]:
    """Return the opening slots of the posted form; one half empty is kept, for the operation to refuse."""
    found: list[list[int | str]] = []
    for day in range(7):
        for slot in range(SLOTS):
            a, b = (request.form.get(f"o_{day}_{slot}_{end}", "").strip()[:5] for end in "ab")
            if a or b:
                found.append([day, a, "24:00" if b in {"23:59", "00:00"} and a else b])
    return found


def shown_openings(item: Ressource | None) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Return each day with its slots as inputs: (name, from, until)."""
    held = item.ouvertures if item is not None else OUVERTURES
    if request.method == "POST":
        held = typed_openings()
    found = []
    for day, label in enumerate(creneaux.JOURS):
        mine = [(str(a), "23:59" if b == "24:00" else str(b)) for d, a, b in held if d == day]
        slots = [mine[n] if n < len(mine) else ("", "") for n in range(max(SLOTS, len(mine)))]
        found.append((label, [(f"o_{day}_{n}", a, b) for n, (a, b) in enumerate(slots)]))
    return found
