"""One file per family of formulas; the catalogue chooses their windows."""
