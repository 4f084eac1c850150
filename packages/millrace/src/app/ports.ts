import type { Clock } from '../kit/index.ts'
import type { Clients } from './clusters/index.ts'
import type { AppProducer } from './produce/app-producer.ts'

/**
 * What the application framework needs from a client, and no more. The real client satisfies these by shape;
 * `testing/drive-consumer` has the memory implementations.
 */

export type Header = readonly [name: string, value: Buffer | null]

/** A message as the fetcher hands it over: bytes and coordinates. */
export interface SourceMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Epoch milliseconds. */
  readonly timestamp: number
  readonly timestampType: 'create' | 'append'
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
  readonly receivedAt: number
}

/** Where a seek goes; times are epoch milliseconds. */
export type SeekTarget = number | 'earliest' | 'latest' | { readonly timestampMs: number }

/** One tenure of one partition: from assignment to revocation. */
export interface SourcePartition {
  readonly topic: string
  readonly partition: number
  /** False once the tenure has ended; it never becomes true again. */
  readonly isOwned: boolean
  /** Next offset to hand over; -1 until it is known. */
  readonly position: number
  readonly committed: { readonly offset: number; readonly metadata: string } | null
  /** Messages between the position and the readable end; -1 until it is known. */
  readonly lag: number
  take(max: number): readonly SourceMessage[]
  available(signal?: AbortSignal): Promise<void>
  pause(): void
  resume(): void
  seek(to: SeekTarget): Promise<void>
}

export interface EncodedMessage {
  readonly topic: string
  readonly partition?: number
  readonly key?: Buffer | string | null
  readonly value: Buffer | string | null
  readonly headers?: readonly (readonly [string, Buffer | string | null])[]
  readonly timestamp?: number
  /** Default: the cluster of its topic. */
  readonly cluster?: string
}

export interface Sent {
  readonly topic: string
  readonly partition: number
  /** -1 when the producer does not wait for acknowledgements. */
  readonly offset: number
  readonly timestamp: number
}

/** Sends bytes; resolves once acknowledged. */
export interface SendPort {
  send(message: EncodedMessage): Promise<Sent>
}

export interface Logger {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** What a runnable gets of the worker it runs in. */
export interface RunnableContext {
  /** Aborts when the worker begins to stop before `start` has resolved. */
  readonly signal: AbortSignal
  readonly producer: AppProducer
  /** A client for each cluster; closed by the worker, after the runnables have stopped. */
  readonly clients: Clients
  readonly clock: Clock
  readonly log: Logger
  /** Names the process, as in dead letters. */
  readonly workerName: string
  /** A declared topic's name on the wire. */
  readonly wireName: (topic: string) => string
}

/** What runs beside consumers (`defineApp({ runnables })`) and is started, stopped and watched with them. */
export interface Runnable {
  readonly name: string
  start(context: RunnableContext): Promise<void>
  stop(options: { readonly timeoutMs: number }): Promise<void>
  health(): {
    readonly isLive: boolean
    readonly isReady: boolean
    readonly reasons: readonly string[]
  }
}

export type { Clock }
