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

/** The modules of commands among them, by their paths in `commands/`. */
function commandsOf(loaded: readonly string[]): readonly string[] {
  return loaded.flatMap((url) => /\/cli\/commands\/(.+)\.ts$/.exec(url)?.[1] ?? [])
}

describe('the command', () => {
  it('loads the command that was called, and no other', async () => {
    assert.deepEqual(commandsOf(await loadedBy(['--help'])), [])
    assert.deepEqual(commandsOf(await loadedBy(['tail', '--help'])), ['tail'])
    const topics = commandsOf(await loadedBy(['topics', 'info', '--help']))
    assert.deepEqual(topics.toSorted(), ['topics/info', 'topics/list'])
    const { length } = await loadedBy(['--help'])
    assert.ok(length <= 65, `${length} modules`)
  })

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
