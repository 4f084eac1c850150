/**
 * The store against a model of a page, under random commands and faults. The model keeps what must be there; a
 * fault may make a command fail, never lie.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { manualClock, type ManualClock } from '../kit/index.ts'
import { readBatchHeader } from '../protocol/index.ts'
import { append, batchOf, logOf, openMemory, readAll, startMs, textsOf } from './fixtures.test.ts'
import {
  memoryFileSystem,
  type AppendResult,
  type FileFault,
  type LogStore,
  type MemoryFileSystem,
  type PartitionLog,
} from './index.ts'

interface Entry {
  readonly text: string
  readonly timestamp: number
}

interface Producer {
  /** Accepted batches: first sequence, count, base offset. */
  readonly batches: { readonly first: number; readonly count: number; readonly offset: number }[]
  next: number
}

/** What the log must hold. Offsets are indexes into `records`. */
class Model {
  records: Entry[] = []
  /** A power failure may not take what is below. */
  synced = 0
  start = 0
  producers = new Map<number, Producer>()
  generation = 0
  texts = 0
}

interface Real {
  store: LogStore
  fs: MemoryFileSystem
  readonly clock: ManualClock
}

type Command = fc.AsyncCommand<Model, Real>

const log = (real: Real): PartitionLog => logOf(real.store, 'orders')

/** One turn: several batches, perhaps met by a fault. */
class Append implements Command {
  readonly sizes: readonly number[]
  readonly producer: number
  readonly timeShift: number
  readonly fault: FileFault | undefined
  readonly faultAt: number
  constructor(
    sizes: readonly number[],
    producer: number,
    timeShift: number,
    fault: FileFault | undefined,
    faultAt: number,
  ) {
    this.sizes = sizes
    this.producer = producer
    this.timeShift = timeShift
    this.fault = fault
    this.faultAt = faultAt
  }
  check = (): boolean => true

  async run(model: Model, real: Real): Promise<void> {
    const partition = log(real)
    let calls = 0
    real.fs.fault = (operation, path) =>
      this.fault && operation === 'write' && path.includes('orders-0') && calls++ === this.faultAt
        ? this.fault
        : undefined
    const known = model.producers.get(this.producer) ?? { batches: [], next: 0 }
    let sequence = known.next
    const sent: { entries: Entry[]; first: number; result: AppendResult }[] = []
    for (const count of this.sizes) {
      const entries = Array.from({ length: count }, () => ({
        text: `t${model.texts++}`,
        timestamp: startMs + this.timeShift,
      }))
      const fields =
        this.producer < 0
          ? {}
          : { producerId: idOf(model, this.producer), producerEpoch: 0, baseSequence: sequence }
      const result = append(partition, batchOf(entries, fields))
      if (result.kind === 'appended') sequence += count
      sent.push({ entries, first: sequence - count, result })
    }
    await real.store.written().catch(() => undefined)
    real.fs.fault = undefined
    const end = partition.highWatermark
    for (const { entries, first, result } of sent) {
      if (result.kind === 'refused') {
        assert.ok(partition.hasFailed || real.store.isDiskFull, `refused ${result.errorCode}`)
        continue
      }
      assert.equal(result.kind, 'appended')
      if (result.baseOffset >= end) continue
      assert.equal(result.baseOffset, model.records.length)
      model.records.push(...entries)
      if (this.producer < 0) continue
      known.batches.push({ first, count: entries.length, offset: result.baseOffset })
      known.next = first + entries.length
      model.producers.set(this.producer, known)
    }
    assert.equal(partition.highWatermark, model.records.length)
    assert.equal(partition.logEndOffset, model.records.length)
  }
  toString = (): string =>
    `append(${this.sizes.join(',')} by ${this.producer} at ${this.timeShift}${this.fault ? `, ${JSON.stringify(this.fault)} at ${this.faultAt}` : ''})`
}

/** Sends a remembered batch again. */
class Repeat implements Command {
  readonly producer: number
  readonly back: number
  constructor(producer: number, back: number) {
    this.producer = producer
    this.back = back
  }
  check = (model: Readonly<Model>): boolean =>
    (model.producers.get(this.producer)?.batches.length ?? 0) > this.back
  async run(model: Model, real: Real): Promise<void> {
    const batch = model.producers.get(this.producer)?.batches.at(-1 - this.back)
    if (!batch) return
    const texts = model.records.slice(batch.offset, batch.offset + batch.count)
    const result = append(
      log(real),
      batchOf(texts, {
        producerId: idOf(model, this.producer),
        producerEpoch: 0,
        baseSequence: batch.first,
      }),
    )
    if (log(real).hasFailed || real.store.isDiskFull) assert.equal(result.kind, 'refused')
    else if (this.back < 5)
      assert.equal(result.kind === 'duplicate' ? result.baseOffset : result.kind, batch.offset)
    else assert.deepEqual(result, { kind: 'refused', errorCode: 45 })
  }
  toString = (): string => `repeat(${this.producer}, ${this.back} back)`
}

