/** With `message.timestamp.type=LogAppendTime` the broker's clock counts, in the answer and in what is read. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const configs = { 'message.timestamp.type': 'LogAppendTime' }

await scenario({ topics: { readings: { configs } } }, async ({ client, topic, send }) => {
  const [result] = await send('readings', [{ value: '21 C', timestamp: 12_345 }])
  const sinceMs = Date.now() - (result?.timestamp ?? 0)
  assert.ok(Math.abs(sinceMs) < 60_000, `the answer says ${result?.timestamp}`)

  for await (const message of client.reader({ topics: [topic('readings')] })) {
    assert.equal(message.timestamp, result?.timestamp)
    assert.equal(message.timestampType, 'append')
  }
})
