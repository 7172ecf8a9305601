// `--help`, from the schema that also validates the parameters and draws the launch form.

include { colours } from './terminal'

def helpText(schema_path, monochrome) {
    def c = colours(monochrome)
    def schema = new groovy.json.JsonSlurperClassic().parse(file(schema_path).toFile())
    def lines = [
        "${c.bold}${schema.title}${c.reset}",
        schema.description,
        '',
        'Typical use:',
        '  nextflow run . -profile docker --input samplesheet.csv --outdir results',
    ]
    schema['$defs'].each { _name, group ->
        def shown = group.properties.findAll { _key, property -> !property.hidden }
        if (shown) {
            lines << ''
            lines << "${c.bold}${group.title}${c.reset}"
            shown.each { key, property ->
                def choices = property['enum'] ? " (${property['enum'].join(', ')})" : ''
                def fallback = property.default != null ? " [default: ${property.default}]" : ''
                def type = property.type
                lines << "  ${c.blue}${"--${key}".padRight(22)}${c.reset} ${"[${type}]".padRight(10)} ${property.description}${choices}${fallback}"
            }
        }
    }
    return lines.join('\n')
}
