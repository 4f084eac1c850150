import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { failure } from '../../errors/index.ts'
import type { Figures } from '../command.ts'
import { latencyBounds, type Counters } from './counters.ts'

export interface HealthServer {
  /** `127.0.0.1:8080` */
  readonly address: string
  close(): Promise<void>
}

/** `/healthz`: the process answers. `/readyz`: it takes new clients and has seen a broker. `/metrics`: Prometheus. */
export async function startHealth(options: {
  readonly host: string
  readonly port: number
  readonly isReady: () => boolean
  readonly counters: Counters
  readonly figures: () => Figures
}): Promise<HealthServer> {
  const { host, port, isReady, counters, figures } = options
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '/').split('?')
    const say = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
    }
    if (path === '/healthz') say(200, 'live\n')
    else if (path === '/readyz') say(isReady() ? 200 : 503, isReady() ? 'ready\n' : 'not ready\n')
    else if (path === '/metrics')
      say(200, metricsText(counters, figures()), 'text/plain; version=0.0.4; charset=utf-8')
    else say(404, 'there are /healthz, /readyz and /metrics\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        failure(
          'MR_GATEWAY_LISTEN',
          { address: `${host}:${port}`, reason: error.message },
          { cause: error },
        ),
      ),
    )
    server.listen({ host, port }, resolve)
  })
  const address = `${host}:${(server.address() as AddressInfo).port}`
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** In Prometheus' text format. Label values are names of commands, topics and groups. */
export function metricsText(counters: Counters, figures: Figures): string {
  const lines: string[] = []
  lines.push('# TYPE millrace_gateway_commands_total counter')
  for (const [name, { ok, failed }] of counters.commands) {
    const command = name.toLowerCase()
    lines.push(`millrace_gateway_commands_total{command="${command}",result="ok"} ${ok}`)
    lines.push(`millrace_gateway_commands_total{command="${command}",result="error"} ${failed}`)
  }
  lines.push('# TYPE millrace_gateway_command_seconds histogram')
  for (const [name, { buckets, sumSeconds, ok, failed }] of counters.commands) {
    const command = name.toLowerCase()
    let sum = 0
    for (const [at, count] of buckets.entries()) {
      sum += count
      const le = latencyBounds[at] ?? '+Inf'
      lines.push(`millrace_gateway_command_seconds_bucket{command="${command}",le="${le}"} ${sum}`)
    }
    lines.push(`millrace_gateway_command_seconds_sum{command="${command}"} ${sumSeconds}`)
    lines.push(`millrace_gateway_command_seconds_count{command="${command}"} ${ok + failed}`)
  }
  for (const [name, value] of Object.entries(figures)) {
    lines.push(`# TYPE millrace_gateway_${name} gauge`)
    if (typeof value === 'number') lines.push(`millrace_gateway_${name} ${value}`)
    else
      for (const row of value)
        lines.push(`millrace_gateway_${name}${labelsText(row.labels)} ${row.value}`)
  }
  return `${lines.join('\n')}\n`
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const safe = value
      .replaceAll('\\', '\\\\')
      .replaceAll('"', String.raw`\"`)
      .replaceAll('\n', String.raw`\n`)
    return `${name}="${safe}"`
  })
  return `{${pairs.join(',')}}`
}
