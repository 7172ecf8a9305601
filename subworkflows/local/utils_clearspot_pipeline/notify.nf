// Who is notified when a run ends, without a plugin: --email by Nextflow's own mailer (--email_on_fail after a failure alone),
// --hook_url by HTTP POST. Neither can fail a run: what does not go through is a warning.

include { commandShown } from './parameters'
include { succeeded } from './success'

def completionEmail(settings, lines) {
    def address = settings.email ?: (!succeeded() ? settings.email_on_fail : null)
    if (!address) {
        return null
    }
    def about = ["Run: ${workflow.runName}", "Results: ${settings.outdir}", "Command: ${commandShown(settings)}", "Started: ${workflow.start}"]
    try {
        sendMail(
            to: address,
            subject: "[clearspot] ${workflow.runName} ${succeeded() ? 'finished' : 'failed'}",
            body: (lines + [''] + about).join('\n') + '\n',
        )
    }
    catch (Exception problem) {
        log.warn("The e-mail to ${address} was not sent: ${problem.message}")
    }
    return null
}

def completionHook(settings, lines) {
    if (!settings.hook_url) {
        return null
    }
    def message = settings.hook_url.contains('slack.com') ? slackMessage(settings, lines) : adaptiveCard(settings, lines)
    try {
        def post = new URL(settings.hook_url).openConnection()
        post.setConnectTimeout(10000)
        post.setReadTimeout(10000)
        post.setRequestMethod('POST')
        post.setDoOutput(true)
        post.setRequestProperty('Content-Type', 'application/json')
        post.getOutputStream().write(groovy.json.JsonOutput.toJson(message).getBytes('UTF-8'))
        def answer = post.getResponseCode()
        if (answer >= 300) {
            log.warn("The web hook answered ${answer}: ${post.getErrorStream()?.getText()}")
        }
    }
    catch (Exception problem) {
        log.warn("The web hook could not be notified: ${problem.message}")
    }
    return null
}

def facts(settings) {
    return [Run: workflow.runName, Version: workflow.manifest.version, Results: settings.outdir, Nextflow: workflow.nextflow.version]
        .collect { name, value -> [title: name, value: value.toString()] }
}

def slackMessage(settings, lines) {
    def shown = facts(settings).collect { fact -> "${fact.title}: ${fact.value}" }
    return [text: "*clearspot: ${lines.head()}*\n${(lines.tail() + shown).join('\n')}".toString()]
}

// As Microsoft Teams takes it, and what reads its cards.
def adaptiveCard(settings, lines) {
    def content = [
        '$schema': 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.2',
        msteams: [width: 'Full'],
        body: [
            [type: 'TextBlock', size: 'Large', weight: 'Bolder', wrap: true, color: succeeded() ? 'Good' : 'Attention', text: "clearspot: ${lines.head()}".toString()],
            [type: 'TextBlock', wrap: true, text: lines.tail().join('\n\n')],
            [type: 'FactSet', facts: facts(settings)],
        ],
    ]
    return [type: 'message', attachments: [[contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: content]]]
}
