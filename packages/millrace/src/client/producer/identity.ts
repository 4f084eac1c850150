/** Under which a partition's sequence numbers count. Compared by reference: one object per pair. */
export interface Identity {
  readonly producerId: number
  readonly epoch: number
}

/** Brokers never hand this one out; before it a fresh producer id is needed. */
const lastEpoch = 32_767

/** Undefined when the epochs of this producer id are used up. */
export function nextEpoch({ producerId, epoch }: Identity): Identity | undefined {
  return epoch + 1 >= lastEpoch ? undefined : { producerId, epoch: epoch + 1 }
}

/**
 * The producer's current (id, epoch). Partitions adopt it when nothing of theirs is unanswered, so several
 * pairs may be in use at a time, each in its own partitions (as the Java client since KIP-360).
 * Undefined means: ask the cluster for one (InitProducerId).
 */
export class CurrentIdentity {
  #current: Identity | undefined

  get current(): Identity | undefined {
    return this.#current
  }

  /** What InitProducerId answered. */
  adopt(identity: Identity): void {
    this.#current = identity
  }

  /** The next epoch after `from`. Nothing to do when another partition has moved on from it already. */
  raise(from: Identity): void {
    if (this.#current === from) this.#current = nextEpoch(from)
  }

  /** `from` was refused for good: a fresh producer id must come. */
  renew(from: Identity): void {
    if (this.#current === from) this.#current = undefined
  }
}
