import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { CommitQueue, type Position } from './commit-queue.ts'

interface FakeTenure {
  readonly topic: string
  readonly partition: number
  isOwned: boolean
}

const tenure = (partition = 0): FakeTenure => ({ topic: 'orders', partition, isOwned: true })
const at = (one: FakeTenure, offset: number): Position<FakeTenure> => ({
  tenure: one,
  offset,
  leaderEpoch: -1,
  metadata: '',
})

function nth<T>(list: readonly T[], index: number): T {
  const found = list[index]
  assert.ok(found !== undefined)
  return found
}

describe('the commit queue', () => {
  it('sends again under a newer generation only while the tenure lives', async () => {
    for (const isOwned of [true, false]) {
      const queue = new CommitQueue<FakeTenure>()
      const one = tenure()
      const { promise } = queue.add(at(one, 5))
      assert.equal(queue.next(1)?.length, 1)
      one.isOwned = isOwned
      queue.answered(() => 22, 2)
      assert.equal(queue.next(2)?.length, isOwned ? 1 : undefined)
      if (isOwned) queue.answered(() => 0, 2)
      assert.equal(await promise, isOwned ? 'committed' : 'fenced')
    }
  })

  it('reads an unknown group as an ended generation, from version 9 on', async () => {
    const queue = new CommitQueue<FakeTenure>()
    const { promise } = queue.add(at(tenure(), 5))
    queue.next(1)
    queue.answered(() => 69, 1)
    assert.equal(await promise, 'fenced')
  })

  it('treats a partition that the answer leaves out as refused for good', async () => {
    const queue = new CommitQueue<FakeTenure>()
    const { promise } = queue.add(at(tenure(), 5))
    queue.next(1)
    queue.answered(() => undefined, 1)
    await assert.rejects(promise)
  })

  it('lets go of a topic that is gone, so that nobody waits for its commit', async () => {
    const queue = new CommitQueue<FakeTenure>()
    const gone = tenure(0)
    const { promise } = queue.add(at(gone, 5))
    const stays = queue.add(at(tenure(1), 7))
    queue.next(1)
    const { refused } = queue.answered((key) => (key === 'orders/0' ? 3 : 0), 1)
    assert.deepEqual(
      refused.map(({ willRetry }) => willRetry),
      [false],
    )
    await assert.rejects(promise, { code: 'MR_KAFKA_ERROR', retriable: true })
    assert.equal(await stays.promise, 'committed')
    assert.equal(queue.isEmpty, true)
  })

  it('sends nothing more of what nobody waits for', async () => {
    const queue = new CommitQueue<FakeTenure>()
    const one = tenure()
    const first = queue.add(at(one, 5))
    const second = queue.add(at(one, 6))
    queue.abandon(second)
    assert.equal(queue.next(1)?.[0]?.offset, 6, 'the older waiter is served by the newer position')
    queue.abandon(first)
    queue.unanswered()
    assert.equal(queue.next(1), undefined)
    assert.equal(queue.isEmpty, true)
  })

  it('tells whoever waits when a commit can never pass', async () => {
    const queue = new CommitQueue<FakeTenure>()
    const { promise } = queue.add(at(tenure(), 5))
    queue.next(1)
    queue.failed(new Error('too old a broker'))
    await assert.rejects(promise, /too old/)
  })

  it('never has two commits in flight, never sends for an ended tenure, and answers everybody', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), partition: fc.nat(2), offset: fc.nat(100) }),
      fc.record({ do: fc.constant('next' as const) }),
      fc.record({ do: fc.constant('lost' as const) }),
      fc.record({
        do: fc.constant('answer' as const),
        codes: fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(0, 0, 22, 25, 27, 14, 12))),
      }),
      fc.record({ do: fc.constant('end' as const), partition: fc.nat(2) }),
      fc.record({ do: fc.constant('rejoin' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const queue = new CommitQueue<FakeTenure>()
        const tenures = [0, 1, 2].map((partition) => tenure(partition))
        const newest = new Map<FakeTenure, number>()
        const waiters: ReturnType<CommitQueue<FakeTenure>['add']>[] = []
        let generation = 1
        let flying = false
        const send = (): void => {
          const positions = queue.next(generation)
          if (flying) assert.equal(positions, undefined)
          for (const { tenure: one, offset } of positions ?? []) {
            assert.equal(one.isOwned, true)
            assert.equal(offset, newest.get(one), 'the newest position')
          }
          flying ||= positions !== undefined
        }
        for (const one of steps) {
          switch (one.do) {
            case 'add': {
              const to = nth(tenures, one.partition)
              if (to.isOwned) newest.set(to, one.offset)
              const waiter = queue.add(at(to, one.offset))
              waiter.promise.catch(() => undefined)
              waiters.push(waiter)
              break
            }
            case 'next':
              send()
              break
            case 'lost':
              if (flying) queue.unanswered()
              flying = false
              break
            case 'answer':
              if (flying) queue.answered((key) => one.codes[Number(key.slice(-1))], generation)
              flying = false
              break
            case 'end': {
              const gone = nth(tenures, one.partition)
              gone.isOwned = false
              queue.end(gone)
              tenures[one.partition] = tenure(one.partition)
              break
            }
            case 'rejoin':
              generation++
              break
          }
        }
        if (flying) queue.answered(() => 0, generation)
        flying = false
        send()
        if (flying) queue.answered(() => 0, generation)
        assert.equal(queue.isEmpty, true)
        await Promise.allSettled(waiters.map(({ promise }) => promise))
      }),
      { numRuns: 200 },
    )
  })
})
