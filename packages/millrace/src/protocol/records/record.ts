/** A header's name may repeat, and its order counts. */
export type Header = readonly [name: string, value: Buffer | null]

/** One record as it stands in a batch. Key and value are slices of the batch, or of its inflated body. */
export interface WireRecord {
  readonly offset: number
  /** Epoch milliseconds; the batch's append time when that attribute is set; -1: none. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
}

/** What a producer hands over. Text is encoded as UTF-8, straight into the batch. */
export interface NewRecord {
  readonly key: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: readonly (readonly [string, Buffer | string | null])[]
  readonly timestamp: number
}
