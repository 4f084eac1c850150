import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

import type { Clock, Timer } from '../../kit/index.ts'
import type { Distribution } from './cells.ts'
import type { Recorder } from './recorder.ts'
import { datagrams, StatsdLines, type Samples, type StatsdRules } from './statsd.ts'

export interface StatsdTarget extends StatsdRules {
  readonly host: string
  readonly port: number
}

interface Target {
  readonly given: StatsdTarget
  readonly lines: StatsdLines
  readonly socket: Socket
}

/**
 * Sends what was counted to StatsD servers, each interval and once more when a target ends. It is UDP: a server that
 * is away is not noticed, and costs nothing.
 */
export class StatsdSender {
  readonly #recorder: Recorder
  readonly #targets = new Set<Target>()
  readonly #clock: Clock
  readonly #intervalMs: number
  #timer: Timer | undefined

  constructor(recorder: Recorder, intervalMs: number, clock: Clock) {
    this.#recorder = recorder
    this.#intervalMs = intervalMs
    this.#clock = clock
  }

  /** Returns what sends the rest and ends it. A target that is there already is not told twice. */
  add(given: StatsdTarget): () => Promise<void> {
    const isKnown = [...this.#targets].some(
      (one) => one.given.host === given.host && one.given.port === given.port,
    )
    if (isKnown) return () => this.flush()
    this.#recorder.keepSamples()
    const socket = createSocket(isIPv6(given.host) ? 'udp6' : 'udp4')
    // A name that cannot be resolved, a port where nobody listens: metrics are not worth an error.
    socket.on('error', () => undefined)
    socket.unref()
    const target: Target = { given, lines: new StatsdLines(given), socket }
    this.#targets.add(target)
    this.#arm()
    return async () => {
      await this.flush()
      this.#targets.delete(target)
      if (this.#targets.size === 0) this.#timer?.cancel()
      await new Promise<void>((resolve) => socket.close(() => resolve()))
    }
  }

  async flush(): Promise<void> {
    const families = this.#recorder.families()
    const taken = new Map<Distribution, ReturnType<Samples>>()
    const samples: Samples = (cell) => {
      const known = taken.get(cell) ?? cell.takeSamples()
      taken.set(cell, known)
      return known
    }
    await Promise.all(
      [...this.#targets].flatMap(({ given: { host, port }, lines, socket }) =>
        datagrams(lines.take(families, samples)).map(
          (packet) =>
            new Promise<void>((resolve) => socket.send(packet, port, host, () => resolve())),
        ),
      ),
    )
  }

  #arm(): void {
    this.#timer?.cancel()
    const fire = (): void => {
      void this.flush()
      this.#arm()
    }
    this.#timer = this.#clock.after(this.#intervalMs, fire, { unref: true })
  }
}
