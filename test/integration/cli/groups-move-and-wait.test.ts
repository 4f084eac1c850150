import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { runCli, startCli } from './run-cli.ts'

const startMs = Date.now() - 60_000

/** Ten messages in each of two partitions, a second apart; `billing` has committed 4 of the first. */
async function fill(client: Client): Promise<void> {
  await using producer = client.producer()
  for (let n = 0; n < 20; n++)
    await producer.send({
      topic: 'orders',
      partition: n % 2,
      value: `${n}`,
      timestamp: startMs + Math.floor(n / 2) * 1000,
    })
  await client.admin.setOffsets('billing', [{ topic: 'orders', partition: 0, offset: 4 }])
}

async function committed(client: Client, group: string): Promise<Readonly<Record<string, number>>> {
  const entries = await client.admin.committedOffsets(group)
  return Object.fromEntries(
    entries.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]),
  )
}

describe('groups reset', () => {
  it('shows the plan and changes nothing without --execute', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client)
    const env = { KAFKA_URL: broker.address }
    const plan = async (...args: readonly string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await runCli(
        ['groups', 'reset', 'billing', '--json', ...args],
        { env },
      )
      assert.equal(code, 0, stderr)
      assert.match(stderr, /Nothing was changed/)
      const { partitions } = JSON.parse(stdout) as {
        readonly partitions: readonly {
          readonly partition: number
          readonly before: number | null
          readonly after: number
          readonly delta: number
        }[]
      }
      return partitions.map(({ partition, before, after, delta }) => [
        partition,
        before,
        after,
        delta,
      ])
    }
    assert.deepEqual(await plan('--to', 'start'), [[0, 4, 0, -4]])
    assert.deepEqual(await plan('--to', 'end', '--topic', 'orders'), [
      [0, 4, 10, 6],
      [1, null, 10, 10],
    ])
    assert.deepEqual(await plan('--by', '-3'), [[0, 4, 1, -3]])
    assert.deepEqual(await plan('--by', '+99'), [[0, 4, 10, 6]], 'no further than the log')
    assert.deepEqual(await plan('--to', `@${startMs + 7000}`, '--topic', 'orders:0-1'), [
      [0, 4, 7, 3],
      [1, null, 7, 7],
    ])
    assert.deepEqual(await plan('--to', '@9999999999999'), [[0, 4, 10, 6]])
    assert.deepEqual(await committed(client, 'billing'), { 'orders/0': 4 })
  })

  it('moves a group, from a file or another group too', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client)
    const folder = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
    const options = { env: { KAFKA_URL: broker.address }, cwd: folder }
    try {
      const kept = ['groups', 'reset', 'billing', '--by', '+0', '--export', 'billing.csv']
      assert.equal((await runCli(kept, options)).code, 0)
      assert.equal(await readFile(join(folder, 'billing.csv'), 'utf8'), 'orders,0,4\n')

      const done = await runCli(
        ['groups', 'reset', 'billing', '--to', 'end', '--topic', 'orders', '--execute'],
        options,
      )
      assert.deepEqual([done.code, done.stderr], [0, ''])
      assert.match(done.stdout, /^orders +0 +4 +10 +6$/m)
      assert.deepEqual(await committed(client, 'billing'), { 'orders/0': 10, 'orders/1': 10 })

      await client.admin.setOffsets('other', [{ topic: 'orders', partition: 1, offset: 2 }])
      const copy = ['groups', 'reset', 'billing', '--to', 'group:other', '--execute']
      assert.equal((await runCli(copy, options)).code, 0)
      assert.deepEqual(await committed(client, 'billing'), { 'orders/0': 10, 'orders/1': 2 })

      const back = ['groups', 'reset', 'billing', '--to', 'file:billing.csv', '--execute']
      assert.equal((await runCli(back, options)).code, 0)
      assert.deepEqual(await committed(client, 'billing'), { 'orders/0': 4, 'orders/1': 2 })
      const lost = await runCli(['groups', 'reset', 'billing', '--to', 'file:none'], options)
      assert.match(lost.stderr, /MR_CLI_FILE/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('refuses a group at work and names its members', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address], clientId: 'shop' })
    await fill(client)
    await using member = client.joinGroup({ groupId: 'billing', topics: ['orders'] })
    await member.ready()
    const env = { KAFKA_URL: broker.address }
    const args = ['groups', 'reset', 'billing', '--to', 'start', '--execute']
    const { code, stderr } = await runCli(args, { env })
    assert.equal(code, 1)
    assert.match(stderr, /billing is at work: shop on (127\.0\.0\.1|::1)/)
    assert.deepEqual(await committed(client, 'billing'), { 'orders/0': 4 })
    const gone = await runCli(['groups', 'delete', 'billing', '--yes'], { env })
    assert.equal(gone.code, 1)
    assert.match(gone.stderr, /NON_EMPTY_GROUP/)
  })
})

