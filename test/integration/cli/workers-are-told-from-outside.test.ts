import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'
import { runCli, startCli, type CliResult, type RunningCli } from './run-cli.ts'

const sources = join(import.meta.dirname, '../../../packages/millrace/src/index.ts')

interface Status {
  readonly name: string
  readonly pid: number
  readonly state: string
  readonly partitions: readonly { readonly partition: number; readonly state: string }[]
}

describe('millrace worker', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-workers-'))
    await writeFile(
      join(folder, 'millrace.config.ts'),
      `import { defineApp, defineConfig, defineConsumer, defineTopic } from ${JSON.stringify(sources)}
       const drops = defineTopic('drops', { partitions: 2 })
       const other = defineTopic('other', { partitions: 1 })
       export default defineConfig({
         clientId: 'shop',
         fetch: { maxWait: '50ms' },
         app: defineApp({ consumers: [
           defineConsumer({ topic: drops, name: 'price-drops', each: ({ value, partition }) => console.log('handled', partition, value) }),
           defineConsumer({ topic: other, each() {} }),
         ] }),
       })`,
    )
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const start = async (address: string, ...args: string[]): Promise<RunningCli> => {
    const worker = startCli(['worker', '--create-topics', ...args], {
      cwd: folder,
      env: { KAFKA_URL: address },
    })
    const isUp = (): boolean => /Worker \d+ running/.test(worker.stdout + worker.stderr)
    await until('it runs', isUp, { lastSeen: () => worker.stdout + worker.stderr })
    return worker
  }
  const run = (...args: string[]): Promise<CliResult> => runCli(args, { cwd: folder })
  const statuses = async (...args: string[]): Promise<readonly Status[]> => {
    const { code, stdout, stderr } = await run('status', ...args, '--json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as readonly Status[]
  }

  it('is one of several by name: seen so by brokers, ps, status; quieted and stopped by name', async () => {
    await using broker = await startTestBroker()
    await using client = openClient({ brokers: [broker.address] })
    await using worker = await start(broker.address, 'price_drops:1')
    for (const line of [
      /^=== millrace \S+ worker price_drops:1, Node 24\./m,
      /^Client id: +\S+-price_drops-1$/m,
      /^Boot file: +\S+millrace\.config\.ts$/m,
      /^Environment: +\w+$/m,
      /^Brokers: +localhost:\d+$/m,
      /^Groups: +price-drops \(drops\)$/m,
    ])
      assert.match(worker.stderr, line)
    const [group] = await client.admin.describeGroups(['shop_price-drops'])
    const [member] = group?.members ?? []
    assert.equal(member?.clientId, `${hostname()}-price_drops-1`)
    assert.ok(member?.memberId.startsWith(`${hostname()}-price_drops-1-`))
    assert.deepEqual(
      (await client.admin.listGroups()).map(({ groupId }) => groupId),
      ['shop_price-drops'],
      'nothing else runs in it',
    )
    const titleOf = (pid: number): string =>
      execFileSync('ps', ['-o', 'args=', '-p', String(pid)])
        .toString()
        .trim()
    const { pid = 0 } = worker.child
    assert.equal(titleOf(pid), 'millrace price_drops:1 [running]')

    assert.equal((await statuses('price-drops'))[0]?.pid, pid)
    const text = await run('status', 'price_drops:1')
    for (const line of [
      /^=== price_drops:1$/m,
      /^State: running for /m,
      /^Health: live, ready$/m,
      /^Groups: shop_price-drops \(steady\)$/m,
      /^price-drops +drops +1 +waiting +0 +0 /m,
    ])
      assert.match(text.stdout, line)
    assert.match((await run('workers', 'list')).stdout, /^price_drops:1 +\d+ +running /m)
    const unknown = await run('status', 'nobody')
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /no worker nobody runs in .*; running: price_drops:1/)

    assert.equal((await run('quiet', 'price-drops:1')).code, 0)
    await until('it is quiet', async () => (await statuses())[0]?.state === 'quiet')
    assert.equal(titleOf(pid), 'millrace price_drops:1 [quiet]')
    const dumped = await run('dump')
    assert.match(dumped.stdout, /"uptimeSeconds": /)
    const stopped = await run('stop', 'price_drops')
    assert.equal(stopped.code, 0, stopped.stderr)
    assert.match(stopped.stdout, /^price_drops:1 \(\d+\) has stopped$/m)
    assert.equal((await worker.ended).code, 0)
    assert.deepEqual(await statuses(), [])
    assert.match((await run('stop')).stdout, /No worker runs in this folder/)
  })

  it('keeps a pause over a restart, until it is resumed', async () => {
    await using broker = await startTestBroker()
    assert.match((await run('workers', 'pause', 'drops:1')).stdout, /^Paused: drops:1$/m)
    await using worker = await start(broker.address)
    for (const partition of ['0', '1'])
      await runCli(['write', 'drops', '7', '--partition', partition], {
        cwd: folder,
        env: { KAFKA_URL: broker.address },
      })
    await until('one flows', () => worker.stdout.includes('handled 0 7'))
    const [status] = await statuses()
    assert.deepEqual(
      status?.partitions.map(({ partition, state }) => `${partition} ${state}`).toSorted(),
      ['0 waiting', '0 waiting', '1 paused'],
    )
    const resumed = await run('workers', 'resume', 'drops:1')
    assert.match(resumed.stdout, /^Nothing is paused\.$/m)
    await until('it goes on', () => worker.stdout.includes('handled 1 7'))
  })

  it('refuses a malformed or unknown name before anything starts', async () => {
    const malformed = await run('worker', 'price_drops:1:2')
    assert.equal(malformed.code, 2)
    assert.match(malformed.stderr, /price_drops:1:2 is no worker/)
    const unknown = await run('worker', 'price_dorps:1')
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /there is no consumer price_dorps; did you mean price-drops\?/)
  })
})
