import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import type { MillraceError } from '../../errors/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import type { Batch } from './batch.ts'
import { CurrentIdentity } from './identity.ts'
import { sizeBound } from './message.ts'
import { ModelPartition, refusal, type ModelAnswer } from './model-partition.contract.ts'
import { PartitionQueue, type QueueListener } from './partition-queue.ts'
import type { Receipt } from './receipt.ts'
import { verdictOf, type Verdict } from './verdict.ts'

/**
 * The queue against a model of what a broker promises to idempotent producers. The network may lose requests, lose
 * answers, and deliver a copy of a request long after its connection ended.
 */

type Fate = 'waiting' | 'delivered' | 'failed' | 'unknown'

class ModelReceipt implements Receipt {
  readonly id: number
  readonly timestamp = 1
  fate: Fate = 'waiting'
  offset = -1
  settled = 0
  constructor(id: number) {
    this.id = id
  }
  delivered(_topic: string, _partition: number, offset: number): void {
    this.settled++
    this.fate = 'delivered'
    this.offset = offset
  }
  failed(): void {
    this.settled++
  }
}

interface Sent {
  readonly at: number
  readonly queue: PartitionQueue
  readonly batch: Batch
  /** As it was when it left: a retry may stamp the batch's own bytes anew. */
  readonly bytes: Buffer
}

type Event =
  | { readonly kind: 'send'; readonly partition: number; readonly count: number }
  | { readonly kind: 'take' }
  | { readonly kind: 'answer'; readonly how: 'ok' | 'not-written' | 'written' | 'refused' }
  | { readonly kind: 'cut'; readonly written: number; readonly ghosts: boolean }
  | { readonly kind: 'ghost' }
  | { readonly kind: 'gap' }
  | { readonly kind: 'fence' }
  | { readonly kind: 'wait'; readonly ms: number }

const deliveryTimeoutMs = 5000

class World implements QueueListener {
  readonly isIdempotent: boolean
  readonly partitions: readonly [ModelPartition, ModelPartition]
  readonly queues: readonly PartitionQueue[]
  readonly receipts: [ModelReceipt[], ModelReceipt[]] = [[], []]
  readonly identities = new CurrentIdentity()
  wire: Sent[] = []
  ghosts: Sent[] = []
  nowMs = 0
  #producers = 0

  constructor(isIdempotent: boolean, maxRecords: number) {
    this.isIdempotent = isIdempotent
    this.partitions = [new ModelPartition(maxRecords), new ModelPartition(maxRecords)]
    const rules = {
      batchBytes: 120,
      lingerMs: 0,
      deliveryTimeoutMs,
      maxInFlight: isIdempotent ? 3 : 1,
      compression: 'none',
      isIdempotent,
      random: () => 0.5,
    } as const
    this.queues = [0, 1].map((at) => new PartitionQueue('t', at, rules, this.identities, this))
  }

  run(event: Event): void {
    switch (event.kind) {
      case 'send':
        for (let n = 0; n < event.count; n++) this.#send(event.partition)
        break
      case 'take':
        this.take()
        break
      case 'answer':
        this.answer(event.how)
        break
      case 'cut':
        this.#cut(event.written, event.ghosts && this.isIdempotent)
        break
      case 'ghost':
        this.ghost()
        break
      case 'gap':
      case 'fence':
        this.#disown(event.kind)
        break
      case 'wait':
        this.nowMs += event.ms
        for (const queue of this.queues) queue.expire(this.nowMs)
        break
    }
  }

  /** From here on the network and the broker are well. */
  settle(): void {
    for (let round = 0; this.queues.some((queue) => !queue.isEmpty); round++) {
      assert.ok(round < 10_000, 'comes to an end')
      this.take()
      while (this.wire.length > 0) this.answer('ok')
      this.nowMs += 200
    }
    while (this.ghosts.length > 0) this.ghost()
  }

  check(): void {
    for (const [at, receipts] of this.receipts.entries()) {
      const { log } = this.partitions[at as 0 | 1]
      const places = new Map<number, number[]>()
      for (const [offset, id] of log.map(Number).entries())
        places.set(id, [...(places.get(id) ?? []), offset])
      for (const receipt of receipts) {
        assert.equal(receipt.settled, 1, `message ${receipt.id} is settled once`)
        const found = places.get(receipt.id) ?? []
        if (!this.isIdempotent) {
          if (receipt.fate === 'delivered') assert.ok(found.length >= 1)
          continue
        }
        assert.ok(found.length <= 1, `message ${receipt.id} is there ${found.length} times`)
        if (receipt.fate === 'delivered') assert.deepEqual(found, [receipt.offset])
        if (receipt.fate === 'failed') assert.deepEqual(found, [], `${receipt.id} failed`)
      }
      const firsts = [...new Set(log.map(Number))]
      assert.deepEqual(
        firsts,
        firsts.toSorted((left, right) => left - right),
        'in the order of the sends',
      )
    }
  }