class Read implements Command {
  readonly at: number
  readonly maxBytes: number
  constructor(at: number, maxBytes: number) {
    this.at = at
    this.maxBytes = maxBytes
  }
  check = (): boolean => true
  async run(model: Model, real: Real): Promise<void> {
    const span = model.records.length - model.start
    const offset = model.start + Math.floor(this.at * (span + 1))
    const bytes = await log(real).read(offset, { maxBytes: this.maxBytes, minOneBatch: true })
    if (offset === model.records.length) return assert.equal(bytes.length, 0)
    const first = readBatchHeader(bytes).baseOffset
    const texts = textsOf(bytes)
    assert.ok(first <= offset && first + texts.length > offset)
    const expected = model.records.slice(first, first + texts.length)
    assert.deepEqual(
      texts,
      expected.map(({ text }, index) => `${first + index}:${text}`),
    )
  }
  toString = (): string => `read(${this.at}, ${this.maxBytes})`
}

class FindTime implements Command {
  readonly time: number
  constructor(time: number) {
    this.time = time
  }
  check = (): boolean => true
  async run(model: Model, real: Real): Promise<void> {
    const from = model.records.findIndex(
      ({ timestamp }, offset) => offset >= model.start && timestamp >= startMs + this.time,
    )
    assert.equal((await log(real).offsetForTime(startMs + this.time))?.offset ?? -1, from)
    const rest = model.records.slice(model.start)
    const max = Math.max(-1, ...rest.map(({ timestamp }) => timestamp))
    const at = model.records.findIndex(
      ({ timestamp }, offset) => offset >= model.start && timestamp === max,
    )
    assert.equal((await log(real).offsetOfMaxTimestamp())?.offset ?? -1, at)
  }
  toString = (): string => `findTime(${this.time})`
}

class Trim implements Command {
  readonly share: number
  constructor(share: number) {
    this.share = share
  }
  check = (): boolean => true
  async run(model: Model, real: Real): Promise<void> {
    const to = model.start + Math.floor((model.records.length - model.start) * this.share)
    const [trimmed] = await Promise.allSettled([real.store.deleteRecords('orders', 0, to)])
    if (trimmed.status === 'rejected') {
      assert.equal(log(real).hasFailed, true)
      return
    }
    assert.equal(trimmed.value, to)
    if (to > model.start) model.synced = model.records.length
    model.start = to
  }
  toString = (): string => `trim(${this.share})`
}

class Retain implements Command {
  readonly passMs: number
  constructor(passMs: number) {
    this.passMs = passMs
  }
  check = (): boolean => true
  async run(model: Model, real: Real): Promise<void> {
    await real.clock.advanceAsync(this.passMs)
    await real.store.retain()
    const start = log(real).logStartOffset
    if (start > model.start && !log(real).hasFailed) model.synced = model.records.length
    assert.ok(start >= model.start, 'never back')
    const gone = model.records.slice(model.start, start)
    const limit = real.clock.now() - retentionMs
    for (const { timestamp } of gone) assert.ok(timestamp < limit, 'only what has expired')
    model.start = start
  }
  toString = (): string => `retain(+${this.passMs})`
}

class Sync implements Command {
  check = (): boolean => true
  async run(model: Model, real: Real): Promise<void> {
    const end = model.records.length
    await real.store.sync()
    if (!log(real).hasFailed) model.synced = end
  }
  toString = (): string => 'sync'
}

class Restart implements Command {
  readonly isClean: boolean
  constructor(isClean: boolean) {
    this.isClean = isClean
  }
  check = (): boolean => true
  async run(model: Model, real: Real): Promise<void> {
    const had = log(real).hasFailed
    if (this.isClean) await real.store.close()
    else real.fs = afterKill(real.fs)
    real.store = await openModel(real.fs, real.clock)
    if (!had) assert.deepEqual(real.store.repairs, [])
    await checkAll(model, real)
  }
  toString = (): string => (this.isClean ? 'restart' : 'kill')
}

