#!/usr/bin/env python3
"""Rebuild a Space Ranger folder from files that Nextflow staged one by one (so that `-resume` sees each of them)."""

import base64
import json
from pathlib import Path, PurePosixPath

import click


@click.command()
@click.option("--manifest", required=True, help="Base64 of a JSON list: each staged file's place in the outs folder.")
@click.option(
    "--staged", type=click.Path(path_type=Path), required=True, help="Folder of the numbered staging folders."
)
@click.option("--outs", type=click.Path(path_type=Path), default=Path("outs"), help="Folder to build.")
def main(manifest: str, staged: Path, outs: Path) -> None:
    """Link the n-th staged file to its place, and print what to read: the folder, or the one archive in it."""
    entries = json.loads(base64.b64decode(manifest))
    for number, entry in enumerate(entries["files"] + entries["dangling"], start=1):
        relative = PurePosixPath(entry)
        if relative.is_absolute() or ".." in relative.parts:
            raise click.UsageError(f"a path that leaves the outs folder: {entry}")
        place = outs / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        # A dangling link was not staged: its link here dangles too, for the check to name it.
        place.symlink_to((staged / str(number) / relative.name).absolute())
    outs.mkdir(exist_ok=True)
    click.echo(outs / entries["files"][0] if entries["archive"] else outs)


if __name__ == "__main__":
    main()
