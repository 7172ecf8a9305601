from sections import from_counts

from clearspot.qc import interest
from clearspot.qc.interest import flag_genes_of_interest, read_gene_list


def test_symbols_and_ids_are_found_whatever_their_case():
    adata = from_counts([[1, 1, 1]], symbols=["PTPRC", "MKI67", "ACTB"])
    assert flag_genes_of_interest(adata, ["ptprc", "ensg00002"]) == {}
    assert adata.var["gene_of_interest"].tolist() == [True, False, True]


def test_an_absent_gene_comes_with_the_nearest_symbols():
    adata = from_counts([[1, 1]], symbols=["PTPRC", "ACTB"])
    assert flag_genes_of_interest(adata, ["PTPRD"]) == {"PTPRD": ["PTPRC"]}
    assert not adata.var["gene_of_interest"].any()


def test_of_many_absent_genes_only_the_first_get_suggestions(monkeypatch):
    monkeypatch.setattr(interest, "_HINTS", 1)
    adata = from_counts([[1]], symbols=["PTPRC"])
    assert flag_genes_of_interest(adata, ["PTPRD", "PTPRE"]) == {"PTPRD": ["PTPRC"], "PTPRE": []}


def test_a_symbol_wins_over_an_id_of_the_same_name():
    adata = from_counts([[1, 1]], symbols=["A", "ENSG00000"])
    flag_genes_of_interest(adata, ["ENSG00000"])
    assert adata.var["gene_of_interest"].tolist() == [False, True]


def test_a_gene_list_may_be_text_or_csv_with_comments():
    assert read_gene_list("\ufeffPTPRC\n\n# immune\nCD3E,T cells\nPTPRC  # again\r\n") == ("PTPRC", "CD3E")
