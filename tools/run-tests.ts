/**
 * Runs what `npm test` runs, or the suites named, one after the other; the first that fails ends it.
 *
 *     node tools/run-tests.ts [unit] [files] [scenarios]
 */
import { once } from 'node:events'
import { startNodeTests, type NodeTestsOptions } from './node-tests.ts'

const suites: Readonly<Record<string, NodeTestsOptions>> = {
  // Pure, so they share a process.
  unit: { files: ['packages/*/src/**/*.test.ts'], timeoutMs: 30_000, concurrency: 0 },
  files: {
    files: ['test/{integration,conformance,meta,chaos}/**/*.test.ts'],
    timeoutMs: 120_000,
    concurrency: 4,
  },
  scenarios: { files: ['test/scenarios/*/*.ts'], timeoutMs: 120_000, concurrency: 4 },
}

const named = process.argv.slice(2)
for (const name of named.length > 0 ? named : Object.keys(suites)) {
  const suite = suites[name]
  if (suite === undefined)
    throw new Error(`there is no suite ${name}; there are ${Object.keys(suites).join(', ')}`)
  const [code] = (await once(startNodeTests(suite), 'exit')) as [number | null]
  if (code !== 0) {
    process.exitCode = 1
    break
  }
}
