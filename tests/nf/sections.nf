// Three small made-up sections of a study (tests/helpers/studies.py): s1 to s3, of two batches.

process SECTIONS {
    output:
    path 's*.h5ad', emit: h5ad

    script:
    """
    #!/usr/bin/env python3
    import sys
    from pathlib import Path

    sys.path.insert(0, "${projectDir}")
    sys.path.insert(0, "${moduleDir}/../..")
    from tests.helpers.studies import made_section, write_sections

    made = [made_section(f"s{n}", seed=n, effect_of=n % 2, batch_effect=0.3, batch=f"b{n % 2}") for n in (1, 2, 3)]
    write_sections(Path(), *made)
    """
}
