/**
 * What one partition knows of its idempotent producers (KIP-98): epoch and the last five batches of each. Pure.
 *
 * - An exact repeat of one of the five (same epoch, first and last sequence) is a duplicate, with its old offset.
 * - Otherwise a batch must continue the sequence, which wraps from 2^31-1 to 0, also inside a batch.
 * - A lower epoch is fenced; a new epoch starts at sequence 0.
 * - An unknown producer may start anywhere: its state may have expired here, but not in the producer.
 * - Not done: transactions (the first offset of an open one has its place in the snapshot).
 */
import { errorCodes, type BatchHeader } from '../protocol/index.ts'

export const rememberedBatches = 5

export interface ProducerBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly timestampMs: number
}

export interface ProducerEntry {
  readonly producerId: number
  epoch: number
  /** Oldest first, at most five, at least one. */
  readonly batches: ProducerBatch[]
  /** When it last wrote, by the clock of this process. */
  activeAtMs: number
  /** First offset of the open transaction; -1. */
  openTransactionOffset: number
}

export type ProducerVerdict =
  | { readonly kind: 'next' }
  | { readonly kind: 'duplicate'; readonly batch: ProducerBatch }
  | { readonly kind: 'refused'; readonly errorCode: number }

const next: ProducerVerdict = { kind: 'next' }
const outOfOrder: ProducerVerdict = {
  kind: 'refused',
  errorCode: errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER,
}
const fenced: ProducerVerdict = { kind: 'refused', errorCode: errorCodes.INVALID_PRODUCER_EPOCH }

export function lastSequenceOf(header: BatchHeader): number {
  return (header.baseSequence + header.lastOffsetDelta) % 0x80000000
}

/**
 * Two layers: what is written, and drafts of what is queued. A write that fails drops the drafts, and nothing
 * was remembered that is not in the log; a snapshot holds written batches alone.
 */
export class ProducerState {
  readonly #written = new Map<number, ProducerEntry>()
  readonly #drafts = new Map<number, ProducerEntry>()

  get size(): number {
    return this.#written.size
  }

  /** Written ones. */
  entries(): Iterable<ProducerEntry> {
    return this.#written.values()
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#drafts.get(producerId) ?? this.#written.get(producerId)
  }

  restore(entry: ProducerEntry): void {
    this.#written.set(entry.producerId, entry)
  }

  /** May this batch of an idempotent producer be appended? Changes nothing. */
  judge(header: BatchHeader): ProducerVerdict {
    const entry = this.get(header.producerId)
    if (!entry) return next
    if (header.producerEpoch < entry.epoch) return fenced
    if (header.producerEpoch > entry.epoch) return header.baseSequence === 0 ? next : outOfOrder
    const lastSequence = lastSequenceOf(header)
    const { batches } = entry
    for (let index = batches.length - 1; index >= 0; index--) {
      const batch = batches[index] as ProducerBatch
      if (batch.firstSequence === header.baseSequence && batch.lastSequence === lastSequence)
        return { kind: 'duplicate', batch }
    }
    const before = batches.at(-1)
    if (!before) return next
    return header.baseSequence === (before.lastSequence + 1) % 0x80000000 ? next : outOfOrder
  }

  /** A batch was queued. */
  draft(header: BatchHeader, baseOffset: number, timestampMs: number, nowMs: number): void {
    let entry = this.#drafts.get(header.producerId)
    if (!entry) {
      const written = this.#written.get(header.producerId)
      entry = written ? { ...written, batches: [...written.batches] } : newEntry(header)
      this.#drafts.set(header.producerId, entry)
    }
    note(entry, header, baseOffset, timestampMs, nowMs)
  }

  /** A batch was written. */
  write(header: BatchHeader, baseOffset: number, timestampMs: number, nowMs: number): void {
    let entry = this.#written.get(header.producerId)
    if (!entry) {
      entry = newEntry(header)
      this.#written.set(header.producerId, entry)
    }
    note(entry, header, baseOffset, timestampMs, nowMs)
  }

  /** The queue is empty: all of it was written, or none of the rest will be. */
  dropDrafts(): void {
    this.#drafts.clear()
  }

  /** Forgets who was silent for longer. Below a day this would break producers that merely pause. */
  expire(idleSinceMs: number): void {
    for (const entry of this.#written.values()) {
      if (entry.activeAtMs < idleSinceMs) this.#written.delete(entry.producerId)
    }
  }
}

function newEntry(header: BatchHeader): ProducerEntry {
  return {
    producerId: header.producerId,
    epoch: header.producerEpoch,
    batches: [],
    activeAtMs: 0,
    openTransactionOffset: -1,
  }
}

function note(
  entry: ProducerEntry,
  header: BatchHeader,
  baseOffset: number,
  timestampMs: number,
  nowMs: number,
): void {
  if (entry.epoch !== header.producerEpoch) {
    entry.epoch = header.producerEpoch
    entry.batches.length = 0
  }
  if (entry.batches.length === rememberedBatches) entry.batches.shift()
  entry.batches.push({
    firstSequence: header.baseSequence,
    lastSequence: lastSequenceOf(header),
    baseOffset,
    timestampMs,
  })
  entry.activeAtMs = nowMs
}
