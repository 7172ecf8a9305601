import pytest

from clearspot.errors import BadInputError
from clearspot.qc.interest import flag_genes_of_interest
from tests.helpers.sections import from_counts


def test_found_genes_are_flagged_and_absent_ones_returned():
    adata = from_counts([[1, 1, 1]], symbols=["PTPRC", "MKI67", "ACTB"])
    lookup = flag_genes_of_interest(adata, ["ptprc", "ENSG00002", "PTPRD"])
    assert lookup.absent == {"PTPRD": ("PTPRC",)}
    assert adata.var["gene_of_interest"].tolist() == [True, False, True]


def test_no_list_flags_nothing():
    adata = from_counts([[1, 1]])
    assert not flag_genes_of_interest(adata, ()).absent
    assert not adata.var["gene_of_interest"].any()


def test_list_of_which_the_sample_has_nothing_is_refused():
    adata = from_counts([[1, 1]], symbols=["PTPRC", "ACTB"])
    with pytest.raises(BadInputError, match="list of genes of interest"):
        flag_genes_of_interest(adata, ["Actg9", "Xyz"])
