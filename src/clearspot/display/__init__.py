"""How values and classes look wherever they are shown: pages, notebooks, the colours kept in files."""
