import type { Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { openClient, type Client, type ClientOptions } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { deferred, systemClock, type Clock, type Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Figures, GatewayPart } from '../command.ts'
import { openConsumePart } from '../consume/index.ts'
import type { GatewayCore } from '../gateway-core.ts'
import { openProducePart } from '../produce/index.ts'
import { gatewaySettings, type GatewayOptions } from '../settings.ts'
import { openStreamsPart } from '../streams/index.ts'
import { clientCommands } from './client-commands.ts'
import { Connection } from './connection.ts'
import { Counters } from './counters.ts'
import { Dispatcher } from './dispatcher.ts'
import { extensionCommands, originalCommands, type GenericParts } from './generic-commands.ts'
import { startHealth, type HealthServer } from './health.ts'
import type { InfoFacts } from './info.ts'
import { isLoopback, openListeners, type Listening } from './listeners.ts'
import { Monitors } from './monitors.ts'
import { Sessions } from './sessions.ts'
import { SlowLog } from './slow-log.ts'
import { Users } from './users.ts'

export interface StartGatewayOptions extends GatewayOptions {
  /** The cluster: `localhost:9092`. */
  readonly brokers: readonly string[]
  /** How to reach it besides: TLS, timeouts. */
  readonly clientOptions?: Omit<ClientOptions, 'brokers' | 'clientId'>
  /** Default 127.0.0.1. Another address needs users, or `insecure`. */
  readonly host?: string
  /** Default 6380; 0 takes a free one. */
  readonly port?: number
  /** A unix socket to listen on as well. */
  readonly socket?: string
  /** Speaks TLS on the port; with `requestCert` and `ca` clients must have certificates. */
  readonly tls?: TlsOptions
  /** Lets everybody in on an address that others reach. Default false. */
  readonly insecure?: boolean
  /** Binds beside a gateway that runs on the same port, which then ends without a refused connection (Linux). Default false. */
  readonly reusePort?: boolean
  /** Descriptors of sockets that somebody else has bound: systemd's start at 3. Then host and port only say where that is. */
  readonly descriptors?: readonly number[]
  /** Connections begin with a PROXY header (version 1 or 2), which tells their address. Default false. */
  readonly proxyProtocol?: boolean
  /** Answers /healthz, /readyz and /metrics over HTTP there; 0 takes a free port. Default: not at all. */
  readonly healthPort?: number
  /** Further commands: for tests. */
  readonly parts?: readonly GatewayPart[]
  readonly clock?: Clock
}

export interface Gateway extends AsyncDisposable {
  /** `redis://127.0.0.1:6380` */
  readonly url: string
  /** `127.0.0.1:6380` */
  readonly address: string
  readonly port: number
  /** `127.0.0.1:8080`, where there is one. */
  readonly healthAddress: string | undefined
  /** Open now. */
  readonly connections: number
  readonly isDraining: boolean
  figures(): Figures
  /**
   * Tells blocked calls, lets consumers commit and leave, delivers what was accepted, within `shutdownTimeout` or
   * `timeoutMs`. A second call waits for the first. Never rejects.
   * @returns accepted messages that could not be delivered
   */
  stop(options?: { readonly timeoutMs?: number }): Promise<number>
}

const version = '8.0.0'
const sweepMs = 1000
/** How long whoever is refused may take to read why. */
const lastWordMs = 1000
/** Of the time of a stop, what delivering may take at least. */
const flushShare = 0.4

/**
 * Starts a server that any Redis client can talk to, in front of a Kafka cluster.
 *
 * @throws MR_CONFIG_INVALID, MR_GATEWAY_LISTEN, MR_GATEWAY_INSECURE
 * @example
 * await using gateway = await startGateway({ brokers: ['localhost:9092'] })
 * console.log(gateway.url)
 */
export async function startGateway(options: StartGatewayOptions): Promise<Gateway> {
  const { clock = systemClock, host = '127.0.0.1' } = options
  const settings = gatewaySettings(options)
  const users = new Users(settings.users)
  const mustBeOwn = !users.areNeeded && options.insecure !== true
  if (mustBeOwn && !isLoopback(host)) throw failure('MR_GATEWAY_INSECURE', { host })

  const open = (clientId: string): Client =>
    openClient({ ...options.clientOptions, brokers: options.brokers, clientId, clock })
  const client = open('millrace-gateway')
  const byId = new Map<number, Connection>()
  const core: GatewayCore = {
    settings,
    clock,
    client,
    openClient: open,
    get isDraining() {
      return sessions.isDraining
    },
    sessions: byId,
  }
  const parts: GatewayPart[] = []
  const sessions = new Sessions(clock, parts, byId)
  let listening: Listening | undefined
  let health: HealthServer | undefined
  try {
    const produce = openProducePart(core)
    parts.push(produce, openConsumePart(core, produce), openStreamsPart(core, produce))
    parts.push(...(options.parts ?? []))
    const server = new Server({ options, core, parts, sessions, users, produce })
    listening = await openListeners({ ...options, host }, (socket, address) =>
      server.accept(socket, address),
    )
    // A name may stand for any address, and so may a descriptor.
    const reached = listening.bound.find((one) => !isLoopback(one))
    if (mustBeOwn && reached !== undefined) throw failure('MR_GATEWAY_INSECURE', { host: reached })
    server.port = listening.port
    if (options.healthPort !== undefined)
      health = await startHealth({
        port: options.healthPort,
        host,
        isReady: () => !sessions.isDraining && client.metadata.brokers.length > 0,
        counters: server.counters,
        figures: () => server.figures(),
      })
    // The first look at the cluster: until then nobody is ready.
    client.metadata.requestRefresh('start')
    const { partitioner = 'murmur2_random' } = settings.producer
    events.gatewayStarted.publish({
      address: listening.address,
      brokers: options.brokers,
      partitioner: String(partitioner),
    })
    return new RunningGateway({ server, listening, health, client, clock, settings })
  } catch (error) {
    await listening?.close()
    await client.close({ timeoutMs: 0 })
    throw error
  }
}

/** Everything behind the listeners. */
class Server {
  readonly counters = new Counters()
  readonly sessions: Sessions
  readonly parts: readonly GatewayPart[]
  readonly #core: GatewayCore
  readonly #users: Users
  readonly #monitors = new Monitors()
  readonly #slowLog = new SlowLog()
  readonly #dispatcher: Dispatcher
  readonly #startedAtMs: number
  #sweep: Timer | undefined
  #lastId = 0
  port = 0

  constructor(options: {
    readonly options: StartGatewayOptions
    readonly core: GatewayCore
    readonly parts: readonly GatewayPart[]
    readonly sessions: Sessions
    readonly users: Users
    readonly produce: Parameters<typeof clientCommands>[1]
  }) {
    const { core, parts, sessions, users, produce } = options
    this.#core = core
    this.parts = parts
    this.sessions = sessions
    this.#users = users
    this.#startedAtMs = core.clock.now()
    const { isStrict, commandsPerSecond } = core.settings
    const generic: GenericParts = {
      core,
      sessions,
      users,
      monitors: this.#monitors,
      slowLog: this.#slowLog,
      version,
      info: () => this.#info(),
      names: () => [...commands.keys()],
    }
    const extensions = isStrict
      ? []
      : [extensionCommands(generic), ...parts.map((part) => part.extensions ?? {})]
    const all = [originalCommands(generic), ...parts.map((part) => part.commands), ...extensions]
    const commands = new Map(all.flatMap((table) => Object.entries(table)))
    this.#dispatcher = new Dispatcher({
      clock: core.clock,
      isStrict,
      commandsPerSecond,
      commands,
      client: clientCommands(sessions, produce),
      counters: this.counters,
      monitors: this.#monitors,
      slowLog: this.#slowLog,
    })
    this.#planSweep()
  }

  accept(socket: Socket, address: string): void {
    const { settings, clock } = this.#core
    this.counters.connections++
    if (this.sessions.byId.size >= settings.maxConnections) {
      this.counters.refused++
      events.gatewayRefused.publish({ address, reason: 'there are too many connections' })
      socket.on('error', () => undefined)
      socket.end('-ERR max number of clients reached\r\n')
      // It is not waited for its end, or refused connections could be open without a limit.
      clock.after(lastWordMs, () => socket.destroy(), { unref: true })
      return
    }
    const connection = new Connection({
      id: ++this.#lastId,
      socket,
      address,
      user: this.#users.initial,
      isDurable: settings.isDurable,
      host: {
        clock,
        outputBytes: settings.outputBytes,
        dispatch: (command, from) => this.#dispatcher.dispatch(command, from),
        disconnected: (ended, reason) => {
          this.counters.disconnected++
          events.gatewayDisconnected.publish({ client: ended.who, address, reason })
        },
        confused: (ended, { message }) => {
          this.counters.protocolErrors++
          events.gatewayProtocolError.publish({ client: ended.who, address, error: message })
        },
        over: (ended) => {
          this.#monitors.remove(ended)
          this.sessions.over(ended)
          events.gatewayClosed.publish({ client: ended.who, address })
        },
      },
    })
    this.sessions.byId.set(connection.id, connection)
    events.gatewayConnected.publish({ address })
  }

  figures(): Figures {
    const all = [...this.sessions.byId.values()]
    return {
      connections: all.length,
      connections_opened: this.counters.connections,
      connections_refused: this.counters.refused,
      connections_disconnected: this.counters.disconnected,
      protocol_errors: this.counters.protocolErrors,
      blocked_calls: all.filter(({ isBlocked }) => isBlocked).length,
      monitors: this.#monitors.size,
      monitor_dropped_lines: this.#monitors.dropped,
      ...Object.assign({}, ...this.parts.map((part) => part.figures?.() ?? {})),
    }
  }

  stopSweep(): void {
    this.#sweep?.cancel()
  }

  #info(): InfoFacts {
    const { settings, clock, isDraining } = this.#core
    const all = [...this.sessions.byId.values()]
    return {
      version,
      port: this.port,
      startedAtMs: this.#startedAtMs,
      nowMs: clock.now(),
      isDraining,
      connections: all.length,
      maxConnections: settings.maxConnections,
      blocked: all.filter(({ isBlocked }) => isBlocked).length,
      monitors: this.#monitors.size,
      connectionsReceived: this.counters.connections,
      commands: this.counters.total,
      rejected: this.counters.refused,
      figures: this.figures(),
    }
  }

  /** Ends connections whose command never becomes whole, and idle ones. */
  #planSweep(): void {
    const { settings, clock } = this.#core
    this.#sweep = clock.after(
      sweepMs,
      () => {
        const nowMs = clock.now()
        const monotonicMs = clock.monotonicMs()
        for (const one of this.sessions.byId.values()) {
          if (one.insideSinceMs > 0 && monotonicMs - one.insideSinceMs > settings.commandMs)
            one.disconnect('a command did not become whole in time')
          else if (
            settings.idleMs > 0 &&
            !one.isBlocked &&
            !one.isListener &&
            one.name === undefined &&
            nowMs - one.lastCommandAtMs > settings.idleMs
          )
            one.disconnect('idle')
        }
        this.#planSweep()
      },
      { unref: true },
    )
  }
}

