import type { Producer, ProducerOptions } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { parseDuration, type Duration } from '../../kit/index.ts'
import type { ProducerSource } from '../clusters/index.ts'

/** Other settings than the configuration's, for some of the messages. */
export interface SendSettings {
  readonly acks?: 'all' | '1' | '0' | 1 | 0
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** From the call to its verdict; the configuration's `producer.deliveryTimeout`. */
  readonly timeout?: Duration
}

export type LaneSettings = ProducerOptions &
  Required<
    Pick<
      ProducerOptions,
      'acks' | 'compression' | 'maxBlockMs' | 'deliveryTimeoutMs' | 'maxMessageBytes'
    >
  >

/** The producers of one set of settings. */
export interface Lane {
  readonly settings: LaneSettings
  readonly direct: Producer
  /** For background delivery: while the brokers are away its messages wait for the delivery timeout, not for maxBlock. */
  readonly patient: () => Producer
}

/**
 * A client's producers, one set for each set of settings that was asked for. All share the client's connections; each
 * has an order of its own.
 */
export class Lanes {
  readonly root: Lane
  readonly #source: ProducerSource
  readonly #lanes = new Map<string, Lane>()
  readonly #opened: Producer[] = []
  #sure: Producer | undefined

  constructor(source: ProducerSource, settings: LaneSettings) {
    this.#source = source
    this.root = this.#lane(settings)
  }

  get opened(): readonly Producer[] {
    return this.#opened
  }

  /** Messages without a verdict. */
  get buffered(): number {
    return this.#opened.reduce((sum, one) => sum + one.buffered.messages, 0)
  }

  /** For what stands in place of a finished message, so that nobody may lose it: acknowledged by all replicas. */
  get sure(): Producer {
    const { settings, direct } = this.root
    if (settings.acks === -1) return direct
    return (this.#sure ??= this.#open({ ...settings, acks: -1 }))
  }

  /** @throws MR_CONFIG_INVALID */
  with({ settings }: Lane, written: SendSettings): Lane {
    const timeoutMs =
      written.timeout === undefined ? settings.deliveryTimeoutMs : parseDuration(written.timeout)
    const compression = written.compression ?? settings.compression
    const faults: string[] = []
    if (timeoutMs === undefined || timeoutMs <= 0)
      faults.push(`with.timeout: ${written.timeout} is not a duration; write 500ms, 30s, 5m`)
    const acks = written.acks === undefined ? settings.acks : acksByName.get(String(written.acks))
    if (acks === undefined) faults.push(`with.acks: ${written.acks} is none of all, 1, 0`)
    if (!compressions.has(compression))
      faults.push(`with.compression: ${compression} is none of ${[...compressions].join(', ')}`)
    for (const key of Object.keys(written))
      if (!settingNames.has(key))
        faults.push(`with.${key}: there is no such setting; acks, compression and timeout are`)
    if (faults.length > 0 || timeoutMs === undefined || acks === undefined)
      throw failure('MR_CONFIG_INVALID', { faults })
    return this.#lane({
      ...settings,
      acks,
      compression,
      deliveryTimeoutMs: timeoutMs,
      maxBlockMs: Math.min(settings.maxBlockMs, timeoutMs),
    })
  }

  #lane(settings: LaneSettings): Lane {
    const key = `${settings.acks} ${settings.compression} ${settings.deliveryTimeoutMs}`
    const known = this.#lanes.get(key)
    if (known !== undefined) return known
    let patient: Producer | undefined
    const lane: Lane = {
      settings,
      direct: this.#open(settings),
      patient: () =>
        (patient ??= this.#open({ ...settings, maxBlockMs: settings.deliveryTimeoutMs })),
    }
    this.#lanes.set(key, lane)
    return lane
  }

  #open(settings: LaneSettings): Producer {
    const producer = this.#source.producer(settings)
    this.#opened.push(producer)
    return producer
  }
}

const settingNames: ReadonlySet<string> = new Set(['acks', 'compression', 'timeout'])
const compressions: ReadonlySet<string> = new Set(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
const acksByName: ReadonlyMap<string, -1 | 0 | 1> = new Map([
  ['all', -1],
  ['1', 1],
  ['0', 0],
])
