import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'

import { Redis } from 'ioredis'

/** The hashes that readers of 2016 look at, added up. */
export interface View2016 {
  readonly rawPaths: number
  /** Lines by path without its query. */
  readonly paths: ReadonlyMap<string, number>
  readonly statuses: Readonly<Record<string, number>>
  readonly service: { readonly sum: number; readonly count: number }
  readonly connect: { readonly sum: number; readonly count: number }
}

/** Reads `routes`, `<digest>::service`, `::connect` and `::statuses`, and checks digests and averages on the way. */
export async function readView2016(url: string): Promise<View2016> {
  const redis = new Redis(url)
  try {
    const routes = await redis.hgetall('routes')
    const paths = new Map<string, number>()
    const statuses: Record<string, number> = {}
    const service = { sum: 0, count: 0 }
    const connect = { sum: 0, count: 0 }
    for (const [path, digest] of Object.entries(routes)) {
      assert.equal(digest, createHash('sha256').update(path).digest('hex'), path)
      for (const [name, total] of [
        ['service', service],
        ['connect', connect],
      ] as const) {
        const timing = await redis.hgetall(`${digest}::${name}`)
        const sum = Number(timing['sum'])
        const count = Number(timing['count'])
        assert.equal(Number(timing['average']), sum / count, `${path} ${name}`)
        total.sum += sum
        total.count += count
      }
      let lines = 0
      for (const [status, n] of Object.entries(await redis.hgetall(`${digest}::statuses`))) {
        statuses[status] = (statuses[status] ?? 0) + Number(n)
        lines += Number(n)
      }
      const [plain = ''] = path.split('?')
      paths.set(plain, (paths.get(plain) ?? 0) + lines)
    }
    return { rawPaths: Object.keys(routes).length, paths, statuses, service, connect }
  } finally {
    redis.disconnect()
  }
}
