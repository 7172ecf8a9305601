// The module of DUSTED with a stand-in for its script, which ends each sample's first attempt with an exit code
// (tests/pipeline/test_exit_codes.py).

include { DUSTED_DENOISE } from '../../modules/local/dusted/denoise'

params.codes = null
params.h5ad  = null

workflow {
    ch_samples = channel.fromList(params.codes.toString().tokenize(',')).map { code -> [[id: "exits_${code}".toString()], file(params.h5ad)] }
    DUSTED_DENOISE(ch_samples, [], [], 'hvg')
}
