import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { runCli } from './run-cli.ts'

describe('topics on the command line', () => {
  it('are created, listed, shown and deleted', async () => {
    await using broker = await startTestBroker()
    const env = { KAFKA_URL: `kafka://${broker.address}` }

    const none = await runCli(['topics', 'list'], { env })
    assert.deepEqual(
      [none.code, none.stdout],
      [0, 'No topics. `millrace topics create NAME` makes one.\n'],
    )

    const created = await runCli(
      ['topics', 'create', 'orders', '--partitions', '3', '--retention', '7d'],
      { env },
    )
    assert.deepEqual([created.code, created.stdout], [0, 'Created orders with 3 partitions\n'])
    const again = await runCli(['topics', 'create', 'orders'], { env })
    assert.equal(again.code, 1)
    assert.match(again.stderr, /TOPIC_ALREADY_EXISTS/)
    const fine = await runCli(['topics', 'create', 'orders', '--if-not-exists', '--json'], { env })
    assert.deepEqual([fine.code, JSON.parse(fine.stdout)], [0, { topic: 'orders', created: false }])

    await runCli(['write', 'orders', 'one', '--partition', '1', '--quiet'], { env })
    const list = await runCli(['topics', '--json'], { env })
    const bytes = broker.store.partition('orders', 1)?.sizeInBytes ?? 0
    assert.ok(bytes > 0)
    const row = { topic: 'orders', partitions: 3, messages: 1, bytes }
    assert.deepEqual(JSON.parse(list.stdout), [row])
    const lines = await runCli(['topic', 'list', '-o', 'ndjson'], { env })
    assert.deepEqual(JSON.parse(lines.stdout), row)
    const yaml = await runCli(['topics', 'list', '-o', 'yaml', '--match', '^ord'], { env })
    assert.equal(
      yaml.stdout,
      `- topic: orders\n  partitions: 3\n  messages: 1\n  bytes: ${bytes}\n`,
    )

    const info = await runCli(['topics', 'describe', 'orders', '--sample', '20ms'], { env })
    assert.equal(
      info.stdout,
      [
        '=== KAFKA_URL :: orders',
        'Producers: 0.0 messages/second (0 Bytes/second) total',
        'Partitions: 3 partitions',
        'Replication Factor: 1',
        'Compaction: Compaction is disabled for orders',
        'Retention: 7 days',
        'Messages: 1',
        `Size: ${bytes} B`,
        '',
      ].join('\n'),
    )
    const configs = await runCli(
      ['topics', 'info', 'orders', '--configs', '--partitions', '--sample', '20ms', '--json'],
      { env },
    )
    const document = JSON.parse(configs.stdout) as {
      readonly configs: readonly { readonly name: string }[]
      readonly ranges: readonly unknown[]
    }
    const retention = document.configs.find(({ name }) => name === 'retention.ms')
    assert.deepEqual(retention, {
      ...retention,
      name: 'retention.ms',
      value: '604800000',
      source: 'topic',
    })
    assert.deepEqual(document.ranges[1], { topic: 'orders', partition: 1, start: 0, end: 1 })

    const plan = await runCli(['topics', 'delete', 'orders', '--dry-run'], { env })
    assert.deepEqual([plan.code, plan.stdout], [0, 'orders: 1 messages would be lost\n'])
    const refused = await runCli(['topics', 'delete', 'orders'], { env })
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /--yes/)
    assert.ok(broker.store.topic('orders'), 'nothing was deleted so far')
    const deleted = await runCli(['topics', 'delete', 'orders', '--yes'], { env })
    assert.deepEqual([deleted.code, deleted.stdout], [0, 'Deleted orders\n'])
    assert.equal(broker.store.topic('orders'), undefined)
  })

  it('are altered and trimmed, and show first what will come of it', async () => {
    await using broker = await startTestBroker({ topics: { orders: 2 } })
    const env = { KAFKA_URL: broker.address }
    const input = '0\n1\n2\n3\n4\n'
    await runCli(['write', 'orders', '-p', '0', '-q'], { env, input })
    const configs = (): unknown => broker.store.topic('orders')?.configs

    const alter = ['topics', 'alter', 'orders', '--retention', '2d', '--partitions', '3']
    const plan = await runCli([...alter, '--dry-run'], { env })
    assert.equal(
      plan.stdout,
      [
        'setting       before              after',
        'retention.ms  604800000 (7 days)  172800000 (2 days)',
        'partitions    2                   3',
        '',
      ].join('\n'),
    )
    assert.deepEqual([configs(), broker.store.topic('orders')?.partitions], [{}, 2])
    const altered = await runCli(alter, { env })
    assert.deepEqual([altered.code, altered.stdout], [0, plan.stdout])
    assert.match(altered.stderr, /another partition/)
    assert.deepEqual(configs(), { 'retention.ms': '172800000' })
    const back = ['topics', 'configure', 'orders', '--compaction', 'off', '--unset', 'retention.ms']
    const unset = await runCli(back, { env })
    assert.match(unset.stderr, /kept by time again: 7 days/)
    assert.deepEqual(configs(), { 'cleanup.policy': 'delete' })
    const fewer = await runCli(
      ['topics', 'alter', 'orders', '--partitions', '1', '--retention', '1d'],
      { env },
    )
    assert.deepEqual([fewer.code, fewer.stdout], [1, ''])
    assert.match(fewer.stderr, /INVALID_PARTITIONS/)
    assert.deepEqual(configs(), { 'cleanup.policy': 'delete' }, 'a fault in one leaves the other')
    assert.equal((await runCli(['topics', 'alter', 'orders'], { env })).code, 2)

    const trim = ['topics', 'trim', 'orders:0', '--before', '3']
    const start = (): unknown => broker.store.partition('orders', 0)?.logStartOffset
    const loss = await runCli([...trim, '--dry-run', '--json'], { env })
    const lost = [{ topic: 'orders', partition: 0, start: 0, before: 3, lost: 3 }]
    assert.deepEqual(JSON.parse(loss.stdout), lost)
    assert.equal((await runCli(trim, { env })).code, 2)
    assert.equal((await runCli(['topics', 'trim', 'orders', '--yes'], { env })).code, 2)
    assert.equal(start(), 0)
    assert.equal((await runCli([...trim, '--yes'], { env })).code, 0)
    assert.equal(start(), 3)
    await runCli(['topics', 'trim', 'orders', '--before', '@9999999999999', '--yes'], { env })
    assert.equal(start(), 5)
  })

  it('that are compacted say so', async () => {
    await using broker = await startTestBroker()
    const at = ['--brokers', broker.address]
    const kept = ['--compaction', '--retention', 'forever', '--set', 'segment.bytes=1048576']
    const created = await runCli(['topics', 'create', 'users', ...kept, ...at])
    assert.equal(created.code, 0, created.stderr)
    const info = await runCli(['topics', 'info', 'users', '--sample', '20ms', ...at])
    assert.match(info.stdout, /^=== --brokers :: users$/m)
    assert.match(info.stdout, /^Compaction: Compaction is enabled for users$/m)
    assert.match(info.stdout, /^Retention: for ever$/m)
    const wrong = await runCli(['topics', 'create', 'x', '--retention', 'soon', ...at])
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /soon is not a duration/)
  })
})
