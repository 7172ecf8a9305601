import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import org.yaml.snakeyaml.Yaml

/** What nf-test gives of a channel, in the words of an assertion. */
class Outputs {

    /** Records by sample, of a channel [ meta, json ]. */
    static Map records(List channel) {
        return channel.collectEntries { meta, json -> [(meta.id): new JsonSlurper().parse(new File(json))] }
    }

    /** Names of all files of a channel [ meta, file or files ], sorted. */
    static List names(List channel) {
        return channel.collectMany { entry -> [entry[1]].flatten() }.collect { place -> new File(place).name }.sort()
    }

    /** Names of the software by process, of the topic `versions`. */
    static Map versions(List topic) {
        return topic.collectEntries { yml -> new Yaml().load(new File(yml).text).collectEntries { process, software -> [process, software.keySet() as List] } }
    }

    /** Names of the software of a process, as the registry of the steps has them. */
    static List software(String process) {
        def steps = new JsonSlurper().parse(new File('src/clearspot/contract/steps.json'))
        return ['python', 'clearspot'] + steps.find { step -> step.process == process }.software
    }

    /**
     * What every machine and every version of the libraries must agree on, for a snapshot: samples, names of files, and of each
     * record its status, its settings and what it measured. The measured numbers are pytest's.
     */
    static Map stable(Map out) {
        return out.findAll { name, _channel -> !(name ==~ /\d+/) }.collectEntries { name, channel -> [(name): sorted(described(channel))] }
    }

    /** A channel in an order that does not depend on which of two tasks ended first. */
    private static Object sorted(Object channel) {
        return channel instanceof List ? channel.sort { item -> JsonOutput.toJson(item) } : channel
    }

    private static Object described(Object item) {
        if (item instanceof Map) {
            return item.id ?: item
        }
        if (item instanceof List) {
            return item.collect { part -> described(part) }
        }
        if (!(item instanceof CharSequence) || !new File(item.toString()).exists()) {
            return item
        }
        def place = new File(item.toString())
        def content = place.name.endsWith('.json') ? new JsonSlurper().parse(place) : null
        return content instanceof Map && content.step && content.status ? recorded(place.name, content) : place.name
    }

    private static Map recorded(String name, Map record) {
        return [file: name, status: record.status, params: record.params, metrics: record.metrics.keySet().sort(), tables: record.tables.keySet().sort()]
    }
}
