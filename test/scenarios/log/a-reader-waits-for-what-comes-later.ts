/** A reader at the end of the log is woken by the next message, each time. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { news: {} } }, async ({ client, topic, send }) => {
  await send('news', [{ value: 'old' }])
  await using reader = client.reader({ topics: [topic('news')], from: 'latest', to: 'forever' })
  await reader.ready()
  const messages = reader[Symbol.asyncIterator]()
  for (let round = 0; round < 20; round++) {
    const next = messages.next()
    await send('news', [{ value: `news ${round}` }])
    const { value } = await next
    assert.equal(String(value?.value), `news ${round}`)
  }
})
