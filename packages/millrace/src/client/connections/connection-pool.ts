import { failure, MillraceError } from '../../errors/index.ts'
import { backoffMs, sleep, orAbort } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { formatAddress, type BrokerAddress } from './address.ts'
import { Connection, type ConnectionSettings } from './connection.ts'
import { dialSocket, type Dial } from './dial.ts'

/**
 * The connections of a client: at most one per broker and purpose.
 *
 * Kafka works on one request of a connection at a time, so what may wait on purpose must not stand before what
 * may not: each reader fetches over its own, each group has its own to its coordinator, all else shares `data`.
 *
 * - Connections are keyed by address, so that the bootstrap connection becomes the broker's own once Metadata
 *   has told which node lives there.
 * - Concurrent calls share one attempt. Failed attempts back off per address, 50 ms doubled to 10 s.
 * - `any` takes what is open, then the known brokers, then the bootstrap list: when all brokers have moved
 *   away, the client starts over by itself.
 */

export type Purpose = 'data' | `fetch:${string}` | `group:${string}`

export interface PoolSettings extends ConnectionSettings {
  /** Its name in events. */
  readonly cluster: string
  readonly connectTimeoutMs: number
  /** Longest wait between attempts. Default 10 s. */
  readonly reconnectMs?: number | undefined
  /** Default: sockets. */
  readonly dial?: Dial | undefined
  /** 0 up to 1; tests take the chance out of the back-off. */
  readonly random?: (() => number) | undefined
}

interface Trouble {
  failures: number
  untilMs: number
}

const firstWaitMs = 50

export class ConnectionPool {
  readonly #bootstrap: readonly BrokerAddress[]
  readonly #settings: PoolSettings
  readonly #closing = new AbortController()
  readonly #brokers = new Map<number, BrokerAddress>()
  readonly #open = new Map<string, Connection>()
  readonly #attempts = new Map<string, Promise<Connection>>()
  readonly #troubles = new Map<string, Trouble>()
  #unreachableSinceMs: number | undefined
  #turn = 0

  constructor(bootstrap: readonly BrokerAddress[], settings: PoolSettings) {
    this.#bootstrap = bootstrap
    this.#settings = settings
  }

  /** Every broker of the newest Metadata answer; those not named are forgotten. */
  setBrokers(brokers: readonly BrokerAddress[]): void {
    this.#brokers.clear()
    for (const broker of brokers) this.#brokers.set(broker.nodeId, broker)
  }

  /** One more broker, as a coordinator or leader hint names it. */
  learn(broker: BrokerAddress): void {
    this.#brokers.set(broker.nodeId, broker)
  }

  /** Back to the bootstrap list (REBOOTSTRAP_REQUIRED, KIP-1102). */
  forgetBrokers(): void {
    this.#brokers.clear()
  }

  broker(nodeId: number): BrokerAddress | undefined {
    return this.#brokers.get(nodeId)
  }

  /** The open connection, if there is one: for hot paths that must not wait. */
  peek(nodeId: number, purpose: Purpose): Connection | undefined {
    const address = this.#brokers.get(nodeId)
    return address && this.#openAt(address, purpose)
  }

