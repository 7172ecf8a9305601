// The parameters of a run by name, each of the type that the schema says. Nextflow makes a number of `--multiqc_title 2024`, and
// from 26.04 on gives every parameter of the command line as text: `--skip_superres false` is a text that is not empty.

def schemaGroups() {
    // this reader keeps the order of the file
    return new groovy.json.JsonSlurper().parseText(file("${moduleDir}/../../../nextflow_schema.json").text)['$defs'].values()
}

def schemaProperties() {
    return schemaGroups().collectEntries { group -> group.properties }
}

def readSettings(given) {
    return schemaProperties().collectEntries { name, property -> [name, typed(given[name], property.type)] }
}

// A value that is not of its type is left as it is, for the check of the parameters to refuse.
def typed(value, type) {
    if (value == null) {
        return null
    }
    def text = value.toString().trim()
    if (type == 'boolean' && text.toLowerCase() in ['true', 'false']) {
        return text.toLowerCase() == 'true'
    }
    if (type == 'integer' && text ==~ /[+-]?\d{1,18}/) {
        return text as Long
    }
    if (type == 'number' && text.isNumber()) {
        return text as BigDecimal
    }
    // a name without a value is `true`
    return value instanceof Boolean || (value instanceof Number && type != 'string') ? value : value.toString()
}
