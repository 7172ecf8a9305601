#!/usr/bin/env nextflow
/*
    clearspot: denoises and super-resolves Space Ranger output, and reports the quality of the results.
*/

include { CLEARSPOT } from './workflows/clearspot'
include { PIPELINE_INITIALISATION } from './subworkflows/local/utils_clearspot_pipeline'
include { PIPELINE_COMPLETION } from './subworkflows/local/utils_clearspot_pipeline'
include { readSettings } from './subworkflows/local/utils_clearspot_pipeline/settings'

workflow {
    main:
    // `params` is read here and in the configuration; all else gets the settings.
    def settings = readSettings(params)
    PIPELINE_INITIALISATION(settings, params)
    CLEARSPOT(settings)
    PIPELINE_COMPLETION(settings, CLEARSPOT.out.sample_reports, CLEARSPOT.out.verdicts, CLEARSPOT.out.cohort_report, CLEARSPOT.out.refused, CLEARSPOT.out.left_out)
}
