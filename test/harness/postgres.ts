import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Pool } from 'pg'

import { until } from './until.ts'

/** A Postgres of our own: in a temporary folder, on a socket file, nobody else's data. */
export interface PostgresServer extends AsyncDisposable {
  /** For `pg`: the socket's folder and the user; also as JSON for a child process. */
  readonly connection: { readonly host: string; readonly user: string; readonly database: string }
  readonly pool: Pool
  /** A pool that is closed with the server. */
  readonly openPool: (max?: number) => Pool
}

const folder = binaries()

/** Why tests with Postgres cannot run here, or undefined. */
export const noPostgres: string | undefined =
  folder === undefined
    ? 'NOT RUN on Postgres: neither PATH nor /usr/lib/postgresql has initdb (apt-get install postgresql)'
    : undefined

function binaries(): string | undefined {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []
  const newest = versions.toSorted((left, right) => Number(right) - Number(left))
  const folders = [
    ...newest.map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ]
  return folders.find((one) => existsSync(join(one, 'initdb')) && existsSync(join(one, 'postgres')))
}

/** Postgres refuses to run as root. */
function otherUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => /^(postgres|nobody):/.test(one))
  const [, , uid = '65534', gid = '65534'] = line?.split(':') ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

export async function startPostgres(): Promise<PostgresServer> {
  if (folder === undefined) throw new Error(noPostgres)
  const place = await mkdtemp(join(tmpdir(), 'millrace-pg-'))
  const user = otherUser()
  if (user !== undefined) await chown(place, user.uid, user.gid)
  const data = join(place, 'data')
  const made = spawnSync(
    join(folder, 'initdb'),
    ['-D', data, '--no-sync', '-A', 'trust', '-U', 'test', '-E', 'UTF8', '--locale=C'],
    { ...user, cwd: place, encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const settings = ['listen_addresses=', 'fsync=off', 'shared_buffers=16MB', 'max_connections=60']
  const child = spawn(
    join(folder, 'postgres'),
    ['-D', data, '-k', place, ...settings.flatMap((setting) => ['-c', setting])],
    { ...user, cwd: place, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  // A test that ends by an error in the middle must not leave a server behind.
  const endWithUs = (): void => void child.kill('SIGQUIT')
  process.once('exit', endWithUs)
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const connection = { host: place, user: 'test', database: 'postgres' }
  const pools: Pool[] = []
  const openPool = (max = 20): Pool => {
    const pool = new Pool({ ...connection, max })
    // The server is stopped under it at the end.
    pool.on('error', () => {})
    pools.push(pool)
    return pool
  }
  const pool = openPool()
  await until(
    'Postgres answers',
    async () => {
      if (child.exitCode !== null) throw new Error(said)
      await pool.query('select 1')
      return true
    },
    { lastSeen: () => said },
  )
  return {
    connection,
    pool,
    openPool,
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.filter(({ ended }) => !ended).map((one) => one.end()))
      process.off('exit', endWithUs)
      const exited = once(child, 'exit')
      // At once: what is in it is not needed any more.
      child.kill('SIGQUIT')
      await exited
      await rm(place, { recursive: true, force: true })
    },
  }
}