  take(): void {
    if (this.isIdempotent && !this.identities.current)
      this.identities.adopt({ producerId: 100 + this.#producers++, epoch: 0 })
    for (const [at, queue] of this.queues.entries()) {
      for (
        let batch = queue.take(this.nowMs, false);
        batch;
        batch = queue.take(this.nowMs, false)
      ) {
        assert.ok(batch.records)
        this.wire.push({ at, queue, batch, bytes: Buffer.from(batch.records) })
      }
      assert.ok(queue.inFlight <= 3)
    }
  }

  answer(how: 'ok' | 'not-written' | 'written' | 'refused'): void {
    const sent = this.wire.shift()
    if (!sent) return
    if (how === 'not-written') return this.#tell(sent, refusal(errorCodes.NOT_LEADER_OR_FOLLOWER))
    if (how === 'refused') return this.#tell(sent, refusal(errorCodes.TOPIC_AUTHORIZATION_FAILED))
    const answer = this.#process(sent)
    const isLate = how === 'written' && answer.errorCode === 0
    this.#tell(sent, isLate ? refusal(errorCodes.REQUEST_TIMED_OUT) : answer)
  }

  ghost(): void {
    const sent = this.ghosts.shift()
    if (sent) this.#process(sent)
  }

  delivered(batch: Batch, offset: number): void {
    for (const [at, receipt] of batch.receipts.entries())
      receipt.delivered('t', batch.partition, offset < 0 ? -1 : offset + at, -1)
  }

  failed(batch: Batch, error: MillraceError, isOutcomeKnown: boolean): void {
    for (const receipt of batch.receipts as ModelReceipt[]) {
      receipt.failed()
      receipt.fate = isOutcomeKnown ? 'failed' : 'unknown'
    }
    if (error.code === 'MR_PRODUCER_EXPIRED') assert.equal(batch.isUnsure, false)
  }

  retried(): void {}
  split(): void {}
  epochRaised(): void {}
  fenced(): void {}

  #send(partition: number): void {
    const receipts = this.receipts[partition as 0 | 1]
    const receipt = new ModelReceipt(receipts.length)
    receipts.push(receipt)
    const message = { key: null, value: String(receipt.id), timestamp: 1 }
    const bound = sizeBound({ topic: 't', ...message })
    this.queues[partition]?.append(message, bound, receipt, this.nowMs)
  }

  #process({ at, bytes }: Sent): ModelAnswer {
    return this.partitions[at as 0 | 1].append(bytes)
  }

  #tell({ at, queue, batch }: Sent, answer: ModelAnswer): void {
    const part = { ...answer, logAppendTimeMs: -1, errorMessage: null, recordErrors: [] }
    queue.answered(batch, verdictOf('t', at, part, this.isIdempotent), this.nowMs)
  }

  /** The connection ends: the first requests were written, of the rest copies may still be under way. */
  #cut(written: number, ghosts: boolean): void {
    const cut = this.wire
    this.wire = []
    const lost: Verdict = { kind: 'retry', reason: 'lost', isUnsure: true, refreshesMetadata: true }
    for (const [index, sent] of cut.entries()) {
      if (index < written) this.#process(sent)
      else if (ghosts) this.ghosts.push(sent)
      sent.queue.answered(sent.batch, lost, this.nowMs)
    }
  }

  /** A broker that lost its memory refuses the oldest on the wire; one that did would refuse its copies too. */
  #disown(kind: 'gap' | 'fence'): void {
    const sent = this.wire[0]
    if (!sent || sent.batch.attempts > 1 || !this.isIdempotent) return
    if (this.ghosts.some(({ at }) => at === sent.at)) return
    this.wire.shift()
    const { UNKNOWN_PRODUCER_ID, INVALID_PRODUCER_EPOCH } = errorCodes
    this.#tell(sent, refusal(kind === 'gap' ? UNKNOWN_PRODUCER_ID : INVALID_PRODUCER_EPOCH))
  }
}

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      partition: fc.nat(1),
      count: fc.integer({ min: 1, max: 7 }),
    }),
  },
  { weight: 8, arbitrary: fc.constant({ kind: 'take' as const }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      how: fc.constantFrom('ok' as const, 'ok', 'ok', 'not-written', 'written', 'refused'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      written: fc.nat(3),
      ghosts: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'ghost' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'gap' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'fence' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 50, 150, 400, 1000, 3000),
    }),
  },
)

function play(isIdempotent: boolean, maxRecords: number, events: readonly Event[]): void {
  const world = new World(isIdempotent, maxRecords)
  for (const one of events) world.run(one)
  world.settle()
  world.check()
}

describe('the queue of a partition', () => {
  const script = fc.array(event, { minLength: 10, maxLength: 80, size: 'max' })

  it('keeps order, makes no repeats and settles each message once, whatever the network does', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 100), script, (maxRecords, events) => {
        play(true, maxRecords, events)
      }),
      { numRuns: 1500 },
    )
  })

  it('does not take a late answer under the old pair for proof that the new one keeps copies out', () => {
    play(true, 100, [
      { kind: 'send', partition: 0, count: 5 },
      { kind: 'send', partition: 0, count: 5 },
      { kind: 'take' },
      { kind: 'answer', how: 'ok' },
      { kind: 'send', partition: 0, count: 4 },
      { kind: 'take' },
      { kind: 'send', partition: 1, count: 1 },
      { kind: 'cut', written: 0, ghosts: true },
      { kind: 'wait', ms: 3000 },
      { kind: 'take' },
      { kind: 'wait', ms: 3000 },
      { kind: 'answer', how: 'ok' },
      { kind: 'fence' },
      { kind: 'answer', how: 'ok' },
      { kind: 'take' },
      { kind: 'answer', how: 'ok' },
      { kind: 'take' },
      { kind: 'cut', written: 0, ghosts: false },
      { kind: 'take' },
      { kind: 'send', partition: 0, count: 1 },
    ])
  })

  it('keeps order and settles each message once without idempotence, repeats allowed', () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 100), script, (maxRecords, events) => {
        play(false, maxRecords, events)
      }),
      { numRuns: 300 },
    )
  })
})
