import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { until } from '../../harness/until.ts'
import { runCli, startCli } from './run-cli.ts'

const sources = join(import.meta.dirname, '../../../packages/millrace/src/index.ts')

describe('millrace dev', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-dev-'))
    await writeFile(
      join(folder, 'millrace.config.ts'),
      `import { defineApp, defineConfig, defineConsumer, defineTopic } from ${JSON.stringify(sources)}
       const orders = defineTopic<{ id: number }>('orders', { partitions: 2 })
       const seen = defineConsumer({
         topic: orders,
         group: 'seen',
         each: ({ value }) => console.log('handled order', value.id),
       })
       export default defineConfig({
         brokers: ['localhost:2'],
         clientId: 'shop',
         tls: {},
         app: defineApp({ topics: [orders], consumers: [seen] }),
       })`,
    )
  })
  after(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('runs the worker on its own broker, whatever the environment and the file name', async () => {
    const env = { KAFKA_URL: 'kafka://localhost:1' }
    await using dev = startCli(['dev', '--port', '0', '--memory'], { cwd: folder, env })
    await until('it is ready', () => dev.stderr.includes('ready'), { lastSeen: () => dev.stderr })

    const address = /broker +(\S+)/.exec(dev.stderr)?.[1] ?? ''
    const written = await runCli(['write', 'orders', '{"id":7}', '--brokers', address], {
      cwd: folder,
    })
    assert.equal(written.code, 0, written.stderr)
    await until('the handler ran', () => dev.stdout.includes('handled order 7'), {
      lastSeen: () => dev.stderr,
    })

    dev.child.kill('SIGTERM')
    const { code, stderr } = await dev.ended
    assert.equal(code, 0, stderr)
    assert.match(stderr, /EVERYTHING IS GONE AT EXIT/)
  })

  it('is found by other commands of the folder, wherever its data is', async () => {
    const data = await mkdtemp(join(tmpdir(), 'millrace-dev-data-'))
    const plain = await mkdtemp(join(tmpdir(), 'millrace-dev-plain-'))
    try {
      await writeFile(
        join(plain, 'millrace.config.ts'),
        `import { defineConfig } from ${JSON.stringify(sources)}\nexport default defineConfig({})`,
      )
      await using dev = startCli(['dev', '--port', '0', '--data', data], { cwd: plain })
      await until('it is ready', () => dev.stderr.includes('ready'), { lastSeen: () => dev.stderr })
      const made = await runCli(['topics', 'create', 'here'], { cwd: plain })
      assert.equal(made.code, 0, made.stderr)
    } finally {
      await rm(data, { recursive: true, force: true })
      await rm(plain, { recursive: true, force: true })
    }
  })
})
