"""Click's own words in French: usage errors, headings of the help, questions.

Click asks gettext for each of its sentences and ships no catalogue. A compiled one would only serve
where ``LANG`` names French; these are French whatever the machine says.
"""

from __future__ import annotations

from types import ModuleType

from click import core, decorators, exceptions, formatting, parser, termui, types

SENTENCES = {
    "Usage:": "Emploi :",
    "Options": "Options",
    "Commands": "Commandes",
    "Aborted!": "Abandonné.",
    "default: {default}": "par défaut : {default}",
    "env var: {var}": "variable : {var}",
    "Show this message and exit.": "Affiche cette aide.",
    "Error: {message}": "Erreur : {message}",
    "Try '{command} {option}' for help.": "Tapez « {command} {option} » pour lire l’aide.",
    "Did you mean {possibility}?": "Vouliez-vous dire {possibility} ?",
    "(Did you mean one of: {possibilities}?)": "Vouliez-vous dire l’une de celles-ci : {possibilities} ?",
    "Missing command.": "Il manque la commande.",
    "Missing argument": "Il manque l’argument",
    "Missing option": "Il manque l’option",
    "Missing parameter": "Il manque le paramètre",
    "Missing {param_type}": "Il manque {param_type}",
    "Choose from:\n\t{choices}": "Choisissez parmi :\n\t{choices}",
    "No such option {name!r}.": "L’option « {name} » n’existe pas.",
    "No such command {name!r}.": "La commande « {name} » n’existe pas.",
    "Got unexpected extra argument ({args})": "Argument en trop : {args}",
    "Got unexpected extra arguments ({args})": "Arguments en trop : {args}",
    "Option {name!r} does not take a value.": "L’option « {name} » n’attend pas de valeur.",
    "Option {name!r} requires an argument.": "L’option « {name} » attend une valeur.",
    "Option {name!r} requires {nargs} arguments.": "L’option « {name} » attend {nargs} valeurs.",
    "Argument {name!r} takes {nargs} values.": "L’argument « {name} » attend {nargs} valeurs.",
    "Invalid value: {message}": "Valeur refusée : {message}",
    "Invalid value for {param_hint}: {message}": "Valeur refusée pour {param_hint} : {message}",
    "{value!r} is not {choice}.": "« {value} » n’est pas {choice}.",
    "{value!r} is not one of {choices}.": "« {value} » n’est pas l’un de ces choix : {choices}.",
    "{value!r} is not a valid {number_type}.": "« {value} » n’est pas un nombre accepté ici.",
    "{value} is not in the range {range}.": "{value} sort des bornes : {range}.",
    "{value!r} does not match the format {format}.": "« {value} » n’est pas une date de la forme AAAA-MM-JJ.",
    "{name} {filename!r} does not exist.": "« {filename} » n’existe pas.",
    "{name} {filename!r} is a file.": "« {filename} » est un fichier.",
    "{name} {filename!r} is a directory.": "« {filename} » est un dossier.",
    "{name} {filename!r} is not readable.": "« {filename} » n’est pas lisible.",
    "{name} {filename!r} is not writable.": "« {filename} » est protégé en écriture.",
}
"""What our commands can make Click say; our own options decide which sentences those are."""

MODULES: tuple[ModuleType, ...] = (core, decorators, exceptions, formatting, parser, termui, types)


def gettext(sentence: str) -> str:
    """Return Click's sentence in French."""
    return SENTENCES.get(sentence, sentence)


def ngettext(one: str, many: str, count: int) -> str:
    """Return Click's sentence in French, agreed with its count."""
    return gettext(one if abs(count) < 2 else many)


def install() -> None:
    """Have Click take its sentences from here."""
    for module in MODULES:
        setattr(module, "_", gettext)  # noqa: B010  (mypy knows no such name in a module)
        if hasattr(module, "ngettext"):
            setattr(module, "ngettext", ngettext)  # noqa: B010
