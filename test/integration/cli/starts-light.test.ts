import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { runCli } from './run-cli.ts'

/** Prints the URL of every module that is loaded; runs in the child before anything else. */
const hook = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  import { writeSync } from 'node:fs'
  registerHooks({
    load(url, context, nextLoad) {
      writeSync(2, 'loaded ' + url + '\\n')
      return nextLoad(url, context)
    },
  })
`)}`

async function loadedBy(args: readonly string[]): Promise<readonly string[]> {
  const { code, stderr } = await runCli(args, { nodeArgs: ['--import', hook] })
  assert.equal(code, 0, stderr)
  return Array.from(stderr.matchAll(/^loaded (file:.*)$/gm), ([, url = '']) => url)
}

describe('the command', () => {
  it('loads commander and its table alone for --help', async () => {
    for (const args of [['--help'], ['--version'], ['tail', '--help']]) {
      const loaded = await loadedBy(args)
      assert.ok(loaded.some((url) => url.includes('/cli/table.ts')))
      const packages = new Set(
        loaded.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []),
      )
      assert.deepEqual([...packages], ['commander'], args.join(' '))
      const parts = new Set(
        loaded.flatMap((url) => /\/packages\/millrace\/src\/([^/]+)\//.exec(url)?.[1] ?? []),
      )
      const heavy = ['protocol', 'storage', 'broker', 'client', 'app', 'drain', 'testing']
      assert.deepEqual(
        heavy.filter((part) => parts.has(part)),
        [],
        args.join(' '),
      )
    }
  })
})
