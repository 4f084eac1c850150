#!/usr/bin/env node
// Plain JavaScript that any Node parses, so that an old Node gets a sentence and not a syntax error.
var major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    'create-millrace needs Node 24 or newer, this is ' +
      process.version +
      '. Install it, or run `npx --yes --package=node@24 --package=create-millrace create-millrace`.\n',
  )
  process.exit(2)
}
import('../dist/main.js').catch(function (error) {
  process.stderr.write(String((error && error.stack) || error) + '\n')
  process.exit(1)
})
