import type { MillraceError } from '../../errors/index.ts'
import { backoffMs } from '../../kit/index.ts'
import { apis } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import { isRetriable, kafkaFailure } from '../kafka-failure.ts'
import { requestBackoff } from '../retrying.ts'
import { CurrentIdentity } from './identity.ts'

/** The current identity, and how a fresh one is got from the cluster. */
export class ProducerIds extends CurrentIdentity {
  readonly #core: ClientCore
  readonly #random: (() => number) | undefined
  readonly #signal: AbortSignal
  readonly #onEnd: (error?: MillraceError) => void
  #isAsking = false
  #attempts = 0
  #nextMs = 0

  /** @param onEnd - after every attempt; with the error when there will never be an id */
  constructor(
    core: ClientCore,
    random: (() => number) | undefined,
    signal: AbortSignal,
    onEnd: (error?: MillraceError) => void,
  ) {
    super()
    this.#core = core
    this.#random = random
    this.#signal = signal
    this.#onEnd = onEnd
  }

  /** Starts an attempt. Returns when the next may start; Infinity while one is under way. */
  acquire(nowMs: number): number {
    if (this.#isAsking) return Infinity
    if (nowMs < this.#nextMs) return this.#nextMs
    this.#isAsking = true
    void this.#ask()
    return Infinity
  }

  async #ask(): Promise<void> {
    const { connections, clock } = this.#core
    const signal = this.#signal
    let final: MillraceError | undefined
    try {
      const connection = await connections.connect('any', 'data', { signal })
      // -1/-1: nothing is continued. Only transactional ids have a pair that outlives the process (KIP-360).
      const body = { transactionalId: null, producerId: -1, producerEpoch: -1 }
      const answer = await connection.request(apis.initProducerId, body, { signal })
      if (answer.errorCode !== 0) throw kafkaFailure('get a producer id', answer.errorCode)
      this.adopt({ producerId: answer.producerId, epoch: answer.producerEpoch })
      this.#attempts = 0
    } catch (error) {
      if (signal.aborted) return
      const waitMs = backoffMs(requestBackoff, ++this.#attempts, this.#random)
      this.#nextMs = clock.monotonicMs() + waitMs
      if (!isRetriable(error)) final = error as MillraceError
    } finally {
      this.#isAsking = false
    }
    this.#onEnd(final)
  }
}
