import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { z } from 'zod'

import {
  defineConfig,
  defineTopic,
  monitor,
  startRelay,
  type MillraceConfig,
} from '../../../packages/millrace/src/app/index.ts'
import type { Broker } from '../../../packages/millrace/src/broker/index.ts'
import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'
import { databases, type TestDatabase } from './databases.ts'

const fast = { lease: '600ms', poll: '50ms' } as const

for (const { name, skip, open } of databases) {
  describe(`an outbox in ${name}`, { skip }, () => {
    let database: TestDatabase
    let broker: Broker
    let client: Client
    let config: MillraceConfig
    let tables = 0

    before(async () => {
      database = await open()
      broker = await startTestBroker({ options: { autoCreateTopics: false } })
      client = openClient({ brokers: [broker.address] })
      config = defineConfig({ brokers: [broker.address] })
    })
    after(async () => {
      await client?.close()
      await broker?.stop()
      await database?.[Symbol.asyncDispose]()
    })

    async function begin(partitions = 1) {
      const topicName = `orders-${++tables}`
      await broker.store.createTopic({ name: topicName, partitions })
      const topic = defineTopic(topicName, { value: z.object({ id: z.number() }) })
      const outbox = database.outbox({ table: `outbox_${tables}`, topics: [topic] })
      await outbox.createTables()
      await outbox.createTables()
      return { topic, outbox }
    }

    async function read(
      topic: string,
    ): Promise<readonly { key: string; value: string; id: string; at: number }[]> {
      const found = []
      const reader = client.reader({ topics: [topic], from: 'earliest', to: 'end' })
      try {
        for await (const { key, value, headers, timestamp } of reader) {
          const id = headers.find(([header]) => header === 'millrace-id')?.[1]?.toString() ?? ''
          found.push({ key: String(key), value: String(value), id, at: timestamp })
        }
      } finally {
        await reader.close()
      }
      return found
    }

    it('sends what a transaction committed, and nothing of one that rolled back', async () => {
      const { topic, outbox } = await begin()
      const queued = await database.transaction(async (tx) => {
        const first = await outbox.send(tx.handle, topic, {
          key: 'a',
          value: { id: 1 },
          timestamp: 77,
        })
        await outbox.send(tx.handle, topic.name, {
          key: 'a',
          value: { id: 2 },
          headers: { kind: 'paid', twice: ['x', null] },
        })
        return first
      })
      await assert.rejects(
        database.transaction(async (tx) => {
          await outbox.send(tx.handle, topic, { key: 'a', value: { id: 3 } })
          throw new Error('no such customer')
        }),
        /no such customer/,
      )
      assert.equal((await outbox.stats()).waiting, 2)
      await using _relay = await startRelay(outbox.relay(fast), config)
      await until('the outbox is empty', async () => (await outbox.stats()).waiting === 0)
      const found = await read(topic.name)
      assert.deepEqual(
        found.map(({ value }) => value),
        ['{"id":1}', '{"id":2}'],
      )
      assert.equal(found[0]?.id, queued.id)
      assert.match(found[1]?.id ?? '', /^[\da-f]{8}-[\da-f]{4}-7/)
      assert.equal(found[0]?.at, 77, 'it happened when it was queued')
    })

    it('refuses in the transaction what could only fail later', async () => {
      const { topic, outbox } = await begin()
      const bad = [
        [topic, { value: { id: 'one' } }, 'MR_APP_SCHEMA_MISMATCH'],
        [`${topic.name}s`, { value: { id: 1 } }, 'MR_OUTBOX_TOPIC_UNDECLARED'],
        [defineTopic('others'), { value: 1 }, 'MR_OUTBOX_TOPIC_UNDECLARED'],
        [
          topic,
          { value: { id: 1 }, headers: { big: 'x'.repeat(1_000_000) } },
          'MR_OUTBOX_TOO_LARGE',
        ],
      ] as const
      for (const [target, message, code] of bad)
        await assert.rejects(
          database.transaction(async (tx) =>
            outbox.send(tx.handle, target as never, message as never),
          ),
          { code },
        )
      assert.equal((await outbox.stats()).waiting, 0)
    })

    it('keeps the order of each key, over many shards and partitions', async () => {
      const { topic, outbox } = await begin(4)
      for (let round = 0; round < 10; round++)
        await database.transaction(async (tx) => {
          for (let key = 0; key < 20; key++)
            await outbox.send(tx.handle, topic, { key: `k${key}`, value: { id: round } })
        })
      await using _relay = await startRelay(outbox.relay({ ...fast, round: 30 }), config)
      await until('the outbox is empty', async () => (await outbox.stats()).waiting === 0)
      const found = await read(topic.name)
      assert.equal(found.length, 200)
      for (let key = 0; key < 20; key++) {
        const own = found.filter((one) => one.key === `k${key}`).map(({ value }) => value)
        assert.deepEqual(
          own,
          Array.from({ length: 10 }, (_, id) => JSON.stringify({ id })),
        )
      }
    })

    it('rings after the commit, so that nobody waits for the poll', async () => {
      const { topic, outbox } = await begin()
      const relayed: number[] = []
      const unsubscribe = monitor.subscribe('outbox.relayed', ({ oldestMs, outbox: of }) => {
        if (of === outbox.name) relayed.push(oldestMs)
      })
      await using _relay = await startRelay(outbox.relay({ poll: '60s' }), config)
      await until('it holds its shards', () => _relay.health().isReady)
      for (let id = 0; id < 5; id++) {
        await database.transaction(async (tx) => outbox.send(tx.handle, topic, { value: { id } }))
        await until('it is sent', async () => (await outbox.stats()).waiting === 0, {
          deadline: 5000,
        })
      }
      unsubscribe()
      assert.ok(relayed.length >= 5)
    })

    it('blocks only the key of a row that is refused for good, until it is retried or dropped', async () => {
      const { topic, outbox } = await begin()
      const missing = defineTopic('missing')
      const both = database.outbox({ table: outbox.name, topics: [topic, missing] })
      const failed: string[] = []
      const unsubscribe = monitor.subscribe('outbox.failed', ({ outbox: of, topic: at }) => {
        if (of === outbox.name) failed.push(at)
      })
      await database.transaction(async (tx) => {
        await both.send(tx.handle, topic, { key: 'k', value: { id: 1 }, partition: 9 })
      })
      await using relay = await startRelay(both.relay(fast), config)
      await until('it is marked', () => failed.length === 1)
      unsubscribe()
      await database.transaction(async (tx) => {
        await both.send(tx.handle, topic, { key: 'k', value: { id: 2 } })
        await both.send(tx.handle, topic, { key: 'other', value: { id: 3 } })
      })
      await until('the other key has passed', async () => (await read(topic.name)).length === 1)
      assert.deepEqual(
        (await read(topic.name)).map(({ key }) => key),
        ['other'],
      )
      const [entry] = await both.list({ isFailed: true })
      assert.match(entry?.failed ?? '', /has 1 partitions; there is no .*\/9/)
      assert.equal(entry?.key, 'k')
      await until('health tells', () =>
        relay.health().reasons.some((one) => one.includes('1 row was refused')),
      )
      assert.equal(await both.retry([entry?.id ?? '']), 1)
      await until('it failed again', async () => (await both.stats()).failed === 1)
      assert.equal(await both.drop(), 1)
      await until('what was behind it has passed', async () => (await both.stats()).waiting === 0)
      assert.deepEqual(
        (await read(topic.name)).map(({ value }) => value),
        ['{"id":3}', '{"id":2}'],
      )
    })

    it('is sent by one of two relays, and by the other when that one goes', async () => {
      const { topic, outbox } = await begin()
      const leased = new Map<string, readonly number[]>()
      const unsubscribe = monitor.subscribe('outbox.leased', ({ relay, shards, outbox: of }) => {
        if (of === outbox.name) leased.set(relay, shards)
      })
      const first = await startRelay(outbox.relay(fast), config)
      await until('the first has all shards', () =>
        [...leased.values()].some(({ length }) => length === 8),
      )
      await using _second = await startRelay(outbox.relay(fast), config)
      for (let id = 0; id < 100; id++)
        await database.transaction(async (tx) =>
          outbox.send(tx.handle, topic, { key: `k${id % 5}`, value: { id } }),
        )
      await until('the outbox is empty', async () => (await outbox.stats()).waiting === 0)
      assert.equal((await read(topic.name)).length, 100, 'each once')
      assert.equal(leased.size, 1)
      await first.stop()
      await until('the second has all shards', () => leased.size === 2)
      await database.transaction(async (tx) =>
        outbox.send(tx.handle, topic, { value: { id: 100 } }),
      )
      await until('the outbox is empty', async () => (await outbox.stats()).waiting === 0)
      assert.equal((await read(topic.name)).length, 101)
      unsubscribe()
    })
  })
}
