/**
 * kill -9 in the middle of a redrive, then the same job again: every letter is back in its topic, and no more than one batch
 * of them twice. A third run finds nothing to do.
 */
import assert from 'node:assert/strict'
import { redrive } from '../../../packages/millrace/src/app/index.ts'
import { startProgram } from '../../harness/program.ts'
import { scenario } from '../../harness/scenario.ts'

const letters = 600
const rate = 200

await scenario(
  { topics: { orders: { partitions: 1 }, 'orders-dlt': { partitions: 1 } } },
  async ({ brokers, client, topic, group, send, log, until, watch }) => {
    await send(
      'orders-dlt',
      Array.from({ length: letters }, (_, index) => ({
        partition: 0,
        value: String(index),
        headers: [
          ['millrace-source-topic', topic('orders')],
          ['millrace-source-partition', '0'],
          ['millrace-group', 'billing'],
        ] as const,
      })),
    )
    const job = { brokers, from: topic('orders-dlt'), job: group('killed') }
    {
      await using first = startProgram('redrive', { ...job, rate })
      watch('first run', () => [first.facts, first.texts])
      await until('it is on its way', () => first.facts.length >= 1)
      first.signal('SIGKILL')
      await first.ended
      assert.ok(!first.facts.some((fact) => 'done' in fact))
    }
    const before = (await log('orders')).records.length
    assert.ok(before >= 1 && before < letters, `${before} were sent before the kill`)

    await using second = startProgram('redrive', job)
    watch('second run', () => [second.facts, second.texts])
    assert.equal(await second.ended, 0)
    const values = (await log('orders')).records.map(({ value }) => Number(value))
    assert.deepEqual(
      [...new Set(values)].toSorted((left, right) => left - right),
      Array.from({ length: letters }, (_, index) => index),
    )
    assert.ok(values.length <= letters + rate, `${values.length - letters} came twice`)

    const third = await redrive(client, job)
    assert.deepEqual([third.read, third.sent, third.isComplete], [0, 0, true])
    assert.equal((await log('orders-dlt')).records.length, letters, 'letters stay')
  },
)
