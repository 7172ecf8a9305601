// Which files of a Space Ranger folder are staged: those that src/clearspot/io reads, by the names of its naming.py. Files,
// not the folder: the hash of a folder sees its name only, and an outs folder on a bucket holds alignments that nobody needs
// here. Paths are of any java.nio file system: a bucket's has no toFile().

include { unencodable } from '../utils_clearspot_pipeline/paths'
include { unstageable } from '../utils_clearspot_pipeline/paths'

// What is staged of one row of the samplesheet, or the problem why nothing can be.
def stageSample(row, sheet_folder) {
    def what = 'A path in the samplesheet'
    def written = [outs: row.spaceranger_dir, image: row.image, alignment: row.image_alignment].findAll { _name, where -> where }
    def problem = written.values().findResult { where -> unencodable(what, where) }
    if (problem) {
        return [problem: problem]
    }
    def found = written.collectEntries { name, where -> [name, lookUp(where, sheet_folder)] }
    problem = found.values().findResult { entry -> entry.there && isLocal(entry.path) ? unstageable(what, entry.path) : null }
    if (problem) {
        return [problem: problem]
    }
    def root = found.outs
    // What is missing is not staged: the check names it, and the run continues with the other samples.
    def outs = !root.there
        ? staged([], [read: root.address])
        : row.role == 'reference' ? listReference(root.path, row.bin_size_um) : row.unit == 'cells' ? listCells(root.path) : listOuts(root.path, row.bin_size_um)
    problem = outs.files.findResult { path -> unencodable('A file of a sample', path) ?: (isLocal(path) ? unstageable('A file of a sample', path) : null) }
    def beside = found.findAll { name, _entry -> name != 'outs' }
    return [
        files: outs.files,
        manifest: outs.manifest + beside.findAll { _name, entry -> !entry.there }.collectEntries { name, entry -> [name, entry.address] },
        image: beside.image?.there ? beside.image.path : [],
        alignment: beside.alignment?.there ? beside.alignment.path : [],
        problem: problem,
    ]
}

// Where a path of the samplesheet leads, and whether anything is there. A bucket that is missing, or that may not be read,
// is an error of its file system, and so is an address that none of them knows.
def lookUp(where, sheet_folder) {
    def address = where
    try {
        def path = resolvePath(where, sheet_folder)
        address = path.toUriString() - 'file://'
        return [path: path, address: address, there: path.exists()]
    }
    catch (Exception problem) {
        log.warn("${address} cannot be accessed: ${problem.message}")
        return [path: null, address: address, there: false]
    }
}

def listOuts(root, bin_size_um) {
    if (!root.isDirectory()) {
        // An archive, or another file: the check says which.
        return staged([[place: root.name, path: root]], [read: "outs/${root.name}".toString()])
    }
    def closed = [:]
    def looked = []
    def top = openFolder([place: '', path: root], closed)
    def listings = nearestSamples([top], bin_size_um, closed, looked, 0)
    if (!listings) {
        // No matrix: the message of the check names what is there instead.
        def there = looked.take(500).groupBy { entry -> entry.path.isDirectory() }
        listings = [listSample(top, bin_size_um), newListing() + [folders: placesOf(there[true] ?: []), named: placesOf(there[false] ?: []), links: closed]]
    }
    def files = listings.collectMany { listing -> listing.files }
    if (!listings.any { listing -> listing.has_spatial }) {
        files += partArchives(top.entries, files)
    }
    def links = listings.collectEntries { listing -> listing.links }
    def folders = listings.collectMany { listing -> listing.folders } - links.keySet()
    def taken = (placesOf(files) + folders + links.keySet()).collectMany { place -> [place, place.split('/')[0]] } as Set
    def named = listings.collectMany { listing -> listing.named }.findAll { place -> !(place in taken) }
    def more = [folders: folders.unique().sort(), named: named.unique().sort(), links: links.sort(), read: links[''] ?: 'outs']
    return staged(files.sort { entry -> entry.place }, more)
}

