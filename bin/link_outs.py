#!/usr/bin/env python3
"""Rebuild a Space Ranger folder from files that Nextflow staged one by one (so that `-resume` sees each of them)."""

import json
from pathlib import Path, PurePosixPath

import click

OUTS = Path("outs")


@click.command()
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="JSON file: paths of the staged files in the outs folder, in order, and of what else the folder holds.",
)
@click.option(
    "--staged", type=click.Path(path_type=Path), required=True, help="Folder of the numbered staging folders."
)
def main(manifest: Path, staged: Path) -> None:
    """Link each staged file to its path in the folder outs, and print the path to read."""
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    OUTS.mkdir(exist_ok=True)
    for folder in entries["folders"]:
        _place(folder).mkdir(parents=True, exist_ok=True)
    targets = {
        place: (staged / str(number) / PurePosixPath(place).name).absolute()
        for number, place in enumerate(entries["files"], start=1)
    }
    # A name alone is a link to nothing; a link that dangles for the user dangles here too, for the check to name it.
    targets |= {place: (staged / "none" / PurePosixPath(place).name).absolute() for place in entries["named"]}
    targets |= {place: Path(target) for place, target in entries["links"].items() if place}
    for place, target in targets.items():
        link = _place(place)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    for folder in ("image", "alignment"):
        if absent := entries.get(folder):
            link = Path(folder) / PurePosixPath(absent).name
            link.parent.mkdir()
            link.symlink_to(absent)
    click.echo(entries["read"])


def _place(entry: str) -> Path:
    relative = PurePosixPath(entry)
    if relative.is_absolute() or ".." in relative.parts:
        raise click.UsageError(f"path outside the outs folder: {entry}")
    return OUTS / relative


if __name__ == "__main__":
    main()
