"""What the demo school lends, and who has it this week and the next."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import uuid4

from PIL import Image, ImageDraw
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.extensions import now
from app.models import Compte, Etablissement, Occupation, Personne, Rattachement, Reservation, Ressource
from app.operations import images
from app.queries import creneaux

ECOLE: list[list[int | str]] = [
    [day, *hours] for day in range(5) for hours in (("08:00", "12:30"), ("13:30", "18:00"))
]
SANS_MERCREDI = [row for row in ECOLE if row[:2] != [2, "13:30"]]
TOUS_LES_JOURS: list[list[int | str]] = [[day, "07:00", "20:00"] for day in range(6)]
Forme = tuple[str, tuple[int, int, int, int], str]
"""What a picture is drawn from: a shape, its box on 64 × 36, its colour."""


@dataclass(frozen=True)
class Pret:
    """A resource of the demo."""

    nom: str
    categorie: str
    lieu: str
    description: str
    regles: str
    fond: str
    formes: Sequence[Forme]
    ouvertures: list[list[int | str]] = field(default_factory=lambda: [list(row) for row in ECOLE])
    quantite: int = 1
    a_valider: bool = True
    duree_max: int = 0
    preavis: int = 0


CAR: Sequence[Forme] = (
    ("rond", (22, 8, 42, 24), "#e8eeed"),
    ("bloc", (12, 16, 52, 26), "#e8eeed"),
    ("bloc", (26, 11, 38, 16), "#0b5c63"),
    ("rond", (16, 22, 24, 30), "#16211f"),
    ("rond", (40, 22, 48, 30), "#16211f"),
)
SCREEN: Sequence[Forme] = (
    ("bloc", (4, 9, 28, 23), "#16211f"),
    ("bloc", (5, 10, 27, 22), "#cfe6e8"),
    ("bloc", (15, 23, 17, 28), "#16211f"),
    ("bloc", (10, 27, 22, 29), "#16211f"),
)
PRETS = (
    Pret(
        "Salle informatique 204",
        "Salles",
        "Bâtiment B, 2e étage",
        "28 postes, vidéoprojecteur, imprimante.",
        "- Éteindre les postes en partant\n- **Aucune boisson** près des claviers\n- Signaler toute panne",
        "#4d8b90",
        tuple(
            (kind, (x + dx, y, x2 + dx, y2), colour)
            for dx in (0, 32)
            for kind, (x, y, x2, y2), colour in SCREEN
        ),
        duree_max=240,
    ),
    Pret(
        "Vidéoprojecteur portable",
        "Audiovisuel",
        "Loge",
        "Livré avec sa rallonge et son câble HDMI.",
        "À rendre **le jour même** à la loge, câble compris.",
        "#8a7a52",
        (
            ("bloc", (16, 14, 48, 26), "#f6f7f7"),
            ("rond", (20, 16, 28, 24), "#16211f"),
            ("rond", (22, 18, 26, 22), "#cfe6e8"),
            ("bloc", (34, 18, 44, 19), "#a9b7b5"),
            ("bloc", (34, 21, 44, 22), "#a9b7b5"),
        ),
        a_valider=False,
        duree_max=480,
    ),
    Pret(
        "Kangoo de service",
        "Véhicules",
        "Parking du personnel",
        "5 places, diesel, boîte manuelle.",
        "1. Carnet de bord rempli\n2. Réservoir plein au retour\n3. Ordre de mission signé",
        "#0b5c63",
        CAR,
        ouvertures=TOUS_LES_JOURS,
        preavis=1440,
        duree_max=4320,
    ),
    Pret(
        "Tablettes, chariot de 15",
        "Informatique",
        "Salle des professeurs",
        "Le chariot recharge la nuit.",
        "Compter les tablettes **avant et après** la séance.",
        "#5b6f95",
        tuple(
            ("bloc", (x, 8, x + 8, 28), colour)
            for x, colour in ((12, "#16211f"), (22, "#cfe6e8"), (32, "#16211f"), (42, "#cfe6e8"))
        ),
        quantite=15,
        a_valider=False,
        duree_max=240,
    ),
    Pret(
        "Salle polyvalente",
        "Salles",
        "Rez-de-chaussée",
        "80 places, estrade, sonorisation.",
        "Remettre les chaises en rangs. Micro à demander à la loge.",
        "#7d6a8a",
        (
            ("bloc", (8, 24, 56, 30), "#e8eeed"),
            ("rond", (28, 8, 36, 16), "#f0c674"),
            ("bloc", (30, 15, 34, 24), "#16211f"),
        ),
        preavis=240,
    ),
    Pret(
        "Laboratoire de physique",
        "Sciences",
        "Bâtiment C, salle 12",
        "12 paillasses, hotte.",
        "Blouse obligatoire. Produits rangés sous clé à la fin de la séance.",
        "#59825f",
        (
            ("bloc", (29, 6, 35, 16), "#e8eeed"),
            ("rond", (22, 13, 42, 31), "#cfe6e8"),
            ("bloc", (25, 22, 39, 24), "#4d8b90"),
        ),
        ouvertures=[list(row) for row in SANS_MERCREDI],
    ),
)
PRISES = (
    (0, 0, 8, 10, 1, "Exposés 4e B"),
    (0, 0, 14, 16, 1, "Pix 3e A"),
    (0, 1, 10, 12, 1, "Recherche documentaire"),
    (0, 3, 9, 11, 1, "Technologie 5e C"),
    (0, 3, 15, 17, 1, "Pix 3e C"),
    (0, 4, 8, 9, 1, "Évaluation"),
    (1, 1, 9, 11, 1, "Histoire des arts"),
    (1, 3, 14, 15, 1, "Conseil de classe"),
    (1, 4, 10, 12, 1, "Film en anglais"),
    (2, 1, 8, 18, 1, "Forum des métiers"),
    (2, 4, 9, 17, 1, "Réunion de bassin"),
    (3, 0, 10, 11, 8, "Géométrie 6e"),
    (3, 0, 10, 12, 6, "Sciences 5e"),
    (3, 2, 9, 10, 15, "Allemand"),
    (3, 3, 11, 12, 10, "Lecture"),
    (3, 4, 14, 16, 12, "Cartes 5e A"),
    (4, 2, 10, 12, 1, "Répétition du chœur"),
    (4, 3, 17, 18, 1, "Parents 6e"),
    (5, 4, 14, 16, 1, "Travaux pratiques 3e"),
)
"""(Resource, weekday, from, until, how many, why): every week alike, but who comes."""


def live(session: Session, uai: str) -> int:
    """Fill the school with what it lends and with two weeks of bookings; return how many bookings."""
    school = session.scalars(select(Etablissement).where(Etablissement.uai == uai)).one()
    items = [_resource(session, school.id, pret) for pret in PRETS]
    people = list(
        session.scalars(
            select(Personne)
            .join(Rattachement, Rattachement.personne_id == Personne.id)
            .outerjoin(Compte, Compte.personne_id == Personne.id)
            .where(Rattachement.etablissement_id == school.id, Rattachement.profil == "enseignant")
            .order_by(Compte.id.is_(None), Personne.id)
            .limit(9)
        )
    )
    monday, made = creneaux.monday(creneaux.today(now())), 0
    for week in range(2):
        for rank, (index, day, start, end, count, why) in enumerate(PRISES):
            who = people[(rank + week * 3) % len(people)]
            slot = _slot(monday + timedelta(days=day, weeks=week), start, end)
            made += _book(session, items[index], who, slot, count, why)
    return made


def _resource(session: Session, etablissement_id: int, pret: Pret) -> Ressource:
    content = images.refaire(_picture(pret)).contenu
    row = Ressource(
        etablissement_id=etablissement_id, nom=pret.nom, categorie=pret.categorie, lieu=pret.lieu,
        description=pret.description, regles=pret.regles, quantite=pret.quantite, a_valider=pret.a_valider,
        duree_max=pret.duree_max, preavis=pret.preavis, ouvertures=pret.ouvertures,
        photo=content, photo_empreinte=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _picture(pret: Pret) -> bytes:
    """Draw a picture, larger than what is kept so that its edges are smooth."""
    scale = 20
    picture = Image.new("RGB", (64 * scale, 36 * scale), pret.fond)
    draw = ImageDraw.Draw(picture)
    for kind, (x, y, x2, y2), colour in pret.formes:
        box = (x * scale, y * scale, x2 * scale, y2 * scale)
        if kind == "rond":
            draw.ellipse(box, fill=colour)
        else:
            draw.rounded_rectangle(box, radius=scale, fill=colour)
    out = io.BytesIO()
    picture.resize((960, 540), Image.Resampling.LANCZOS).save(out, "JPEG", quality=88)
    return out.getvalue()


def _slot(day: date, start: int, end: int) -> tuple[datetime, datetime]:
    return creneaux.instant_at(day, time(start)), creneaux.instant_at(day, time(end))


def _book(
    session: Session, item: Ressource, who: Personne, slot: tuple[datetime, datetime], count: int, why: str
) -> int:
    moment = now()
    waiting = item.a_valider and slot[0] > moment + timedelta(days=1)
    row = Reservation(
        etablissement_id=item.etablissement_id, ressource_id=item.id, personne_id=who.id, nombre=count,
        debut=slot[0], fin=slot[1], etat="demandee" if waiting else "validee", motif=why,
        cle=f"{uuid4().hex}.0", demandee_le=min(slot[0], moment) - timedelta(days=4),
    )  # fmt: skip
    held = session.scalars(select(Occupation).where(Occupation.ressource_id == item.id)).all()
    free = creneaux.free_units(item.quantite, held, *slot)
    if len(free) < count:
        return 0
    session.add(row)
    session.flush()
    session.add_all(
        Occupation(reservation_id=row.id, ressource_id=item.id, exemplaire=unit, debut=slot[0], fin=slot[1])
        for unit in free[:count]
    )
    session.flush()
    return 1
