import { open, readFile, rm, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { MillraceError } from '../../errors/index.ts'
import { formatSize } from '../../kit/index.ts'
import { dataFolderName, findRunningDev } from '../dev/address-file.ts'
import { findConfig, loadConfig } from '../load-config.ts'
import { counted } from '../text.ts'
import type { Cluster } from '../cluster.ts'
import { groupLags } from '../group-lag.ts'
import type { Check, CheckContext, CheckResult } from './check.ts'

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

const topics: Check = {
  name: 'topics',
  about: 'every partition has a leader and its replicas',
  run: ({ cluster }) =>
    onCluster(cluster, async ({ admin }) => {
      const all = await admin.describeTopics()
      const places = all.flatMap(({ name, partitions }) =>
        partitions.map((one) => ({ ...one, place: `${name}/${one.partition}` })),
      )
      const leaderless = places.filter(({ leader }) => leader < 0)
      const behind = places.filter(({ isr, replicas }) => isr.length < replicas.length)
      if (leaderless.length > 0)
        return {
          status: 'fail',
          detail: `without a leader: ${someOf(leaderless.map(({ place }) => place))}`,
          fix: 'start the brokers that hold them',
        }
      if (behind.length > 0)
        return {
          status: 'warn',
          detail: `fewer replicas than there should be: ${someOf(behind.map(({ place }) => place))}`,
          fix: 'look for brokers that are down or slow',
        }
      return {
        status: 'ok',
        detail: `${counted(all.length, 'topic')}, ${counted(places.length, 'partition')}`,
      }
    }),
}

const groups: Check = {
  name: 'groups',
  about: 'groups that are behind have members',
  run: ({ cluster }) =>
    onCluster(cluster, async (opened) => {
      const { admin } = opened
      const all = await admin.describeGroups(
        (await admin.listGroups()).map(({ groupId }) => groupId),
      )
      const abandoned: string[] = []
      for (const group of all) {
        if (group.members.length > 0 || group.error) continue
        const lags = await groupLags(opened, group)
        if (lags.some(({ lag }) => (lag ?? 0) > 0)) abandoned.push(group.groupId)
      }
      if (abandoned.length === 0) return { status: 'ok', detail: counted(all.length, 'group') }
      return {
        status: 'warn',
        detail: `behind, with nobody reading: ${someOf(abandoned)}`,
        fix: 'start their workers, or delete them with `millrace groups delete`',
      }
    }),
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
  topics,
  groups,
]

/** The check of the brokers has told already what is wrong when there is none. */
async function onCluster(
  cluster: CheckContext['cluster'],
  run: (cluster: Cluster) => Promise<CheckResult>,
): Promise<CheckResult> {
  let opened: Cluster
  try {
    opened = await cluster()
  } catch {
    return { status: 'skipped', detail: 'the cluster does not answer' }
  }
  return run(opened).catch(failed)
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ')
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown
}

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
