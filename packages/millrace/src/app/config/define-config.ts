import type { TlsOptions } from '../../client/index.ts'
import type { Duration, Size } from '../../kit/index.ts'
import type { ClusterOptions } from '../clusters/index.ts'
import type { AppDefinition } from '../define-app.ts'
import type { EncodedMessage } from '../ports.ts'
import { rememberOpener } from '../produce/current-producer.ts'
import { openProducer } from '../produce/open-producer.ts'
import { rememberConfig } from './current-config.ts'

/** The boot file. Every setting also has an environment variable or a flag where `appOptions` names one. */
export interface MillraceConfig {
  readonly brokers?: readonly string[] | string
  readonly clientId?: string
  readonly app?: AppDefinition
  readonly createTopics?: boolean
  readonly declared?: 'off' | 'warn' | 'require'
  readonly strictNames?: boolean
  readonly instanceId?: string
  readonly session?: Duration
  readonly heartbeat?: Duration
  readonly rebalance?: { readonly drain?: Duration }
  readonly fetch?: {
    readonly maxBytes?: Size
    readonly perPartition?: Size
    readonly buffered?: Size
    readonly minBytes?: Size
    readonly maxWait?: Duration
  }
  readonly connection?: {
    readonly timeout?: Duration
    readonly requestTimeout?: Duration
    readonly reconnect?: Duration
  }
  readonly worker?: {
    readonly concurrency?: number
    readonly startTimeout?: Duration
    readonly shutdownTimeout?: Duration
  }
  readonly producer?: {
    readonly acks?: 'all' | '1' | '0' | 1 | 0
    readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
    readonly linger?: Duration
    readonly buffer?: Size
    readonly maxBlock?: Duration
    readonly deliveryTimeout?: Duration
    readonly maxMessageBytes?: Size
    readonly ids?: boolean
    readonly deliveryThreshold?: number
    readonly deliveryInterval?: Duration
    readonly queueLimit?: number
    /** Messages of background delivery that were given up, one by one. */
    readonly onUndelivered?: (message: EncodedMessage, error: unknown) => void
  }
  readonly patterns?: { readonly interval?: Duration }
  /** For `millrace worker --processes`. */
  readonly swarm?: {
    readonly reportEvery?: Duration
    readonly lookEvery?: Duration
    readonly silentAfter?: Duration
    readonly restartAfter?: Duration
    readonly crashLimit?: number
    readonly memoryLimit?: Size
  }
  /** `GET /healthz` and `/readyz`. */
  readonly health?: {
    readonly port?: number
    readonly host?: string
    readonly stalledAfter?: Duration
    readonly stuckAfter?: Duration
    readonly lagInterval?: Duration
  }
  /** Spans of OpenTelemetry around sends and handlers. */
  readonly tracing?: boolean
  readonly metrics?: {
    /** Count although nobody is told, for `renderMetrics`. */
    readonly collect?: boolean
    readonly prefix?: string
    readonly prometheus?: { readonly port?: number; readonly host?: string }
    readonly statsd?: { readonly host?: string; readonly port?: number }
    readonly dogstatsd?: { readonly host?: string; readonly port?: number }
    /** Behind every DogStatsD line: `region:north`. */
    readonly tags?: readonly string[]
    /** Between two tellings of StatsD. */
    readonly interval?: Duration
  }
  /** `file: true` writes `log/<NODE_ENV>.log` beside what is on the terminal. */
  readonly log?: { readonly level?: string; readonly file?: string | boolean }
  readonly tls?: TlsOptions
  /** Further clusters, named by `defineTopic(name, { cluster })`. `brokers` and `tls` above are the cluster `main`. */
  readonly clusters?: Readonly<Record<string, ClusterOptions>>
  /** Kafka's group id. Default `<clientId>_<group>`. */
  readonly groupId?: (clientId: string, group: string) => string
  /** A declared topic's name on the wire. Default the same. */
  readonly topicName?: (name: string) => string
  /** The way back, for patterns: undefined for a topic that is not this application's. */
  readonly declaredName?: (wireName: string) => string | undefined
}

/**
 * The application's configuration, checked when something is started from it. Responders and `currentProducer` of
 * this process use it from then on.
 */
export function defineConfig<const C extends MillraceConfig>(config: C): C {
  rememberConfig(config)
  rememberOpener(() => openProducer(config))
  return config
}
