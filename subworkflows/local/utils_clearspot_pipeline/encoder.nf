// The folder of an image encoder. Its two files are staged: of a folder, a task's hash would see the name only.

def encoderFiles(folder) {
    return encoderPaths(folder).collect { path -> file(path, glob: false) }
}

def encoderPaths(folder) {
    return folder ? ['config.json', 'model.safetensors'].collect { name -> "${folder.replaceAll('/+$', '')}/${name}".toString() } : []
}
