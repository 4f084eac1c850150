import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { failure, isFailure } from '../../errors/index.ts'
import { manualClock } from '../../kit/index.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { askByNode, askEach, type Answer } from './ask-each.ts'

const notController = 41
const passing: Answer<string> = { error: kafkaFailure('x', notController), isPassing: true }

describe('asking about many items', () => {
  it('asks again about those alone that had a passing error', async () => {
    const clock = manualClock()
    const asked: string[][] = []
    const all = askEach({ clock, apiTimeoutMs: 1000 }, 'x', ['a', 'b', 'c'], {}, (open) => {
      asked.push([...open])
      return Promise.resolve(
        open.map((item) => (item === 'b' && asked.length < 3 ? passing : { result: item })),
      )
    })
    await clock.advanceAsync(900)
    assert.deepEqual(
      (await all).map(({ result }) => result),
      ['a', 'b', 'c'],
    )
    assert.deepEqual(asked, [['a', 'b', 'c'], ['b'], ['b']])
    assert.equal(clock.waiting, 0)
  })

  it('ends by the clock: what is open then has the last failure as the cause of its error', async () => {
    const clock = manualClock()
    const all = askEach({ clock, apiTimeoutMs: 1000 }, 'x', ['a', 'b'], {}, (open) =>
      Promise.resolve(open.map((item) => (item === 'a' ? { result: item } : passing))),
    )
    await clock.advanceAsync(1000)
    const [a, b] = await all
    assert.equal(a?.result, 'a')
    assert.equal(isFailure(b?.error, 'MR_CLIENT_TIMEOUT'), true)
    assert.equal(isFailure(b?.error?.cause, 'MR_KAFKA_ERROR'), true)
  })

  it('leaves a final error with its item and asks no more', async () => {
    let rounds = 0
    const core = { clock: manualClock(), apiTimeoutMs: 1000 }
    const [one] = await askEach(core, 'x', ['a'], {}, () => {
      rounds++
      return Promise.resolve([{ error: failure('MR_TOPIC_UNKNOWN', { topic: 'a' }) }])
    })
    assert.equal(one?.error?.code, 'MR_TOPIC_UNKNOWN')
    assert.equal(rounds, 1)
  })

  it('repeats a round that was lost, and throws what no repeat can mend', async () => {
    const clock = manualClock()
    const core = { clock, apiTimeoutMs: 1000 }
    let rounds = 0
    const all = askEach(core, 'x', ['a'], {}, () => {
      if (++rounds === 1) throw failure('MR_CONNECTION_LOST', { address: 'b:1', reason: 'test' })
      return Promise.resolve([{ result: 'a' }])
    })
    await clock.advanceAsync(500)
    assert.deepEqual(await all, [{ result: 'a' }])
    const closed = failure('MR_CLIENT_CLOSED', { what: 'x' })
    await assert.rejects(
      askEach(core, 'x', ['a'], {}, () => Promise.reject(closed)),
      closed,
    )
  })

  it('ends with the reason of an aborted signal', async () => {
    const clock = manualClock()
    const stop = new AbortController()
    const all = askEach({ clock, apiTimeoutMs: 1000 }, 'x', ['a'], { signal: stop.signal }, () =>
      Promise.resolve([passing]),
    )
    await clock.advanceAsync(0)
    stop.abort(new Error('stopped'))
    await assert.rejects(all, /stopped/)
    assert.equal(clock.waiting, 0)
  })

  it('lets one broker fail without the items of another', async () => {
    const lost: string[] = []
    const answers = await askByNode<string, string>(
      ['a', 'b', 'c'],
      [1, 2, { error: failure('MR_TOPIC_UNKNOWN', { topic: 'c' }) }],
      (node, part) =>
        node === 1
          ? Promise.resolve(part.map((item) => ({ result: item })))
          : Promise.reject(failure('MR_CONNECTION_LOST', { address: 'b:1', reason: 'test' })),
      (part) => lost.push(...part),
    )
    assert.deepEqual(answers[0], { result: 'a' })
    const [, b, c] = answers
    assert.equal(b && 'error' in b && b.isPassing, true)
    assert.equal(c && 'error' in c && c.error.code, 'MR_TOPIC_UNKNOWN')
    assert.deepEqual(lost, ['b'])
  })
})
