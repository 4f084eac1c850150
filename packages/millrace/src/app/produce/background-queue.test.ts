import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { deferred, manualClock } from '../../kit/index.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import { BackgroundQueue } from './background-queue.ts'

const message = (value: string): EncodedMessage => ({ topic: 't', value })
const acknowledged: Sent = { topic: 't', partition: 0, offset: 0, timestamp: 0 }

interface Rig {
  readonly clock: ReturnType<typeof manualClock>
  readonly sent: string[]
  readonly given: string[]
  readonly queue: BackgroundQueue
  readonly lane: () => { send(one: EncodedMessage): Promise<Sent> }
}

const rig = (send: () => Promise<Sent> = () => Promise.resolve(acknowledged)): Rig => {
  const clock = manualClock()
  const sent: string[] = []
  const given: string[] = []
  const port = {
    send: (one: EncodedMessage): Promise<Sent> => {
      sent.push(String(one.value))
      return send()
    },
  }
  const onUndelivered = (one: EncodedMessage): void => void given.push(String(one.value))
  const rules = { threshold: 3, intervalMs: 1000, queueLimit: 5, onUndelivered }
  return { clock, sent, given, queue: new BackgroundQueue(rules, clock), lane: () => port }
}

describe('background delivery', () => {
  it('begins at the threshold', () => {
    const { sent, queue, lane } = rig()
    for (const value of ['1', '2']) queue.add('t', message(value), lane)
    assert.deepEqual(sent, [])
    queue.add('t', message('3'), lane)
    assert.deepEqual(sent, ['1', '2', '3'])
  })

  it('begins an interval after the oldest', () => {
    const { clock, sent, queue, lane } = rig()
    queue.add('t', message('1'), lane)
    clock.advance(900)
    queue.add('t', message('2'), lane)
    clock.advance(99)
    assert.deepEqual(sent, [])
    clock.advance(1)
    assert.deepEqual(sent, ['1', '2'])
  })

  it('refuses at its limit, which counts what has no verdict yet', async () => {
    const slow = deferred<Sent>()
    const { queue, lane } = rig(() => slow.promise)
    for (const value of ['1', '2', '3', '4', '5']) queue.add('t', message(value), lane)
    assert.throws(() => queue.add('t', message('6'), lane), { code: 'MR_PRODUCER_QUEUE_FULL' })
    slow.resolve(acknowledged)
    await queue.drain()
    assert.equal(queue.size, 0)
    queue.add('t', message('6'), lane)
  })

  it('keeps order behind a value that is still being validated', async () => {
    const { sent, queue, lane } = rig()
    const validating = deferred<EncodedMessage>()
    queue.add('t', validating.promise, lane)
    queue.add('t', message('2'), lane)
    assert.equal(queue.size, 2)
    validating.resolve(message('1'))
    await queue.drain()
    assert.deepEqual(sent, ['1', '2'])
  })

  it('is drained when what came before has a verdict, whatever comes after', async () => {
    const verdicts: ReturnType<typeof deferred<Sent>>[] = []
    const { queue, lane } = rig(() => {
      const verdict = deferred<Sent>()
      verdicts.push(verdict)
      return verdict.promise
    })
    queue.add('t', message('1'), lane)
    const draining = queue.drain()
    queue.add('t', message('2'), lane)
    queue.deliver()
    verdicts[0]?.resolve(acknowledged)
    await draining
    assert.equal(queue.size, 1)
  })

  it('goes on when the application cannot take a message back', async () => {
    const clock = manualClock()
    const onUndelivered = (): never => {
      throw new Error('the file is full')
    }
    const rules = { threshold: 0, intervalMs: 1000, queueLimit: 5, onUndelivered }
    const port = { send: (): Promise<Sent> => Promise.reject(new Error('no')) }
    const queue = new BackgroundQueue(rules, clock)
    const lane = (): typeof port => port
    queue.add('t', message('1'), lane)
    queue.add('t', message('2'), lane)
    await queue.drain()
    assert.equal(queue.size, 0)
  })

  it('reports each failure and each message that is given up', async () => {
    const { given, queue, lane } = rig(() => Promise.reject(new Error('no')))
    queue.add('t', message('1'), lane)
    await queue.drain()
    assert.deepEqual(given, ['1'])
    queue.add('t', message('2'), lane)
    queue.abandon(new Error('closed'))
    assert.deepEqual(given, ['1', '2'])
    assert.equal(queue.size, 0)
  })
})
