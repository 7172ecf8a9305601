// What to do where the container engine is at fault: it does not run, may not be used, or has no image. Its own exit code is 125;
// where there is no engine, the shell's is 127.

// Returns null where the container is not at fault.
def containerAdvice(exit_code) {
    def engine = workflow.containerEngine
    if (!engine) {
        return null
    }
    def said = "${workflow.errorMessage ?: ''}\n${workflow.errorReport ?: ''}"
    def name = engine.capitalize()
    def other = 'use another profile (-profile podman, singularity, ...), or `make run`, which does not need a container'
    if (exit_code == 127 && said =~ "(?i)\\b${engine}: (command )?not found") {
        return "${name} is not installed where the task ran: install it, or ${other}."
    }
    if (said =~ /(?i)cannot connect to the \w+ daemon|is the \w+ daemon running|cannot connect to podman/) {
        return "${name} is not running where the task ran: start it (`${engine} info` must answer without an error), or ${other}."
    }
    if (said =~ /(?i)permission denied while trying to connect/) {
        return "You do not have permission to use ${name} where the task ran: ask the administrator (for Docker: membership in the group docker), or ${other}."
    }
    if (said =~ /(?i)unable to find image|pull access denied|manifest unknown|failed to pull|error initializing source|requested access to the resource is denied/) {
        // the report of a failed task names its image
        def image = said.readLines().dropWhile { line -> line != 'Container:' }.drop(1).take(1).collect { line -> " ${line.trim()}" }
        return "The container image${image.join('')} is not available where the task ran and could not be pulled: build it (docs/usage.md, containers), or set another image with --container_image."
    }
    if (exit_code == 125) {
        return "${name} could not start the container, before clearspot ran. Fix the cause named in its message, or ${other}."
    }
    return null
}
