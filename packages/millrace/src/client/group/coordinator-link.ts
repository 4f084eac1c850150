import type { AnyApi, RequestInput, ResponseOf } from '../../protocol/index.ts'
import type { ClientCore } from '../client-core.ts'
import type { Connection, RequestOptions } from '../connections/index.ts'

let links = 0

/**
 * A member's own connection to its group's coordinator. Nothing else may stand before a heartbeat or
 * a commit there, and no other member of this client shares it.
 */
export class CoordinatorLink {
  readonly #core: ClientCore
  readonly #groupId: string
  readonly #signal: AbortSignal
  readonly #purpose: `group:${string}`
  #connection: Connection | undefined

  constructor(core: ClientCore, groupId: string, signal: AbortSignal) {
    this.#core = core
    this.#groupId = groupId
    this.#signal = signal
    this.#purpose = `group:${groupId}#${++links}`
  }

  /** @throws retriable: no coordinator was found, or its answer did not come */
  async request<A extends AnyApi>(
    api: A,
    body: RequestInput<A>,
    options: RequestOptions,
  ): Promise<ResponseOf<A>> {
    const signal = options.signal ?? this.#signal
    const node = await this.#core.metadata.coordinatorOf(this.#groupId, { signal })
    const connection =
      this.#core.connections.peek(node, this.#purpose) ??
      (await this.#core.connections.connect(node, this.#purpose, { signal }))
    this.#connection = connection
    return connection.request(api, body, { ...options, signal })
  }

  /** Ends the connection, with what waits on it. The next request opens another. */
  hangUp(reason: string): void {
    this.#connection?.close(reason)
    this.#connection = undefined
  }

  /** The coordinator has moved or does not answer: find it anew. */
  lookUp(): void {
    this.#core.metadata.forgetCoordinator(this.#groupId)
    this.hangUp('the coordinator is looked up again')
  }
}
