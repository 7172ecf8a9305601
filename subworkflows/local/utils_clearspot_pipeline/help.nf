// `--help`, from the schema that also validates the parameters and draws the launch form.

include { colours } from './terminal'
include { schemaGroups } from './settings'

def helpText(monochrome) {
    def c = colours(monochrome)
    def lines = [
        "${c.bold}${workflow.manifest.name} ${workflow.manifest.version}${c.reset}",
        workflow.manifest.description,
        '',
        'Typical use:',
        '  nextflow run . -profile docker --input samplesheet.csv --outdir results',
    ]
    schemaGroups().each { group ->
        def shown = group.properties.findAll { _name, property -> !property.hidden }
        if (shown) {
            lines << ''
            lines << "${c.bold}${group.title}${c.reset}"
            shown.each { name, property ->
                def choices = property['enum'] ? " (${property['enum'].join(', ')})" : ''
                def fallback = property.default != null ? " [default: ${property.default}]" : ''
                def required = name in (group.required ?: []) ? " ${c.bold}[required]${c.reset}" : ''
                lines << "  ${c.blue}${"--${name}".padRight(24)}${c.reset} ${"[${property.type}]".padRight(10)} ${property.description}${choices}${fallback}${required}"
            }
        }
    }
    return lines.join('\n')
}
