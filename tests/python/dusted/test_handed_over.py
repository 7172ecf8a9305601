"""What users hand to the library and the command: odd files, keys, settings and places to write to."""

import anndata as ad
import h5py
import numpy as np
import pytest
import scipy.sparse as sp
from click.testing import CliRunner

from clearspot import dusted, keys
from clearspot.cli import main
from clearspot.dusted.command import Targets, denoise_file
from clearspot.errors import BadInputError, DamagedFileError
from clearspot.record import StepRecord
from tests.helpers.slashes import STAND_IN, write_with_slashes

SETTINGS = {"hidden": 8, "latent": 4, "epochs": 2, "threads": 1}
SMALL = ["--hidden", "8", "--latent", "4", "--epochs", "2", "--threads", "1"]


@pytest.fixture
def call(tmp_path):
    """Function that runs ``clearspot denoise`` on a file."""

    def run(path, *arguments):
        return CliRunner().invoke(
            main, ["denoise", str(path), "-o", str(tmp_path / "out" / "o.h5ad"), *SMALL, *arguments]
        )

    return run


def test_a_file_that_is_no_anndata_is_bad_input_for_users_and_damage_for_steps(tmp_path, call):
    path = tmp_path / "in.h5ad"
    path.write_bytes(b"barcode,gene\n")
    result = call(path)
    assert result.exit_code == 65, result.output
    assert "not HDF5" in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out" / "o.h5ad").exists()
    with pytest.raises(DamagedFileError):
        denoise_file(path, Targets.in_folder(tmp_path, "s1"), "s1", written_by_step=True, **SETTINGS)


def test_a_folder_is_bad_input(tmp_path, call):
    (tmp_path / "in.zarr").mkdir()
    result = call(tmp_path / "in.zarr")
    assert result.exit_code == 65, result.output
    assert "Zarr" in result.output


def test_keys_with_slashes_are_renamed_and_said(adata, tmp_path, call):
    adata.obs[f"G2{STAND_IN}M score"] = 0.5
    adata.uns[f"a{STAND_IN}b"] = "x"
    adata.obsm[f"q05{STAND_IN}abundance"] = np.zeros((adata.n_obs, 2))
    write_with_slashes(adata, tmp_path / "in.h5ad")
    result = call(tmp_path / "in.h5ad")
    assert result.exit_code == 0, result.output
    assert "obs['G2/M score'] -> 'G2_M score'" in result.output
    written = ad.read_h5ad(tmp_path / "out" / "o.h5ad")
    assert written.obs["G2_M score"].eq(0.5).all()
    assert "q05_abundance" in written.obsm
    assert keys.DENOISED in written.layers


@pytest.mark.parametrize("nested", ["out", "out/models"])
def test_place_that_cannot_be_written_is_found_out_before_training(adata, tmp_path, nested, monkeypatch):
    adata.write_h5ad(tmp_path / "in.h5ad")
    (tmp_path / nested).parent.mkdir(exist_ok=True)
    (tmp_path / nested).write_text("a file where a folder is needed")
    monkeypatch.setattr("clearspot.dusted.command.denoise", lambda *_, **__: pytest.fail("it trained"))
    targets = Targets.in_folder(tmp_path / "out", "s1")
    with pytest.raises(BadInputError, match="without write access"):
        denoise_file(tmp_path / "in.h5ad", targets, "s1", **SETTINGS)


