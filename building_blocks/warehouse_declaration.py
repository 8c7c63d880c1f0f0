"""Reads what a warehouse must look like from the repository's files, and refuses at synth what no cluster could become.

It must not know a cluster: several may have one declaration.
"""

import json
import tomllib
from pathlib import Path

from config.checks import ConfigurationError
from contracts.warehouse.declaration import declaration_of, items_of
from contracts.warehouse.model import Declaration

FOLDER = Path(__file__).resolve().parent.parent / "config" / "warehouse"


class DeclarationFile:
    """The declaration of ``config/warehouse/<name>.toml``, checked."""

    def __init__(self, name: str, *, folder: Path = FOLDER) -> None:
        """Read and check it.

        Raises:
            ConfigurationError: there is no such file, or it is no TOML.
            DeclarationError: it declares what cannot be; the text names each bad item.
        """
        file = folder / f"{name}.toml"
        try:
            document = tomllib.loads(file.read_text())
        except FileNotFoundError:
            raise ConfigurationError(
                what="a cluster has a declaration that there is not",
                given=name,
                allowed=", ".join(sorted(each.stem for each in folder.glob("*.toml"))),
                fix=f"correct the name, or write config/warehouse/{name}.toml",
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(
                what=f"config/warehouse/{name}.toml is no TOML", given=str(error), allowed="TOML 1.0", fix="correct it"
            ) from None
        items = items_of(document)
        self.name = name
        self.declaration: Declaration = declaration_of(items)
        self.packaged = (f"declarations/{name}.json", json.dumps(items, indent=1, sort_keys=True) + "\n")
        """Where the configuration function's package holds it, and as what."""
