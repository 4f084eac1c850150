import { failure } from '../errors/index.ts'
import { systemClock, type Clock } from '../kit/index.ts'
import { openAdmin, type Admin } from './admin/index.ts'
import { assign, type AssignmentOptions, type DirectAssignment } from './assignment/index.ts'
import type { ClientCore } from './client-core.ts'
import { ConnectionPool, parseAddress, type Dial, type TlsOptions } from './connections/index.ts'
import { joinGroup, type GroupMember, type GroupOptions } from './group/index.ts'
import { MetadataCache } from './metadata/index.ts'
import { openReader, type Reader, type ReaderOptions } from './reader/index.ts'
import { openProducer, type Producer, type ProducerOptions } from './producer/index.ts'

export interface ClientOptions {
  /** Where to start: `localhost:9092`; the rest of the cluster is learnt from there. */
  readonly brokers: readonly string[]
  /** Names this client in the brokers' logs and quotas. Default `millrace`. */
  readonly clientId?: string
  /** What log lines call the cluster. Default `main`. */
  readonly cluster?: string
  readonly clock?: Clock
  /** Default 30 s: a request not answered by then closes its connection. */
  readonly requestTimeoutMs?: number
  /** Default 10 s. */
  readonly connectTimeoutMs?: number
  /** Longest wait between attempts to reach a broker that is away; default 10 s, the first are shorter. */
  readonly reconnectMs?: number
  /** Bound of every call that retries by itself; default 60 s. */
  readonly apiTimeoutMs?: number
  readonly tls?: TlsOptions
  /**
   * False: a process whose work is done may end although connections are open. What was sent and waits for its answer
   * still holds it. For producers alone: readers and groups also wait without a request. Default true.
   */
  readonly holdsProcess?: boolean
  /** For tests: what opens a byte stream to a broker. Default: sockets. */
  readonly dial?: Dial
  /** For tests: chance, 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
}

export interface Client extends ClientCore, AsyncDisposable {
  readonly admin: Admin
  /** Opens a producer; it is closed with the client at the latest. */
  producer(options?: ProducerOptions): Producer
  /** Joins a consumer group; the member is closed with the client at the latest. @throws MR_GROUP_OPTIONS_INVALID */
  joinGroup(options: GroupOptions): GroupMember
  /** Takes partitions by number, without a group that spreads them; closed with the client at the latest. @throws MR_ASSIGNMENT_INVALID */
  assign(options: AssignmentOptions): DirectAssignment
  /** Reads partitions without a group; the reader is closed with the client at the latest. */
  reader(options: ReaderOptions): Reader
  /** Producers, members and readers that are open. */
  readonly opened: number
  /**
   * Closes what was opened from this client, then its connections. Idempotent.
   * @param options.timeoutMs - bound of the whole; default 30 s
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

const softwareVersion = '0.1.0'
const closeMs = 30_000

/**
 * A client of a Kafka cluster. Returns at once; connections open when something needs them.
 * @throws MR_CLIENT_ADDRESS_INVALID
 */
export function openClient(options: ClientOptions): Client {
  const { clientId = 'millrace', clock = systemClock } = options
  const requestTimeoutMs = options.requestTimeoutMs ?? 30_000
  const apiTimeoutMs = options.apiTimeoutMs ?? 60_000
  const bootstrap = options.brokers.map(parseAddress)
  if (bootstrap.length === 0) throw failure('MR_CLIENT_ADDRESS_INVALID', { address: '(none)' })
  const connections = new ConnectionPool(bootstrap, {
    clientId,
    cluster: options.cluster ?? 'main',
    softwareVersion,
    clock,
    requestTimeoutMs,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    reconnectMs: options.reconnectMs ?? 10_000,
    tls: options.tls,
    holdsProcess: options.holdsProcess,
    dial: options.dial,
    random: options.random,
  })
  const metadata = new MetadataCache(connections, { clientId, clock, apiTimeoutMs })
  const core: ClientCore = {
    clientId,
    clock,
    apiTimeoutMs,
    requestTimeoutMs,
    connections,
    metadata,
  }
  const opened = new Set<Closable>()
  const own = <T extends Closable>(open: (onClosed: () => void) => T): T => {
    const part = open(() => void opened.delete(part))
    opened.add(part)
    return part
  }
  let closing: Promise<void> | undefined
  const close = (closeOptions?: { readonly timeoutMs?: number }): Promise<void> =>
    (closing ??= closeAll(core, opened, closeOptions))
  return {
    ...core,
    admin: openAdmin(core),
    producer(producerOptions) {
      if (closing) throw failure('MR_CLIENT_CLOSED', { what: 'producer' })
      return own((onClosed) => openProducer(core, producerOptions, onClosed, options.random))
    },
    joinGroup(groupOptions) {
      if (closing) throw failure('MR_CLIENT_CLOSED', { what: 'joinGroup' })
      return own((onClosed) => joinGroup(core, groupOptions, onClosed))
    },
    assign(assignmentOptions) {
      if (closing) throw failure('MR_CLIENT_CLOSED', { what: 'assign' })
      return own((onClosed) => assign(core, assignmentOptions, onClosed))
    },
    reader(readerOptions) {
      if (closing) throw failure('MR_CLIENT_CLOSED', { what: 'reader' })
      return own((onClosed) => openReader(core, readerOptions, onClosed))
    },
    get opened() {
      return opened.size
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}

/** What the client closes before its connections. */
interface Closable {
  close(options?: { readonly timeoutMs?: number }): Promise<void>
}

async function closeAll(
  { connections, metadata }: ClientCore,
  opened: ReadonlySet<Closable>,
  { timeoutMs = closeMs }: { readonly timeoutMs?: number } = {},
): Promise<void> {
  // One that fails must not keep the others, or the connections, from an orderly end.
  const ends = await Promise.allSettled(Array.from(opened, (part) => part.close({ timeoutMs })))
  metadata.close()
  connections.close()
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
