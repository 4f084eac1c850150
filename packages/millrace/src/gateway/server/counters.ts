/** Upper bounds of the latency histogram, in seconds. */
export const latencyBounds = [0.0001, 0.001, 0.01, 0.1, 1, 10] as const

interface CommandCount {
  ok: number
  failed: number
  sumSeconds: number
  /** One more than the bounds: the last has no end. */
  readonly buckets: number[]
}

/** What happened since the start, for INFO and /metrics. */
export class Counters {
  readonly commands = new Map<string, CommandCount>()
  connections = 0
  refused = 0
  protocolErrors = 0
  disconnected = 0

  /** @param name - of a known command; unknown ones are counted as one, or a peer could make names without end */
  command(name: string, isOk: boolean, ms: number): void {
    let count = this.commands.get(name)
    if (count === undefined) {
      count = { ok: 0, failed: 0, sumSeconds: 0, buckets: Array.from(latencyBounds, () => 0) }
      count.buckets.push(0)
      this.commands.set(name, count)
    }
    if (isOk) count.ok++
    else count.failed++
    const seconds = ms / 1000
    count.sumSeconds += seconds
    let at = 0
    while (at < latencyBounds.length && seconds > latencyBounds[at]!) at++
    count.buckets[at]!++
  }

  get total(): number {
    let sum = 0
    for (const { ok, failed } of this.commands.values()) sum += ok + failed
    return sum
  }
}
