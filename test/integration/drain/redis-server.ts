import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** Why tests with Redis cannot run here, or undefined. */
export const noRedis: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed'

/** A server of our own on a socket file: no port to pick, nobody else's data. */
export interface RedisServer extends AsyncDisposable {
  /** What ioredis takes for a URL: the path of the socket. */
  readonly url: string
}

export async function startRedis(): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'))
  const url = join(folder, 'redis.sock')
  const child = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', url, '--save', '', '--dir', folder],
    { stdio: 'ignore' },
  )
  await answers(url, child)
  return {
    url,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function answers(path: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const socket = createConnection(path)
    try {
      await once(socket, 'connect')
      return
    } catch (error) {
      if (attempt > 400 || child.exitCode !== null) throw error
      await wait(25)
    } finally {
      socket.destroy()
    }
  }
}
