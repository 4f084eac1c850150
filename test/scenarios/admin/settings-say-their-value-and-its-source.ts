/** A topic's settings: what was given, what is the default, what was changed, and that a change put back is the default again. */
import assert from 'node:assert/strict'
import { scenario } from '../../harness/scenario.ts'

const configs = { 'retention.ms': '3600000', 'cleanup.policy': 'compact,delete' }

await scenario({ topics: { orders: { configs } } }, async ({ client, topic, until }) => {
  const { admin } = client
  const resource = { topic: topic('orders') }
  const shown = async (...names: readonly string[]): Promise<readonly unknown[]> =>
    (await admin.describeConfigs(resource, { names })).map(({ name, value, source }) => [
      name,
      value,
      source,
    ])
  assert.deepEqual(await shown('cleanup.policy', 'retention.ms', 'max.message.bytes'), [
    ['cleanup.policy', 'compact,delete', 'topic'],
    ['max.message.bytes', '1048588', 'default'],
    ['retention.ms', '3600000', 'topic'],
  ])
  const all = await admin.describeConfigs(resource)
  assert.ok(all.length > 20 && all.every(({ isSensitive }) => !isSensitive))

  const name = topic('orders')
  const changed = await admin.alterConfigs([
    { topic: name, set: { 'max.message.bytes': '5000' }, unset: ['retention.ms'] },
  ])
  assert.equal(changed[0]?.error, undefined)
  await until('the changes are seen', async () => {
    const [limit] = await admin.describeConfigs(resource, { names: ['max.message.bytes'] })
    return limit?.value === '5000'
  })
  assert.deepEqual(await shown('cleanup.policy', 'retention.ms', 'max.message.bytes'), [
    ['cleanup.policy', 'compact,delete', 'topic'],
    ['max.message.bytes', '5000', 'topic'],
    ['retention.ms', '604800000', 'default'],
  ])
  // It holds from now on, for running producers too.
  await assert.rejects(client.producer().send({ topic: name, key: 'k', value: 'x'.repeat(6000) }), {
    code: 'MR_PRODUCER_MESSAGE_TOO_LARGE',
  })
  for (const set of [{ 'retention.ms': 'soon' }, { 'retention.years': '1' }]) {
    const [refused] = await admin.alterConfigs([{ topic: name, set }])
    assert.match(String(refused?.error), /INVALID_CONFIG/)
  }
  await assert.rejects(admin.describeConfigs({ topic: `${name}-none` }), {
    code: 'MR_TOPIC_UNKNOWN',
  })
})
