"""Pictures a school shows: recognised by their content, bounded before they are unpacked, made anew by us.

What is kept is never what was sent: pixels are read and written again (no metadata, no place where a
photograph was taken, no second format hidden behind), an SVG is rebuilt from the elements that only draw.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import struct
from dataclasses import dataclass
from datetime import timedelta

from lxml import etree
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError
from py_svg_hush import filter_svg
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.database import lock
from app.errors import RuleViolationError
from app.extensions import now
from app.models import Bloc, Image, Logo, VersionBloc

MIB = 1024 * 1024
MOST_BYTES = 4 * MIB
MOST_SVG_BYTES = MIB // 2
MOST_PIXELS = 25_000_000
LONGEST_SIDE = 1600
"""Of what is kept; a bigger picture is made smaller."""
MOST_KEPT = 40 * MIB
LOSSLESS_UP_TO = 160 * 1024
MOST_ELEMENTS = 20_000
MOST_INSIDE = 4
"""Pictures a drawing may hold."""
SPARED = timedelta(days=1)
RASTERS = ("PNG", "JPEG", "WEBP", "GIF")
BROKEN = (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError, struct.error)
"""What reading damaged pixels or metadata lets out."""
HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
WEBP, SVG = "image/webp", "image/svg+xml"

EMPTY = "Choisissez un fichier."
TOO_BIG = "Ce fichier dépasse {most}. Réduisez l’image, puis envoyez-la de nouveau."
TOO_MANY_PIXELS = "Cette image compte trop de pixels (25 millions au plus). Réduisez-la, puis recommencez."
UNKNOWN = "Ce fichier n’est pas une image PNG, JPEG, WebP, GIF ou SVG. Choisissez-en un autre."
DAMAGED = "Cette image est abîmée : elle ne s’ouvre pas. Enregistrez-la de nouveau, puis renvoyez-la."
NO_ROOM = "Les images de l’établissement occupent déjà 40 Mio. Supprimez un logo ou un bloc qui ne sert plus."


@dataclass(frozen=True, slots=True)
class Refaite:
    """A picture made anew."""

    contenu: bytes
    type: str
    largeur: int
    hauteur: int


def ajouter(
    session: Session, etablissement_id: int, sent: bytes | Refaite, *, field: str = "fichier"
) -> Image:
    """Keep a picture somebody sent to a school, once whatever the number of times it is sent.

    Made anew already, no transaction waits for its pixels: SQLite has one writer.

    :raises RuleViolationError: no picture we know, too big, damaged, or the school holds too many.
    """
    made = sent if isinstance(sent, Refaite) else refaire(sent, field=field)
    empreinte = hashlib.sha256(made.contenu).hexdigest()
    lock(session, f"images:{etablissement_id}")
    mine = select(Image).where(Image.etablissement_id == etablissement_id)
    known = session.scalars(mine.where(Image.empreinte == empreinte)).first()
    if known is not None:
        known.cree_le = now()  # just sent again: spared again until something shows it
        return known
    if _held(session, etablissement_id) + len(made.contenu) > MOST_KEPT:
        drop_unused(session, etablissement_id)
        if _held(session, etablissement_id) + len(made.contenu) > MOST_KEPT:
            raise RuleViolationError(NO_ROOM, field=field)
    row = Image(
        etablissement_id=etablissement_id,
        empreinte=empreinte,
        type=made.type,
        largeur=made.largeur,
        hauteur=made.hauteur,
        taille=len(made.contenu),
        contenu=made.contenu,
    )
    session.add(row)
    session.flush()
    return row


def refaire(sent: bytes, *, field: str = "fichier") -> Refaite:
    """Return the picture made anew from what was sent, whatever its name and announced type.

    :raises RuleViolationError: empty, too big, of no known kind, or damaged.
    """
    if not sent:
        raise RuleViolationError(EMPTY, field=field)
    if len(sent) > MOST_BYTES:
        raise RuleViolationError(TOO_BIG.format(most="4 Mio"), field=field)
    start = sent[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    try:
        return _drawing(sent) if start.startswith(b"<") else _raster(sent)
    except RuleViolationError as error:
        error.field = field
        raise


def _raster(sent: bytes) -> Refaite:
    """Write the pixels again as WebP; of an animation, the first image."""
    try:
        opened = Pillow.open(io.BytesIO(sent), formats=RASTERS)
    except UnidentifiedImageError as error:
        raise RuleViolationError(UNKNOWN) from error
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise RuleViolationError(TOO_MANY_PIXELS) from error
    except BROKEN as error:
        raise RuleViolationError(DAMAGED) from error
    with opened as source:
        if source.width * source.height > MOST_PIXELS:
            raise RuleViolationError(TOO_MANY_PIXELS)
        sharp = source.format in {"PNG", "GIF"}
        try:
            upright = ImageOps.exif_transpose(source)
            has_alpha = "A" in upright.getbands() or "transparency" in upright.info
            picture = upright.convert("RGBA" if has_alpha else "RGB")
        except BROKEN as error:
            raise RuleViolationError(DAMAGED) from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    picture.info.clear()
    content = _webp(picture, lossless=True) if sharp else b""
    if not content or len(content) > LOSSLESS_UP_TO:
        content = _webp(picture, lossless=False)
    return Refaite(content, WEBP, picture.width, picture.height)


def _webp(picture: Pillow.Image, *, lossless: bool) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", lossless=lossless, quality=84, method=4)
    return out.getvalue()


def _drawing(sent: bytes) -> Refaite:
    """Rebuild an SVG from the elements that only draw; bounded first, for its depth alone is a bomb."""
    if len(sent) > MOST_SVG_BYTES:
        raise RuleViolationError(TOO_BIG.format(most="512 Kio pour un dessin SVG"))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(sent, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise RuleViolationError(UNKNOWN if b"<svg" not in sent[:4096] else DAMAGED) from error
    if etree.QName(root).localname != "svg":
        raise RuleViolationError(UNKNOWN)
    subset = root.getroottree().docinfo.internalDTD
    if subset is not None and next(iter(subset.iterentities()), None) is not None:
        raise RuleViolationError(DAMAGED)
    if sum(1 for _ in root.iter()) > MOST_ELEMENTS:
        raise RuleViolationError(TOO_BIG.format(most="20 000 éléments"))
    _remake_inside(root)
    width, height = _size(root)
    if "viewBox" not in root.attrib:
        root.set("viewBox", f"0 0 {width} {height}")
    root.set("width", str(width))
    root.set("height", str(height))
    try:
        clean = filter_svg(etree.tostring(root), {"image": ["webp"]})
    except ValueError as error:
        raise RuleViolationError(DAMAGED) from error
    return Refaite(clean, SVG, width, height)


def _remake_inside(root: etree._Element) -> None:
    """Make anew the pictures a drawing holds, as if each had been sent alone."""
    inside = [
        (element, name)
        for element in root.iter("{*}image", "{*}feImage")
        for name in HREFS
        if name in element.attrib
    ]
    if len(inside) > MOST_INSIDE:
        raise RuleViolationError(TOO_BIG.format(most=f"{MOST_INSIDE} images dans un dessin"))
    for element, name in inside:
        head, _comma, data = str(element.attrib.pop(name)).partition(",")
        kind = head.replace(" ", "").lower()
        if re.fullmatch(r"data:image/[a-z]+;base64", kind):
            try:
                made = _raster(base64.b64decode(data))
            except ValueError as error:
                raise RuleViolationError(DAMAGED) from error
            element.set(name, f"data:{WEBP};base64,{base64.b64encode(made.contenu).decode()}")


def _size(root: etree._Element) -> tuple[int, int]:
    """Return the size an SVG says, from its view box when it says one; a square otherwise."""
    box = root.get("viewBox", "").replace(",", " ").split()
    said = box[2:4] if len(box) == 4 else [root.get("width", ""), root.get("height", "")]
    try:
        width, height = (float(value.removesuffix("px")) for value in said)
        sides = round(width), round(height)
    except (ValueError, OverflowError):
        return 100, 100
    return sides if all(0 < side < 100_000 for side in sides) else (100, 100)


def _held(session: Session, etablissement_id: int) -> int:
    total = select(func.coalesce(func.sum(Image.taille), 0)).where(Image.etablissement_id == etablissement_id)
    return int(session.execute(total).scalar_one())


def drop_unused(session: Session, etablissement_id: int) -> int:
    """Delete the pictures no logo, block or version shows, but those just sent; return how many."""
    named = "%" + Image.empreinte + "%"
    statement = select(Image).where(
        Image.etablissement_id == etablissement_id,
        Image.cree_le < now() - SPARED,
        ~exists(select(Logo.id).where(Logo.image_id == Image.id)),
        ~exists(select(Bloc.id).where(Bloc.etablissement_id == etablissement_id, Bloc.texte.like(named))),
        ~exists(
            select(VersionBloc.id)
            .join(Bloc, Bloc.id == VersionBloc.bloc_id)
            .where(Bloc.etablissement_id == etablissement_id, VersionBloc.texte.like(named))
        ),
    )
    rows = session.scalars(statement).all()
    for row in rows:
        session.delete(row)
    session.flush()
    return len(rows)