@pytest.mark.parametrize("argument", ["checkpoint", "denoised_path"])
def test_library_call_finds_out_about_folders_before_training(adata, tmp_path, argument, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("clearspot.dusted.denoising.Run", lambda *_: pytest.fail("it trained"))
    with pytest.raises(BadInputError, match="without write access"):
        dusted.denoise(adata, progress=False, **{argument: str(tmp_path / "file" / "x")}, **SETTINGS)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_backed_anndata_is_denoised(adata, tmp_path, form):
    del adata.layers[keys.COUNTS]
    adata.X = form(adata.X.toarray())
    adata.write_h5ad(tmp_path / "in.h5ad")
    backed = ad.read_h5ad(tmp_path / "in.h5ad", backed="r")
    dusted.denoise(backed, progress=False, **SETTINGS)
    dusted.denoise(adata, progress=False, **SETTINGS)
    np.testing.assert_array_equal(backed.layers[keys.DENOISED], adata.layers[keys.DENOISED])


def test_paths_may_be_text(adata, tmp_path):
    first = str(tmp_path / "new" / "first.pt")
    dusted.denoise(adata, checkpoint=first, progress=False, **SETTINGS)
    dusted.denoise(adata, warm_start_from=first, progress=False, **SETTINGS)
    dusted.denoise(adata, resume_from=first, progress=False, **SETTINGS)


@pytest.mark.parametrize(
    "genes", [["g1", "ENSG003", "gone"], ("g1", "G3", "gone"), np.array(["g1", "g3", "gone"]), "g1, g3 gone"]
)
def test_genes_come_in_any_collection_and_absent_ones_are_told(adata, genes):
    result = dusted.denoise(adata, genes=genes, progress=False, **SETTINGS)
    assert adata.var_names[adata.var[keys.MODELLED]].tolist() == ["g1", "g3"]
    assert next(m.text for m in result.record.messages if m.level == "warning") == (
        "1 of 3 genes to model are not in the sample: gone."
    )


def test_list_of_which_nothing_is_there_is_refused(adata):
    with pytest.raises(BadInputError, match="list of genes to model"):
        dusted.denoise(adata, genes=["Zzz7", "Xxx7"], progress=False, **SETTINGS)


def test_gene_lists_of_the_command(adata, tmp_path, call):
    adata.write_h5ad(tmp_path / "in.h5ad")
    (tmp_path / "panel").write_text("gene,score\nENSG001,0.5\ng4,0.1\n")
    result = call(tmp_path / "in.h5ad", "--genes", str(tmp_path / "panel"))
    assert result.exit_code == 0, result.output
    var = ad.read_h5ad(tmp_path / "out" / "o.h5ad").var
    assert var.index[var[keys.MODELLED]].tolist() == ["g1", "g4"]
    result = call(tmp_path / "in.h5ad", "--genes", str(tmp_path / "absent.txt"))
    assert result.exit_code == 65
    assert "absent.txt" in result.output


@pytest.mark.parametrize("value", ["False", 0, 0.0])
def test_spots_off_tissue_are_left_out_however_the_flag_is_stored(adata, value):
    del adata.obs[keys.QC_PASS]
    adata.obs[keys.IN_TISSUE] = np.array(["True" if value == "False" else 1] * adata.n_obs, dtype=object)
    adata.obs.iloc[5, adata.obs.columns.get_loc(keys.IN_TISSUE)] = value
    dusted.denoise(adata, progress=False, **SETTINGS)
    assert np.isnan(adata.layers[keys.DENOISED][5]).all()
    assert np.isfinite(adata.layers[keys.DENOISED][6]).any()


@pytest.mark.parametrize("column", [keys.QC_PASS, keys.HIGHLY_VARIABLE, keys.GENE_OF_INTEREST])
def test_flags_with_missing_values_are_refused(adata, column):
    table = adata.obs if column == keys.QC_PASS else adata.var
    table[column] = [np.nan, *[1.0] * (len(table) - 1)]
    with pytest.raises(BadInputError, match=rf"1 missing values among \d+ rows of (obs|var)\['{column}'\]"):
        dusted.denoise(adata, progress=False, **SETTINGS)


@pytest.mark.parametrize("n_genes", [2, 3, 5])
def test_a_handful_of_genes_is_denoised(section_factory, n_genes):
    adata = section_factory(n_genes=n_genes, depth=5.0)
    del adata.var[keys.HIGHLY_VARIABLE], adata.obs[keys.QC_PASS]
    messages = [m.text for m in dusted.denoise(adata, progress=False, **SETTINGS).record.messages]
    assert adata.var[keys.MODELLED].all()
    assert any(f"all {n_genes} genes with counts are modelled" in text for text in messages)


def test_duplicates_are_merged_on_request(adata, tmp_path, call):
    adata.obsm[keys.SPATIAL][3] = adata.obsm[keys.SPATIAL][2]
    adata.write_h5ad(tmp_path / "in.h5ad")
    assert call(tmp_path / "in.h5ad").exit_code == 65
    result = call(tmp_path / "in.h5ad", "--merge-duplicates")
    assert result.exit_code == 0, result.output
    assert "1 of 56 observations shared the position of another one" in result.output
    written = ad.read_h5ad(tmp_path / "out" / "o.h5ad")
    assert written.n_obs == 55
    total = adata.layers[keys.COUNTS][2].sum() + adata.layers[keys.COUNTS][3].sum()
    assert written["spot2-1"].layers[keys.COUNTS].sum() == total


def test_sections_on_the_command_line(section_factory, tmp_path, call):
    both = ad.concat({"a": section_factory(), "b": section_factory(seed=3)}, label="library_id", index_unique="-")
    both.write_h5ad(tmp_path / "in.h5ad")
    refused = call(tmp_path / "in.h5ad", "--genes", "all")
    assert refused.exit_code == 65
    assert "a, b" in refused.output
    assert "--library-key library_id" in refused.output
    done = call(tmp_path / "in.h5ad", "--genes", "all", "--library-key", "library_id")
    assert done.exit_code == 0, done.output
    record = StepRecord.read(tmp_path / "out" / "o.dusted.json")
    assert record.tables["sections"]["section"] == ["a", "b"]
    both_options = call(tmp_path / "in.h5ad", "--library-key", "library_id", "--checkpoint-dir", str(tmp_path / "kept"))
    assert both_options.exit_code == 65
    assert "--checkpoint-dir together with --library-key" in both_options.output


def test_feature_matrix_of_space_ranger_is_recognised(tmp_path, call):
    with h5py.File(tmp_path / "filtered_feature_bc_matrix.h5", "w") as file:
        file["matrix/barcodes"] = [b"AAAC-1"]
    result = call(tmp_path / "filtered_feature_bc_matrix.h5")
    assert result.exit_code == 65, result.output
    assert "feature-barcode matrix" in result.output
