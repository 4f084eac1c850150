import { failure } from '../../errors/index.ts'
import type { AppProducer } from './app-producer.ts'

/**
 * The producer of this process: web code, scripts and responders share one. Opened at its first use from the
 * configuration that was defined, or put here by `openProducer` and `startWorker`.
 */
let current: AppProducer | undefined
let opener: (() => AppProducer) | undefined

export function rememberOpener(open: () => AppProducer): void {
  opener = open
}

/** @throws MR_APP_NO_CONFIG */
export function currentProducer(): AppProducer {
  if (current !== undefined) return current
  if (opener === undefined) throw failure('MR_APP_NO_CONFIG', {})
  current = opener()
  return current
}

/** Most bytes of a message in this process, before there is a producer too. */
export function currentMessageLimit(): number {
  return current?.maxMessageBytes ?? 1_000_012
}

export function setCurrentProducer(producer: AppProducer): void {
  current = producer
}

/** A closed producer is not current any more; another one stays. */
export function forgetProducer(producer: AppProducer): void {
  if (current === producer) current = undefined
}
