import {
  BatchBuilder,
  decodeRecords,
  stampProducer,
  type Compression,
  type NewRecord,
} from '../../protocol/index.ts'
import type { Identity } from './identity.ts'
import type { Receipt } from './receipt.ts'

const sequences = 0x8000_0000

/** Sequence numbers run from 0 to 2^31-1 and then from 0 again. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % sequences
}

/**
 * Messages of one partition that go together. Open it takes messages; closed it is bytes.
 * `order` is the number of messages before it in its partition's whole life: batches are kept sorted by it.
 */
export class Batch {
  readonly topic: string
  readonly partition: number
  readonly order: number
  readonly createdMs: number
  readonly deadlineMs: number
  readonly receipts: Receipt[] = []
  attempts = 0
  /** Of the newest attempt. */
  sentMs = 0
  /** An attempt had no answer, or one that leaves it open: the messages may be in the log. */
  isUnsure = false
  isSettled = false
  /** Why the newest attempt failed; empty before. */
  lastFailure = ''
  /** The broker found it too large; to be cut in two once it stands alone. */
  mustSplit = false
  identity: Identity | undefined
  baseSequence = -1
  #builder: BatchBuilder | undefined = new BatchBuilder()
  #closed: Buffer | undefined
  #sizeInBytes = 0

  constructor(
    topic: string,
    partition: number,
    order: number,
    createdMs: number,
    deadlineMs: number,
  ) {
    this.topic = topic
    this.partition = partition
    this.order = order
    this.createdMs = createdMs
    this.deadlineMs = deadlineMs
  }

  get count(): number {
    return this.receipts.length
  }

  /** Uncompressed: what it takes in memory. */
  get sizeInBytes(): number {
    return this.#builder?.sizeInBytes ?? this.#sizeInBytes
  }

  get records(): Buffer | undefined {
    return this.#closed
  }

  /** Bytes that the record would add. */
  estimate(record: NewRecord): number {
    return this.#builder?.estimate(record) ?? 0
  }

  append(record: NewRecord, receipt: Receipt): void {
    this.#builder?.append(record)
    this.receipts.push(receipt)
  }

  /** Gives the batch its place under an identity; a closed batch is stamped anew. */
  number(identity: Identity, baseSequence: number): void {
    this.identity = identity
    this.baseSequence = baseSequence
    if (!this.#closed) return
    const { producerId, epoch } = identity
    stampProducer(this.#closed, { producerId, producerEpoch: epoch, baseSequence })
  }

  /** Compresses and seals. Nothing can be appended afterwards. */
  close(compression: Compression): void {
    const builder = this.#builder
    if (!builder) return
    this.#sizeInBytes = builder.sizeInBytes
    this.#closed = builder.build({
      compression,
      producerId: this.identity?.producerId ?? -1,
      producerEpoch: this.identity?.epoch ?? -1,
      baseSequence: this.baseSequence,
    })
    this.#builder = undefined
  }

  /** Two halves with the same messages, numbers and order; this one is not used any more. */
  split(compression: Compression): readonly [Batch, Batch] {
    const middle = this.count >> 1
    const records = decodeRecords(this.#closed ?? Buffer.alloc(0))
    const half = (from: number, to: number): Batch => {
      const { topic, partition, order, createdMs, deadlineMs } = this
      const batch = new Batch(topic, partition, order + from, createdMs, deadlineMs)
      batch.attempts = this.attempts
      batch.isUnsure = this.isUnsure
      for (let at = from; at < to; at++) {
        const record = records[at]
        const receipt = this.receipts[at]
        if (record && receipt) batch.append(record, receipt)
      }
      if (this.identity) batch.number(this.identity, sequenceAfter(this.baseSequence, from))
      batch.close(compression)
      return batch
    }
    return [half(0, middle), half(middle, this.count)]
  }
}
