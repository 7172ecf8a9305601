"""Learning from pairs of histology and fine expression: Diff-ST trained on some tissue, scored on other tissue.

Maps of all bins on tissue are scored, without projection: of the plain estimate, of the networks' programs and of these
times the genes' own fields, as points; and what the product writes, mean and draws: the last with the genes' noise, the
same with the diffusion's draws centred on it, and the diffusion's draws as they are.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import click
import numpy as np
import pandas as pd
import torch
from baselines import projected
from cases import Case, Prediction
from details import details
from imprint import detail_slopes, imprint
from pair_cases import KIDNEY_PROGRAMS, PHANTOM_PROGRAMS, Lesson, Test, kidney, phantoms, spotted
from paper_scheme import scheme_of_pairs
from perceptron import perceptrons
from pictures import draw
from remedies import remedies
from scoring import score

from clearspot.diffst.data import reference_view
from clearspot.diffst.data.reference_view import SpotGeometry
from clearspot.diffst.data.section import read_section
from clearspot.diffst.data.view import Condition
from clearspot.diffst.generate import prediction as products
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.predicting import predict
from clearspot.diffst.image.histology import no_image
from clearspot.diffst.networks.mean_net import FLOOR
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.pretrain import Pretrained, pretrain

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data"
CPU = torch.device("cpu")
OFF_BY_DEFAULT = ("pixels", "disentangle", "cross_attention", "gene_graph")
PARTS = ("image", "spots", "gene_head", "curriculum", *OFF_BY_DEFAULT)
FIELDS = "network, genes' fields"
KEPT = ("pearson", "deviance", "crps", "coverage90")


@click.command()
@click.argument("lesson", type=click.Choice(["phantom-5x", "phantom-10x", "kidney-8um", "kidney-16um", "kidney-32um"]))
@click.option("--train", multiple=True, type=int, default=(11, 12, 13, 14, 16), show_default=True, help="Phantoms.")
@click.option("--test", multiple=True, type=int, default=(0, 21, 22), show_default=True, help="Phantoms.")
@click.option("--steps", type=int, default=600, show_default=True, help="Of each stage.")
@click.option("--programs", type=int, default=0, show_default="24 of phantoms, 32 of the kidney")
@click.option("--width", type=int, default=32, show_default=True)
@click.option("--crop", type=int, default=64, show_default=True)
@click.option("--batch", type=int, default=4, show_default=True)
@click.option(
    "--lattices", type=int, default=2, show_default=True, help="Of spots that each reference is seen through."
)
@click.option("--evaluations", type=int, default=12, show_default=True, help="Of the diffusion's network, a draw.")
@click.option("--lr", type=float, default=3e-3, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--all-parts", is_flag=True, default=False, help="With the parts of the paper that are off by default.")
@click.option("--without", multiple=True, type=click.Choice(PARTS), help="Part that is left out.")
@click.option("--diffusion/--no-diffusion", default=False, show_default=True, help="Train and draw from stage 2 too.")
@click.option("--remedies", is_flag=True, help="Score other ways to spread the draws, too.")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw maps of the first test there (PNG).")
@click.option("--details", type=click.Path(path_type=Path), help="Write correlations of single genes there (CSV).")
@click.option(
    "--imprint", type=click.Path(path_type=Path), help="Write the imprint of the lattice of spots there (CSV)."
)
@click.option("--perceptron", is_flag=True, help="Train a perceptron on the bins instead of the networks.")
@click.option("--paper-scheme", is_flag=True, help="Train the scheme of the paper instead, for both stages' steps.")
@click.option("--staining", default="default", show_default=True, help="Of phantoms learned from: default or drawn.")
@click.option("--other-panel", is_flag=True, help="Phantoms learned from share but half of the scored genes.")
@click.option("--work", type=click.Path(path_type=Path), default=HERE / "work", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=HERE / "pairs.csv", show_default=True)
def main(lesson: str, **options: Any) -> None:
    """Train, score, and add rows to the table."""
    torch.set_num_threads(1)
    other = options["perceptron"] or options["paper_scheme"]
    if other and (options["other_panel"] or options["without"] or options["all_parts"]):
        raise click.UsageError("These methods need the scored genes, and have no parts to leave out.")
    about = {"without": " ".join(options["without"]), "steps": options["steps"], "seed": options["seed"]}
    about |= {"staining": options["staining"], "other_panel": options["other_panel"], "settings": _settings(options)}
    rows = []
    with _blind() if "spots" in options["without"] else nullcontext():
        for case, name, prediction, minutes in (_others if other else _networks)(lesson, **options):
            for scored in score(case, prediction):
                if scored["region"] not in ("tissue", "gap"):
                    continue
                kept = {key: round(float(scored[key]), 4) for key in KEPT if key in scored}
                kept["cpu_minutes"] = round(minutes, 1)
                rows.append({"case": case.name, "map": name, "region": scored["region"]} | about | kept)
                if scored["region"] == "tissue":
                    click.echo(rows[-1])
    out: Path = options["out"]
    known = [pd.read_csv(out, keep_default_na=False)] if out.exists() else []
    pd.concat([*known, pd.DataFrame(rows)]).to_csv(out, index=False)


def _networks(lesson: str, **options: Any) -> Iterator[tuple[Case, str, Prediction, float]]:
    """Maps of the model, and CPU minutes of its training."""
    params, with_image = _params(lesson, **options), "image" not in options["without"]
    taught = _lesson(lesson, **options)
    references = dict(taught.references)
    if not with_image:
        references = {name: replace(one, histology=None) for name, one in references.items()}
    began = time.process_time()
    model = pretrain(references, params, CPU, spots=SpotGeometry(), progress=False)
    minutes = (time.process_time() - began) / 60
    picture: Path | None = options["picture"]
    by_gene, imprints = [], []
    for test in (make() for make in taught.tests):
        maps = {}
        for name, prediction in predictions(
            test, model, params, with_image=with_image, with_remedies=options["remedies"]
        ):
            maps[name] = prediction.mean
            yield test.case, name, prediction, minutes
        if picture is not None:
            draw(test, maps, picture)
            picture = None
        if options["details"] is not None:
            by_gene.append(details(test.case, maps))
            pd.concat(by_gene).to_csv(options["details"], index=False)
        if options["imprint"] is not None:
            imprints += _imprints(test.case, maps)
            pd.DataFrame(imprints).to_csv(options["imprint"], index=False, float_format="%.3f")


def _imprints(case: Case, maps: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """How visible the lattice of spots is in the truth, in the maps, and in the written map with exact totals."""
    written_map = next(name for name in reversed(maps) if name.startswith(("with the gene head", FIELDS)))
    exact = projected(case, Prediction(maps[written_map]), "measured").mean
    shown = {"truth": case.truth, **maps, "exact totals": exact}
    kept = ("truth", "plain", "network", FIELDS, written_map, "exact totals")
    return [
        {"case": case.name, "map": name} | imprint(case, shown[name]) | detail_slopes(case, shown[name])
        for name in dict.fromkeys(kept)
    ]


def _others(lesson: str, **options: Any) -> Iterator[tuple[Case, str, Prediction, float]]:
    """Maps of the perceptrons or of the paper's scheme, and CPU minutes of their training and of these maps."""
    taught = _lesson(lesson, **options)
    tests, seed = [make() for make in taught.tests], options["seed"]
    began = time.process_time()
    if options["paper_scheme"]:
        made = scheme_of_pairs(taught, tests, 2 * options["steps"], seed)
    else:
        made = perceptrons(_learned(taught, **options), tests, seed)
    for test, name, prediction in made:
        yield test.case, name, prediction, (time.process_time() - began) / 60