// Segmented cells, and the bins of the default size beside them, as src/clearspot/io/cell_files.py finds them.
def listCells(root) {
    def outs = listOuts(root, null)
    if (!root.isDirectory()) {
        return outs
    }
    def wanted = '(?!.*annotated).*((filtered|raw)_feature_cell_matrix\\.h5|(cell|nucleus)_segmentations\\.geojson|barcode_mappings\\.parquet)(\\.gz)?'
    def matrices = '.*(filtered|raw)_feature_cell_matrix(_mex)?'
    def found = newListing()
    def level = [openFolder([place: '', path: root], [:])]
    (0..3).each { _depth ->
        if (!found.files) {
            level.each { folder ->
                def segmented = folder.entries.any { entry -> entry.path.name ==~ wanted && entry.path.name ==~ /.*feature_cell_matrix\.h5/ }
                    ? [folder]
                    : foldersOf(folder, 'segmented_outputs', found.links)
                segmented.each { place ->
                    addFiles(place.entries, found, wanted)
                    addFiles(place.entries, found, '.*metrics_summary\\.csv(\\.gz)?')
                    foldersOf(place, matrices, found.links).each { matrix -> addFiles(matrix.entries, found, anyWanted()) }
                    addSpatial(place, found, anyWanted())
                }
                if (segmented) {
                    addFiles(folder.entries, found, wanted)
                }
            }
            level = level
                .collectMany { folder -> folder.entries.findAll { entry -> isNewFolder(entry.path, folder.path) } }
                .collect { entry -> openFolder(entry, [:]) }
        }
    }
    // the manifest of the bins names what lies in segmented_outputs; now it is staged
    def staged_places = outs.manifest.files as Set
    def more = found.files.findAll { entry -> !(entry.place in staged_places) }.unique { entry -> entry.place }
    def places = placesOf(more)
    def manifest = outs.manifest + [
        files: outs.manifest.files + places,
        named: outs.manifest.named.findAll { name -> !places.any { place -> place == name || place.startsWith("${name}/") } },
    ]
    return [files: outs.files + more.collect { entry -> entry.path }, manifest: manifest]
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
    return staged(names.collect { name -> [place: name, path: root.resolve(name)] }.findAll { entry -> entry.path.exists() }, [:])
}

def resolvePath(where, sheet_folder) {
    // A name may have `*` or `[` in it, and means itself.
    def is_whole = where ==~ /^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/|\/).*/
    return is_whole ? file(where, glob: false) : isLocal(sheet_folder) ? sheet_folder.resolve(where) : stepInto(sheet_folder, where)
}

// In a bucket `..` is a name like any other.
def stepInto(start, where) {
    return where.tokenize('/').inject(start) { folder, name ->
        name == '..' ? folder.parent ?: folder : name == '.' ? folder : folder.resolve(name)
    }
}

// What a process gets: the files, and for bin/link_outs.py where each belongs, and what is there beside them.
//   files    places of the files in the outs folder, in order
//   folders  places of folders whose presence alone counts
//   named    places of what is there and not staged, where its name matters for a message
//   links    targets by place: links that lead nowhere, and folders that may not be looked into
//   read     what is read: the outs folder, an archive in it, or a missing path
//   image, alignment  paths of an image and its alignment that are missing
def staged(entries, more) {
    def manifest = [files: entries.collect { entry -> entry.place }, folders: [], named: [], links: [:], read: 'outs'] + more
    return [files: entries.collect { entry -> entry.path }, manifest: manifest]
}

def newListing() {
    return [files: [], folders: [], named: [], links: [:], is_sample: false, has_spatial: false]
}

// Listings of the folders that hold a matrix or bins: those nearest to the top, at most three levels below it, as
// find_candidates of outs_folder.py looks for them. Folders that could not be opened are added to `closed`, and all entries
// that were seen to `looked`.
def nearestSamples(level, bin_size_um, closed, looked, depth) {
    level.each { folder -> looked.addAll(folder.entries) }
    def samples = level.collect { folder -> listSample(folder, bin_size_um) }.findAll { listing -> listing.is_sample }
    if (samples || depth == 3) {
        return samples
    }
    // A folder under two names is one folder, a link to a folder above leads to nothing new, and counts of cells are no sample.
    def below = level
        .collectMany { folder -> folder.entries.findAll { entry -> isNewFolder(entry.path, folder.path) } }
        .findAll { entry -> !(entry.path.name ==~ /.*feature_cell_matrix(_mex)?|cell_feature_matrix/) }
        .sort { a, b -> isLink(a.path) <=> isLink(b.path) ?: a.place <=> b.place }
        .unique { entry -> realPath(entry.path).toString() }
    return below ? nearestSamples(below.collect { entry -> openFolder(entry, closed) }, bin_size_um, closed, looked, depth + 1) : []
}

// One outs folder, or one bin folder: its files, and those in the folders that Space Ranger names.
def listSample(folder, bin_size_um) {
    def found = newListing()
    addFiles(folder.entries, found, anyWanted())
    foldersOf(folder, '.*(filtered|raw)_(feature|gene)_bc_matri(x|ces)(_mex)?', found.links).each { matrix ->
        addFiles(matrix.entries, found, anyWanted())
        // before version 3, a folder for each genome
        foldersOf(matrix, '.*', found.links).each { genome -> addFiles(genome.entries, found, anyWanted()) }
    }
    addSpatial(folder, found, anyWanted())
    foldersOf(folder, 'segmented_outputs', found.links).each { segmented ->
        found.folders << segmented.place
        found.named.addAll(placesOf(segmented.entries.take(500)))
    }
    found.is_sample = (placesOf(found.files) + found.links.keySet()).any { place ->
        place ==~ /(.*\/)?[^\/]*((filtered|raw)_(feature|gene)_bc_matri(x|ces)(_h5)?\.h5|matrix\.mtx)(\.gz)?/
    }
    found.has_spatial = found.files.any { entry -> entry.path.name ==~ positionsOrScales() }

    def binned = foldersOf(folder, 'binned_outputs', found.links).collectMany { place -> foldersOf(place, 'square_\\d+um', found.links) }
    def bins = binned ?: foldersOf(folder, 'square_\\d+um', found.links)
    if (bins) {
        addBins(bins, bin_size_um, found)
        found += [is_sample: true, has_spatial: true]
    }
    return found
}

