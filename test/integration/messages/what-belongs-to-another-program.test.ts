import assert from 'node:assert/strict'
import { once } from 'node:events'
import { access, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'

import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'
import { startCli } from '../cli/run-cli.ts'
import { folderWith, isRefused } from './refused.ts'

/** A port that somebody holds. */
async function holdPort(port = 0): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

describe('what belongs to another program', () => {
  it('is a port that the user named: nothing else is taken instead', async () => {
    await using held = await holdPort()
    await using broker = await startTestBroker()
    await using app = await folderWith({
      'millrace.config.ts': 'export default { drain: {} }\n',
    })
    const taken = { code: 'MR_BROKER_PORT_TAKEN', message: /taken by another program/ } as const
    const hint = /stop it or use it.*another port; 0 takes any/
    const port = String(held.port)
    await isRefused(['broker', '--memory', '--port', port], { ...taken, hint })
    const options = { cwd: app.path }
    await isRefused(['dev', '--memory', '--port', port], { ...taken, hint }, options)
    const drain = {
      code: 'MR_DRAIN_LISTEN',
      message: new RegExp(`127\\.0\\.0\\.1:${port}: .*in use`),
      hint: /Stop what holds the port, or choose another: --port/,
    } as const
    await isRefused(['drain', '--port', port, '--brokers', broker.address], drain)
    await isRefused(['dev', '--memory', '--port', '0', '--drain-port', port], drain, options)
  })

  it('is the usual port: dev moves to the next free one, and says so', async () => {
    await using app = await folderWith({ 'millrace.config.ts': 'export default {}\n' })
    // Held already by somebody else will do as well.
    await using _held = await holdPort(9092).catch(() => ({
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }))
    await using dev = startCli(['dev', '--memory'], { cwd: app.path })
    await until('dev is ready', () => / {2}ready /.test(dev.stderr), { lastSeen: () => dev })
    const [, moved] = /note {2,}port 9092 is taken, the broker uses (\d+)/.exec(dev.stderr) ?? []
    assert.ok(Number(moved) > 9092, dev.stderr)
    assert.match(dev.stderr, new RegExp(`broker {2,}localhost:${moved} +KAFKA_URL=`))
    dev.child.kill('SIGINT')
    assert.equal((await dev.ended).code, 0, dev.stderr)
  })

  it('is a data folder in use: its process and port are named', async () => {
    await using folder = await folderWith()
    await using owner = startCli(['broker', '--data', folder.at('log'), '--port', '0'])
    await until('it runs', () => owner.stdout.includes('localhost:'), { lastSeen: () => owner })
    const port = /localhost:(\d+)/.exec(owner.stdout)?.[1] ?? ''
    await isRefused(['broker', '--data', folder.at('log'), '--port', '0'], {
      code: 'MR_STORAGE_LOCKED',
      message: new RegExp(`log is in use by process ${owner.child.pid} \\(port ${port}\\)`),
      hint: /Stop that process, use its broker, or choose another folder/,
    })
  })

  it('is a folder with other files: they are left alone', async () => {
    await using folder = await folderWith({ 'notes.txt': 'mine' })
    await isRefused(['broker', '--data', folder.path, '--port', '0'], {
      code: 'MR_STORAGE_FOREIGN_FOLDER',
      message: /holds no data of Millrace, but is not empty: it has notes\.txt/,
      hint: /empty or new folder/,
    })
    assert.deepEqual(await readdir(folder.path), ['notes.txt'])
    await isRefused(['broker', '--data', folder.at('notes.txt'), '--port', '0'], {
      code: 'MR_STORAGE_FOLDER',
      message: /notes\.txt cannot be used as a data folder/,
      hint: /folder this user may read and write/,
    })
  })

  it('is the data of a newer Millrace: nothing is changed', async () => {
    await using folder = await folderWith()
    {
      await using first = startCli(['broker', '--data', folder.at('log'), '--port', '0'])
      await until('it runs', () => first.stdout.includes('localhost:'), { lastSeen: () => first })
      first.child.kill('SIGTERM')
      assert.equal((await first.ended).code, 0)
    }
    const file = folder.at('log/cluster.json')
    const newer = (await readFile(file, 'utf8')).replace(/"format": *\d+/, '"format": 99')
    await writeFile(file, newer)
    await isRefused(['broker', '--data', folder.at('log'), '--port', '0'], {
      code: 'MR_STORAGE_NEWER_FORMAT',
      message: /was written in format 99; this version knows formats up to/,
      hint: /newer version of Millrace/,
    })
    assert.equal(await readFile(file, 'utf8'), newer)
  })

  it('is no folder at all: dev makes none by mistake', async () => {
    await using folder = await folderWith()
    await isRefused(['dev', '--folder', folder.at('shpo'), '--port', '0'], {
      code: 'MR_CONFIG_FILE_MISSING',
      message: /there is no configuration file .*shpo.millrace\.config\.ts/,
      hint: /millrace install/,
    })
    await assert.rejects(access(folder.at('shpo')))
  })
})