def _learned(taught: Lesson, **options: Any) -> list[Test]:
    """What a perceptron learns from: the references, under as many lattices of spots as the networks see."""
    return [
        spotted(name, reference, lattice=lattice)
        for name, reference in taught.references.items()
        for lattice in range(options["lattices"])
    ]


def _settings(options: dict[str, Any]) -> str:
    """Settings that are not this command's own."""
    own = {option.name: option.default for option in main.params}
    names = ("programs", "width", "crop", "batch", "lattices", "evaluations", "lr", "diffusion", "all_parts")
    return " ".join(f"{name}={options[name]}" for name in names if options[name] != own[name])


def _params(lesson: str, **options: Any) -> DiffstParams:
    programs = options["programs"] or (KIDNEY_PROGRAMS if lesson.startswith("kidney") else PHANTOM_PROGRAMS)
    parts: dict[str, Any] = dict.fromkeys(OFF_BY_DEFAULT, options["all_parts"])
    parts |= {part: False for part in options["without"] if part not in ("image", "spots", "curriculum")}
    if "curriculum" in options["without"]:
        parts["curriculum"] = 0.0
    return DiffstParams(
        diffusion=options["diffusion"], steps_pretrain=options["steps"], width=options["width"], n_programs=programs,
        crop=options["crop"], batch=options["batch"], lr=options["lr"], seed=options["seed"],
        lattices=options["lattices"], evaluations=options["evaluations"],
        ema_decay=0.98, holdout=0.0, genes="all", threads=1, **parts,
    )  # fmt: skip


