"""Dot plot of marker genes."""

from __future__ import annotations

from typing import Any

import numpy as np

from clearspot.display.format import domain_name
from clearspot.report.blocks import Chart, plot_text
from clearspot.report.map_parts import colour_axis


def marker_dots(table: dict[str, list[Any]], word: str) -> list[Chart]:
    """Draw the best markers of each domain in all domains: share of spots with the gene as size, mean as colour.

    Parameters
    ----------
    table
        Of :func:`clearspot.domains.markers.marker_profile`; no chart where it is empty.
    word
        What a measured place is called.
    """
    if not table:
        return []
    genes, domains = list(dict.fromkeys(table["gene"])), list(dict.fromkeys(table["domain"]))
    highest: dict[str, float] = {}
    for gene, mean in zip(table["gene"], table["mean"], strict=True):
        highest[gene] = max(highest.get(gene, 0.0), mean)
    data = [
        {
            "type": "scatter", "mode": "markers",
            "x": [genes.index(gene) for gene in table["gene"]],
            "y": [domains.index(domain) for domain in table["domain"]],
            "customdata": table["gene"],
            "text": [
                f"{plot_text(gene)}, {plot_text(domain_name(domain))}<br>{percent:.0f} % of its {word}s, "
                f"mean {mean:.2g} (log1p of scaled counts)"
                for gene, domain, percent, mean in zip(
                    *(table[key] for key in ("gene", "domain", "percent", "mean")), strict=True
                )
            ],
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {
                "size": [2 + 0.14 * percent for percent in table["percent"]], "sizemode": "diameter",
                "color": [
                    mean / highest[gene] if highest[gene] else 0.0
                    for gene, mean in zip(table["gene"], table["mean"], strict=True)
                ],
                "line": {"width": 0.5, "color": "rgba(128,138,148,0.6)"}, "coloraxis": "coloraxis",
            },
            "showlegend": False,
        }
    ]  # fmt: skip
    layout = {
        "xaxis": {
            "tickvals": list(range(len(genes))), "ticktext": [plot_text(gene) for gene in genes], "tickangle": -90,
            "range": [-0.7, len(genes) - 0.3], "tickfont": {"size": 11}, "zeroline": False,
        },
        "yaxis": {
            "tickvals": list(range(len(domains))), "ticktext": [plot_text(domain_name(name)) for name in domains],
            "range": [len(domains) - 0.4, -0.6], "zeroline": False,
        },
        "coloraxis": colour_axis(0.0, 1.0, "mean, relative to maximum") | {"cmin": 0, "cmax": 1},
        "meta": {"genes": True},
    }  # fmt: skip
    layout["coloraxis"]["colorbar"] |= {"y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right", "len": 0.3}
    caption = (
        f"The top three markers of each domain. Size: share of the domain's {word}s in which the gene is detected. "
        f"Colour: mean expression relative to the domain with the highest mean. Click a dot to show the maps of the "
        f"gene."
    )
    ratio = float(np.clip((3 + len(genes)) / (5 + len(domains)), 1.2, 3.2))
    return [Chart("markers", "Marker genes by domain", caption, {"data": data, "layout": layout}, ratio, wide=True)]
