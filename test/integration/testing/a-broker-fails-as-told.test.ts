import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { openClient, type Client } from '../../../packages/millrace/src/client/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { apis } from '../../../packages/millrace/src/protocol/index.ts'
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

  it('swallows an answer whose effect has happened, and the repeat is recognised', async () => {
    await using broker = await startTestBroker({ topics: { orders: 1 } })
    await using client = openClient({ brokers: [broker.address], requestTimeoutMs: 300 })
    using fault = broker.fail('produce', { drop: true, times: 1 })
    await using producer = client.producer()
    const { offset } = await producer.send({ topic: 'orders', value: 'one' })
    assert.equal(fault.hits, 1)
    assert.equal(offset, 0)
    const [end] = await client.admin.listOffsets([{ topic: 'orders', partition: 0, at: 'latest' }])
    assert.equal(end?.offset, 1)
  })

  it('closes in the middle of an answer, wherever that is', async () => {
    await using at = await opened()
    const { broker, client } = at
    const question = [{ topic: 'orders', partition: 0, at: 'latest' as const }]
    for (const afterBytes of [0, 3, 4, 7, 9]) {
      using fault = broker.fail('listOffsets', { close: { afterBytes }, times: 1 })
      const [end] = await client.admin.listOffsets(question)
      assert.equal(end?.offset, 0)
      assert.equal(fault.hits, 1)
    }
  })

  it('flips a bit of a batch on its way: nothing broken is handed out', async () => {
    await using at = await opened()
    const { broker, client } = at
    await using producer = client.producer()
    for (const value of ['one', 'two']) await producer.send({ topic: 'orders', value })
    using fault = broker.fail('fetch', { corrupt: true, times: 1 })
    const faults: string[] = []
    const read: string[] = []
    await using reader = client.reader({
      topics: ['orders'],
      onError: (error) => void faults.push(error.code),
    })
    for await (const { value } of reader) read.push(String(value))
    assert.equal(fault.hits, 1)
    assert.deepEqual(read, ['one', 'two'])
  })

  it('asks for a pause in its answers', async () => {
    await using at = await opened()
    const { broker, client } = at
    using fault = broker.fail('describeCluster', { throttle: '70ms', times: 1 })
    const connection = await client.connections.connect('any', 'data')
    const answer = await connection.request(apis.describeCluster, {})
    assert.equal(answer.throttleTimeMs, 70)
    assert.equal(fault.hits, 1)
  })

  it('is far away: requests under way overlap, and are answered in order', async () => {
    await using at = await opened()
    const { broker, client } = at
    await using producer = client.producer({ lingerMs: 0 })
    await producer.send({ topic: 'orders', value: 'first' })
    using fault = broker.fail('produce', { rtt: '200ms' })
    const answered: number[] = []
    const sends = [1, 2, 3].map(async (n) => {
      // Requests of their own: each is on its way before the next is made.
      await fault.hit(n - 1)
      await producer.send({ topic: 'orders', value: String(n) })
      answered.push(n)
    })
    await fault.hit(3)
    assert.deepEqual(answered, [], 'the third is there before the first is answered')
    await Promise.all(sends)
    assert.deepEqual(answered, [1, 2, 3])
  })
})