  /**
   * A connection that is ready for requests.
   * @param nodeId - `'any'` for a question that every broker can answer
   * @throws retriable: MR_CONNECTION_FAILED, MR_CONNECTION_LOST, MR_CLUSTER_UNREACHABLE; else MR_CONNECTION_WRONG_PEER, MR_CLIENT_CLOSED
   */
  async connect(
    nodeId: number | 'any',
    purpose: Purpose,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Connection> {
    if (this.#closing.signal.aborted) throw failure('MR_CLIENT_CLOSED', { what: 'connect' })
    const { signal } = options
    signal?.throwIfAborted()
    if (nodeId === 'any') return orAbort(this.#connectAny(), signal)
    const address = this.#brokers.get(nodeId)
    if (address === undefined) {
      throw failure('MR_CONNECTION_FAILED', {
        address: `node ${nodeId}`,
        reason: 'the cluster does not name this broker any more',
      })
    }
    const open = this.#openAt(address, purpose)
    if (open) return open
    const attempt = this.#attempt(address, purpose)
    try {
      return await orAbort(attempt, signal)
    } catch (error) {
      // All but `data` have one user; when it has left nobody would ever close what opens now.
      if (signal?.aborted === true && purpose !== 'data')
        void attempt.then(
          (late) => late.close('nobody waits for it'),
          () => undefined,
        )
      throw error
    }
  }

  /** For how long every known broker has been away; undefined while one answers, or none was needed yet. */
  get unreachableMs(): number | undefined {
    const sinceMs = this.#unreachableSinceMs
    return sinceMs === undefined ? undefined : this.#settings.clock.monotonicMs() - sinceMs
  }

  /** Ends all connections and attempts. Idempotent. */
  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(failure('MR_CLIENT_CLOSED', { what: 'connect' }))
    for (const connection of this.#open.values()) connection.close()
  }

  #openAt(address: BrokerAddress, purpose: Purpose): Connection | undefined {
    return this.#open.get(keyOf(address, purpose))
  }

  async #connectAny(): Promise<Connection> {
    const candidates = this.#candidates()
    let leastLoaded: Connection | undefined
    for (const address of candidates) {
      const open = this.#openAt(address, 'data')
      if (open && (!leastLoaded || open.waiting < leastLoaded.waiting)) leastLoaded = open
    }
    if (leastLoaded) return leastLoaded

    const reasons: Error[] = []
    for (const address of candidates) {
      try {
        return await this.#attempt(address, 'data')
      } catch (error) {
        if (this.#closing.signal.aborted) throw error
        reasons.push(error as Error)
      }
    }
    const addresses = candidates.map(formatAddress)
    const reason = reasons.map((one) => one.message).join('; ')
    if (this.#unreachableSinceMs === undefined) {
      this.#unreachableSinceMs = this.#settings.clock.monotonicMs()
      const { clientId, cluster } = this.#settings
      events.clusterUnreachable.publish({ clientId, cluster, addresses, reason })
    }
    // A wrong port is worth an end at once, but only when no other address may still come up.
    const stranger = reasons.find((one) => one instanceof MillraceError && !one.retriable)
    if (stranger && reasons.every((one) => one instanceof MillraceError && !one.retriable))
      throw stranger
    const cause = reasons.length === 1 ? reasons[0] : new AggregateError(reasons)
    throw failure('MR_CLUSTER_UNREACHABLE', { addresses, reason }, { cause })
  }

  /** Known brokers from a different one each time, then the bootstrap list; who is in back-off comes last. */
  #candidates(): readonly BrokerAddress[] {
    const known = [...this.#brokers.values()]
    const start = known.length === 0 ? 0 : this.#turn++ % known.length
    const order = [...known.slice(start), ...known.slice(0, start), ...this.#bootstrap]
    const byName = new Map<string, BrokerAddress>()
    for (const address of order) {
      const name = formatAddress(address)
      if (!byName.has(name)) byName.set(name, address)
    }
    const untilMs = (address: BrokerAddress): number =>
      this.#troubles.get(formatAddress(address))?.untilMs ?? 0
    return [...byName.values()].toSorted((left, right) => untilMs(left) - untilMs(right))
  }

  #attempt(address: BrokerAddress, purpose: Purpose): Promise<Connection> {
    const key = keyOf(address, purpose)
    const running = this.#attempts.get(key)
    if (running) return running
    const attempt = this.#dial(address, purpose).finally(() => this.#attempts.delete(key))
    this.#attempts.set(key, attempt)
    // Every waiter may have gone (abort); the failure then is the back-off's alone.
    attempt.catch(() => undefined)
    return attempt
  }

  async #dial(address: BrokerAddress, purpose: Purpose): Promise<Connection> {
    const { clock, connectTimeoutMs, tls, dial = dialSocket } = this.#settings
    const { signal } = this.#closing
    const name = formatAddress(address)
    const trouble = this.#troubles.get(name)
    if (trouble && trouble.untilMs > clock.monotonicMs())
      await sleep(clock, trouble.untilMs - clock.monotonicMs(), signal)
    try {
      const options = { tls, connectTimeoutMs, clock }
      const stream = await dial(address, options, signal).catch(dialFailure(address))
      const connection = await Connection.negotiate(stream, address, purpose, {
        ...this.#settings,
        signal,
      })
      this.#register(connection, purpose)
      return connection
    } catch (error) {
      const failures = (this.#troubles.get(name)?.failures ?? 0) + 1
      const { reconnectMs = 10_000, random } = this.#settings
      const backoff = {
        firstMs: Math.min(firstWaitMs, reconnectMs),
        maxMs: reconnectMs,
        jitter: 0.2,
      }
      const waitMs = backoffMs(backoff, failures, random)
      this.#troubles.set(name, { failures, untilMs: clock.monotonicMs() + waitMs })
      throw error
    }
  }

  #register(connection: Connection, purpose: Purpose): void {
    const { signal } = this.#closing
    if (signal.aborted) {
      connection.close()
      throw signal.reason as Error
    }
    const { address } = connection
    const key = keyOf(address, purpose)
    this.#troubles.delete(formatAddress(address))
    this.#open.set(key, connection)
    connection.onClose(() => {
      if (this.#open.get(key) === connection) this.#open.delete(key)
    })
    if (this.#unreachableSinceMs === undefined) return
    const { clientId, cluster, clock } = this.#settings
    const unreachableMs = clock.monotonicMs() - this.#unreachableSinceMs
    this.#unreachableSinceMs = undefined
    const broker = formatAddress(address)
    const node = address.nodeId
    events.clusterReachable.publish({ clientId, cluster, broker, node, unreachableMs })
  }
}

/** A port that was given from outside may fail with whatever its system says; to us that is a broker away. */
function dialFailure(address: BrokerAddress): (error: unknown) => never {
  return (error) => {
    if (error instanceof MillraceError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    const context = { address: formatAddress(address), reason }
    throw failure('MR_CONNECTION_FAILED', context, { cause: error })
  }
}

function keyOf(address: BrokerAddress, purpose: Purpose): string {
  return `${formatAddress(address)} ${purpose}`
}