def _lesson(lesson: str, **options: Any) -> Lesson:
    tissue, size = lesson.split("-")
    if tissue == "kidney":
        return kidney(int(size.removesuffix("um")), DATA)
    options["work"].mkdir(parents=True, exist_ok=True)
    return phantoms(
        int(size.removesuffix("x")), options["work"], train=options["train"], test=options["test"],
        staining=options["staining"], other_panel=options["other_panel"],
    )  # fmt: skip


def predictions(
    test: Test, model: Pretrained, params: DiffstParams, *, with_image: bool, with_remedies: bool = False
) -> Iterator[tuple[str, Prediction]]:
    """By name: plain estimate and networks as points; then what is written without the diffusion, and with it."""
    case = test.case
    section = read_section(case.adata, case.name, params, grid=case.grid)
    if len(section.genes) != case.adata.n_vars:
        raise ValueError(f"{case.name}: a gene without counts")
    histology = test.histology if with_image else no_image(case.grid.shape, model.model.image_channels)
    programs = model.programs.for_genes(section.genes, section.counts).with_totals_of(section.counts)
    fitted = Fitted(model.model, programs, params, verdict=None)
    with TemporaryDirectory() as folder:
        made = predict(section, histology, fitted, params, CPU, Path(folder), progress=False)
        base = made.view.conditions[0].base.astype(np.float32) + FLOOR
        for name, amounts in (("plain", base), ("network", made.mean)):
            flat = (amounts * made.view.scale[:, None, None]).reshape(len(amounts), -1).T
            yield name, Prediction(np.asarray(flat @ made.loadings, dtype=np.float32))
        yield FIELDS, Prediction(written(replace(made, draws=(), detail=None)).mean)
        without = written(replace(made, draws=()))
        if made.detail is not None:
            yield f"with the gene head, weight {made.detail.strength:g}", Prediction(without.mean)
        yield "written without the diffusion", without
        if made.draws:
            yield "written with the diffusion's spread", written(made)
            with mock.patch.object(products.Prediction, "mean_is_of_draws", True):
                yield "the diffusion's draws as they are", written(replace(made))
            if with_remedies:
                for name, other in remedies(made, Path(folder)):
                    yield name, written(other)


def written(made: products.Prediction) -> Prediction:
    """Mean and draws that the product writes."""
    chunk = made.decoder().chunk(slice(0, len(made.section.genes)))
    drawn = [chunk.draw(number, one, projected=False) for number, one in enumerate(made.programs_of_draws)]
    return Prediction(chunk.mean(made.best_programs()), np.stack(drawn))


@contextmanager
def _blind() -> Iterator[None]:
    """Spots are not shown: the networks know but their totals."""
    shown = reference_view.make_condition

    def nothing(*args: Any, **settings: Any) -> Condition:
        condition = shown(*args, **settings)
        ones = np.ones_like(condition.seen)
        return replace(condition, plain=lambda: ones, seen=ones, coverage=np.zeros_like(condition.coverage))

    with (
        mock.patch("clearspot.diffst.data.reference_view.make_condition", nothing),
        mock.patch("clearspot.diffst.data.make_views.make_condition", nothing),
    ):
        yield


if __name__ == "__main__":
    main()
