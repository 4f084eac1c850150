import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { MillraceError } from '../../errors/index.ts'
import { deferred, manualClock, type Deferred } from '../../kit/index.ts'
import { Admission } from './admission.ts'
import type { OutgoingMessage } from './message.ts'
import type { Receipt } from './receipt.ts'

/** A buffer of so many messages, and topics that are learnt when the test says so. */
class World {
  readonly clock = manualClock()
  readonly admission: Admission
  readonly known = new Set<string>()
  readonly admitted: string[] = []
  readonly failed = new Map<string, string>()
  readonly learning = new Map<string, Deferred<void>>()
  room = 0
  #sent = 0

  constructor(maxBlockMs = 1000) {
    this.admission = new Admission(
      {
        admit: ({ topic, value }) => {
          if (!this.known.has(topic)) return 'no-metadata'
          if (this.room === 0) return 'no-room'
          this.room--
          this.admitted.push(`${topic}${String(value)}`)
          return 'admitted'
        },
        learn: (topic) => {
          const wait = deferred()
          this.learning.set(topic, wait)
          return wait.promise
        },
      },
      { clientId: 'test', clock: this.clock, maxBlockMs, bufferBytes: 1 },
    )
  }

  send(topic: string): void {
    const value = String(this.#sent++)
    const receipt: Receipt = {
      timestamp: 0,
      delivered: () => assert.fail('admission delivers nothing'),
      failed: (error) => {
        const name = `${topic}${value}`
        assert.ok(!this.failed.has(name))
        this.failed.set(name, error instanceof MillraceError ? error.code : error.message)
      },
    }
    const message: OutgoingMessage = { topic, value }
    this.admission.enter(message, receipt)
  }

  async learn(topic: string): Promise<void> {
    this.known.add(topic)
    this.learning.get(topic)?.resolve()
    await this.clock.advanceAsync(0)
  }

  give(room: number): void {
    this.room += room
    this.admission.advance()
  }

  get sent(): number {
    return this.#sent
  }
}

describe('the waiting room before the buffer', () => {
  it('lets messages of a topic in in order once it is known, and asks for it once', async () => {
    const world = new World()
    world.room = 10
    for (let count = 0; count < 5; count++) world.send('a')
    assert.equal(world.learning.size, 1)
    await world.learn('a')
    assert.deepEqual(world.admitted, ['a0', 'a1', 'a2', 'a3', 'a4'])
    assert.equal(world.admission.waiting, 0)
    assert.equal(world.clock.waiting, 0)
  })

  it('does not let one topic wait for another', async () => {
    const world = new World()
    world.room = 10
    world.send('unknown')
    world.known.add('b')
    world.send('b')
    assert.deepEqual(world.admitted, ['b1'])
    await world.learn('unknown')
    assert.deepEqual(world.admitted, ['b1', 'unknown0'])
  })

  it('rejects who has waited too long, with what was missing', async () => {
    const world = new World(1000)
    world.known.add('a')
    world.send('a')
    await world.clock.advanceAsync(500)
    world.send('a')
    await world.clock.advanceAsync(500)
    assert.deepEqual([...world.failed], [['a0', 'MR_PRODUCER_BUFFER_FULL']])
    world.give(1)
    assert.deepEqual(world.admitted, ['a1'])
    assert.equal(world.clock.waiting, 0)
  })

  it('rejects all of a topic that cannot be learnt', async () => {
    const world = new World()
    world.send('a')
    world.send('a')
    world.learning.get('a')?.reject(new Error('there is none'))
    await world.clock.advanceAsync(0)
    assert.deepEqual([...world.failed.values()], ['there is none', 'there is none'])
    assert.equal(world.admission.mustWait('a'), false)
  })

  it('keeps the order per topic and settles each once, whatever comes when', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ send: fc.constantFrom('a', 'b', 'c') }) },
      { weight: 3, arbitrary: fc.record({ give: fc.integer({ min: 1, max: 3 }) }) },
      { weight: 2, arbitrary: fc.record({ learn: fc.constantFrom('a', 'b', 'c') }) },
      { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(300, 700) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World()
        for (const one of steps) {
          if ('send' in one) world.send(one.send)
          else if ('give' in one) world.give(one.give)
          else if ('learn' in one) await world.learn(one.learn)
          else await world.clock.advanceAsync(one.wait)
        }
        await world.clock.advanceAsync(2000)
        assert.equal(world.admitted.length + world.failed.size, world.sent)
        assert.equal(world.admission.waiting, 0)
        for (const topic of ['a', 'b', 'c']) {
          const numbers = world.admitted
            .filter((name) => name.startsWith(topic))
            .map((name) => Number(name.slice(1)))
          assert.deepEqual(
            numbers,
            numbers.toSorted((left, right) => left - right),
          )
        }
        assert.equal(world.clock.waiting, 0)
      }),
      { numRuns: 60 },
    )
  })

  it('rejects everybody when the producer stops', () => {
    const world = new World()
    world.send('a')
    world.admission.stop(new Error('closed'))
    assert.deepEqual([...world.failed.values()], ['closed'])
    assert.equal(world.clock.waiting, 0)
  })
})
