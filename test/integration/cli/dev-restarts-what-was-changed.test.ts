import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { until } from '../../harness/until.ts'
import { makeReaderFolder, type ReaderFolder } from '../docs/reader-folder.ts'
import { startCli, type RunningCli } from './run-cli.ts'

const bootFile = `import { defineApp, defineConfig, defineConsumer, defineTopic } from 'millrace'
import { greet } from './app/greet.ts'

const greetings = defineTopic<{ name: string }>('greetings', { partitions: 1 })
const greeter = defineConsumer({
  topic: greetings,
  group: 'greeter',
  each: ({ value, offset }) => console.log(offset + ': ' + greet(value.name)),
})
export default defineConfig({ clientId: 'shop', app: defineApp({ consumers: [greeter] }) })
`

const greetWith = (word: string): string =>
  `export function greet(name: string): string { return '${word} ' + name }\n`

interface Running extends AsyncDisposable {
  readonly dev: RunningCli
  readonly client: Client
  readonly write: (path: string, text: string) => Promise<void>
  readonly send: (name: string) => Promise<void>
  readonly shows: (what: string) => Promise<void>
}

async function run(folder: ReaderFolder): Promise<Running> {
  await using opened = new AsyncDisposableStack()
  const write = (path: string, text: string): Promise<void> =>
    writeFile(join(folder.path, path), text)
  await mkdir(join(folder.path, 'app'), { recursive: true })
  await write('millrace.config.ts', bootFile)
  await write('app/greet.ts', greetWith('Hello'))
  const dev = opened.use(startCli(['dev', '--port', '0'], { cwd: folder.path }))
  const shown = (): string => dev.stderr + dev.stdout
  const shows = (what: string): Promise<void> =>
    until(`it shows ${what}`, () => shown().includes(what) || dev.child.exitCode !== null, {
      lastSeen: shown,
    }).then(() => assert.ok(shown().includes(what), shown()))
  await shows('  ready')
  const client = opened.use(openClient({ brokers: [/broker +(\S+)/.exec(dev.stderr)?.[1] ?? ''] }))
  const producer = opened.use(client.producer())
  const owned = opened.move()
  return {
    dev,
    client,
    write,
    shows,
    async send(name) {
      await producer.send({ topic: 'greetings', value: JSON.stringify({ name }) })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describe('millrace dev', { concurrency: 2 }, () => {
  it('handles the next message by the new code, the broker and offsets as they were', async () => {
    await using folder = await makeReaderFolder()
    await using running = await run(folder)
    const { dev, send, shows, write } = running
    await send('Ada')
    await shows('0: Hello Ada')

    await write('app/greet.ts', greetWith('Welcome'))
    await shows('app/greet.ts changed: the worker restarted')
    // Through a connection that was opened before.
    await send('Grace')
    await shows('1: Welcome Grace')
    assert.doesNotMatch(dev.stdout, /0: Welcome|1: Hello/, 'nothing came twice')

    await write('millrace.config.ts', bootFile.replace('offset +', "'at ' + offset +"))
    await shows('millrace.config.ts changed: the worker restarted')
    await send('Barbara')
    await shows('at 2: Welcome Barbara')

    dev.child.kill('SIGINT')
    assert.equal((await dev.ended).code, 0, dev.stderr)
  })

  it('keeps the old code when the new one cannot be used, and says why', async () => {
    await using folder = await makeReaderFolder()
    await using running = await run(folder)
    const { dev, send, shows, write } = running
    await write('app/greet.ts', 'export function greet(name: string { }\n')
    await shows('app/greet.ts changed, but cannot be used; the old code goes on')
    await until('the place is named', () => /at \S+app\/greet\.ts:1\b/.test(dev.stderr), {
      lastSeen: () => dev.stderr,
    })
    await send('Ada')
    await shows('0: Hello Ada')

    await write('millrace.config.ts', bootFile.replace("clientId: 'shop'", "clientID: 'shop'"))
    await write('app/greet.ts', greetWith('Welcome'))
    await shows('clientID: there is no such option; did you mean clientId?')
    await write('millrace.config.ts', bootFile)
    await shows('millrace.config.ts changed: the worker restarted')
    await send('Grace')
    await shows('1: Welcome Grace')

    // A module that is imported before it is there.
    await write('app/greet.ts', `export { greet } from './words.ts'\n`)
    await shows('Cannot find module')
    await write('app/words.ts', greetWith('Bonjour'))
    await shows('app/words.ts changed: the worker restarted')
    await send('Barbara')
    await shows('2: Bonjour Barbara')
    await rm(join(folder.path, 'app/words.ts'))
    await shows('app/words.ts changed, but cannot be used')
    await send('Edith')
    await shows('3: Bonjour Edith')
  })

  it('runs commands beside the worker, and ends them with itself', async () => {
    await using folder = await makeReaderFolder()
    await mkdir(join(folder.path, 'app'), { recursive: true })
    await writeFile(join(folder.path, 'app/greet.ts'), greetWith('Hello'))
    await writeFile(
      join(folder.path, 'millrace.config.ts'),
      bootFile.replace(
        'defineConfig({',
        "defineConfig({ dev: { run: ['node beside.ts', '(exit 7)'] },",
      ),
    )
    await writeFile(
      join(folder.path, 'beside.ts'),
      `console.log('beside', process.pid, process.env['KAFKA_URL'])\nsetInterval(() => {}, 1000)\n`,
    )
    await using dev = startCli(['dev', '--memory', '--port', '0'], {
      cwd: folder.path,
      env: { PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` },
    })
    await until(
      'both have run',
      () => dev.stdout.includes('beside') && dev.stderr.includes('(exit 7) ended with 7'),
      {
        lastSeen: () => dev.stdout + dev.stderr,
      },
    )
    const [, pid, url] = /beside (\d+) (\S+)/.exec(dev.stdout) ?? []
    const address = /broker +(\S+)/.exec(dev.stderr)?.[1]
    assert.equal(url, `kafka://${address}`)
    dev.child.kill('SIGINT')
    assert.equal((await dev.ended).code, 0)
    assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' })
  })
})
