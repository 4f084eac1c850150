import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { runCli } from './run-cli.ts'

describe('groups on the command line', () => {
  it('show members, committed offsets and lag', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    const env = { KAFKA_URL: broker.address }
    await using client = openClient({ brokers: [broker.address], clientId: 'shop-worker.1' })
    await using producer = client.producer()
    for (let n = 0; n < 5; n++)
      await producer.send({ topic: 'orders', partition: 0, value: `${n}` })
    await client.admin.setOffsets('billing', [{ topic: 'orders', partition: 0, offset: 2 }])

    const empty = await runCli(['groups', '--json'], { env })
    assert.deepEqual(JSON.parse(empty.stdout), [
      { group: 'billing', state: 'Empty', members: 0, topics: 'orders', lag: 3 },
    ])
    const idle = await runCli(['groups', 'info', 'billing'], { env })
    assert.equal(idle.code, 0, idle.stderr)
    assert.match(idle.stdout, /^billing: Empty, 0 members, protocol none$/m)
    assert.match(idle.stdout, /^orders +0 +2 +5 +3 +- +-$/m)

    await using member = client.joinGroup({ groupId: 'billing', topics: ['orders'] })
    await member.ready()
    const info = await runCli(['group', 'info', 'billing', '--members'], { env })
    assert.match(info.stdout, /^billing: Stable, 1 member, protocol cooperative-sticky$/m)
    assert.match(info.stdout, /shop-worker\.1/)
    const document = JSON.parse(
      (await runCli(['groups', 'info', 'billing', '--json'], { env })).stdout,
    ) as { readonly partitions: readonly unknown[] }
    assert.equal(document.partitions.length, 2)
    const cluster = await runCli(['info', '--sample', '20ms'], { env })
    assert.equal(
      cluster.stdout,
      [
        '=== KAFKA_URL',
        `Name: ${broker.clusterId}`,
        'Status: available',
        'Topics: 1 topic (see millrace topics list)',
        'Connections: 1 consumer (1 application)',
        'Messages: 0 messages/s',
        'Groups: 1 group',
        /^Disk: .*$/m.exec(cluster.stdout)?.[0],
        `Address: ${broker.address}`,
        '',
      ].join('\n'),
    )
    const topic = await runCli(['topics', 'info', 'orders', '--sample', '20ms'], { env })
    assert.match(topic.stdout, /^Groups: billing$/m)
  })
})

describe('the doctor', () => {
  it('names each check, and exits 3 with a fix when the cluster does not answer', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    await using client = openClient({ brokers: [broker.address] })
    await using producer = client.producer()
    await producer.send({ topic: 'orders', partition: 0, value: 'x' })
    await client.admin.setOffsets('billing', [{ topic: 'orders', partition: 0, offset: 0 }])
    const well = await runCli(['doctor', '--json', '--brokers', broker.address])
    assert.equal(well.code, 0, well.stdout)
    const { checks } = JSON.parse(well.stdout) as {
      readonly checks: readonly { readonly check: string; readonly status: string }[]
    }
    const statusOf = (name: string): string | undefined =>
      checks.find(({ check }) => check === name)?.status
    assert.equal(statusOf('brokers'), 'ok')
    assert.equal(statusOf('topics'), 'ok')
    assert.equal(statusOf('groups'), 'warn', 'billing is behind and nobody reads')
    const { address } = broker
    await broker.stop()
    const ill = await runCli(['doctor', '--brokers', address])
    assert.equal(ill.code, 3)
    assert.match(ill.stdout, /^groups +skipped/m)
    assert.match(ill.stdout, /brokers: start one with `millrace dev`/)
  })
})

describe('the configuration', () => {
  it('is shown with where each value comes from, secrets masked', async () => {
    const { code, stdout } = await runCli(['config', '--json', '--changed'], {
      env: {
        KAFKA_URL: 'kafka+ssl://broker.example:9096',
        KAFKA_TRUSTED_CERT: 'trusted',
        KAFKA_CLIENT_CERT_KEY: 'hunter2',
        MILLRACE_BROKER_DEFAULT_PARTITIONS: '7',
      },
    })
    assert.equal(code, 0)
    assert.doesNotMatch(stdout, /hunter2/)
    const rows = JSON.parse(stdout) as readonly { readonly option: string }[]
    const row = (option: string): unknown => rows.find((one) => one.option === option)
    assert.partialDeepStrictEqual(row('brokers'), {
      option: 'brokers',
      value: 'broker.example:9096',
      origin: 'KAFKA_URL',
    })
    assert.partialDeepStrictEqual(row('tls.key'), {
      option: 'tls.key',
      value: '***',
      origin: 'KAFKA_CLIENT_CERT_KEY',
    })
    assert.partialDeepStrictEqual(row('broker.defaultPartitions'), {
      option: 'broker.defaultPartitions',
      value: '7',
      origin: 'MILLRACE_BROKER_DEFAULT_PARTITIONS',
    })
  })
})
