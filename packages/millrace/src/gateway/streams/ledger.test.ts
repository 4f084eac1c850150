import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { joinMetadata, splitMetadata } from '../../client/index.ts'
import { PartitionLedger, type Holder } from './ledger.ts'

const holderNamed = (name: string): Holder => ({ name, pending: 0 })

/** Offsets that ascend with gaps, and for each when it is acknowledged (null: never). */
const plays = fc.array(
  fc.record({
    gap: fc.integer({ min: 1, max: 4 }),
    order: fc.option(fc.integer({ min: 0, max: 1000 })),
  }),
  { maxLength: 60 },
)

describe('a ledger', () => {
  it('lets exactly the contiguous part be committed, whatever the order of acknowledgements', () => {
    fc.assert(
      fc.property(plays, (play) => {
        const ledger = new PartitionLedger('t', 0)
        const holder = holderNamed('a')
        const waiting = new Set<number>()
        let offset = -1
        const acks: { offset: number; order: number }[] = []
        for (const { gap, order } of play) {
          offset += gap
          ledger.deliver(offset, holder, 0)
          waiting.add(offset)
          if (order !== null) acks.push({ offset, order })
        }
        for (const ack of acks.toSorted((left, right) => left.order - right.order)) {
          assert.equal(ledger.acknowledge(ack.offset), holder)
          assert.equal(ledger.acknowledge(ack.offset), undefined, 'only once')
          waiting.delete(ack.offset)
          const expected =
            waiting.size === 0 ? (offset < 0 ? -1 : offset + 1) : Math.min(...waiting)
          assert.equal(ledger.position, expected)
          assert.equal(ledger.pending, waiting.size)
          assert.equal(holder.pending, waiting.size)
        }
      }),
    )
  })

  it('gives again exactly the rest after a crash', () => {
    fc.assert(
      fc.property(plays, (play) => {
        const ledger = new PartitionLedger('t', 0)
        const holder = holderNamed('a')
        const delivered: number[] = []
        const acknowledged = new Set<number>()
        let offset = -1
        for (const { gap, order } of play) {
          offset += gap
          delivered.push(offset)
          ledger.deliver(offset, holder, 0)
          if (order === null || order % 2 === 1) continue
          acknowledged.add(offset)
          ledger.acknowledge(offset)
        }
        // What comes again begins at the position: all that is pending is there, and the first one is pending.
        const again = delivered.filter((one) => one >= ledger.position)
        const rest = delivered.filter((one) => !acknowledged.has(one))
        assert.deepEqual(
          rest.filter((one) => !again.includes(one)),
          [],
        )
        if (rest.length === 0) assert.deepEqual(again, [])
        else assert.equal(again[0], rest[0])
        assert.deepEqual(
          Array.from(ledger.from(0), (entry) => entry.offset),
          rest,
        )
      }),
    )
  })

  it('tells what is acknowledged ahead, and whoever comes next hands out exactly the rest', () => {
    fc.assert(
      fc.property(plays, fc.array(fc.nat(60)), (play, later) => {
        const offsets: number[] = []
        for (const { gap } of play) offsets.push((offsets.at(-1) ?? -1) + gap)
        const acknowledged = new Set<number>()
        let base = 0
        let text = ''
        // Three holders in turn; each acknowledges some, and dies.
        for (const part of [play.map(({ order }) => order), later, []]) {
          const { runs } = splitMetadata(text, base)
          const ledger = new PartitionLedger('t', 0, runs)
          const holder = holderNamed('a')
          const handedOut: number[] = []
          for (const offset of offsets.filter((one) => one >= base)) {
            const isKnown = ledger.isKnown(offset)
            ledger.deliver(offset, isKnown ? null : holder, 0)
            if (!isKnown) handedOut.push(offset)
          }
          assert.deepEqual(
            handedOut,
            offsets.filter((one) => !acknowledged.has(one)),
          )
          for (const [index, order] of part.entries()) {
            const offset = offsets[index]
            if (offset === undefined || order === null || order % 2 === 1) continue
            if (ledger.acknowledge(offset)) acknowledged.add(offset)
          }
          base = Math.max(base, ledger.position)
          text = joinMetadata('mine', base, ledger.ahead)
          assert.equal(splitMetadata(text, base).user, 'mine')
        }
      }),
    )
  })

  it('keeps what it knew of entries that it has not handed out yet', () => {
    const ledger = new PartitionLedger('t', 0, [5, 8, 10, 12])
    const holder = holderNamed('a')
    ledger.deliver(3, holder, 0)
    assert.deepEqual(ledger.ahead, [5, 8, 10, 12])
    ledger.deliver(4, holder, 0)
    ledger.acknowledge(4)
    assert.deepEqual([ledger.position, ledger.ahead], [3, [4, 8, 10, 12]])
    ledger.acknowledge(3)
    assert.deepEqual([ledger.position, ledger.ahead], [8, [10, 12]])
    for (const offset of [5, 6, 7]) {
      assert.equal(ledger.isKnown(offset), true)
      ledger.deliver(offset, null, 0)
      assert.deepEqual([ledger.position, ledger.ahead], [8, [10, 12]])
    }
    assert.equal(ledger.isKnown(8), false)
    ledger.deliver(8, holder, 0)
    assert.deepEqual([ledger.position, ledger.ahead], [8, [10, 12]])
  })

  it('counts entries for who holds them, over claims and the end', () => {
    const ledger = new PartitionLedger('t', 0)
    const [ada, bob] = [holderNamed('ada'), holderNamed('bob')]
    for (const offset of [1, 2, 3]) ledger.deliver(offset, ada, 0)
    ledger.deliver(4, null, 0)
    ledger.give(ledger.find(2)!, bob)
    assert.deepEqual([ada.pending, bob.pending, ledger.pending], [2, 1, 3])
    assert.equal(ledger.acknowledge(2), bob)
    assert.equal(ledger.find(2), undefined)
    assert.deepEqual(
      Array.from(ledger.from(2), (entry) => entry.offset),
      [3],
    )
    ledger.end()
    assert.deepEqual([ada.pending, bob.pending, ledger.pending], [0, 0, 0])
  })

  it('needs no acknowledgement for what nobody holds', () => {
    const ledger = new PartitionLedger('t', 0)
    assert.equal(ledger.position, -1)
    ledger.deliver(5, null, 0)
    assert.equal(ledger.position, 6)
    ledger.deliver(6, holderNamed('a'), 0)
    ledger.deliver(7, null, 0)
    assert.equal(ledger.position, 6)
    ledger.acknowledge(6)
    assert.equal(ledger.position, 8)
  })

  it('stays fast and small while one entry is stuck and many pass', () => {
    const ledger = new PartitionLedger('t', 0)
    const holder = holderNamed('a')
    ledger.deliver(0, holder, 0)
    for (let offset = 1; offset < 200_000; offset++) {
      ledger.deliver(offset, holder, 0)
      ledger.acknowledge(offset)
    }
    assert.equal(ledger.position, 0)
    assert.equal(Array.from(ledger.from(0)).length, 1)
    ledger.acknowledge(0)
    assert.equal(ledger.position, 200_000)
  })
})