interface RunningParts {
  readonly server: Server
  readonly listening: Listening
  readonly health: HealthServer | undefined
  readonly client: Client
  readonly clock: Clock
  readonly settings: GatewayCore['settings']
}

class RunningGateway implements Gateway {
  readonly url: string
  readonly address: string
  readonly port: number
  readonly healthAddress: string | undefined
  readonly #parts: RunningParts
  #stopped: Promise<number> | undefined

  constructor(parts: RunningParts) {
    this.#parts = parts
    const { listening, health } = parts
    this.address = listening.address
    this.url = listening.url
    this.port = listening.port
    this.healthAddress = health?.address
  }

  get connections(): number {
    return this.#parts.server.sessions.byId.size
  }

  get isDraining(): boolean {
    return this.#parts.server.sessions.isDraining
  }

  figures(): Figures {
    return this.#parts.server.figures()
  }

  stop({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<number> {
    return (this.#stopped ??= this.#stop(timeoutMs ?? this.#parts.settings.shutdownMs))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #stop(timeoutMs: number): Promise<number> {
    const { server, listening, health, client, clock } = this.#parts
    const { sessions, parts } = server
    const startMs = clock.monotonicMs()
    const deadlineMs = startMs + timeoutMs
    events.gatewayStopping.publish({ address: this.address, connections: this.connections })
    sessions.isDraining = true
    for (const one of sessions.byId.values()) if (one.wantsNotify) one.push(['millrace', 'drain'])
    // Whoever is in the queue of the kernel still gets an answer, if only that of a shutdown.
    const consumersMs = timeoutMs * (1 - flushShare)
    const drains = parts.map((part) => told('drain', part.drain?.()))
    await bounded(clock, Promise.all(drains), consumersMs)
    await listening.close()
    for (const one of sessions.byId.values()) one.closeAfterReplies()
    await bounded(
      clock,
      Promise.all(sessions.ending),
      Math.max(0, consumersMs - (clock.monotonicMs() - startMs)),
    )
    for (const part of parts) await told('stop', part.stop?.(deadlineMs))
    // Replies that came with it leave first.
    await new Promise((resolve) => setImmediate(resolve))
    for (const one of sessions.byId.values()) one.disconnect('the gateway has ended')
    server.stopSweep()
    await health?.close()
    await client.close({ timeoutMs: Math.max(0, deadlineMs - clock.monotonicMs()) })
    const unflushed = Number(this.figures()['produce_unflushed_messages'] ?? 0)
    const durationMs = clock.monotonicMs() - startMs
    events.gatewayStopped.publish({ address: this.address, durationMs, unflushed })
    return unflushed
  }
}

async function bounded(clock: Clock, work: Promise<unknown>, ms: number): Promise<void> {
  const over = deferred()
  const timer = clock.after(ms, () => over.resolve())
  try {
    await Promise.race([work, over.promise])
  } finally {
    timer.cancel()
  }
}

/** What a part does at the end; a failure is told and holds up nothing. */
async function told(command: string, work: Promise<void> | undefined): Promise<void> {
  try {
    await work
  } catch (error) {
    events.gatewayDefect.publish({ command, client: '', error })
  }
}
