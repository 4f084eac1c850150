/**
 * The first message at or after a time, by the messages' own times, which need not rise; the one with the greatest
 * time; both ends of the log; a time after all messages is nowhere.
 */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const noonMs = Date.now() - 3_600_000
const minutes = [0, 10, 5, 20, 15, 30, 25]

await scenario({ topics: { readings: { partitions: 2 } } }, async ({ client, topic, send }) => {
  const place = { topic: topic('readings'), partition: 0 }
  for (const compression of ['none', 'lz4'] as const) {
    await client.producer({ compression }).sendMany(
      minutes.map((minute, index) => ({
        ...place,
        value: `${index}`,
        timestamp: noonMs + (compression === 'none' ? 0 : 3_000_000) + minute * 1000,
      })),
    )
  }
  await send('readings', [{ partition: 0, value: 'late', timestamp: noonMs + 7000 }])
  const questions = [
    ['earliest', 0],
    ['latest', 15],
    ['max-timestamp', 12],
    [noonMs - 1, 0],
    [noonMs, 0],
    [noonMs + 1, 1],
    [noonMs + 5000, 1],
    [noonMs + 11_000, 3],
    [noonMs + 30_000, 5],
    [noonMs + 30_001, 7],
    [noonMs + 3_015_000, 10],
    [noonMs + 3_030_001, -1],
  ] as const
  const found = await client.admin.listOffsets(questions.map(([at]) => ({ ...place, at })))
  assert.deepEqual(
    found.map(({ offset, error }) => error ?? offset),
    questions.map(([, offset]) => offset),
  )
  const empty = { ...place, partition: 1 }
  const nothing = await client.admin.listOffsets(
    (['earliest', 'latest', noonMs] as const).map((at) => ({ ...empty, at })),
  )
  assert.deepEqual(
    nothing.map(({ offset }) => offset),
    [0, 0, -1],
  )
})
