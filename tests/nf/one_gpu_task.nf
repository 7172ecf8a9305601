include { GPU_TASK } from './gpu_task'

workflow {
    GPU_TASK()
}
