// Which files of a Space Ranger folder are staged. Files, not the folder: the hash of a folder sees its name only, and
// an outs folder on a bucket holds alignments that nobody needs here.

def listOuts(root, bin_size_um) {
    if (!root.isDirectory()) {
        // an archive, or nothing at all: the check says which
        return root.exists()
            ? [files: [root], manifest: [files: [root.name], archive: true, dangling: []]]
            : [files: [], manifest: [files: [], archive: false, dangling: [root.name]]]
    }
    def files = []
    def dangling = []
    def paths = []
    root.eachFileRecurse { path -> paths << path }
    // without bins of 8 um every bin size is staged, and the library chooses one (clearspot.io.bins)
    def has_default = paths.any { path -> root.relativize(path).toString() =~ /(^|\/)square_008um\// }
    def wanted_bin = bin_size_um ?: (has_default ? 8 : null)
    paths.each { path ->
        def relative = root.relativize(path).toString()
        if (isWanted(relative, wanted_bin)) {
            if (!path.exists()) {
                dangling << relative
            }
            else if (!path.isDirectory()) {
                files << path
            }
        }
    }
    files = files.sort { path -> path.toString() }
    return [
        files: files,
        manifest: [files: files.collect { path -> root.relativize(path).toString() }, archive: false, dangling: dangling.sort()],
    ]
}

// Of a Xenium folder only what a reference is read from, the transcripts where they are: its images are large.
def listReference(root, bin_size_um) {
    def transcripts = ['transcripts.parquet']
    def cells = ['cell_feature_matrix.h5', 'cells.parquet']
    def marks = transcripts + cells + ['experiment.xenium']
    def is_xenium = root.isDirectory() && marks.any { name -> root.resolve(name).exists() }
    if (!is_xenium) {
        return listOuts(root, bin_size_um)
    }
    def names = (root.resolve(transcripts[0]).exists() ? transcripts : cells) + ['experiment.xenium']
    def files = names.collect { name -> root.resolve(name) }.findAll { path -> path.exists() }
    return [files: files, manifest: [files: files.collect { path -> path.name }, archive: false, dangling: []]]
}

def isWanted(relative, bin_size_um) {
    def unwanted_folder = /(^|.*\/)(analysis|analysis_csv|deconvolution|SPATIAL_RNA_COUNTER_CS|_[^\/]*|\.[^\/]*)\/.*/
    def unwanted_file = /.*(\.bam|\.bai|\.csi|\.cloupe|\.geojson|\.fastq\.gz|molecule_info\.h5|feature_slice\.h5|web_summary\.html|barcode_mappings\.parquet)$/
    if (relative ==~ unwanted_folder || relative ==~ unwanted_file) {
        return false
    }
    // of bins and segmentations that are not asked for, only that they are there
    def other_bin = (relative =~ /(^|.*\/)square_0*(\d+)um\/(.*)/)
    if (bin_size_um && other_bin.matches() && (other_bin.group(2) as Integer) != (bin_size_um as Integer)) {
        return other_bin.group(3) == 'spatial/scalefactors_json.json'
    }
    def segmented = (relative =~ /(^|.*\/)segmented_outputs\/(.*)/)
    return !segmented.matches() || segmented.group(2) == 'spatial/scalefactors_json.json'
}

def resolvePath(where, sheet_folder) {
    // a name may have `*` or `[` in it, and means itself
    def is_whole = where ==~ /^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/|\/).*/
    return file(is_whole ? where : "${sheet_folder}/${where}", glob: false)
}
