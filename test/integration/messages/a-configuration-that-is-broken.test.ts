import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { until } from '../../harness/until.ts'
import { runCli, startCli } from '../cli/run-cli.ts'
import { folderWith, isRefused, type Refusal } from './refused.ts'

/** What worker, dev and config say of such a file. */
async function says(
  text: string,
  refusal: Refusal,
  commands: readonly (readonly string[])[] = everyCommand,
): Promise<void> {
  await using folder = await folderWith({ 'millrace.config.ts': text })
  for (const args of commands) await isRefused(args, refusal, { cwd: folder.path })
}

const everyCommand = [
  ['worker', '--brokers', 'localhost:1'],
  ['dev', '--memory', '--port', '0'],
]

const unloadable = { code: 'MR_CONFIG_FILE_BROKEN', hint: /Correct it there/ } as const

describe('a configuration that is broken', { concurrency: 2 }, () => {
  it('names the line that cannot be read', async () => {
    await says('export default {\n  clientId: "a",\n  app:\n', {
      ...unloadable,
      message: /millrace\.config\.ts cannot be loaded: .*, at .*millrace\.config\.ts:\d/,
    })
  })

  it('names the line of an enum, and why it is not taken', async () => {
    await says('const a = 1\nenum Kind { A }\nexport default { a, Kind }\n', {
      ...unloadable,
      message: /enum is not supported.*, at .*millrace\.config\.ts:2$/m,
      hint: /Types are stripped, not compiled: no enum/,
    })
  })

  it('names the line of its own error, and a module that is not there', async () => {
    await says('\nthrow new Error("DATABASE_URL is not set")\n', {
      ...unloadable,
      message: /DATABASE_URL is not set, at .*millrace\.config\.ts:2$/m,
    })
    await says("import { x } from './topics.ts'\nexport default { x }\n", {
      ...unloadable,
      message: /Cannot find module '.*topics\.ts' imported from .*millrace\.config\.ts/,
    })
  })

  it('wants a default export that is a configuration', async () => {
    const refusal = { code: 'MR_CONFIG_FILE_EXPORT', hint: /export default defineConfig/ } as const
    await says('export const config = {}\n', { ...refusal, message: /default export is missing/ })
    await says('export default 5\n', { ...refusal, message: /default export is a number/ })
  })

  it('tells all faults at once, each with its path and the nearest known key', async () => {
    const text = `export default {
      brokerz: ['a:1'],
      zebra: true,
      heartbeat: 'soon',
      worker: { concurency: 3 },
      log: { level: 'loud' },
    }\n`
    const refusal = {
      code: 'MR_CONFIG_INVALID',
      message: new RegExp(
        [
          'the configuration has 5 faults:',
          '(?=[^]*brokerz: there is no such option; did you mean brokers\\?)',
          '(?=[^]*zebra: there is no such option)',
          '(?=[^]*heartbeat: soon is not a duration; write 500ms)',
          '(?=[^]*worker\\.concurency: .* did you mean worker\\.concurrency\\?)',
          '(?=[^]*log\\.level: loud is not one of debug, info)',
        ].join(''),
      ),
      hint: /Correct each line above/,
    } as const
    await says(text, refusal)
    await using folder = await folderWith({ 'millrace.config.ts': text })
    const { code, stdout, stderr } = await runCli(['config'], { cwd: folder.path })
    assert.equal(code, 1)
    assert.match(stdout, /^heartbeat /m, 'what is set is shown all the same')
    assert.match(stderr, refusal.message)
  })

  it('says what stands where a topic or a consumer should', async () => {
    await says(
      `export default { app: { consumer: [], consumers: [{ topic: 'orders' }], topics: ['orders'] } }\n`,
      {
        code: 'MR_CONFIG_INVALID',
        message:
          /app\.consumer: .* did you mean consumers\?\n.*app\.topics\[0\]: is not what defineTopic returns\n.*app\.consumers\[0\]: is not what defineConsumer returns/,
        hint: /Correct each line/,
      },
    )
  })

  it('warns a worker that has nothing to do', async () => {
    await using folder = await folderWith({ 'millrace.config.ts': 'export default {}\n' })
    await using worker = startCli(['worker', '--brokers', 'localhost:1'], { cwd: folder.path })
    await until(
      'it warns',
      () => /warning: the configuration declares no consumers/.test(worker.stderr),
      {
        lastSeen: () => worker.stderr,
      },
    )
    worker.child.kill('SIGTERM')
    await worker.ended
  })

  it('wants an end of work for --once', async () => {
    await says(
      'export default {}\n',
      { code: 'MR_CLI_USAGE', exit: 2, message: /dev\.start in its configuration/, hint: /--help/ },
      [['dev', '--once', '--memory', '--port', '0']],
    )
  })

  it('is looked for where --config says', async () => {
    await using folder = await folderWith({ 'other.ts': 'export default 5\n' })
    const options = { cwd: folder.path }
    for (const args of everyCommand) {
      await isRefused(
        [...args, '--config', 'nothing.ts'],
        {
          code: 'MR_CONFIG_FILE_MISSING',
          message: /there is no configuration file .*nothing\.ts/,
          hint: /--config/,
        },
        options,
      )
      await isRefused(
        [...args, '--config', 'other.ts'],
        { code: 'MR_CONFIG_FILE_EXPORT', message: /other\.ts exports no/, hint: /defineConfig/ },
        options,
      )
    }
  })
})
