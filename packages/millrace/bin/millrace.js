#!/usr/bin/env node
// Plain JavaScript that any Node parses, so that an old Node gets a sentence and not a syntax error.
var major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    'millrace needs Node 24 or newer, this is ' +
      process.version +
      '. Install it, or add the npm package "node" to your project.\n',
  )
  process.exit(2)
}
var module = process.getBuiltinModule('node:module')
// What was compiled once is taken from Node's cache the next time.
module.enableCompileCache()
import(mainFile()).catch(function (error) {
  process.stderr.write(String((error && error.stack) || error) + '\n')
  process.exit(1)
})

/** An application's own copy goes before one that is installed for the machine: its code is written against that one. */
function mainFile() {
  try {
    var manifest = module.createRequire(process.cwd() + '/').resolve('millrace/package.json')
    return new URL(
      './dist/cli/main.js',
      process.getBuiltinModule('node:url').pathToFileURL(manifest),
    )
  } catch {
    // There is none here.
    return new URL('../dist/cli/main.js', import.meta.url)
  }
}
