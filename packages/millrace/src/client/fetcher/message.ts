/**
 * A message as it was fetched. Key, value and header values are slices of the batch they came in:
 * copy what is kept for long, or the whole batch stays in memory.
 */
export interface ClientMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Epoch milliseconds; -1 when the producer gave none. */
  readonly timestamp: number
  /** Whose clock: the producer's, or the broker's when it appended (`message.timestamp.type`). */
  readonly timestampType: 'create' | 'append'
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** In order, repeats kept. */
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[]
  /** When the answer that held it arrived, epoch milliseconds of the client's clock. */
  readonly receivedAt: number
  /** -1 when the broker did not say. */
  readonly leaderEpoch: number
}
