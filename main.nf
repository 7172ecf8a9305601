#!/usr/bin/env nextflow
/*
    clearspot: denoises and super-resolves Space Ranger output, and reports whether to believe it.
*/

include { CLEARSPOT } from './workflows/clearspot'
include { PIPELINE_INITIALISATION } from './subworkflows/local/utils_clearspot_pipeline'
include { PIPELINE_COMPLETION } from './subworkflows/local/utils_clearspot_pipeline'
include { codeVersion } from './subworkflows/local/utils_clearspot_pipeline/code_version'
include { genesOfInterest } from './subworkflows/local/utils_clearspot_pipeline/genes'

workflow {
    main:
    PIPELINE_INITIALISATION()
    CLEARSPOT(file(params.input, glob: false), genesOfInterest(params.genes_of_interest), codeVersion())
    PIPELINE_COMPLETION(CLEARSPOT.out.sample_reports, CLEARSPOT.out.cohort_report, CLEARSPOT.out.refused)
}
