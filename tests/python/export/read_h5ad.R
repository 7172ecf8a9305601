# Reads a sample as an R user would, without Python, and prints what the test compares: JSON.
suppressMessages({library(rhdf5); library(Matrix); library(jsonlite)})
file <- commandArgs(trailingOnly = TRUE)[1]
index <- function(group) as.character(h5read(file, paste0(group, "/", h5readAttributes(file, group)$`_index`)))
column <- function(name) {
  part <- h5read(file, paste0("obs/", name))
  if (!is.list(part)) return(part)
  codes <- as.vector(part$codes) + 1
  codes[codes == 0] <- NA
  factor(part$categories[codes], levels = part$categories)
}
part <- h5read(file, "layers/counts")
counts <- sparseMatrix(j = as.vector(part$indices), p = as.vector(part$indptr), x = as.numeric(part$data), index1 = FALSE,
                       dims = h5readAttributes(file, "layers/counts")$shape, dimnames = list(index("obs"), index("var")))
cat(toJSON(list(
  spots = rownames(counts), genes = colnames(counts), spot_totals = unname(rowSums(counts)), gene_totals = unname(colSums(counts)),
  spatial = t(h5read(file, "obsm/spatial")), domain = as.character(column("domain_gmm")), pass = as.logical(column("qc_pass"))
), digits = NA, na = "null"))
