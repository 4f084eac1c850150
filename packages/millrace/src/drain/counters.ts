import type { DrainRecord, ReadLine } from './record.ts'
import type { BodyReader } from './body.ts'
import type { Sender } from './sender.ts'

/** What the drain has seen of one source since it started. */
export interface SourceCounts {
  readonly bodies: number
  readonly bytes: number
  readonly frames: number
  readonly routerLines: number
  readonly otherLines: number
  /** Stretches of bytes that were no frame. */
  readonly unreadable: number
  /** Bodies that had been taken before. */
  readonly duplicates: number
  readonly resyncs: number
  readonly countMismatches: number
  readonly badTimes: number
  readonly ambiguous: number
  readonly incomplete: number
  /** Lines that the sender says it lost before they reached us. */
  readonly upstreamLost: number
  /** H-codes of router lines. */
  readonly codes: Readonly<Record<string, number>>
}

/** The last occurrence of something that should not happen. */
export interface CounterExample {
  readonly atMs: number
  readonly source: string
  /** At most the first 200 bytes. */
  readonly text: string
}

export interface DrainCounts {
  readonly answers: Readonly<Record<string, number>>
  readonly sources: Readonly<Record<string, SourceCounts>>
  readonly total: SourceCounts
  readonly examples: Readonly<Record<string, CounterExample>>
}

type Numbers = { -readonly [K in Exclude<keyof SourceCounts, 'codes'>]: number } & {
  codes: Record<string, number>
}

const mostSources = 1000
const mostExampleBytes = 200

const nothing = (): Numbers => ({
  bodies: 0,
  bytes: 0,
  frames: 0,
  routerLines: 0,
  otherLines: 0,
  unreadable: 0,
  duplicates: 0,
  resyncs: 0,
  countMismatches: 0,
  badTimes: 0,
  ambiguous: 0,
  incomplete: 0,
  upstreamLost: 0,
  codes: {},
})

/** Counts by source (drain token); sources beyond the first thousand share `:other`. */
export class DrainCounters {
  readonly #answers: Record<string, number> = {}
  readonly #sources = new Map<string, Numbers>()
  readonly #examples: Record<string, CounterExample> = {}

  answered(status: number): void {
    this.#answers[status] = (this.#answers[status] ?? 0) + 1
  }

  duplicate(sender: Sender): void {
    this.#of(sender).duplicates++
  }

  body(sender: Sender, bytes: number, reader: BodyReader, nowMs: number): void {
    const counts = this.#of(sender)
    const source = sourceName(sender)
    counts.bodies++
    counts.bytes += bytes
    counts.frames += reader.frames
    counts.resyncs += reader.resyncs
    counts.upstreamLost += sender.dropped
    if (sender.messageCount !== null && sender.messageCount !== reader.frames) {
      counts.countMismatches++
      this.#example(
        'countMismatches',
        source,
        nowMs,
        `${sender.messageCount} announced, ${reader.frames} found`,
      )
    }
    for (const { index, read } of reader.lines) {
      if (index < 0) counts.upstreamLost += read.lost ?? 0
      this.#line(counts, read, source, nowMs)
    }
  }

  snapshot(): DrainCounts {
    const total = nothing()
    const sources: Record<string, SourceCounts> = {}
    for (const [name, counts] of this.#sources) {
      sources[name] = { ...counts, codes: { ...counts.codes } }
      for (const key of Object.keys(total) as (keyof Numbers)[]) {
        if (key === 'codes') continue
        total[key] += counts[key]
      }
      for (const [code, count] of Object.entries(counts.codes)) {
        total.codes[code] = (total.codes[code] ?? 0) + count
      }
    }
    return { answers: { ...this.#answers }, sources, total, examples: { ...this.#examples } }
  }

  #line(counts: Numbers, read: ReadLine, source: string, nowMs: number): void {
    if (read.topic === 'unreadable') {
      counts.unreadable++
      this.#example('unreadable', source, nowMs, read.value)
      return
    }
    if (read.isTimeBad) counts.badTimes++
    if (read.topic === 'logs') {
      counts.otherLines++
      return
    }
    counts.routerLines++
    if (read.isAmbiguous) {
      counts.ambiguous++
      this.#example('ambiguous', source, nowMs, messageOf(read))
    }
    if (read.isIncomplete) {
      counts.incomplete++
      this.#example('incomplete', source, nowMs, messageOf(read))
    }
    if (read.code !== null && /^H\d\d$/.test(read.code)) {
      counts.codes[read.code] = (counts.codes[read.code] ?? 0) + 1
    }
  }

  #example(name: string, source: string, atMs: number, text: string | Buffer): void {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    this.#examples[name] = { atMs, source, text: bytes.subarray(0, mostExampleBytes).toString() }
  }

  #of(sender: Sender): Numbers {
    const name = sourceName(sender)
    const known = this.#sources.get(name)
    if (known) return known
    const key = this.#sources.size < mostSources ? name : ':other'
    const counts = this.#sources.get(key) ?? nothing()
    this.#sources.set(key, counts)
    return counts
  }
}

/** The line itself; rare enough to be read back from its record. */
function messageOf({ value }: ReadLine): string {
  return (JSON.parse(String(value)) as DrainRecord).msg
}

/** The token where there is one, else the kind of sender. */
export function sourceName(sender: Sender): string {
  return sender.token ?? sender.kind
}
