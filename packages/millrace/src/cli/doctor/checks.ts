import { open, readFile, rm, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { MillraceError } from '../../errors/index.ts'
import { formatSize } from '../../kit/index.ts'
import { dataFolderName, findRunningDev } from '../dev/address-file.ts'
import { findConfig, loadConfig } from '../load-config.ts'
import { counted } from '../text.ts'
import type { Check, CheckResult } from './check.ts'

const lowDiskBytes = 1024 ** 3
const slowSyncMs = 50
const answerMs = 5000

const nodeVersion: Check = {
  name: 'node',
  about: 'Node is new enough',
  run() {
    const [major = 0] = process.versions.node.split('.').map(Number)
    return Promise.resolve(
      major >= 24
        ? { status: 'ok', detail: `Node ${process.versions.node}` }
        : {
            status: 'fail',
            detail: `Node ${process.versions.node}`,
            fix: 'install Node 24 or newer',
          },
    )
  },
}

const configuration: Check = {
  name: 'configuration',
  about: 'the configuration file loads',
  async run({ folder }) {
    if ((await findConfig(folder)) === undefined)
      return { status: 'skipped', detail: 'no millrace.config.ts in this folder' }
    return loadConfig({ folder }).then(
      ({ path }): CheckResult => ({ status: 'ok', detail: path }),
      failed,
    )
  },
}

const disk: Check = {
  name: 'disk',
  about: 'there is room for the data',
  async run({ folder }) {
    const { bavail, bsize } = await statfs(folder)
    const free = bavail * bsize
    const detail = `${formatSize(free)} free`
    if (free >= lowDiskBytes) return { status: 'ok', detail }
    return {
      status: 'fail',
      detail,
      fix: 'free some space, or keep the data elsewhere with --data',
    }
  },
}

const syncLatency: Check = {
  name: 'sync',
  about: 'a data sync is fast',
  async run({ folder }) {
    const ms = await syncMs(folder)
    const detail = `${ms.toFixed(1)} ms`
    return ms < slowSyncMs
      ? { status: 'ok', detail }
      : { status: 'warn', detail, fix: 'keep the data on a local disk' }
  },
}

const port: Check = {
  name: 'port',
  about: 'the port of the embedded broker can be had',
  async run({ folder }) {
    const running = await findRunningDev(folder)
    if (running !== undefined) return { status: 'ok', detail: `millrace dev answers on ${running}` }
    return (await isFree(9092))
      ? { status: 'ok', detail: '9092 is free' }
      : {
          status: 'warn',
          detail: '9092 is taken',
          fix: 'millrace dev moves to the next free port; --port names one',
        }
  },
}

const brokers: Check = {
  name: 'brokers',
  about: 'the cluster answers',
  async run({ cluster }) {
    try {
      const { admin, brokers: addresses, origin } = await cluster()
      const described = await admin.describeCluster({ timeoutMs: answerMs })
      return {
        status: 'ok',
        detail: `${addresses.join(', ')} (${origin}): cluster ${described.clusterId}, ${counted(described.brokers.length, 'broker')}`,
      }
    } catch (error) {
      return {
        ...failed(error),
        fix: 'start one with `millrace dev`, or name another with --brokers',
      }
    }
  },
}

const dataFolder: Check = {
  name: 'data',
  about: 'the data folder of this application is sound',
  async run({ folder }) {
    const path = join(folder, dataFolderName, 'data', 'cluster.json')
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) return { status: 'skipped', detail: 'no data yet' }
    JSON.parse(text)
    return { status: 'ok', detail: path }
  },
}

/** In the order in which a person would look. */
export const checks: readonly Check[] = [
  nodeVersion,
  configuration,
  disk,
  syncLatency,
  dataFolder,
  port,
  brokers,
]

function failed(error: unknown): CheckResult {
  if (error instanceof MillraceError)
    return { status: 'fail', detail: error.message, fix: error.hint }
  return { status: 'fail', detail: String(error) }
}

async function syncMs(folder: string): Promise<number> {
  const path = join(folder, `.millrace-sync-${process.pid}`)
  const file = await open(path, 'w')
  try {
    await file.write(Buffer.alloc(4096))
    const startMs = performance.now()
    await file.datasync()
    return performance.now() - startMs
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}

function isFree(number: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(number, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
