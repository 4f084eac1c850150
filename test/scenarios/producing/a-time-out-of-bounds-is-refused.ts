/**
 * With create time a topic bounds how far a producer's clock may be off (KIP-937): one bad clock would keep segments
 * for ever or lose them at once. The refusal says which bound; messages within it arrive.
 */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const hourMs = 3_600_000
const configs = {
  'message.timestamp.before.max.ms': String(24 * hourMs),
  'message.timestamp.after.max.ms': String(hourMs),
}

await scenario({ topics: { readings: { configs } } }, async ({ client, topic, log }) => {
  const now = Date.now()
  const producer = client.producer()
  const send = (value: string, timestamp: number): Promise<unknown> =>
    producer.send({ topic: topic('readings'), value, timestamp })

  await send('yesterday', now - 23 * hourMs)
  for (const [value, timestamp] of [
    ['last week', now - 7 * 24 * hourMs],
    ['tomorrow', now + 24 * hourMs],
    ['1970', 0],
  ] as const) {
    await assert.rejects(send(value, timestamp), (error: Error) => {
      assert.match(error.message, /INVALID_TIMESTAMP.*\d{10}/, `${value}: it names the bounds`)
      return true
    })
  }
  await send('soon', now + hourMs / 2)
  const { records } = await log('readings')
  assert.deepEqual(
    records.map(({ value }) => String(value)),
    ['yesterday', 'soon'],
  )
})
