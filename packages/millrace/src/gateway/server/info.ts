import type { Figures } from '../command.ts'

/** What INFO tells. */
export interface InfoFacts {
  readonly version: string
  readonly port: number
  readonly startedAtMs: number
  readonly nowMs: number
  readonly isDraining: boolean
  readonly connections: number
  readonly maxConnections: number
  readonly blocked: number
  readonly monitors: number
  readonly connectionsReceived: number
  readonly commands: number
  readonly rejected: number
  readonly figures: Figures
}

/** Sections in Redis's form: `role:master`, `loading:0` are what clients look at before they are ready. */
export function infoText(facts: InfoFacts, asked: readonly string[]): string {
  const uptime = Math.floor((facts.nowMs - facts.startedAtMs) / 1000)
  const figures = Object.entries(facts.figures).flatMap(([name, value]) =>
    typeof value === 'number' ? [[name, value] as const] : [],
  )
  const sections: Readonly<Record<string, readonly (readonly [string, string | number])[]>> = {
    Server: [
      ['redis_version', facts.version],
      ['redis_mode', 'standalone'],
      ['process_id', process.pid],
      ['tcp_port', facts.port],
      ['uptime_in_seconds', uptime],
      ['uptime_in_days', Math.floor(uptime / 86_400)],
    ],
    Clients: [
      ['connected_clients', facts.connections],
      ['maxclients', facts.maxConnections],
      ['blocked_clients', facts.blocked],
      ['monitor_clients', facts.monitors],
    ],
    Memory: [['used_memory', process.memoryUsage.rss()]],
    Persistence: [
      ['loading', 0],
      ['async_loading', 0],
    ],
    Stats: [
      ['total_connections_received', facts.connectionsReceived],
      ['total_commands_processed', facts.commands],
      ['rejected_connections', facts.rejected],
    ],
    Replication: [
      ['role', 'master'],
      ['connected_slaves', 0],
    ],
    Cluster: [['cluster_enabled', 0]],
    Millrace: [['draining', facts.isDraining ? 1 : 0], ...figures],
  }
  const wanted = new Set(asked.map((name) => name.toLowerCase()))
  const all = wanted.size === 0 || ['all', 'default', 'everything'].some((one) => wanted.has(one))
  return Object.entries(sections)
    .filter(([name]) => all || wanted.has(name.toLowerCase()))
    .map(([name, rows]) => `# ${name}\r\n${rows.map((row) => `${row.join(':')}\r\n`).join('')}`)
    .join('\r\n')
}
