"""The page as a person meets it, in a headless Chromium; skipped where there is none."""

from pathlib import Path

import pytest

from clearspot.report import canvas_kinds
from clearspot.report.cohort import run_multiqc, write_multiqc_inputs
from clearspot.report.map_parts import colour_axis
from clearspot.report.sample import write_sample_report
from tests.helpers.browser import BLANK_CHARTS, VISIBLE_DRAWN, Browser
from tests.helpers.made_sample import Made, make_adata, make_records, refused

TABS = ("overview", "qc", "graph", "denoising", "domains", "superres", "provenance")


def test_no_tab_complains_or_asks_for_anything(browser: Browser, page: Path) -> None:
    browser.resize(1280, 4000)
    browser.open(page)
    for tab in TABS:
        browser.run(f"document.querySelector('#tab-{tab}').click()")
        browser.until(VISIBLE_DRAWN)
        assert browser.run(BLANK_CHARTS) == []
    assert browser.complaints == []
    assert browser.requests == [page.resolve().as_uri()]


def test_a_tab_shows_its_part_alone(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelector('#tab-graph').click()")
    shown = browser.run("[...document.querySelectorAll('main > section')].filter(s => !s.hidden).map(s => s.id)")
    assert shown == ["graph"]


def test_an_address_with_a_part_opens_that_part(browser: Browser, page: Path) -> None:
    browser.open(page, "#domains")
    assert browser.run("document.querySelector('#domains').hidden") is False
    assert browser.run("document.querySelector('#overview').hidden") is True


def test_arrow_keys_move_between_tabs(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run("document.querySelector('#tab-overview').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="ArrowRight", code="ArrowRight")
    assert browser.run("document.activeElement.id") == "tab-qc"


def type_gene(browser: Browser, text: str) -> None:
    """Type into the search for a gene, as a person does."""
    browser.run("document.querySelector('[data-genes] input').focus()")
    browser.call("Input.insertText", text=text)


def press(browser: Browser, key: str, code: int) -> None:
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)


OFFERED = "[...document.querySelectorAll('[data-genes] [role=option]')].map((option) => option.textContent)"


def test_a_gene_is_found_by_typing_and_redraws_both_maps_with_the_same_limits(browser: Browser, page: Path) -> None:
    browser.resize(1280, 2000)
    browser.open(page, "#denoising")
    browser.until("document.querySelector('[data-chart=gene-denoised]').dataset.drawn === 'Gene7'")
    type_gene(browser, "gene2")
    assert browser.run(OFFERED) == ["Gene2", *(f"Gene{number}" for number in range(20, 30))]
    press(browser, "Enter", 13)
    for name in ("gene-measured", "gene-denoised"):
        browser.until(f"document.querySelector('[data-chart={name}]').dataset.drawn === 'Gene2'")
    limits = browser.run(
        "['gene-measured', 'gene-denoised'].map((name) => {"
        " const axis = document.querySelector(`[data-chart=${name}]`)._fullLayout.coloraxis;"
        " return [axis.cmin, axis.cmax]; })"
    )
    assert limits[0] == limits[1]
    drawn = browser.run("document.querySelector('[data-chart=gene-measured]').data[0].customdata.slice(0, 40)")
    adata = make_adata()
    assert drawn == adata[:40, "Gene2"].layers["counts"].toarray().ravel().tolist()


def test_before_typing_genes_of_interest_come_first_then_those_that_gained_most(browser: Browser, page: Path) -> None:
    browser.resize(1280, 2000)
    browser.open(page, "#denoising")
    browser.run("document.querySelector('[data-genes] input').focus()")
    assert browser.run(OFFERED)[:5] == ["Gene7", "Gene9", "Gene4", "Gene0", "Gene1"]
    press(browser, "ArrowDown", 40)
    press(browser, "ArrowDown", 40)
    press(browser, "Enter", 13)
    browser.until("document.querySelector('[data-chart=gene-denoised]').dataset.drawn === 'Gene9'")


def test_a_gene_that_is_not_there_is_said_and_escape_brings_the_last_one_back(browser: Browser, page: Path) -> None:
    browser.open(page, "#denoising")
    type_gene(browser, "Nonsense")
    assert browser.run(OFFERED) == []
    assert "No gene matches “Nonsense” among the 30" in browser.run(
        "document.querySelector('[role=status]').textContent"
    )
    press(browser, "Escape", 27)
    assert browser.run("document.querySelector('[data-genes] input').value") == "Gene7"


def test_a_marker_leads_to_its_maps(browser: Browser, page: Path) -> None:
    browser.resize(1280, 2000)
    browser.open(page, "#domains")
    browser.run("document.querySelector('button[data-gene=Gene1]').click()")
    browser.until("document.querySelector('[data-chart=gene-denoised]').dataset.drawn === 'Gene1'")
    assert browser.run("document.querySelector('#denoising').hidden") is False


def test_ticks_of_the_colours_are_those_that_all_maps_have(browser: Browser, page: Path) -> None:
    browser.open(page, "#denoising")
    browser.until("document.querySelector('[data-chart=gene-measured]').dataset.drawn === 'Gene7'")
    bar = browser.run("document.querySelector('[data-chart=gene-measured]').layout.coloraxis.colorbar")
    high = browser.run("Math.expm1(document.querySelector('[data-chart=gene-measured]').layout.coloraxis.cmax)")
    expected = colour_axis(0.0, high, "counts", logarithmic=True)["colorbar"]
    assert bar["ticktext"] == expected["ticktext"]
    assert bar["tickvals"] == pytest.approx(expected["tickvals"])


SEEN = (  # which map is seen at a share of the width, at the height of its middle
    "((share) => { const box = document.querySelector('[data-chart=gene-denoised]').getBoundingClientRect();"
    " return document.elementFromPoint(box.left + share * box.width, box.top + box.height / 2)"
    ".closest('[data-chart]').dataset.chart; })"
)


def test_the_edge_between_the_maps_moves_by_keyboard(browser: Browser, page: Path) -> None:
    browser.resize(1280, 2600)
    browser.open(page, "#denoising")
    for name in ("gene-measured", "gene-denoised"):
        browser.until(f"!!document.querySelector('[data-chart={name}]').dataset.drawn")
    browser.run("document.querySelector('[data-swipe]').click()")
    measured, denoised = browser.run(
        "['measured', 'denoised'].map((name) => document.querySelector(`[data-chart=gene-${name}]`)"
        ".getBoundingClientRect().toJSON())"
    )
    assert measured == denoised
    assert [browser.run(f"{SEEN}({share})") for share in (0.3, 0.7)] == ["gene-measured", "gene-denoised"]
    browser.run("document.querySelector('.swipe-edge input').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="Home", code="Home", windowsVirtualKeyCode=36)
    assert browser.run(f"{SEEN}(0.3)") == "gene-denoised"
    assert browser.complaints == []


def test_the_two_maps_zoom_together(browser: Browser, page: Path) -> None:
    browser.resize(1280, 2600)
    browser.open(page, "#denoising")
    for name in ("gene-measured", "gene-denoised"):
        browser.until(f"!!document.querySelector('[data-chart={name}]').dataset.drawn")
    browser.run(
        "Plotly.relayout(document.querySelector('[data-chart=gene-measured]'),"
        " {'xaxis.range': [100, 160], 'yaxis.range': [160, 100]}).then(() => 1)"
    )
    browser.until("String(document.querySelector('[data-chart=gene-denoised]').layout.xaxis.range) === '100,160'")


def test_the_gene_of_the_super_resolved_maps_can_be_chosen(browser: Browser, page: Path) -> None:
    browser.resize(1280, 2600)
    browser.open(page, "#superres")
    browser.run(
        "(() => { const picker = document.querySelector('[data-picker=superres-gene]'); picker.value = 'Gene2';"
        " picker.dispatchEvent(new Event('change')); })()"
    )
    for name in ("measured", "mean", "sd"):
        browser.until(f"document.querySelector('[data-chart=superres-{name}]').dataset.drawn === 'Gene2'")
    limits = browser.run(
        "['measured', 'mean'].map((name) => {"
        " const axis = document.querySelector(`[data-chart=superres-${name}]`)._fullLayout.coloraxis;"
        " return [axis.cmin, axis.cmax]; })"
    )
    assert limits[0] == limits[1]


def test_spots_without_a_denoised_value_are_not_seen(browser: Browser, page: Path) -> None:
    browser.open(page, "#denoising")
    browser.until("document.querySelector('[data-chart=gene-denoised]').dataset.drawn")
    opacity = browser.run("document.querySelector('[data-chart=gene-denoised]').data[0].marker.opacity")
    passes = make_adata().obs["qc_pass"]
    assert opacity == passes.astype(int).tolist()


def test_spots_grow_with_the_zoom(browser: Browser, page: Path) -> None:
    browser.open(page, "#overview")
    browser.until("document.querySelector('[data-chart=overlay]').spotSize > 0")
    before = browser.run("document.querySelector('[data-chart=overlay]').spotSize")
    browser.run(
        "Plotly.relayout(document.querySelector('[data-chart=overlay]'),"
        " {'xaxis.range': [100, 160], 'yaxis.range': [160, 100]}).then(() => 1)"
    )
    browser.until(f"document.querySelector('[data-chart=overlay]').spotSize > {2 * before}")


@pytest.mark.parametrize("tab", TABS)
def test_nothing_sticks_out_of_a_phones_screen(browser: Browser, page: Path, tab: str) -> None:
    browser.resize(390, 1400, phone=True)
    browser.open(page, f"#{tab}")
    browser.until(VISIBLE_DRAWN)
    assert browser.run("document.documentElement.scrollWidth") == 390


def test_dark_mode_turns_page_and_charts(browser: Browser, page: Path) -> None:
    browser.resize(1280, 1800, dark=True)
    browser.open(page, "#graph")
    browser.until("document.querySelector('[data-chart=degree]').dataset.drawn")
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    ink = browser.run("document.querySelector('[data-chart=degree]').layout.font.color")
    assert ground == "rgb(20, 25, 31)"
    assert ink == "#e6ebf0"


def test_the_tissue_image_can_be_laid_under_the_maps_of_quality_control(browser: Browser, page: Path) -> None:
    browser.resize(1280, 3000)
    browser.open(page, "#qc")
    chart = "document.querySelector('[data-chart=map-total_counts]')"
    browser.until(f"!!{chart}.dataset.drawn")
    assert browser.run(f"({chart}.layout.images || []).length") == 0
    browser.run("document.querySelector('[data-underlay]').click()")
    browser.until(f"({chart}.layout.images || []).length === 1")
    assert browser.run(f"{chart}.layout.images[0].source.startsWith('data:image/jpeg')")
    browser.run("document.querySelector('[data-underlay]').click()")
    browser.until(f"({chart}.layout.images || []).length === 0")


def test_right_hand_axes_have_round_numbers(browser: Browser, page: Path) -> None:
    browser.resize(1280, 4000)
    browser.open(page, "#qc")
    browser.until("!!document.querySelector('[data-chart=edge]').dataset.drawn")
    labels = browser.run(
        "[...document.querySelectorAll('[data-chart=edge] .y2tick text')].map((tick) => tick.textContent)"
    )
    assert labels
    assert all(float(label.replace(",", "")) % 5 == 0 for label in labels)


def test_maps_keep_a_light_ground_in_the_dark(browser: Browser, page: Path) -> None:
    browser.resize(1280, 1800, dark=True)
    browser.open(page, "#domains")
    browser.until("!!document.querySelector('[data-chart=map-domain_gmm]').dataset.drawn")
    layout = browser.run("document.querySelector('[data-chart=map-domain_gmm]').layout")
    assert layout["plot_bgcolor"] == "#dde3e9"
    assert layout["annotations"][0]["font"]["color"] == "#1b2733"
    assert layout["font"]["color"] == "#e6ebf0"


def test_bars_of_domains_have_the_colours_of_their_map_in_the_dark(browser: Browser, page: Path) -> None:
    drawn = []
    for dark in (False, True):
        browser.resize(1280, 4000, dark=dark)
        browser.open(page, "#domains")
        browser.until(VISIBLE_DRAWN)
        drawn.append(browser.run("document.querySelector('[data-chart=\"sizes-domain_gmm\"]').data[0].marker.color"))
    browser.resize(1280, 4000)
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == len(drawn[0]) > 1


@pytest.mark.parametrize("tab", ["qc", "denoising", "domains", "superres"])
def test_plots_of_a_row_start_on_one_line(browser: Browser, page: Path, tab: str) -> None:
    browser.resize(1280, 4000)
    browser.open(page, f"#{tab}")
    tops = browser.run(
        f"[...document.querySelectorAll('#{tab} .row')].filter((row) => row.checkVisibility()).map((row) => "
        "[...row.querySelectorAll('.plot')].slice(0, 2).map((plot) => Math.round(plot.getBoundingClientRect().top)))"
    )
    assert tops
    assert [pair for pair in tops if len(set(pair)) > 1] == []


def test_a_refused_samples_page_has_no_complaint(browser: Browser, tmp_path: Path) -> None:
    out = tmp_path / "bad_report.html"
    write_sample_report(None, [refused("bad", tmp_path)], out)
    browser.resize(1280, 1800)
    browser.open(out)
    assert browser.complaints == []
    assert browser.run("document.querySelector('.problem').offsetHeight") > 0


def test_a_raster_of_many_spots_has_no_complaint(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 60)
    adata = make_adata()
    made = Made("many", tmp_path, adata, make_records("many", adata))
    out = tmp_path / "many_report.html"
    write_sample_report(made.h5ad, made.write(), out)
    browser.resize(1280, 2500)
    for tab in ("overview", "qc", "denoising", "domains"):
        browser.open(out, f"#{tab}")
        browser.until(VISIBLE_DRAWN)
        assert browser.complaints == []
    kinds = browser.run("document.querySelector('[data-chart=map-domain_gmm]').data.map((trace) => trace.type)")
    assert kinds == ["heatmap", "heatmap"]


def test_the_cohorts_page_stays_at_home(browser: Browser, tmp_path: Path, repo: Path) -> None:
    adata = make_adata()
    made = Made("good", tmp_path, adata, make_records("good", adata))
    made.records["qc"].note("warning", "use it for looking, not for conclusions")
    write_multiqc_inputs([*made.write(), refused("bad", tmp_path)], tmp_path / "inputs")
    report = run_multiqc(tmp_path / "inputs", tmp_path, [repo / "assets" / "multiqc_config.yml"])
    browser.resize(1280, 4000)
    browser.open(report)
    browser.until("!!document.querySelector('.js-plotly-plot')")
    assert browser.complaints == []
    assert browser.requests == [report.resolve().as_uri()]
    assert "use it for looking, not for conclusions" in browser.run("document.body.innerText")
    assert browser.run("document.querySelector('#mqc_welcome').offsetHeight") == 0