describe('groups delete', () => {
  it('shows what will be lost and wants --yes', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client)
    const env = { KAFKA_URL: broker.address }
    const plan = await runCli(['groups', 'delete', 'billing', '--dry-run'], { env })
    assert.equal(plan.stdout, 'billing: 1 committed offset would be lost\n')
    const refused = await runCli(['groups', 'delete', 'billing'], { env })
    assert.equal(refused.code, 2)
    assert.equal((await client.admin.listGroups()).length, 1)
    const deleted = await runCli(['groups', 'delete', 'billing', '--yes'], { env })
    assert.deepEqual([deleted.code, deleted.stdout], [0, 'Deleted billing\n'])
    assert.equal((await client.admin.listGroups()).length, 0)
  })
})

describe('groups forget', () => {
  it('drops the offsets of a topic alone', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2, users: 1 } })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client)
    await client.admin.setOffsets('billing', [{ topic: 'users', partition: 0, offset: 0 }])
    const env = { KAFKA_URL: broker.address }
    const forget = ['groups', 'forget', 'billing', 'orders']
    const plan = await runCli([...forget, '--dry-run', '--json'], { env })
    assert.deepEqual(JSON.parse(plan.stdout), [{ topic: 'orders', partition: 0, committed: 4 }])
    assert.equal((await runCli(forget, { env })).code, 2)
    assert.deepEqual(await committed(client, 'billing'), { 'orders/0': 4, 'users/0': 0 })
    assert.equal((await runCli([...forget, '--yes'], { env })).code, 0)
    assert.deepEqual(await committed(client, 'billing'), { 'users/0': 0 })
  })
})

describe('lag and offsets', () => {
  it('are numbers alone; a lag beyond its limit is exit 3', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client)
    const env = { KAFKA_URL: broker.address }
    const lag = await runCli(['lag', '-o', 'ndjson', '--max-lag', '6'], { env })
    assert.deepEqual(
      [lag.code, lag.stdout],
      [0, '{"group":"billing","topic":"orders","partition":0,"lag":6}\n'],
    )
    assert.equal((await runCli(['lag', 'billing', '--max-lag', '5'], { env })).code, 3)
    const at = ['--at', `@${startMs + 3500}`]
    const offsets = await runCli(['offsets', 'orders:1', ...at], { env })
    assert.equal(
      offsets.stdout,
      'topic   partition  start  end  messages  at\norders          1      0   10        10   4\n',
    )
  })
})

describe('wait', () => {
  it('ends when everything holds at once, also before there is a broker', async () => {
    await using first = await startTestBroker()
    const { address, port } = first
    await first.stop()
    const args = ['wait', '--broker', '--topic', 'orders', '--group', 'billing', '--lag', '0']
    const fast = ['--interval', '20ms', '--timeout', '50s', '--brokers', address]
    await using waiting = startCli([...args, ...fast])
    await using broker = await startTestBroker({ port, topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await fill(client)
    await client.admin.setOffsets('billing', [{ topic: 'orders', partition: 0, offset: 10 }])
    const { code, stdout, stderr } = await waiting.ended
    assert.equal(code, 0, stderr)
    const lines = stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.toSorted((left, right) => (left < right ? -1 : 1)),
      [
        'a broker answers',
        'group billing is at most 0 behind',
        'group billing is there',
        'topic orders is there',
      ],
    )
  })

  it('fails with what is still open when its time is over', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    const args = ['wait', '--topic', 'orders', '--topic', 'users', '--timeout', '100ms']
    const { code, stdout, stderr } = await runCli([...args, '--brokers', broker.address])
    assert.equal(code, 1)
    assert.equal(stdout, 'topic orders is there\n')
    assert.match(stderr, /does not hold that topic users is there/)
    assert.equal((await runCli(['wait'])).code, 2)
  })
})
