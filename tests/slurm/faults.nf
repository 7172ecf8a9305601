// What a scheduler does to tasks, in small: under the pipeline's own configuration (-c nextflow.config -profile slurm,gpu). What each asks for is in quick.config.

params.outdir = 'results'
params.impossible = false
params.only_lasts = false

// Asks for less memory than it uses: killed at the first attempt, and fits at a later one.
process GROWS {
    label 'process_single'

    output:
    path 'grown.txt'

    script:
    """
    python3 -c 'import time; block = b"x" * (300 * 2**20); time.sleep(8)'
    echo ${task.attempt} >grown.txt
    """
}

// Goes on for ever at its first attempt.
process LASTS {
    label 'process_single'

    output:
    path 'lasted.txt'

    script:
    """
    [ ${task.attempt} -gt 1 ] || sleep 600
    echo ${task.attempt} >lasted.txt
    """
}

// Two of these want the only GPU.
process USES_GPU {
    tag "${name}"
    label 'process_gpu'

    input:
    val name

    output:
    path '*.txt'

    script:
    """
    begin=\$(date +%s%N)
    sleep 4
    echo "\$begin \$(date +%s%N) \${CUDA_VISIBLE_DEVICES:-none}" >gpu_${name}.txt
    """
}

// Asks for more memory than any node has.
process IMPOSSIBLE {
    label 'process_single'

    script:
    """
    true
    """
}

workflow {
    if (params.impossible) {
        IMPOSSIBLE()
    }
    else if (params.only_lasts) {
        LASTS()
        LASTS.out.subscribe { result -> result.copyTo("${params.outdir}/${result.name}") }
    }
    else {
        GROWS()
        LASTS()
        USES_GPU(channel.of('first', 'second'))
        GROWS.out.mix(LASTS.out, USES_GPU.out).subscribe { result -> result.copyTo("${params.outdir}/${result.name}") }
    }
}
