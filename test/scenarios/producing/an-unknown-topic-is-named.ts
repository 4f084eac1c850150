/** Where brokers do not create topics by themselves, a send to one that does not exist names it, and it does not come to be. */
import assert from 'node:assert/strict'
import { startBroker } from '../../../packages/millrace/src/broker/index.ts'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { manualClock } from '../../../packages/millrace/src/kit/index.ts'
import { scenario } from '../../harness/scenario.ts'

const skipOn = { kafka: 'the one at hand creates topics by itself' }

await scenario({ skipOn }, async ({ until }) => {
  await using broker = await startBroker({ memory: true, options: { autoCreateTopics: false } })
  // The topic may be news that has not reached this broker, so it is asked for a while.
  const clock = manualClock()
  await using client = openClient({ brokers: [broker.address], clock })
  const refusals: unknown[] = []
  client
    .producer()
    .send({ topic: 'ordrs', value: 'x' })
    .catch((error: unknown) => refusals.push(error))
  await until('it is refused', () => {
    clock.advance(100)
    return refusals.length > 0
  })
  assert.throws(
    () => {
      throw refusals[0]
    },
    { code: 'MR_TOPIC_UNKNOWN', message: /ordrs/ },
  )
  assert.deepEqual(await client.admin.describeTopics(), [])
})