/** Of each file stays a random part of what was not synced. */
class PowerCut implements Command {
  readonly shares: readonly number[]
  readonly rest: 'gone' | 'zeros'
  constructor(shares: readonly number[], rest: 'gone' | 'zeros') {
    this.shares = shares
    this.rest = rest
  }
  check = (): boolean => true
  async run(model: Model, real: Real): Promise<void> {
    let file = 0
    real.fs.cutPower((_, synced, bytes) => {
      const share = this.shares[file++ % this.shares.length] ?? 0
      return synced + Math.floor((bytes - synced) * share)
    }, this.rest)
    real.fs = afterKill(real.fs)
    real.store = await openModel(real.fs, real.clock)
    const end = log(real).highWatermark
    assert.ok(end >= model.synced, `${end} of ${model.synced} synced`)
    assert.ok(end <= Math.max(model.records.length, model.start))
    model.records.length = end
    model.synced = Math.min(model.synced, end)
    if (end <= model.start && model.synced < end) {
      // What stood before the log start may be lost as well, or not: go on with producers that are new.
      model.producers.clear()
      model.generation++
    }
    for (const producer of model.producers.values()) {
      const kept = producer.batches.filter(({ offset }) => offset < end)
      producer.batches.splice(0, producer.batches.length, ...kept)
      const last = kept.at(-1)
      if (last) producer.next = last.first + last.count
    }
    await checkAll(model, real)
  }
  toString = (): string => `powerCut(${this.shares.join(', ')}, ${this.rest})`
}

function idOf(model: Model, producer: number): number {
  return producer + model.generation * 10
}

/** The disk as the next process finds it. What the dead one still does here, it does to another. */
function afterKill(fs: MemoryFileSystem): MemoryFileSystem {
  fs.kill()
  return fs.copy()
}

const retentionMs = 50_000

function openModel(fs: MemoryFileSystem, clock: ManualClock): Promise<LogStore> {
  return openMemory({ fs, clock, indexIntervalBytes: 150, reserveBytes: 0, openFiles: 2 })
}

async function checkAll(model: Model, real: Real): Promise<void> {
  const partition = log(real)
  assert.equal(partition.logStartOffset, model.start)
  assert.equal(partition.highWatermark, model.records.length)
  const texts = (await readAll(partition)).slice(-(model.records.length - model.start) || Infinity)
  assert.deepEqual(
    texts,
    model.records.slice(model.start).map(({ text }, at) => `${model.start + at}:${text}`),
  )
}

describe('log store', () => {
  it('agrees with the model under random commands, faults, restarts and kills', async () => {
    const producer = fc.integer({ min: -1, max: 2 })
    const faults = fc.option(
      fc.oneof<fc.Arbitrary<FileFault>[]>(
        fc.constant({ code: 'EIO' }),
        fc.constant({ code: 'ENOSPC' }),
        fc.integer({ min: 0, max: 200 }).map((writeOnly) => ({ writeOnly })),
      ),
      { nil: undefined, freq: 4 },
    )
    const share = fc.double({ min: 0, max: 0.999, noNaN: true })
    const appends = fc
      .tuple(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
        producer,
        fc.integer({ min: 0, max: 100_000 }),
        faults,
        fc.integer({ min: 0, max: 4 }),
      )
      .map((all) => new Append(...all))
    const commands = [
      appends,
      appends,
      appends,
      fc.tuple(fc.nat(2), fc.nat(6)).map((all) => new Repeat(...all)),
      fc.tuple(share, fc.integer({ min: 0, max: 2000 })).map((all) => new Read(...all)),
      fc.integer({ min: 0, max: 110_000 }).map((time) => new FindTime(time)),
      share.map((one) => new Trim(one)),
      fc.integer({ min: 0, max: 40_000 }).map((ms) => new Retain(ms)),
      fc.constant(new Sync()),
      fc.boolean().map((isClean) => new Restart(isClean)),
      fc
        .tuple(
          fc.array(share, { minLength: 1, maxLength: 5 }),
          fc.constantFrom('gone' as const, 'zeros' as const),
        )
        .map((all) => new PowerCut(...all)),
    ]
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (steps) => {
        const fs = memoryFileSystem()
        const clock = manualClock(startMs)
        const store = await openModel(fs, clock)
        await store.createTopic({
          name: 'orders',
          partitions: 1,
          configs: { 'segment.bytes': '600', 'retention.ms': String(retentionMs) },
        })
        const model = new Model()
        const real: Real = { store, fs, clock }
        await fc.asyncModelRun(() => ({ model, real }), steps)
        await checkAll(model, real)
        await real.store.close()
      }),
      { numRuns: Number(process.env['MILLRACE_RUNS'] ?? 60) },
    )
  })
})
