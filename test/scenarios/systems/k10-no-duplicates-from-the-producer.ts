/**
 * Connections break at random while 10,000 messages are sent, often after the broker has written and before its
 * answer has come: each message is there once, in order.
 */
import assert from 'node:assert/strict'
import { cutConnections } from '../../harness/cut-connections.ts'
import { scenario } from '../../harness/scenario.ts'

const messages = 10_000
const perRound = 100

// Seeded, so that a failure comes again.
let seed = 7
const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
const cutter = cutConnections(() => random() < 0.12)

await scenario(
  { topics: { orders: { partitions: 1 } } },
  async ({ openClient, topic, log, watch }) => {
    watch('cuts', () => cutter.cuts)
    const producer = openClient({ dial: cutter.dial }).producer({ batchBytes: 4096 })
    for (let from = 0; from < messages; from += perRound) {
      await Promise.all(
        Array.from({ length: perRound }, (_, index) =>
          producer.send({ topic: topic('orders'), partition: 0, value: String(from + index) }),
        ),
      )
    }
    cutter.stop()
    assert.ok(cutter.cuts >= 10, `only ${cutter.cuts} connections were cut`)

    const { records } = await log('orders')
    assert.deepEqual(
      records.map(({ value }) => Number(value)),
      Array.from({ length: messages }, (_, index) => index),
    )
  },
)
