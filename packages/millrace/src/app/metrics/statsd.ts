import { Counter, Distribution, Gauge } from './cells.ts'
import type { MetricRow } from './define-metric.ts'
import type { Family } from './recorder.ts'

export type StatsdFlavour = 'statsd' | 'dogstatsd'

export interface StatsdRules {
  readonly flavour: StatsdFlavour
  readonly prefix: string
  /** `name:value`, behind every line; DogStatsD only. */
  readonly tags: readonly string[]
}

/** The values of a distribution since the last flush; each target of a flush is given the same. */
export type Samples = (cell: Distribution) => {
  readonly values: readonly number[]
  readonly rate: number
}

/** Datagrams of this size pass every network that is not broken (RFC 791, and what Datadog's clients take). */
const mostBytes = 1432

/**
 * Lines for a StatsD server, from what has changed since the last call: counters as differences, gauges as they are,
 * timers and sizes as single values.
 *
 * DogStatsD has labels as tags. StatsD has none, so that their values stand in the name, in the order of the labels:
 * `millrace.consumer.process.shop.shop_accounts.users.users.0`.
 */
export class StatsdLines {
  readonly #rules: StatsdRules
  readonly #sent = new WeakMap<Counter, number>()

  constructor(rules: StatsdRules) {
    this.#rules = rules
  }

  take(families: readonly Family[], samples: Samples): readonly string[] {
    const lines: string[] = []
    for (const { row, cells } of families)
      for (const { values, cell } of cells.values()) {
        const name = this.#nameOf(row, values)
        const tags = this.#tagsOf(row, values)
        if (cell instanceof Counter) {
          const rise = cell.total - (this.#sent.get(cell) ?? 0)
          this.#sent.set(cell, cell.total)
          if (rise > 0) lines.push(`${name}:${number(rise)}|c${tags}`)
        } else if (cell instanceof Gauge) {
          // A sign would make it a change of the gauge.
          lines.push(`${name}:${number(Math.max(0, cell.value))}|g${tags}`)
        } else if (cell instanceof Distribution) {
          const { values: kept, rate } = samples(cell)
          const share = rate < 1 ? `|@${number(rate)}` : ''
          for (const value of kept)
            lines.push(`${name}:${number(value)}|${this.#kindOf(row)}${share}${tags}`)
        }
      }
    return lines
  }

  /** StatsD proper knows one kind of distribution, and calls it a time. */
  #kindOf({ type }: MetricRow): string {
    return type === 'timer' || this.#rules.flavour === 'statsd' ? 'ms' : 'h'
  }

  #nameOf({ name }: MetricRow, values: readonly string[]): string {
    const { prefix, flavour } = this.#rules
    const words = flavour === 'statsd' ? values.map(word) : []
    return [prefix, name, ...words].filter((one) => one !== '').join('.')
  }

  #tagsOf({ labels }: MetricRow, values: readonly string[]): string {
    const { flavour, tags } = this.#rules
    if (flavour === 'statsd') return ''
    const own = labels.map((label, at) => `${label}:${tagValue(values[at] ?? '')}`)
    const all = [...own, ...tags]
    return all.length === 0 ? '' : `|#${all.join(',')}`
  }
}

/** As few datagrams as the lines fit into. */
export function datagrams(lines: readonly string[]): readonly string[] {
  const packets: string[] = []
  let packet = ''
  for (const line of lines) {
    const isFull = Buffer.byteLength(packet) + 1 + Buffer.byteLength(line) > mostBytes
    if (packet !== '' && isFull) {
      packets.push(packet)
      packet = ''
    }
    packet = packet === '' ? line : `${packet}\n${line}`
  }
  if (packet !== '') packets.push(packet)
  return packets
}

function number(value: number): string {
  return String(Number(value.toFixed(3)))
}

/** One word of a name: without what means something to StatsD or to Graphite. */
function word(text: string): string {
  return text === '' ? 'none' : text.replaceAll(/[^\w-]/g, '_')
}

function tagValue(text: string): string {
  return text.replaceAll(/[,|#\n]/g, '_')
}
