// What is looked at before any task: names of parameters, files that they name, and the folder of the results.

include { encoderPaths } from './encoder'
include { schemaProperties } from './settings'

// One text for all that is wrong, empty where nothing is.
def whatIsWrong(settings, given) {
    def missing = (settings.simulate ? ['outdir'] : ['input', 'outdir']).findAll { name -> !settings[name] }
    if (missing) {
        return "Missing: ${missing.collect { name -> "--${name}" }.join(' and ')}. Example: nextflow run . --input samplesheet.csv --outdir results (--help lists every parameter)"
    }
    def valueless = schemaProperties().findAll { name, property -> property.type == 'string' && settings[name] instanceof Boolean }
    if (valueless) {
        return "Parameters without a value: ${valueless.keySet().collect { name -> "--${name}" }.join(', ')}. Add a value to each"
    }
    return (misspelt(settings, given) + contradictions(settings) + absentFiles(settings) + unfitFolders(settings)).join('\n')
}

// A name that nobody knows is an error where the user wrote it; a shared configuration may set parameters of other pipelines.
def misspelt(settings, given) {
    if (!settings.validate_params) {
        return []
    }
    def written = writtenNames()
    def unknown = given.keySet().collect { name -> name.toString() }.findAll { name -> !settings.containsKey(name) }.unique { name -> letters(name) }
    return unknown.findResults { name ->
        def as_written = written[letters(name)]
        def like = nearest(name, settings.keySet())
        def hint = like ? ": did you mean --${like}?" : ' (--help lists every parameter)'
        if (!as_written) {
            log.warn("The parameter ${name} in the configuration is unknown to this pipeline${hint}")
        }
        as_written ? "There is no parameter --${as_written}${hint}" : null
    }
}

// Names of parameters on the command line and in the -params-file, by their letters: Nextflow makes `someName` of `--some-name`.
def writtenNames() {
    def line = workflow.commandLine
    def names = (line =~ /(?:^|\s)--([A-Za-z][\w-]*)/).collect { found -> found[1] }
    def place = (line =~ /\s-params-file[=\s]+(?:'([^']+)'|"([^"]+)"|(\S+))/).collect { found -> found[1] ?: found[2] ?: found[3] }
    def files = place ?: [System.getenv('NXF_PARAMS_FILE')].findAll()
    names += files.collectMany { name -> (file(name, glob: false).text =~ /(?m)(?:^|[{,])\s*["']?([A-Za-z][\w-]*)["']?\s*:/).collect { found -> found[1] } }
    return names.collectEntries { name -> [letters(name), name] }
}

def letters(name) {
    return name.toLowerCase().replaceAll(/[^a-z0-9]/, '')
}

// The name that takes the fewest changed letters, at most a third of them.
def nearest(name, known) {
    def word = letters(name)
    if (!word) {
        return null
    }
    def best = known.min { candidate -> editDistance(word, letters(candidate)) }
    return editDistance(word, letters(best)) * 3 <= word.size() ? best : null
}

// Levenshtein's, a row at a time.
def editDistance(one, other) {
    return (1..one.size()).inject((0..other.size()).toList()) { above, i ->
        (1..other.size()).inject([i]) { row, j ->
            row + [[row[j - 1] + 1, above[j] + 1, above[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1)].min()]
        }
    }[-1]
}

def contradictions(settings) {
    return settings.diffst_checkpoint && settings.diffst_pretrained
        ? ["--diffst_checkpoint and --diffst_pretrained cannot be combined: the first skips training, the second is the start of training. Leave one of them out"]
        : []
}

def absentFiles(settings) {
    def named = schemaProperties().findAll { _name, property -> property.format == 'file-path' }.collect { name, _property -> name }
    named += ['dusted_genes', 'superres_genes'].findAll { name -> !(settings[name] in ['hvg', 'all']) }
    // names of genes stand without a folder; a value with one is meant as a file
    named += settings.genes_of_interest?.contains('/') ? ['genes_of_interest'] : []
    def files = named.findAll { name -> settings[name] }.collect { name -> [name, settings[name]] }
    files += encoderPaths(settings.image_encoder).collect { path -> ['image_encoder', path] }
    return files.findResults { name, value -> absent(name, value) }
}

def absent(name, value) {
    try {
        return file(value, glob: false).exists()
            ? null
            : name == 'input' ? "There is no samplesheet at ${value} (--input)" : "There is no file ${value} (--${name})"
    }
    catch (Exception problem) {
        // a bucket that is missing or may not be read
        return "The file ${value} (--${name}) cannot be accessed: ${problem.message}"
    }
}

// Tasks write into these as they run: only a folder of a file system will do, and one that the tasks see.
def unfitFolders(settings) {
    def is_remote = workflow.workDir.fileSystem != java.nio.file.FileSystems.default
    def named = ['dusted_checkpoint_dir', 'diffst_checkpoint_dir'].findAll { name -> settings[name] }
    return named.findResults { name ->
        def why = settings[name].contains('://')
            ? 'is not on a file system, which is required to write checkpoints during a task'
            : is_remote && !settings[name].startsWith('/') ? 'is a folder on this machine, which tasks with a work folder on an object store cannot access' : null
        why ? "--${name} ${settings[name]} ${why}. Choose a folder that every task can write to, or leave it out" : null
    } + notWritable(settings.outdir)
}

def notWritable(outdir) {
    try {
        def folder = file(outdir, glob: false)
        folder.mkdirs()
        def probe = folder.resolve(".clearspot-${workflow.sessionId}")
        probe.text = 'write test\n'
        probe.delete()
        return []
    }
    catch (Exception problem) {
        return ["The results folder is not writable: ${outdir} (--outdir): ${problem.getClass().simpleName}: ${problem.message}"]
    }
}
