import type { Responses } from '../context/context.ts'
import type { Outcome } from '../outcome.ts'
import type { Sent } from '../ports.ts'
import type { WireError } from './wire-error.ts'

/** A message as it crosses: its bytes are copies of their own, and handed over. */
export interface WireMessage {
  /** As declared: the thread finds its topic by it. */
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly timestampType: 'create' | 'append'
  readonly receivedAt: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [string, Uint8Array | null])[]
}

export interface WireJob {
  readonly mode: 'each' | 'batch'
  readonly consumer: string
  readonly group: string
  readonly attempt: number
  readonly batch: {
    readonly createdAt: number
    readonly scheduledAt: number
    readonly startedAt: number
  }
  readonly messages: readonly WireMessage[]
}

/** What a call of the thread asks the worker to do in the name of its job. */
export type WireCall =
  | {
      readonly name: 'send'
      readonly topic: string
      readonly message: {
        readonly key: Uint8Array | string | null
        readonly value: Uint8Array | string | null
        readonly headers?: readonly (readonly [string, Uint8Array | string | null])[]
        readonly partition?: number
        readonly timestamp?: number
      }
    }
  | { readonly name: 'respondWith'; readonly data: unknown }

export type WireAnswer =
  | { readonly sent: Sent }
  | { readonly responses: Responses }
  | { readonly error: WireError }

export type ToThread =
  | { readonly kind: 'run'; readonly job: number; readonly work: WireJob }
  | { readonly kind: 'abort'; readonly job: number; readonly isTimeout: boolean }
  | { readonly kind: 'answer'; readonly call: number; readonly answer: WireAnswer }

export type WireOutcome =
  | Exclude<Outcome, { readonly kind: 'failed' }>
  | {
      readonly kind: 'failed'
      readonly failures: readonly { readonly offset: number; readonly error: WireError }[]
    }

export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unloadable'; readonly error: WireError }
  | { readonly kind: 'done'; readonly job: number; readonly outcome: WireOutcome | undefined }
  | { readonly kind: 'failed'; readonly job: number; readonly error: WireError }
  | { readonly kind: 'call'; readonly job: number; readonly call: number; readonly ask: WireCall }
  | {
      readonly kind: 'log'
      readonly job: number
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly fields: object
      readonly text: string
    }

export interface ThreadData {
  readonly module: string
  /** Two numbers, 0 or 1, that a loop without awaits can read: `stopping`, `aborted`. */
  readonly flags: SharedArrayBuffer
}

export const stoppingFlag = 0
export const abortedFlag = 1
