/** From a time: the first message at or after it, in each partition, also inside a compressed batch. To a time: nothing at or after it. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const noonMs = Date.now() - 3_600_000
const minuteMs = 60_000

await scenario({ topics: { readings: { partitions: 3 } } }, async ({ client, topic }) => {
  const producer = client.producer({ compression: 'gzip' })
  // Partition 2 stays empty; each other one is a single batch.
  for (const partition of [0, 1]) {
    await producer.sendMany(
      Array.from({ length: 20 }, (_, index) => ({
        topic: topic('readings'),
        partition,
        value: `${partition}`,
        timestamp: noonMs + (partition * 10 + index) * minuteMs,
      })),
    )
  }
  const offsets = async (
    fromMinute: number,
    toMinute?: number,
  ): Promise<readonly (readonly number[])[]> => {
    const messages = await Array.fromAsync(
      client.reader({
        topics: [topic('readings')],
        from: { timestampMs: noonMs + fromMinute * minuteMs },
        ...(toMinute === undefined ? {} : { to: { timestampMs: noonMs + toMinute * minuteMs } }),
      }),
    )
    return [0, 1, 2].map((index) =>
      messages.filter(({ partition }) => partition === index).map(({ offset }) => offset),
    )
  }
  const upwards = (from: number, to: number): readonly number[] =>
    Array.from({ length: to - from }, (_, index) => from + index)

  assert.deepEqual(await offsets(-5), [upwards(0, 20), upwards(0, 20), []], 'before all')
  assert.deepEqual(await offsets(12), [upwards(12, 20), upwards(2, 20), []], 'at a message')
  assert.deepEqual(await offsets(11.5), [upwards(12, 20), upwards(2, 20), []], 'between two')
  assert.deepEqual(await offsets(25), [[], upwards(15, 20), []], 'after one partition')
  assert.deepEqual(await offsets(100), [[], [], []], 'after all')
  assert.deepEqual(await offsets(5, 15), [upwards(5, 15), upwards(0, 5), []], 'a span')
})
