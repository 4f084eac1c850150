import { orAbort, type Clock } from '../../kit/index.ts'
import { apis } from '../../protocol/index.ts'
import type { ConnectionPool } from '../connections/index.ts'
import { kafkaFailure } from '../kafka-failure.ts'
import { retrying } from '../retrying.ts'

export interface FindOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: the client's apiTimeoutMs. */
  readonly timeoutMs?: number | undefined
}

const groupKey = 0

/** Which broker coordinates a group; remembered until somebody learns that it is wrong. */
export class Coordinators {
  readonly #pool: ConnectionPool
  readonly #clock: Clock
  readonly #apiTimeoutMs: number
  readonly #nodes = new Map<string, number>()
  readonly #searches = new Map<string, Promise<number>>()

  constructor(pool: ConnectionPool, clock: Clock, apiTimeoutMs: number) {
    this.#pool = pool
    this.#clock = clock
    this.#apiTimeoutMs = apiTimeoutMs
  }

  /**
   * @throws MR_CLIENT_TIMEOUT, or MR_KAFKA_ERROR for what does not pass (no right to see the group, bad id)
   */
  async find(groupId: string, options: FindOptions = {}): Promise<number> {
    const known = this.#nodes.get(groupId)
    if (known !== undefined) return known
    const timeoutMs = options.timeoutMs ?? this.#apiTimeoutMs
    const retry = { clock: this.#clock, timeoutMs, signal: options.signal }
    return retrying({ what: `find the coordinator of group ${groupId}`, ...retry }, (signal) =>
      orAbort(this.#search(groupId), signal),
    )
  }

  /** After 14, 15, 16 or a lost connection: the next `find` asks again. */
  forget(groupId: string): void {
    this.#nodes.delete(groupId)
  }

  /** Shared, so nobody's signal ends it: a member that leaves must not fail the others. */
  #search(groupId: string): Promise<number> {
    const running = this.#searches.get(groupId)
    if (running) return running
    const search = this.#ask(groupId).finally(() => this.#searches.delete(groupId))
    this.#searches.set(groupId, search)
    // Everybody may have left by the time it fails.
    search.catch(() => undefined)
    return search
  }

  async #ask(groupId: string): Promise<number> {
    const connection = await this.#pool.connect('any', 'data')
    const answer = await connection.request(
      apis.findCoordinator,
      // From v4 on several keys in one request (KIP-699); each version encodes the form it has.
      { key: groupId, keyType: groupKey, coordinatorKeys: [groupId] },
    )
    const found = answer.coordinators[0] ?? answer
    if (found.errorCode !== 0) {
      const what = `find the coordinator of group ${groupId}`
      throw kafkaFailure(what, found.errorCode, found.errorMessage)
    }
    const { nodeId, host, port } = found
    if (!this.#pool.broker(nodeId)) this.#pool.learn({ nodeId, host, port, rack: null })
    this.#nodes.set(groupId, nodeId)
    return nodeId
  }
}
