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
// What was compiled once is taken from Node's cache the next time.
process.getBuiltinModule('node:module').enableCompileCache()
import('../dist/cli/main.js').catch(function (error) {
  process.stderr.write(String((error && error.stack) || error) + '\n')
  process.exit(1)
})