// Every bin size that is there is shown by its folder and scale factors; data are staged of the size that is read, which
// choose_bin of src/clearspot/io/bins.py chooses in the same way.
def addBins(bins, bin_size_um, found) {
    def sizes = bins.collect { folder -> binSize(folder.path.name) }
    def chosen = bin_size_um ? bin_size_um as Integer : sizes.findAll { um -> um >= 8 }.min() ?: sizes.max()
    bins.each { folder ->
        found.folders << folder.place
        if (binSize(folder.path.name) == chosen) {
            def data = listSample(folder, bin_size_um)
            found.files.addAll(data.files)
            found.links.putAll(data.links)
        }
        else {
            addSpatial(folder, found, '.*scalefactors(_json)?\\.json(\\.gz)?')
        }
    }
}

def binSize(name) {
    return name.replaceAll(/\D/, '') as Integer
}

def addSpatial(folder, found, wanted) {
    foldersOf(folder, '.*spatial', found.links).each { spatial ->
        addFiles(spatial.entries, found, wanted)
        foldersOf(spatial, 'spatial', found.links).each { inner -> addFiles(inner.entries, found, wanted) }
    }
}

def addFiles(entries, found, wanted) {
    entries.findAll { entry -> entry.path.name ==~ wanted }.each { entry ->
        if (!entry.path.exists()) {
            found.links[entry.place] = entry.path.toString()
        }
        else if (!entry.path.isDirectory()) {
            found.files << entry
        }
    }
}

// Single parts of an outs folder as archives, where the parts themselves are missing.
def partArchives(entries, files) {
    def kinds = ['filtered', 'raw'].findAll { kind -> files.any { entry -> entry.path.name ==~ ".*${kind}_(feature|gene)_bc_matri(x|ces)(_h5)?\\.h5(\\.gz)?" } }
    return entries.findAll { entry ->
        entry.path.name ==~ /.*(spatial|(filtered|raw)_feature_bc_matrix|binned_outputs|square_\d+um)\.(tar|tar\.gz|tgz|zip)/
            && !kinds.any { kind -> entry.path.name.contains("${kind}_feature_bc_matrix.") }
    }
}

def anyWanted() {
    def matrices = '((filtered|raw)_(feature|gene)_bc_matri(x|ces)(_h5)?\\.h5|matrix\\.mtx|(barcodes|features|genes)\\.tsv)(\\.gz)?'
    def images = '(tissue_hires|tissue_lowres|detected_tissue|aligned_tissue|cytassist|aligned_fiducials)(_image)?\\.(png|jpe?g|tiff?)(\\.gz)?'
    return ".*(${matrices}|${images}|metrics_summary\\.csv(\\.gz)?)|${positionsOrScales()}".toString()
}

def positionsOrScales() {
    return '.*(tissue_positions(_list)?\\.(csv|tsv|txt|parquet)|scalefactors(_json)?\\.json)(\\.gz)?'
}

// A folder with what it holds, sorted by name, without hidden entries. One that may not be looked into is put among the
// closed ones.
def openFolder(folder, closed) {
    def paths = []
    try {
        folder.path.eachFile { path -> paths << path }
    }
    catch (java.nio.file.AccessDeniedException _denied) {
        closed[folder.place] = folder.path.toString()
    }
    def start = folder.place ? "${folder.place}/" : ''
    def entries = paths
        .findAll { path -> !path.name.startsWith('.') }
        .collect { path -> [place: "${start}${path.name}".toString(), path: path] }
        .sort { entry -> entry.place }
    return [place: folder.place, path: folder.path, entries: entries]
}

def foldersOf(folder, pattern, closed) {
    return folder.entries
        .findAll { entry -> entry.path.name ==~ pattern && isNewFolder(entry.path, folder.path) }
        .collect { entry -> openFolder(entry, closed) }
}

def isNewFolder(path, parent) {
    return path.isDirectory() && !(isLink(path) && realPath(parent).startsWith(realPath(path)))
}

// Only the local file system has links that lead elsewhere.
def isLink(path) {
    return isLocal(path) && java.nio.file.Files.isSymbolicLink(path)
}

def realPath(path) {
    return isLocal(path) ? path.toRealPath() : path
}

def isLocal(path) {
    return path.fileSystem == java.nio.file.FileSystems.default
}

def placesOf(entries) {
    return entries.collect { entry -> entry.place }
}
