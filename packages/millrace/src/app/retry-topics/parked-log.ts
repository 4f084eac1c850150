import type { ParkedRecord } from './parked-view.ts'

/** A record of the parked topic as it lies there. */
export interface ParkedEntry {
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** How the parked topic is followed; one feed for a partition while something here consumes it. */
export interface ParkedLog {
  follow(topic: string, partition: number): ParkedFeed
}

export interface ParkedFeed {
  /** What has come since the last call, in order. */
  take(): readonly ParkedEntry[]
  /** Everything that lay in the partition when the feed was opened, or at the last `refresh`, has been taken. */
  readonly isLoaded: boolean
  /** Looks again where the partition ends. */
  refresh(): void
  /** Every record below this offset has been taken. */
  readonly position: number
  close(): void
}

export function encodeParked(record: ParkedRecord): string {
  const { key, tier, dueMs } = record
  return JSON.stringify({ key, tier, dueMs })
}

/** Undefined for what is no record of ours: it says nothing about any message. */
export function decodeParked({
  key,
  value,
}: ParkedEntry):
  | { readonly source: number; readonly record: ParkedRecord | undefined }
  | undefined {
  const source = key === null || key.length === 0 ? Number.NaN : Number(key.toString())
  if (!Number.isSafeInteger(source)) return undefined
  if (value === null) return { source, record: undefined }
  try {
    const written = JSON.parse(value.toString()) as Partial<ParkedRecord> | null
    if (
      typeof written?.key !== 'string' ||
      typeof written.tier !== 'number' ||
      typeof written.dueMs !== 'number'
    )
      return undefined
    return { source, record: { key: written.key, tier: written.tier, dueMs: written.dueMs } }
  } catch {
    return undefined
  }
}

/** In memory, for tests: what is appended is there at once for whoever follows. */
export class MemoryParkedLog implements ParkedLog {
  readonly #entries = new Map<string, ParkedEntry[]>()

  append(topic: string, partition: number, key: Buffer | null, value: Buffer | null): number {
    const entries = this.#entriesOf(topic, partition)
    entries.push({ offset: entries.length, key, value })
    return entries.length - 1
  }

  follow(topic: string, partition: number): ParkedFeed {
    const entries = this.#entriesOf(topic, partition)
    let end = entries.length
    let position = 0
    return {
      take() {
        const taken = entries.slice(position)
        position = entries.length
        return taken
      },
      get isLoaded() {
        return position >= end
      },
      get position() {
        return position
      },
      refresh() {
        end = entries.length
      },
      close() {},
    }
  }

  #entriesOf(topic: string, partition: number): ParkedEntry[] {
    const at = `${topic}/${partition}`
    const known = this.#entries.get(at) ?? []
    this.#entries.set(at, known)
    return known
  }
}
