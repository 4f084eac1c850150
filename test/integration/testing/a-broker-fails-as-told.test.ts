import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { startTestBroker, type TestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'

async function opened(): Promise<
  { readonly broker: TestBroker; readonly client: Client } & AsyncDisposable
> {
  await using stack = new AsyncDisposableStack()
  const broker = stack.use(await startTestBroker({ topics: { orders: 1 } }))
  const client = stack.use(openClient({ brokers: [broker.address] }))
  const owned = stack.move()
  return { broker, client, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

describe('a broker that fails as told', () => {
  it('refuses so many produces without storing them, and the producer writes once', async () => {
    await using at = await opened()
    const { broker, client } = at
    using fault = broker.fail('produce', { error: 'NOT_LEADER_OR_FOLLOWER', times: 2 })
    await using producer = client.producer()
    const sent = await producer.send({ topic: 'orders', value: 'one' })
    assert.equal(fault.hits, 2)
    assert.equal(sent.offset, 0)
  })

  it('loses the answer of a produce that it has stored, and the repeat is recognised', async () => {
    await using at = await opened()
    const { broker, client } = at
    using fault = broker.fail('produce', { close: 'after', times: 1 })
    await using producer = client.producer()
    await producer.send({ topic: 'orders', value: 'one' })
    assert.equal(fault.hits, 1)
    const [end] = await client.admin.listOffsets([{ topic: 'orders', partition: 0, at: 'latest' }])
    assert.equal(end?.offset, 1)
  })

  it('tells whether an effect has happened: before, and after', async () => {
    await using at = await opened()
    const { broker, client } = at
    const place = { topic: 'orders', partition: 0 }
    const committed = async (): Promise<number | undefined> =>
      (await client.admin.committedOffsets('mail'))[0]?.offset
    for (const [when, offset] of [
      ['before', undefined],
      ['after', 7],
    ] as const) {
      using fault = broker.fail('offsetCommit', { error: 'INVALID_COMMIT_OFFSET_SIZE', when })
      const [set] = await client.admin.setOffsets('mail', [{ ...place, offset: 7 }])
      assert.ok(isFailure(set?.error, 'MR_KAFKA_ERROR'), when)
      assert.equal(fault.hits, 1)
      assert.equal(await committed(), offset, when)
    }
  })

  it('is late, for a while, for those whom a rule is meant for', async () => {
    await using at = await opened()
    const { broker, client } = at
    await using other = openClient({ brokers: [broker.address], clientId: 'other' })
    using fault = broker.fail('listOffsets', {
      delay: '10m',
      match: (request, { clientId }) => clientId === 'other' && request.topics.length === 1,
    })
    const question = [{ topic: 'orders', partition: 0, at: 'latest' as const }]
    const waiting = other.admin.listOffsets(question, { timeoutMs: 5000 })
    waiting.catch(() => {})
    await fault.hit()
    const [end] = await client.admin.listOffsets(question)
    assert.equal(end?.offset, 0)
  })

  it('meets the third request, and holds it until it is let go', async () => {
    await using at = await opened()
    const { broker, client } = at
    await using producer = client.producer({ maxInFlight: 1 })
    const held = broker.fail('produce', { hold: true, skip: 2 })
    for (const value of ['one', 'two']) await producer.send({ topic: 'orders', value })
    let isSent = false
    const third = producer.send({ topic: 'orders', value: 'three' }).then(() => (isSent = true))
    await held.hit()
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(isSent, false)
    held.end()
    assert.equal(await third, true)
  })

  it('answers nothing while it pauses, and everything afterwards', async () => {
    await using at = await opened()
    const { broker, client } = at
    await using producer = client.producer()
    await producer.send({ topic: 'orders', value: 'one' })
    let isSent = false
    const paused = broker.pause()
    const sending = producer.send({ topic: 'orders', value: 'two' }).then((sent) => {
      isSent = true
      return sent
    })
    await until('it lies at the broker', () => producer.buffered.messages === 1)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(isSent, false)
    paused.resume()
    assert.equal((await sending).offset, 1)
  })

  it('refuses rules that nothing would ever meet', async () => {
    await using at = await opened()
    const { broker } = at
    const wrong = [
      () => broker.fail('prodce' as 'produce', { close: 'before' }),
      () => broker.fail('produce', { error: 'NOT_LEADER' as 'NOT_COORDINATOR' }),
      () => broker.fail('*', { error: 'NOT_COORDINATOR' }),
      () => broker.fail('alterConfigs', { error: 'NOT_CONTROLLER' }),
    ]
    for (const rule of wrong)
      assert.throws(rule, (error) => isFailure(error, 'MR_TEST_FAULT_UNKNOWN'))
  })
})
