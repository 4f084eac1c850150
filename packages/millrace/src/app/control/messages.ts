/** What is asked over a worker's control socket: one line of JSON each way, one question a connection. */
export type ControlRequest =
  | { readonly do: 'status' | 'dump' | 'quiet' | 'reload' }
  | { readonly do: 'stop'; readonly isForced?: boolean }

export interface ControlAnswer {
  readonly ok: boolean
  readonly error?: string
  /** The document of `status` and `dump`. */
  readonly document?: WorkerStatus
}

export interface WorkerStatus {
  /** `price_drops:1`, or `worker` for one without a name. */
  readonly name: string
  readonly pid: number
  readonly state: string
  /** When it entered this state, and when it started: ISO 8601. */
  readonly since: string
  readonly started: string
  readonly clientId: string
  readonly memoryBytes: number
  /** How often its parent has started it again; 0 without one. */
  readonly restarts: number
  readonly healthAddress?: string
  readonly isLive: boolean
  readonly isReady: boolean
  readonly reasons: readonly string[]
  readonly alarms: readonly string[]
  readonly groups: readonly {
    readonly group: string
    readonly groupId: string
    readonly cluster: string
    readonly state: string
  }[]
  readonly partitions: readonly PartitionRow[]
  readonly lastError?: { readonly at: string; readonly text: string }
  /** Only in a dump. */
  readonly internals?: WorkerInternals
}

export interface PartitionRow {
  readonly group: string
  readonly consumer: string
  readonly topic: string
  readonly partition: number
  readonly state: string
  /** Of a pause or a block. */
  readonly reason?: string
  readonly position: number
  readonly lag: number
  /** As the brokers know it, once they were asked. */
  readonly brokerLag?: number
  readonly failingFor?: string
  readonly jobs: readonly string[]
  /** Of a consumer with several at once. */
  readonly lanes?: { readonly busy: number; readonly size: number }
}

export interface WorkerInternals {
  readonly uptimeSeconds: number
  readonly memory: Readonly<Record<string, number>>
  /** The longest time that the event loop was blocked lately. */
  readonly loopDelayMs: number
  readonly slots: { readonly size: number; readonly taken: number }
  /** Messages of background delivery without a verdict. */
  readonly queued: number
  /** What keeps the process open, by kind. */
  readonly handles: Readonly<Record<string, number>>
}

/** @returns undefined for what is no request */
export function parseRequest(line: string): ControlRequest | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { do: what, isForced } = parsed as { readonly do?: unknown; readonly isForced?: unknown }
  switch (what) {
    case 'status':
    case 'dump':
    case 'quiet':
    case 'reload':
      return { do: what }
    case 'stop':
      return { do: what, isForced: isForced === true }
    default:
      return undefined
  }
}
