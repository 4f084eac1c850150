/** Compaction keeps the last value per key, so a message without one is refused; its neighbours say that it was not them. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const configs = { 'cleanup.policy': 'compact' }

await scenario({ topics: { users: { configs } } }, async ({ client, topic, log }) => {
  const producer = client.producer()
  const name = topic('users')
  await producer.send({ topic: name, key: 'u1', value: 'before' })
  const [keyed, keyless] = await Promise.allSettled([
    producer.send({ topic: name, key: 'u2', value: 'beside it' }),
    producer.send({ topic: name, value: 'no key' }),
  ])
  assert.equal(keyless.status, 'rejected')
  assert.match(String(keyless.reason), /INVALID_RECORD.*key/)
  assert.equal(keyed.status, 'rejected', 'a batch is taken as a whole')
  assert.match(String(keyed.reason), /another message/)
  await producer.send({ topic: name, key: 'u2', value: null })
  assert.deepEqual(
    (await log('users')).records.map(({ key, value }) => [String(key), value?.toString() ?? null]),
    [
      ['u1', 'before'],
      ['u2', null],
    ],
  )
})
