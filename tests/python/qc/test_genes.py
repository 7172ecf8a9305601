import pytest

from clearspot.qc.genes import gene_set_masks


@pytest.mark.parametrize(
    ("symbol", "belongs_to"),
    [
        ("MT-CO1", "mt"),
        ("mt-Nd4l", "mt"),
        ("MTOR", None),
        ("RPS6", "ribo"),
        ("Rpl13a", "ribo"),
        ("RPS6KA1", None),
        ("HBA1", "hb"),
        ("Hbb-bs", "hb"),
        ("HBEGF", None),
        ("HBP1", None),
    ],
)
def test_symbols_of_human_and_mouse_go_to_their_set(symbol, belongs_to):
    found = [name for name, mask in gene_set_masks([symbol]).items() if mask[0]]
    assert found == ([belongs_to] if belongs_to else [])


@pytest.mark.parametrize("symbol", ["GRCh38_MT-CO1", "mm10___mt-Co1"])
def test_a_genomes_name_before_the_symbol_is_ignored(symbol):
    assert gene_set_masks([symbol, "A"], ["GRCh38", "mm10"])["mt"].tolist() == [True, False]
