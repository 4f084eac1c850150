import { failure } from '../errors/index.ts'
import { parseDuration, parseSize, type Duration, type Size } from '../kit/index.ts'
import type { UserOptions } from './server/users.ts'

/** How the gateway behaves; `start-gateway.ts` adds where it listens and which cluster it serves. */
export interface GatewayOptions {
  /** librdkafka properties for every consumer; `BLPOP topics:t:{json}` overlays them. */
  readonly consumer?: PropertyValues
  /** librdkafka properties of producers. */
  readonly producer?: PropertyValues
  /** Fills gaps in the other two. */
  readonly general?: PropertyValues
  /** RPUSHX answers after the broker's acknowledgement unless a connection says otherwise. Default false. */
  readonly durable?: boolean
  /** Answers unknown commands as the original did, and leaves out all that it lacked. Default false. */
  readonly strict?: boolean
  /** Appends the reason to `Failed to register Consumer ...`. Default false. */
  readonly explainErrors?: boolean
  /** Lets the broker create topics that are produced to. Default false. */
  readonly createTopics?: boolean
  /** None: everybody may do everything. */
  readonly users?: readonly UserOptions[]
  /** Commands a second of a user; 0 is no limit, the default. */
  readonly commandsPerSecond?: number
  /** Default 10,000. */
  readonly maxConnections?: number
  /** Replies that a peer leaves unread before it is disconnected. Default 8 MiB. */
  readonly outputBytes?: Size
  /** Accepted messages that the broker has not acknowledged, of all connections. Default 256 MiB. */
  readonly bufferBytes?: Size
  /** The same for one connection. Default 64 MiB. */
  readonly bufferBytesPerConnection?: Size
  /** A connection without a consumer that sends nothing for so long is closed; 0 is never, the default. */
  readonly idleAfter?: Duration
  /** A command must be whole within this time. Default 60 s. */
  readonly commandWithin?: Duration
  /** Default 8 s. */
  readonly shutdownTimeout?: Duration
  /** Where messages that could not be delivered at the end are written, as NDJSON for `millrace write --file`. Default: nowhere, they are counted. */
  readonly unsentDir?: string
}

export type PropertyValues = Readonly<Record<string, string | number | boolean>>

export interface GatewaySettings {
  readonly consumer: PropertyValues
  readonly producer: PropertyValues
  readonly isDurable: boolean
  readonly isStrict: boolean
  readonly explainsErrors: boolean
  readonly createsTopics: boolean
  readonly users: readonly UserOptions[]
  readonly commandsPerSecond: number
  readonly maxConnections: number
  readonly outputBytes: number
  readonly bufferBytes: number
  readonly bufferBytesPerConnection: number
  readonly idleMs: number
  readonly commandMs: number
  readonly shutdownMs: number
  readonly unsentDir: string | undefined
}

const MiB = 1024 * 1024

/** The options with their defaults. @throws MR_CONFIG_INVALID for sizes and durations that cannot be read */
export function gatewaySettings(options: GatewayOptions): GatewaySettings {
  const { general = {} } = options
  const faults: string[] = []
  const size = (name: string, value: Size): number => {
    const bytes = parseSize(value)
    if (bytes === undefined) faults.push(`gateway.${name}: ${value} is no size`)
    return bytes ?? 0
  }
  const duration = (name: string, value: Duration): number => {
    const ms = parseDuration(value)
    if (ms === undefined) faults.push(`gateway.${name}: ${value} is no duration`)
    return ms ?? 0
  }
  const settings: GatewaySettings = {
    consumer: { ...general, ...options.consumer },
    producer: { ...general, ...options.producer },
    isDurable: options.durable ?? false,
    isStrict: options.strict ?? false,
    explainsErrors: options.explainErrors ?? false,
    createsTopics: options.createTopics ?? false,
    users: options.users ?? [],
    commandsPerSecond: options.commandsPerSecond ?? 0,
    maxConnections: options.maxConnections ?? 10_000,
    outputBytes: size('outputBytes', options.outputBytes ?? 8 * MiB),
    bufferBytes: size('bufferBytes', options.bufferBytes ?? 256 * MiB),
    bufferBytesPerConnection: size(
      'bufferBytesPerConnection',
      options.bufferBytesPerConnection ?? 64 * MiB,
    ),
    idleMs: duration('idleAfter', options.idleAfter ?? 0),
    commandMs: duration('commandWithin', options.commandWithin ?? 60_000),
    shutdownMs: duration('shutdownTimeout', options.shutdownTimeout ?? 8000),
    unsentDir: options.unsentDir,
  }
  if (faults.length > 0) throw failure('MR_CONFIG_INVALID', { faults })
  return settings
}
