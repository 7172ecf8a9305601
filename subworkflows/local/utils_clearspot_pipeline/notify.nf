// An e-mail when the run ends, by Nextflow's own mailer (no plugin): --email always, --email_on_fail after a failure.

def completionEmail() {
    def address = params.email ?: (!workflow.success ? params.email_on_fail : null)
    if (address) {
        sendMail(
            to: address,
            subject: "[clearspot] ${workflow.runName} ${workflow.success ? 'finished' : 'failed'}",
            body: "Run ${workflow.runName}\nResults: ${params.outdir}\nTook: ${workflow.duration}\n${workflow.errorMessage ?: ''}\n",
        )
    }
}
