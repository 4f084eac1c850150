/** 3 partitions, 100 messages to each by name: offsets count from 0 in each, and every byte comes back. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const partitions = 3
const perPartition = 100
const startMs = 1_700_000_000_000

await scenario({ topics: { events: { partitions } } }, async ({ send, log }) => {
  const messages = Array.from({ length: partitions * perPartition }, (_, index) => ({
    partition: index % partitions,
    key: index % 7 === 0 ? null : Buffer.from([index & 0xff, 0, 0xff]),
    value: index % 11 === 0 ? null : Buffer.from(`message ${index} \u{1f980}`.repeat(index % 5)),
    headers: [
      ['trace', `t-${index}`],
      ['trace', 'a name may repeat'],
      ['empty', ''],
      ['none', null],
    ] as const,
    timestamp: startMs + index,
  }))
  const results = await send('events', messages)

  for (let partition = 0; partition < partitions; partition++) {
    const sent = messages.filter((message) => message.partition === partition)
    assert.deepEqual(
      results.filter((result) => result.partition === partition).map(({ offset }) => offset),
      sent.map((_, offset) => offset),
    )
    const { records, logStartOffset, highWatermark } = await log('events', partition)
    assert.deepEqual([logStartOffset, highWatermark], [0, perPartition])
    assert.deepEqual(
      records,
      sent.map(({ key, value, headers, timestamp }, offset) => ({
        offset,
        timestamp,
        key,
        value,
        headers: headers.map(([name, content]) => [
          name,
          content === null ? null : Buffer.from(content),
        ]),
      })),
    )
  }
})
