// The same task on each grid scheduler, whose tools are stood in for (tests/pipeline/test_profiles.py).
include { GPU_TASK as ON_LSF } from './gpu_task'
include { GPU_TASK as ON_SGE } from './gpu_task'
include { GPU_TASK as ON_PBS } from './gpu_task'
include { GPU_TASK as ON_PBSPRO } from './gpu_task'

workflow {
    ON_LSF()
    ON_SGE()
    ON_PBS()
    ON_PBSPRO()
}
