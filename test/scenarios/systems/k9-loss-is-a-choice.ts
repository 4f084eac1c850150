/**
 * The broker is killed (-9) again and again while three producers send. With acks `all` everything is there once and
 * in order at the end, whatever was on its way; with acks 1 what was acknowledged is there; acks 0 gives no offset
 * and no promise. Power cuts, which take the page cache along, are simulated in the tests of storage.
 */
import assert from 'node:assert/strict'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { readLog } from '../../harness/read-log.ts'
import { scenario } from '../../harness/scenario.ts'
import { startBrokerProcess } from '../../harness/start-broker-process.ts'
import { createTopics } from '../../harness/topics.ts'

const kills = 4
const perLife = 200

interface Lane {
  readonly acks: 0 | 1 | -1
  readonly partition: number
  readonly sent: string[]
  readonly acknowledged: { readonly value: string; readonly offset: number }[]
}

const laneOf = (acks: 0 | 1 | -1, partition: number): Lane => ({
  acks,
  partition,
  sent: [],
  acknowledged: [],
})

await scenario(
  { skipOn: { kafka: 'a running Apache Kafka is not ours to kill' } },
  async ({ until, watch }) => {
    await using broker = await startBrokerProcess()
    await using client = openClient({ brokers: broker.brokers, requestTimeoutMs: 5000 })
    await createTopics(client, { orders: { partitions: 3 } })

    const all = laneOf(-1, 0)
    const one = laneOf(1, 1)
    const none = laneOf(0, 2)
    const lanes = [all, one, none]
    watch('acknowledged', () => lanes.map(({ acks, acknowledged }) => [acks, acknowledged.length]))
    const stopping = new AbortController()

    const run = async ({ acks, partition, sent, acknowledged }: Lane): Promise<void> => {
      const producer = client.producer({ acks })
      while (!stopping.signal.aborted) {
        const value = String(sent.length)
        sent.push(value)
        try {
          const { offset } = await producer.send({ topic: 'orders', partition, value })
          acknowledged.push({ value, offset })
        } catch (error) {
          // With less than all, a send may fail and only its sender knows what to make of it.
          if (acks === -1) throw error
        }
      }
    }
    const running = Promise.all(lanes.map(run))
    for (let life = 0; life <= kills; life++) {
      const before = all.acknowledged.length
      await until(`${perLife} more are acknowledged`, () => {
        return all.acknowledged.length >= before + perLife
      })
      if (life < kills) await broker.killAndStart()
    }
    stopping.abort()
    await running

    const stored = async (partition: number): Promise<readonly string[]> =>
      (await readLog(client, 'orders', partition)).records.map(({ value }) => String(value))
    assert.deepEqual(await stored(all.partition), all.sent, 'all: each once, in order')

    const ofOne = await stored(one.partition)
    for (const { value, offset } of one.acknowledged) {
      assert.equal(ofOne[offset], value, 'acks 1: what was acknowledged is where it was said to be')
    }
    assert.ok(none.acknowledged.length > 0)
    assert.ok(none.acknowledged.every(({ offset }) => offset === -1))
  },
)
