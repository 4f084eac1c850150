import { decodeRecords, errorCodes, readBatchHeader } from '../../protocol/index.ts'

interface Remembered {
  readonly first: number
  readonly count: number
  readonly offset: number
}

export interface ModelAnswer {
  readonly errorCode: number
  readonly baseOffset: number
}

/**
 * What a partition's leader promises to producers, as a model that tests play against: the last five batches of a
 * producer are remembered, an exact repeat gets its old offset, anything else out of line 45, an older epoch 47,
 * a new epoch starts at 0; a producer it knows nothing of may start anywhere (KIP-98, KIP-360).
 */
export class ModelPartition {
  /** The values, in order. */
  readonly log: string[] = []
  readonly #producers = new Map<number, { epoch: number; batches: Remembered[] }>()
  readonly #maxRecords: number

  /** @param maxRecords - larger batches are refused as too large */
  constructor(maxRecords = Infinity) {
    this.#maxRecords = maxRecords
  }

  append(bytes: Buffer): ModelAnswer {
    const { producerId, producerEpoch, baseSequence, recordsCount } = readBatchHeader(bytes)
    if (recordsCount > this.#maxRecords) return refusal(errorCodes.MESSAGE_TOO_LARGE)
    const known = this.#producers.get(producerId)
    if (producerId >= 0) {
      if (known && producerEpoch < known.epoch) return refusal(errorCodes.INVALID_PRODUCER_EPOCH)
      const isSameEpoch = known?.epoch === producerEpoch
      const repeat = isSameEpoch
        ? known.batches.find((one) => one.first === baseSequence && one.count === recordsCount)
        : undefined
      if (repeat) return { errorCode: 0, baseOffset: repeat.offset }
      const last = isSameEpoch ? known.batches.at(-1) : undefined
      const expected = last ? last.first + last.count : 0
      if (known && baseSequence !== expected)
        return refusal(errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER)
      const batches = isSameEpoch ? known.batches : []
      batches.push({ first: baseSequence, count: recordsCount, offset: this.log.length })
      if (batches.length > 5) batches.shift()
      this.#producers.set(producerId, { epoch: producerEpoch, batches })
    }
    const baseOffset = this.log.length
    for (const { value } of decodeRecords(bytes)) this.log.push(String(value))
    return { errorCode: 0, baseOffset }
  }
}

export function refusal(errorCode: number): ModelAnswer {
  return { errorCode, baseOffset: -1 }
}
