import { hostname } from 'node:os'

import type { Dial } from '../../client/index.ts'
import { parseDuration, systemClock, type Duration } from '../../kit/index.ts'
import type { MillraceConfig } from '../config/define-config.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import type { Logger, Runnable } from '../ports.ts'
import { openAppClients, producerOf } from '../produce/open-producer.ts'

/** A relay that runs beside a web application. */
export interface StartedRelay extends AsyncDisposable {
  /** Waits for what is being sent. @param options.timeout - default `'10s'` */
  stop(options?: { readonly timeout?: Duration }): Promise<void>
  readonly health: Runnable['health']
}

export interface StartRelayOptions {
  /** How connections are made; for tests. Default TCP or TLS, as the configuration says. */
  readonly dial?: Dial
}

/**
 * Runs a relay in a process without a worker, over connections of its own. Several processes may do so: each shard has
 * one sender at a time.
 *
 * @throws MR_CONFIG_INVALID
 */
export async function startRelay(
  relay: Runnable,
  config: MillraceConfig,
  options: StartRelayOptions = {},
): Promise<StartedRelay> {
  const resolved = resolveConfig(config, { env: process.env })
  const clock = systemClock
  const clients = openAppClients(resolved, clock, options)
  const producer = producerOf(resolved, clients, clock)
  await relay.start({
    signal: new AbortController().signal,
    producer,
    clients,
    clock,
    log: silent,
    workerName: `${hostname()}-${process.pid}`,
    wireName: resolved.wireName,
  })
  let stopping: Promise<void> | undefined
  const stop = async (timeoutMs: number): Promise<void> => {
    await relay.stop({ timeoutMs })
    await producer.close({ timeout: 0 })
    await clients.close({ timeoutMs: 0 })
  }
  return {
    stop: ({ timeout = '10s' } = {}) => (stopping ??= stop(parseDuration(timeout) ?? 10_000)),
    health: () => relay.health(),
    [Symbol.asyncDispose]: () => (stopping ??= stop(10_000)),
  }
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }
