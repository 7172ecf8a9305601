"""From a model to maps of genes: means, draws and their spread."""
