// The smallest task that is labelled for a GPU: tests read what its scheduler or container engine is asked for.
process GPU_TASK {
    label 'process_gpu'

    output:
    path 'done.txt'

    script:
    """
    echo ${task.accelerator.request} >done.txt
    """
}
